"""A vector for each word from its characters."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import Component, register


@register
class CharacterEmbedding(Component, keras.layers.Layer):
    """Turns the characters of each word into one vector: embedding, convolution, maximum over the places.

    Why: a model of words knows nothing of a word it has not seen. Its spelling (capitals, digits, endings) is known.

    Args:
        vocabulary_size: Number of character ids, >= 2. Id 0 is padding.
        units: Features a character, >= 1. Default 30.
        filters: Features a word, >= 1. Default 30.
        kernel_size: Characters that a filter sees, >= 1. Default 3.
        dropout: Share of the characters' features that is dropped in training, in [0, 1). Default 0.5.
        seed: Seed of the dropout. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Character ids, padded with 0 on the right. Padding changes nothing; a word without any character
            becomes zeros.
        training: Whether to drop out. Default False.

    Input shape:
        `(batch, time, characters)`.

    Output shape:
        `(batch, time, filters)`.

    Raises:
        ValueError: An argument is out of range, or the inputs have other axes.

    Example:
    >>> import numpy
    >>> from unitools.backbones import CharacterEmbedding
    >>> characters = numpy.array([[[5, 3, 0], [7, 0, 0]]])
    >>> CharacterEmbedding(vocabulary_size=10, filters=4)(characters).shape
    TensorShape([1, 2, 4])

    Source:
        Ma and Hovy 2016, https://aclanthology.org/P16-1101, section 2.1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        units: int = 30,
        filters: int = 30,
        kernel_size: int = 3,
        dropout: float = 0.5,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = check_integer("vocabulary_size", vocabulary_size, 2)
        self.units = check_integer("units", units, 1)
        self.filters = check_integer("filters", filters, 1)
        self.kernel_size = check_integer("kernel_size", kernel_size, 1)
        self.dropout = check_number("dropout", dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        self.seed = None if seed is None else check_integer("seed", seed)
        policy = self.dtype_policy
        self._table = keras.layers.Embedding(self.vocabulary_size, self.units, dtype=policy, name="characters")
        self._dropout = keras.layers.Dropout(self.dropout, seed=self.seed, dtype=policy, name="dropout")
        self._convolution = keras.layers.Conv1D(
            self.filters, self.kernel_size, padding="same", dtype=policy, name="convolution"
        )

    def build(self, input_shape: tuple) -> None:
        """Make the weights."""
        if len(input_shape) != 3:
            fail("inputs", tuple(input_shape), "character ids of shape (batch, time, characters)")
        self._table.build((None, None))
        self._convolution.build((None, None, self.units))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the words' vectors."""
        batch, time, characters = ops.shape(inputs)
        ids = ops.reshape(inputs, (-1, characters))
        present = ops.cast(ids != 0, self.compute_dtype)[:, :, None]
        # Zeros in the padding are what the convolution itself puts beyond the last character.
        features = self._dropout(self._table(ids), training=training) * present
        # In half precision too, 1e4 lies below all that a convolution gives.
        found = ops.max(self._convolution(features) + (present - 1) * 1e4, axis=1) * ops.max(present, axis=1)
        return ops.reshape(found, (batch, time, self.filters))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, time, filters)`."""
        return (*input_shape[:2], self.filters)
