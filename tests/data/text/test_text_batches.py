"""Order, position, shards, lengths and contents of bucketed batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unitools.data import ColumnText, TextTable, WordPieceTokenizer
from unitools.data.text.bucket_plan import plan_buckets
from unitools.data.text.piece_labels import label_pieces
from unitools.data.text.text_batches import TextBatches
from unitools.data.text.token_table import TokenTable

LENGTHS = np.minimum(1 + np.random.default_rng(0).geometric(0.06, 137), 70)


def _table(lengths=LENGTHS):
    """Return examples each of whose tokens is the example's number plus 1."""
    lengths = np.asarray(lengths)
    values = np.repeat(np.arange(1, len(lengths) + 1), lengths).astype(np.int32)
    return TokenTable(
        {"token_ids": values}, np.concatenate([[0], np.cumsum(lengths)]), np.arange(len(lengths), dtype=np.int32)
    )


def _batches(batch_size=4, lengths=LENGTHS, **options):
    return TextBatches(_table(lengths), batch_size, **({"seed": 3} | options))


def _drawn(batches):
    return [(inputs["token_ids"].numpy().tolist(), labels.numpy().tolist()) for inputs, labels in batches]


def _examples(batches):
    return [labels for _, labels in _drawn(batches)]


def _flat(lists):
    return [item for items in lists for item in items]


MODES = [
    {},
    {"shuffle": False},
    {"batch_size": 160, "unit": "tokens"},
    {"batch_size": 160, "unit": "tokens", "shuffle": False},
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 3, 137])
def test_every_example_once_an_epoch_with_its_own_tokens(mode, count):
    batches = _batches(lengths=LENGTHS[:count], **mode)
    for _ in range(2):
        seen = []
        for inputs, labels in batches:
            ids, mask = inputs["token_ids"].numpy(), inputs["padding_mask"].numpy()
            for row, inside, example in zip(ids, mask, labels.numpy(), strict=True):
                assert row[inside].tolist() == [example + 1] * LENGTHS[example]
                assert not row[~inside].any() and inside.argmin() in (0, inside.sum())
                seen.append(example)
        assert sorted(seen) == list(range(count)) and len(batches) == int(batches.cardinality())


def test_unshuffled_order_is_the_index():
    for mode in MODES[1::2]:
        assert _flat(_examples(_batches(**mode))) == list(range(137))


@pytest.mark.parametrize("mode", [MODES[0], MODES[2]])
def test_orders_differ_by_epoch_and_seed_and_repeat(mode):
    first, second, other = _batches(**mode), _batches(**mode), _batches(**(mode | {"seed": 4}))
    epochs = [_drawn(first), _drawn(first)]
    assert epochs == [_drawn(second), _drawn(second)]
    assert len({str(epoch) for epoch in [*epochs, _drawn(other)]}) == 3


def test_sizes_and_lengths_are_few():
    batches = _batches(4)
    shapes = [tuple(inputs["token_ids"].shape) for inputs, _ in batches]
    assert {length for _, length in shapes} == set(batches.boundaries) <= {8, 16, 32, 64, 128}
    assert [size for size, _ in shapes].count(4) == 34 and min(size for size, _ in shapes) == 1
    batches = _batches(160, unit="tokens", boundaries=[10, 20, 40, 80], drop_remainder=True)
    assert {tuple(inputs["token_ids"].shape) for inputs, _ in batches} == {(16, 10), (8, 20), (4, 40), (2, 80)}
    for mode in (MODES[2], MODES[3]):
        assert all(np.prod(inputs["token_ids"].shape) <= 160 for inputs, _ in _batches(**mode))


@pytest.mark.parametrize("mode", MODES)
def test_padding_share_is_what_is_drawn(mode):
    batches = _batches(**mode)
    masks = [inputs["padding_mask"].numpy().ravel() for inputs, _ in batches]
    assert batches.padding_share == pytest.approx(1 - np.concatenate(masks).mean(), abs=1e-12)


def test_grouping_saves_padding():
    assert _batches(16).padding_share < 0.6 * _batches(16, shuffle=False).padding_share


