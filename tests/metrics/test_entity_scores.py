import itertools
import warnings

import keras
import numpy as np
import pytest
import seqeval.metrics
import seqeval.scheme
import tensorflow as tf

import unitools as ut

KINDS = ("LOC", "ORG", "PER")
SCHEMES = {"iob2": "BI", "iob1": "BI", "bioes": "BIES"}
THEIRS = {"iob2": seqeval.scheme.IOB2, "iob1": seqeval.scheme.IOB1, "bioes": seqeval.scheme.IOBES}
AVERAGES = ("micro", "macro", "weighted")


def tag_set(scheme, kinds=KINDS):
    return ("O", *(f"{prefix}-{kind}" for kind in kinds for prefix in SCHEMES[scheme]))


def fuzzed(size, num_tags, seed):
    """Random tag numbers, padded with -1: some predictions are copies with a few changes, others unrelated."""
    random = np.random.default_rng(seed)
    time = 12
    true = random.integers(0, num_tags, (size, time))
    true[random.random(true.shape) < 0.3] = 0
    other = random.integers(0, num_tags, (size, time))
    share = random.choice([0.0, 0.1, 0.3, 1.0], (size, 1))
    predicted = np.where(random.random(true.shape) < share, other, true)
    true[np.arange(time) >= random.integers(1, time + 1, (size, 1))] = -1
    return true, predicted


def as_lists(true, predicted, tags):
    """The tags of the positions that count, as seqeval takes them."""
    return tuple(
        [[tags[number] for number, label in zip(row, labels, strict=True) if label >= 0]
         for row, labels in zip(numbers, true, strict=True)]
        for numbers in (true, predicted)
    )  # fmt: skip


