import keras
import numpy as np

import unitools as ut
from unitools.testing import Specimen

_TAGS = ("O", "B-PER", "I-PER")
_TEXTS = np.array(["Ada's friend wrote.", "", "friend Ada", "Ada Ada wrote wrote Ada friend wrote"], object)
_GIVEN = {"weights_are_made_in_build": "it is given a model with its weights"}


def _tokenizer():
    return ut.data.WordTokenizer(ut.data.WordVocabulary(["Ada", "wrote", "friend"]), max_length=4)


def _base():
    keras.utils.set_random_seed(0)
    return ut.backbones.lstm(vocabulary_size=5, units=3)


def _tagger():
    base = _base()
    # A head that does not start near 0, so that some words are names.
    start = keras.initializers.RandomNormal(stddev=10.0, seed=1)
    return keras.Model(base.input, keras.layers.Dense(3, kernel_initializer=start)(base.sequence_output))


def _classifier():
    base = _base()
    return keras.Model(base.input, ut.heads.Classifier(2)(base.sequence_output))


SPECIMENS = [
    Specimen(
        ut.tasks.EntityExtractor,
        arguments={
            "model": _tagger(),
            "tokenizer": _tokenizer(),
            "tags": _TAGS,
            "splitter": ut.data.WordSplitter(split_clitics=False),
            "overlap": 1,
            "group_size": 2,
        },
        inputs=lambda: _TEXTS,
        bad={"model": 3, "tags": ("O", "person"), "overlap": -1, "group_size": 0},
        exceptions=_GIVEN
        | {"example_alone_equals_in_batch": "its outputs are padded to the most entities of a batch's texts"},
    ),
    Specimen(
        ut.tasks.TextScorer,
        arguments={"model": _classifier(), "tokenizer": _tokenizer(), "labels": ("no", "yes"), "group_size": 2},
        inputs=lambda: _TEXTS,
        output_shape={"label": (4,), "num_truncated": (4,), "probabilities": (4, 2), "score": (4,)},
        bad={"model": 3, "labels": ("no",), "group_size": 0},
        exceptions=_GIVEN,
    ),
]