def test_each_place_in_a_bucket_is_taken_evenly():
    """Over many epochs each of 10 examples is in the one batch that is not full equally often."""
    order = _batches(9, lengths=[3] * 10)._order
    first = tf.function(lambda: tf.map_fn(lambda epoch: _small_batch(order, epoch), tf.range(2_000, dtype=tf.int64)))()
    counts = np.bincount(first, minlength=10)
    assert np.sum((counts - 200.0) ** 2 / 200.0) < 27.9  # 9 degrees of freedom, p = 0.001


def _small_batch(order, epoch):
    step = tf.constant(0, tf.int64)
    first, _ = order.batch(epoch, step)
    return tf.cond(tf.shape(first)[0] == 1, lambda: first[0], lambda: order.batch(epoch, step + 1)[0][0])


@pytest.mark.parametrize(("mode", "step"), [(MODES[0], 0), (MODES[0], 7), (MODES[1], 1), (MODES[2], 7), (MODES[3], 7)])
def test_resumes_with_the_very_batches_of_the_uninterrupted_run(mode, step):
    whole, stopped, resumed = _batches(**mode), _batches(**mode), _batches(**mode)
    expected = [batch for _ in range(3) for batch in _drawn(whole)]
    drawn = _drawn(stopped)
    if step:
        drawn += [batch for batch, _ in zip(_drawn(stopped.take(step)), range(step), strict=True)]
    resumed.load_state_dict(stopped.state_dict())
    assert resumed.state_dict() == {"epoch": 1, "step": step}
    drawn += [batch for _ in range(2) for batch in _drawn(resumed)]
    assert drawn == expected


def test_position_counts_what_was_drawn():
    batches = _batches(16)
    positions = [batches.state_dict()["step"] for _ in batches]
    assert positions == [*range(1, len(batches)), 0] and batches.state_dict() == {"epoch": 1, "step": 0}
    next(iter(batches))
    assert batches.state_dict() == {"epoch": 1, "step": 1}
    repeated = _batches(16).repeat(2)
    reference = _batches(16)
    assert _drawn(repeated) == _drawn(reference) + _drawn(reference)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("drop_remainder", [False, True])
@pytest.mark.parametrize(("size", "count"), [(137, 2), (130, 4)])
def test_shards_are_disjoint_and_in_step(mode, drop_remainder, size, count):
    whole = _batches(lengths=LENGTHS[:size], drop_remainder=drop_remainder, **mode)
    parts = [_drawn(whole.shard(index, count)) for index in range(count)]
    assert len({len(part) for part in parts}) == 1
    for batches in zip(*parts, strict=True):
        assert len({len(ids[0]) for ids, _ in batches}) == 1 and all(labels for _, labels in batches)
        assert len({len(labels) for _, labels in batches}) <= 2
    seen = _flat(labels for part in parts for _, labels in part)
    assert len(set(seen)) == len(seen) <= size
    if not drop_remainder:
        assert sorted(seen) == list(range(size))


