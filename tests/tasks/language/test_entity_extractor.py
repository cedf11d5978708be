import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.tasks.language.conftest import LEXICON, TAGS, lexicon_tagger
from unitools.tasks import EntityExtractor, read_entities


def extractor(tokenizer, **options):
    return EntityExtractor(lexicon_tagger(tokenizer), tokenizer, TAGS, **options)


def spans_by_hand(text):
    """Entities of words that are parted by blanks, read in Python."""
    spans, at = [], 0
    for word in text.split(" "):
        tag = TAGS[LEXICON.get(word, 0)]
        if tag[0] == "B" or (tag[0] == "I" and not (spans and spans[-1][2] == at - 1 and spans[-1][0] == tag[2:])):
            spans.append([tag[2:], at, at + len(word)])
        elif tag[0] == "I":
            spans[-1][2] = at + len(word)
        at += len(word) + 1
    return [(kind, start, end, text[start:end]) for kind, start, end in spans]


def found(layer, texts):
    answers = read_entities(layer(tf.constant(texts)))
    return [[(entity.type, entity.start, entity.end, entity.text) for entity in row] for row in answers]


def random_text(random, size):
    return " ".join(random.choice([*LEXICON, "né", "中", "😀x"], size))


@pytest.mark.parametrize("seed", range(4))
def test_entities_of_texts_of_any_length_are_found_where_they_stand(word_tokenizer, seed):
    random = np.random.default_rng(seed)
    texts = [random_text(random, size) for size in random.integers(0, 120, 9)]
    layer = extractor(word_tokenizer, overlap=3, group_size=4)
    assert found(layer, texts) == [spans_by_hand(text) for text in texts]


def test_no_word_of_ten_thousand_is_lost(word_tokenizer):
    text = random_text(np.random.default_rng(9), 10_000)
    assert found(extractor(word_tokenizer), ["Ada", text]) == [spans_by_hand("Ada"), spans_by_hand(text)]


def test_confidence_is_the_mean_probability_of_the_words_tags(word_tokenizer):
    layer = EntityExtractor(lexicon_tagger(word_tokenizer, sharpness=2.0), word_tokenizer, TAGS)
    (row,) = read_entities(layer(tf.constant(["New York and Ada"])))
    assert [entity.confidence for entity in row] == pytest.approx([np.exp(2) / (np.exp(2) + 4)] * 2, rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00\x07",
        "\u202b עדה \u202c",
        "😀" * 50,
        "\ufeffAda",
        "Ada" * 5000,
        b"\xff\xfe Ada \xc3",
        "\n\tAda\r\n",
    ],
    ids=repr,
)
def test_odd_texts_change_nothing_for_their_neighbours(word_tokenizer, text):
    layer = extractor(word_tokenizer)
    encoded = text.encode() if isinstance(text, str) else text
    first, odd, last = read_entities(layer(tf.constant([b"Ada", encoded, b"in Paris"])))
    assert [entity.text for entity in first + last] == ["Ada", "Paris"]
    decoded = encoded.decode("utf-8", "replace")
    assert all(decoded[entity.start : entity.end] == entity.text for entity in odd)


def test_no_texts(word_tokenizer):
    answers = extractor(word_tokenizer)(tf.constant([], tf.string))
    assert {name: tuple(value.shape) for name, value in answers.items()} == dict.fromkeys(answers, (0, 0))


def test_word_pieces_are_read_by_word(word_tokenizer):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ada", "love", "##lace", "wrote", "u", ".", "s"]
    tokenizer = ut.data.WordPieceTokenizer(vocabulary, max_length=8)
    base = ut.backbones.lstm(len(vocabulary), units=4)
    model = ut.tasks.NamedEntityRecognizer(base, TAGS, tokenizer=tokenizer).model
    layer = EntityExtractor(model, tokenizer, TAGS)
    words = tf.ragged.constant([["Ada", "Lovelace", "wrote"], ["\x07", "U.S."], []], tf.string, 1)
    tags, confidences = layer.tag_words(words)
    logits = model(
        {
            "token_ids": np.array([[2, 5, 6, 7, 8, 3], [2, 9, 10, 11, 10, 3]]),
            "padding_mask": np.ones((2, 6), bool),
        }
    ).numpy()
    best = logits.argmax(-1)
    assert tags.to_list() == [[best[0, 1], best[0, 2], best[0, 4]], [0, best[1, 1]], []]
    probabilities = tf.nn.softmax(logits).numpy().max(-1)
    expected = [*probabilities[0, [1, 2, 4]], 1.0, probabilities[1, 1]]
    np.testing.assert_allclose(confidences.values, expected, rtol=1e-5)


def test_models_that_a_tokenizer_cannot_feed(word_tokenizer):
    pictures = ut.backbones.lstm(5, units=2)
    with pytest.raises(ValueError, match="`model` must be a functional model with a dict of inputs"):
        EntityExtractor(tf.keras.Sequential([tf.keras.Input((3,))]), word_tokenizer, TAGS)
    with pytest.raises(ValueError, match="`tags`"):
        EntityExtractor(pictures, word_tokenizer, ("O", "person"))
