import keras
import numpy as np
import pytest

import unitools as ut

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
# What each word is, in any text: the small tagger below knows it by heart.
LEXICON = {"Ada": 3, "Lovelace": 4, "Paris": 1, "New": 1, "York": 2, "wrote": 0, "in": 0, "and": 0}


def lexicon_tagger(tokenizer, sharpness=5.0):
    """Return a tagger whose logits are a table by token: a real model whose answers can be told in advance."""
    tokens = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    table = keras.layers.Embedding(tokenizer.vocabulary_size, len(TAGS), name="table")
    model = keras.Model({"token_ids": tokens, "padding_mask": mask}, table(tokens))
    values = np.zeros((tokenizer.vocabulary_size, len(TAGS)), "float32")
    values[:, 0] = sharpness
    for word, tag in LEXICON.items():
        number = int(tokenizer([[word]])["token_ids"][0, 0])
        values[number] = sharpness * np.eye(len(TAGS))[tag]
    table.set_weights([values])
    return model


@pytest.fixture(scope="session")
def word_tokenizer():
    return ut.data.WordTokenizer(ut.data.WordVocabulary(list(LEXICON)), max_length=20)
