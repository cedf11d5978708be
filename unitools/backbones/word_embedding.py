"""A vector for each word."""

from typing import Any

import keras

from unitools.core.checks import check_integer
from unitools.core.component import Component, register


@register
class WordEmbedding(Component, keras.layers.Layer):
    """Looks words up in a table, and hands the padding mask on to the layers after it.

    Why: Keras' `Embedding` takes id 0 for padding or nothing; here the mask decides, as it does for BERT.

    Args:
        vocabulary_size: Number of word ids, >= 1.
        units: Features a word, >= 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: A dict with `token_ids` and `padding_mask` (True where a word stands).

    Input shape:
        `(batch, time)` for both.

    Output shape:
        `(batch, time, units)`.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> import numpy
    >>> from unitools.backbones import WordEmbedding
    >>> ids = numpy.array([[7, 3, 0]])
    >>> WordEmbedding(vocabulary_size=10, units=4)({"token_ids": ids, "padding_mask": ids > 0}).shape
    TensorShape([1, 3, 4])

    Source:
        Bengio et al. 2003, https://www.jmlr.org/papers/v3/bengio03a.html, section 2.
    """

    def __init__(self, vocabulary_size: int, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size = check_integer("vocabulary_size", vocabulary_size, 1)
        self.units = check_integer("units", units, 1)
        self._table = keras.layers.Embedding(self.vocabulary_size, self.units, dtype=self.dtype_policy, name="words")

    def build(self, input_shape: dict) -> None:
        """Make the table."""
        self._table.build((None, None))

    def call(self, inputs: Any) -> Any:
        """Return the words' vectors."""
        return self._table(inputs["token_ids"])

    def compute_mask(self, inputs: dict, previous_mask: Any = None) -> Any:
        """Return the padding mask for the layers that follow."""
        return inputs["padding_mask"]

    def compute_output_shape(self, input_shape: dict) -> tuple:
        """Return `(batch, time, units)`."""
        return (*input_shape["token_ids"], self.units)