def seqevals_report(true, predicted, tags, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seqeval.metrics.classification_report(*as_lists(true, predicted, tags), output_dict=True, **options)


def expect_same_report(metric, expected):
    report = metric.report().as_dict()
    assert set(report) == set(expected)
    for name, row in expected.items():
        ours = [report[name][key] for key in ("precision", "recall", "f1", "support")]
        np.testing.assert_allclose(
            ours, [row[key] for key in ("precision", "recall", "f1-score", "support")], rtol=1e-9
        )


def updated(metric, true, predicted, batch=500):
    update = tf.function(metric.update_state)
    for start in range(0, len(true), batch):
        update(tf.constant(true[start : start + batch]), tf.constant(predicted[start : start + batch]))
    return metric


@pytest.mark.parametrize("mode", ["default", "strict"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_equals_seqeval_on_thousands_of_random_sequences(scheme, mode):
    tags = tag_set(scheme)
    true, predicted = fuzzed(4000, len(tags), seed=len(scheme))
    metric = updated(ut.metrics.EntityScores(tags, mode=mode, scheme=scheme), true, predicted)
    options = {"mode": "strict", "scheme": THEIRS[scheme]} if mode == "strict" else {}
    expected = seqevals_report(true, predicted, tags, **options)
    assert all(expected[kind]["support"] > 100 for kind in KINDS)
    expect_same_report(metric, expected)
    for average in AVERAGES:
        metric.average = average
        ours = [float(metric.result()[f"entity_{key}"]) for key in ("precision", "recall", "f1")]
        row = expected[f"{average} avg"]
        np.testing.assert_allclose(ours, [row[key] for key in ("precision", "recall", "f1-score")], rtol=1e-6)


@pytest.mark.parametrize("mode", ["default", "strict"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_equals_seqeval_sentence_by_sentence(scheme, mode):
    """Errors that cancel out over thousands of sentences do not in one."""
    tags = tag_set(scheme, KINDS[:2])
    true, predicted = fuzzed(150, len(tags), seed=9)
    metric = ut.metrics.EntityScores(tags, mode=mode, scheme=scheme)
    update = tf.function(metric.update_state, input_signature=[tf.TensorSpec((1, 12), tf.int64)] * 2)
    for row in range(len(true)):
        pair = true[row : row + 1], predicted[row : row + 1]
        metric.reset_state()
        update(*pair)
        options = {"mode": "strict", "scheme": THEIRS[scheme]} if mode == "strict" else {}
        expected = seqevals_report(*pair, tags, **options) if has_entities(*pair, tags, mode, scheme) else {}
        if expected:
            expect_same_report(metric, expected)
        else:
            assert metric.report().as_dict()["micro avg"]["support"] == 0


def has_entities(true, predicted, tags, mode, scheme):
    """seqeval's report fails where there is no entity at all."""
    lists = as_lists(true, predicted, tags)
    if mode == "strict":
        return any(seqeval.scheme.Entities(each, THEIRS[scheme]).unique_tags for each in lists)
    return any(seqeval.metrics.sequence_labeling.get_entities(each) for each in lists)


def test_every_short_sequence():
    """All pairs of sequences of three tags over two types."""
    tags = tag_set("iob2", KINDS[:2])
    rows = np.array(list(itertools.product(range(len(tags)), repeat=3)))
    true, predicted = np.repeat(rows, len(rows), axis=0), np.tile(rows, (len(rows), 1))
    for mode, options in [("default", {}), ("strict", {"mode": "strict", "scheme": seqeval.scheme.IOB2})]:
        metric = updated(ut.metrics.EntityScores(tags, mode=mode), true, predicted, batch=len(true))
        expect_same_report(metric, seqevals_report(true, predicted, tags, **options))


def test_ignored_pieces_do_not_part_an_entity():
    tags = ("O", "B-PER", "I-PER")
    labels, found = np.array([[-1, 1, -1, 2, -1, 0]]), np.array([[1, 1, 0, 2, 1, 0]])
    metric = ut.metrics.EntityScores(tags)
    metric.update_state(labels, found)
    assert metric.report().as_dict()["PER"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}


def test_an_entity_ends_with_its_sentence():
    metric = ut.metrics.EntityScores(("O", "B-PER", "I-PER"))
    labels = np.array([[0, 1], [2, 0]])
    metric.update_state(labels, labels)
    assert metric.report().as_dict()["PER"]["support"] == 2


def test_masks_and_weights_leave_positions_out():
    tags = ("O", "B-PER", "I-PER")
    embedded = keras.layers.Embedding(9, 3, mask_zero=True, embeddings_initializer="zeros")(np.array([[1, 2, 0]]))
    metric = ut.metrics.EntityScores(tags)
    metric.update_state(np.array([[0, 1, 1]]), embedded)
    assert metric.report().as_dict()["micro avg"]["support"] == 1
    metric.reset_state()
    metric.update_state(np.array([[1, 0], [1, 0]]), np.array([[0, 0], [1, 0]]), sample_weight=np.array([0.0, 0.5]))
    assert float(metric.result()["entity_f1"]) == 1.0


def test_potentials_of_a_crf_are_decoded_in_a_graph_of_open_shapes():
    tags = ("O", "B-PER", "I-PER")
    metric = ut.metrics.EntityScores(tags)
    # Each position by itself would choose I-PER; the step that it needs is forbidden.
    unary = np.tile(np.array([1.0, 0.9, 1.1], "float32"), (2, 4, 1))
    crf = ut.heads.CRF(3, transitions="none", allowed=ut.heads.allowed_transitions(tags))
    crf.build((None, None, 3))
    crf._tagger.set_weights([np.eye(3), np.zeros(3)])
    signature = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None, 3, 3))]
    tf.function(metric.update_state, input_signature=signature)(np.array([[1, 2, 2, 2]] * 2), crf(unary))
    assert metric.report().as_dict()["PER"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2}


def test_nothing_counted_gives_zeros():
    metric = ut.metrics.EntityScores(("O", "B-PER"))
    metric.update_state(np.full((2, 3), -1), np.zeros((2, 3, 2)))
    assert {float(score) for score in metric.result().values()} == {0.0}


def test_fit_shows_the_scores_in_a_compiled_step():
    model = keras.Sequential([keras.Input((5, 3)), ut.heads.TokenTagger(5, dropout=0.0)])
    metric = ut.metrics.EntityScores(tag_set("iob2", KINDS[:2]))
    model.compile("adam", ut.losses.TokenCrossEntropy(), metrics=[metric], jit_compile=True)
    random = np.random.default_rng(0)
    inputs, labels = random.normal(size=(8, 5, 3)).astype("float32"), random.integers(-1, 5, (8, 5))
    logs = model.fit(inputs, labels, validation_data=(inputs, labels), verbose=0).history
    found = model.predict(inputs, verbose=0).argmax(-1)
    expected = seqevals_report(labels, found, metric.tags)["micro avg"]["f1-score"]
    assert {"entity_precision", "entity_recall", "entity_f1"} <= set(logs)
    assert logs["val_entity_f1"] == [pytest.approx(expected, rel=1e-6)]


def test_conll_2003_has_5648_entities(shared_data):
    path = shared_data("conll2003-en") / "test.iob2.txt"
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    sentences = [[line.split()[-1] for line in block.splitlines() if line.strip()] for block in blocks]
    tags = sorted({tag for sentence in sentences for tag in sentence})
    metric = ut.metrics.EntityScores(tags, mode="strict")
    time = max(map(len, sentences))
    labels = np.full((len(sentences), time), -1)
    for row, sentence in enumerate(sentences):
        labels[row, : len(sentence)] = [tags.index(tag) for tag in sentence]
    updated(metric, labels, np.maximum(labels, 0))
    report = metric.report().as_dict()
    assert report["micro avg"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 5648}
    assert {kind: report[kind]["support"] for kind in ("LOC", "MISC", "ORG", "PER")} == {
        "LOC": 1668,
        "MISC": 702,
        "ORG": 1661,
        "PER": 1617,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tags": ("O", "PER")}, "These are not: \\['PER'\\]"),
        ({"tags": ("O", "B-PER", "B-PER")}, "distinct"),
        ({"tags": "O"}, "tags"),
        ({"tags": ("O", "E-PER"), "scheme": "iob2"}, "scheme='auto'"),
        ({"mode": "lenient"}, "mode"),
        ({"average": "samples"}, "average"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ut.metrics.EntityScores(**{"tags": ("O", "B-PER")} | arguments)


def test_shapes_that_do_not_agree():
    metric = ut.metrics.EntityScores(("O", "B-PER"))
    with pytest.raises(ValueError, match="y_pred"):
        metric.update_state(np.zeros((2, 3), int), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="y_true"):
        metric.update_state(np.zeros(3, int), np.zeros((3, 2)))