def test_every_plan_holds_every_example_once():
    """Any lengths, sizes and shards: each shard has an example in every batch, no batch is too large, none is lost."""
    random, refused = np.random.default_rng(5), 0
    for _ in range(400):
        lengths = random.integers(0, 65, random.integers(20, 90))
        unit, shards = str(random.choice(["sentences", "tokens"])), int(random.integers(1, 5))
        batch_size = int(random.integers(2, 9)) if unit == "sentences" else int(random.integers(64, 300))
        try:
            plan = plan_buckets(lengths, (8, 16, 32, 64), batch_size, unit, shards, False)
        except ValueError:  # no batch has more examples than there are shards
            refused += 1
            continue
        levels, _, sizes, padded = plan.batches.T
        assert sizes.sum() == len(lengths) == len(set(plan.members)) and sizes.min() >= shards
        capacity = batch_size if unit == "sentences" else batch_size // padded
        assert (-(-sizes // shards) <= capacity).all()
        for level, pool in enumerate(plan.pools):
            own = lengths[plan.members][plan.first_members[level] :][: pool - plan.passed_on[level]]
            assert own.max() <= padded[levels >= level].min()
            assert plan.used[level] <= pool and plan.passed_on[0] == 0
            assert level == 0 or plan.passed_on[level] == plan.pools[level - 1] - plan.used[level - 1]
    assert refused < 8


def test_shard_of_a_shard():
    parts = [_examples(_batches().shard(0, 2).shard(index, 2)) for index in range(2)]
    parts += [_examples(_batches().shard(1, 4)), _examples(_batches().shard(3, 4))]
    assert sorted(_flat(_flat(part) for part in parts)) == list(range(137))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"unit": "words"}, "unit='words'"),
        ({"batch_size": 32, "unit": "tokens"}, "batch_size=32.*max_length"),
        ({"boundaries": [16, 8]}, "boundaries="),
        ({"boundaries": [8, 16]}, "of 70 tokens, fits"),
        ({"batch_size": 200, "drop_remainder": True}, "batch_size=200"),
        ({"shuffle": 1}, "shuffle=1"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        _batches(**options)
    with pytest.raises(ValueError, match="Use fewer parts"):
        _batches(lengths=[1, 2, 3]).shard(0, 4)


def _whitespace(texts):
    return tf.ragged.map_flat_values(
        lambda words: tf.strings.to_hash_bucket_fast(words, 900) + 10, tf.strings.split(texts)
    )


def _one_id(words):
    return tf.ragged.map_flat_values(lambda flat: tf.strings.to_hash_bucket_fast(flat, 900) + 10, words)


def _letters(words):
    """Return a word's characters as its pieces; "-" has none."""
    codes = tf.strings.unicode_decode(words.values, "UTF-8")
    return words.with_values(tf.ragged.boolean_mask(codes, codes != ord("-")))


def test_words_keep_their_labels(shared_data):
    reader = ColumnText(shared_data("wikigold") / "dev.iob2.txt")
    batches = reader.batches(8, encode=_one_id, shuffle=False)
    rows = [
        (ids[mask], tags[mask], tags[~mask])
        for inputs, labels in batches
        for ids, mask, tags in zip(
            inputs["token_ids"].numpy(), inputs["padding_mask"].numpy(), labels.numpy(), strict=True
        )
    ]
    for (ids, tags, rest), (words, expected) in zip(rows, reader.sentences, strict=True):
        assert ids.tolist() == (tf.strings.to_hash_bucket_fast(words, 900) + 10).numpy().tolist()
        assert [reader.id2tag[tag] for tag in tags] == list(expected) and (rest == -1).all()


def test_pieces_are_labelled_at_the_first(write):
    reader = ColumnText(write("Ada\tB-PER\n-\tO\nis\tO\n\nUN\tB-ORG\n"))
    with pytest.raises(ValueError, match="encode='-'.*unknown"):
        reader.batches(2, encode=_letters)
    ids = {"start": 1, "end": 2, "unknown": 3, "pad": 9}
    batches = reader.batches(2, encode=_letters, special_ids=ids, shuffle=False, boundaries=[4, 9])
    ((inputs, labels),) = batches
    codes = [ord(letter) for letter in "Ada"]
    assert inputs["token_ids"].numpy().tolist() == [
        [1, *codes[:3], 3, ord("i"), ord("s"), 2, 9],
        [1, ord("U"), ord("N"), 2, 9, 9, 9, 9, 9],
    ]
    person, organisation = reader.tag2id["B-PER"], reader.tag2id["B-ORG"]
    assert labels.numpy().tolist() == [[-1, person, -1, -1, 0, 0, -1, -1, -1], [-1, organisation] + [-1] * 7]
    cut = reader.batches(2, encode=_letters, special_ids=ids, shuffle=False, max_length=5)
    assert next(iter(cut))[0]["token_ids"].numpy().tolist() == [[1, *codes[:3], 2], [1, ord("U"), ord("N"), 2, 9]]
    assert (cut.num_truncated, cut.num_lost_words) == (1, 2) and (batches.num_truncated, batches.num_lost_words) == (
        0,
        0,
    )


def test_labels_stand_at_first_pieces_and_none_is_lost():
    random = np.random.default_rng(4)
    for _ in range(100):
        sentences = random.integers(0, 6, 5)
        pieces = random.integers(0, 4, sentences.sum())
        flat = tf.constant(random.integers(1, 99, pieces.sum()), tf.int32)
        encoded = tf.RaggedTensor.from_nested_row_lengths(flat, [sentences, pieces])
        labels = random.integers(0, 9, sentences.sum()).astype(np.int32)
        table = label_pieces(encoded, labels, unknown_id=7)
        assert table.lengths.sum() == len(table.labels) == np.maximum(pieces, 1).sum()
        assert table.labels[table.labels != -1].tolist() == labels.tolist()
        starts = np.flatnonzero(table.labels != -1)
        assert np.diff([*starts, len(table.labels)]).tolist() == np.maximum(pieces, 1).tolist()
        assert table.values["token_ids"][table.values["token_ids"] != 7].tolist() == flat.numpy()[flat != 7].tolist()


VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ada", "is", "lov", "##el", "##ace", "."]


def test_the_tokenizer_encodes_words_and_texts(write):
    tokenizer = WordPieceTokenizer(VOCABULARY, max_length=6)
    reader = ColumnText(write("Ada B-PER\nLovelace I-PER\n. O\n\n\x07 O\nis O\n"))
    batches = reader.batches(2, encode=tokenizer, shuffle=False)
    ((inputs, labels),) = batches
    person, more = reader.tag2id["B-PER"], reader.tag2id["I-PER"]
    assert inputs["token_ids"].numpy()[:, :7].tolist() == [[2, 5, 7, 8, 9, 3, 0], [2, 6, 3, 0, 0, 0, 0]]
    assert labels.numpy()[:, :4].tolist() == [[-1, person, more, -1], [-1, 0, -1, -1]]
    assert (batches.num_truncated, batches.num_lost_words) == (1, 2)  # "." is cut, the control character has no piece
    table = TextTable(write("text,label\nAda is,x\nLovelace,y\n", "t.csv"))
    ((inputs, labels),) = table.batches(2, encode=tokenizer, shuffle=False, boundaries=[6])
    assert inputs["token_ids"].numpy().tolist() == [[2, 5, 6, 3, 0, 0], [2, 7, 8, 9, 3, 0]]
    assert inputs["padding_mask"].numpy().sum(1).tolist() == [4, 5] and set(inputs) == {"token_ids", "padding_mask"}


def test_tables_of_texts(shared_data):
    table = TextTable(shared_data("banking77") / "test.csv", label="category")
    for inputs, labels in table.batches(64, encode=_whitespace, class_mode="categorical", seed=1).take(3):
        assert labels.shape == (64, 77) and inputs["token_ids"].shape == inputs["padding_mask"].shape
    inputs, labels = next(iter(table.batches(64, encode=_whitespace, shuffle=False)))
    assert labels.numpy().tolist() == table.labels[:64].tolist()
    lengths = [len(text.split()) for text in table.texts[:64]]
    assert inputs["padding_mask"].numpy().sum(1).tolist() == lengths
    texts, labels = next(iter(table.batches(4, shuffle=False)))
    assert [text.decode() for text in texts.numpy()] == list(table.texts[:4])
    assert next(iter(table.batches(4, shuffle=False, class_mode=None))).shape == (4,)


def test_pairs(write):
    table = TextTable(write("a,b,label\nx y,z,0\nx,y z w,1\n", "t.csv"), text=("a", "b"))

    def encode(pair):
        first, second = pair
        both = [_whitespace(first), _whitespace(second)]
        segments = [tf.zeros_like(both[0]), tf.ones_like(both[1])]
        return {"token_ids": tf.concat(both, 1), "segment_ids": tf.concat(segments, 1)}

    ((inputs, _),) = table.batches(2, encode=encode, shuffle=False)
    assert inputs["segment_ids"].numpy().tolist() == [[0, 0, 1] + [0] * 5, [0, 1, 1, 1] + [0] * 4]
    (first, second), _ = next(iter(table.batches(2, shuffle=False)))
    assert first.numpy().tolist() == [b"x y", b"x"] and second.numpy().tolist() == [b"z", b"y z w"]
    with pytest.raises(ValueError, match="special_ids"):
        table.batches(2, encode=encode, special_ids={"start": 1})


def test_what_tables_refuse(write):
    one = TextTable(write("text,label\na,x\nb,x\n", "t.csv"))
    with pytest.raises(ValueError, match="one class only"):
        one.batches(2, encode=_whitespace)
    assert len(one.batches(2, class_mode=None)) == 1
    two = TextTable(write("text,label\na,x\nb,y\n", "t.csv"))
    for options in ({"class_mode": "binary"}, {"unit": "tokens"}, {"special_ids": {"begin": 1}}):
        with pytest.raises(ValueError, match=next(iter(options))):
            two.batches(2, **options)
    for encode in (lambda texts: tf.zeros((2, 3), tf.int32), lambda texts: tf.strings.split(texts), lambda texts: {}):
        with pytest.raises(ValueError, match="`encode` must be"):
            two.batches(2, encode=encode)


def test_fit_takes_the_batches(write):
    reader = ColumnText(write("Ada B-PER\nis O\n\nUN B-ORG\n\nParis O\n"))
    batches = reader.batches(2, encode=_one_id, seed=1)
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    logits = keras.layers.Dense(reader.num_tags)(keras.layers.Embedding(910, 4)(ids))
    model = keras.Model({"token_ids": ids, "padding_mask": mask}, logits)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    model.fit(batches, epochs=2, verbose=0, shuffle=False)
    assert batches.state_dict() == {"epoch": 2, "step": 0}


def test_what_a_tokenizer_has_packed_is_not_cut_again(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("".join(f"{letter} O\n" for letter in "abcdefgh"))
    tokenizer = WordPieceTokenizer([*VOCABULARY, *"abcdefgh"], max_length=6)
    reader = ColumnText(path, scheme=None)
    batches = reader.batches(1, encode=tokenizer, shuffle=False)
    assert batches.num_truncated == 1 and batches.num_lost_words == 4
    with pytest.raises(ValueError, match=r"`max_length` must be at least 6.*Received max_length=5.*tokenizer"):
        reader.batches(1, encode=tokenizer, shuffle=False, max_length=5)
    with pytest.raises(ValueError, match=r"`special_ids` must be without.*Received special_ids=\{'start': 2\}"):
        reader.batches(1, encode=tokenizer, special_ids={"start": 2})


def test_batches_hold_the_inputs_that_a_model_takes(write):
    tokenizer = WordPieceTokenizer(VOCABULARY, max_length=6)
    reader = ColumnText(write("Ada B-PER\nis O\n\nLovelace B-PER\n", "t.txt"))
    names = ("first_pieces", "token_ids", "segment_ids")
    ((inputs, labels),) = reader.batches(2, encode=tokenizer, shuffle=False, inputs=names)
    assert tuple(inputs) == names
    np.testing.assert_array_equal(inputs["first_pieces"], labels >= 0)
    assert not inputs["segment_ids"].numpy().any()
    with pytest.raises(ValueError, match="`inputs` must be names among .*'padding_mask'"):
        reader.batches(2, encode=tokenizer, inputs=["pictures"])
    table = TextTable(write("text,label\nAda is,x\nLovelace,y\n", "t.csv"))
    with pytest.raises(ValueError, match="`inputs` must be names among"):
        table.batches(2, encode=tokenizer, inputs=["first_pieces"])  # texts have no words with labels
    with pytest.raises(ValueError, match="Give `encode`"):
        table.batches(2, inputs=["token_ids"])


@pytest.mark.parametrize(
    ("steps", "longest", "expected"),
    [
        (1, 8, (8,)),
        (1, 9, (8, 16)),
        (2, 30, (8, 12, 16, 24, 32)),
        (4, 17, (8, 10, 12, 14, 16, 20)),
        (8, 11, (8, 9, 10, 11)),
    ],
)
def test_lengths_between_powers_of_two(steps, longest, expected):
    lengths = [longest, *range(1, longest)]
    assert _batches(1, lengths, boundaries=steps).boundaries == expected
    padded = [min(length for length in expected if length >= real) for real in lengths]
    assert _batches(1, lengths, boundaries=steps).padding_share == pytest.approx(1 - sum(lengths) / sum(padded))


def test_steps_that_are_none():
    with pytest.raises(ValueError, match="boundaries=3"):
        _batches(1, [4], boundaries=3)
