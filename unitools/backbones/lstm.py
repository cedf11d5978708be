"""Recurrent networks of text with the outputs of BERT."""

from dataclasses import dataclass

import keras
import numpy as np

from unitools.backbones.character_embedding import CharacterEmbedding
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_inputs import text_inputs
from unitools.backbones.word_embedding import WordEmbedding
from unitools.core.checks import check_choice, check_integer, check_number, fail

_CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def lstm(
    vocabulary_size: int | None = None,
    *,
    embeddings: np.ndarray | None = None,
    embedding_size: int = 100,
    characters: int | None = None,
    units: int = 200,
    num_layers: int = 1,
    cell: str = "lstm",
    dropout: float = 0.5,
) -> TextBackbone:
    """Return a bidirectional LSTM or GRU over words, and their characters if asked for.

    It has the inputs and outputs of `bert`: `token_ids` and `padding_mask` (True where a token stands), and
    `character_ids` of shape `(batch, time, characters)` where `characters` is given. `sequence_output` holds both
    directions of the last layer for each token, and zeros in the padding; `pooled_output` the last state of each
    direction. Padding changes nothing elsewhere.

    Args:
        vocabulary_size: Number of token ids, >= 1. Defaults to None: the rows of `embeddings`.
        embeddings: Pretrained word vectors to start from, an array (vocabulary_size, embedding_size), as WordVectors
            gives it. They go on learning; `unitools.adaptation.freeze(model, "embeddings")` keeps them. Defaults to
            None: random.
        embedding_size: Features a word, >= 1, where `embeddings` are not given. Defaults to 100.
        characters: Number of character ids, >= 2; id 0 is padding. Defaults to None: words only.
        units: Features a direction, >= 1. `sequence_output` has twice as many. Defaults to 200.
        num_layers: Bidirectional layers, one on the other, >= 1. Defaults to 1.
        cell: `"lstm"` or `"gru"`. Defaults to `"lstm"`.
        dropout: Share of the features dropped in training before each layer and after the last, in [0, 1). Defaults to
            0.5.

    Returns:
        A `TextBackbone`.

    Raises:
        ValueError: An argument is out of range, or `vocabulary_size` is missing, or not the number of rows.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> base = ut.backbones.lstm(vocabulary_size=50, units=8, num_layers=2)
    >>> ids = numpy.array([[7, 3, 0]])
    >>> base({"token_ids": ids, "padding_mask": ids > 0})["sequence_output"].shape
    TensorShape([1, 3, 16])

    Source:
        Graves and Schmidhuber 2005, https://doi.org/10.1016/j.neunet.2005.06.042; characters as in Ma and Hovy 2016,
        https://aclanthology.org/P16-1101.
    """
    rows, columns = _table(vocabulary_size, embeddings, embedding_size)
    if characters is not None:
        check_integer("characters", characters, 2, advice="Id 0 is padding.")
    stack = _Stack(units, num_layers, cell, dropout).checked()
    inputs = text_inputs()
    if characters is not None:
        inputs["character_ids"] = keras.Input((None, None), dtype="int32", name="character_ids")
    words = {name: inputs[name] for name in ("token_ids", "padding_mask")}
    features = WordEmbedding(rows, columns, name="embeddings")(words)
    if characters is not None:
        spelled = CharacterEmbedding(characters, dropout=dropout, name="characters")(inputs["character_ids"])
        features = keras.layers.Concatenate(name="words_and_characters")([features, spelled])
    sequence, pooled = stack(features, inputs["padding_mask"])
    model = keras.Model(inputs, {"sequence_output": sequence, "pooled_output": pooled}, name=cell)
    if embeddings is not None:
        model.get_layer("embeddings").set_weights([np.asarray(embeddings, "float32")])
    return TextBackbone(model)


@dataclass(frozen=True)
class _Stack:
    """The recurrent layers."""

    units: int
    num_layers: int
    cell: str
    dropout: float

    def checked(self):
        check_integer("units", self.units, 1)
        check_integer("num_layers", self.num_layers, 1)
        check_choice("cell", self.cell, tuple(_CELLS))
        check_number("dropout", self.dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        return self

    def __call__(self, sequence, mask):
        for number in range(1, self.num_layers + 1):
            sequence = keras.layers.Dropout(self.dropout, name=f"dropout_{number}")(sequence)
            layer = _CELLS[self.cell](self.units, return_sequences=True, return_state=True, name=self.cell)
            outputs = keras.layers.Bidirectional(layer, name=f"{self.cell}_{number}")(sequence, mask=mask)
            sequence, states = outputs[0], outputs[1:]
        # An LSTM has two states a direction: its output, then its cell.
        ends = [states[0], states[len(states) // 2]]
        sequence = keras.layers.Dropout(self.dropout, name="dropout_sequence")(sequence)
        return sequence, keras.layers.Concatenate(name="pooled")(ends)


def _table(vocabulary_size, embeddings, embedding_size):
    """Return rows and columns of the table of words."""
    if embeddings is None:
        if vocabulary_size is None:
            fail("vocabulary_size", None, "an integer >= 1 where `embeddings` are not given")
        return check_integer("vocabulary_size", vocabulary_size, 1), check_integer("embedding_size", embedding_size, 1)
    shape = np.shape(embeddings)
    if len(shape) != 2 or 0 in shape:
        fail("embeddings", shape, "a matrix (vocabulary_size, embedding_size)")
    if vocabulary_size not in (None, shape[0]):
        fail("vocabulary_size", vocabulary_size, f"{shape[0]}, the rows of `embeddings`", "Or leave it out.")
    return shape
