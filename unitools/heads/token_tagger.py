"""One tag a position."""

from collections.abc import Callable
from typing import Any

import keras

from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import Component, register


@register
class TokenTagger(Component, keras.layers.Layer):
    """Turns a sequence of features into a logit for each tag at each position.

    Put it on a backbone's `sequence_output`. Features go through dropout and through one linear layer, which computes
    in float32 under mixed precision. Train it with `ut.losses.TokenCrossEntropy`, read it with `ut.metrics`.

    Why: logits, since the loss, the metrics and a search for the best tags all start from them. The mask is passed on,
    so that a loss or metric behind it knows the padding.

    Args:
        num_tags: Number of tags, >= 2.
        dropout: Share of the features that is dropped in training, in [0, 1). Default 0.1, as in BERT.
        seed: Seed of the dropout. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Features.
        training: Whether to drop out. Default False.
        mask: Booleans `(batch, time)`, True where a position counts. It is passed on and changes no logit.

    Input shape:
        `(batch, time, features)`; further axes between batch and features are kept.

    Output shape:
        `(batch, time, num_tags)`.

    Raises:
        ValueError: An argument is out of range, or the number of features is not known.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> logits = ut.heads.TokenTagger(9)(numpy.ones((2, 7, 32)))
    >>> tuple(logits.shape)
    (2, 7, 9)

    Source:
        Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 5.3.
    """

    def __init__(self, num_tags: int, *, dropout: float = 0.1, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_tags = check_integer("num_tags", num_tags, 2)
        self.dropout = check_number("dropout", dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        self.seed = None if seed is None else check_integer("seed", seed)
        self.supports_masking = True
        self._dropout = keras.layers.Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy, name="dropout")
        self._output = keras.layers.Dense(self.num_tags, dtype=self.dtype_policy.variable_dtype, name="output")

    @property
    def output_activation(self) -> Callable:
        """The function that makes the output, for `ut.training.compile`."""
        return keras.activations.linear

    def build(self, input_shape: tuple) -> None:
        """Make the weights for features of this shape."""
        if len(input_shape) < 3 or input_shape[-1] is None:
            fail("inputs", tuple(input_shape), "(batch, time, features) with a known number of features")
        self._output.build(input_shape)

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return the logits."""
        return self._output(self._dropout(inputs, training=training))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the output for inputs of this shape."""
        return (*input_shape[:-1], self.num_tags)

    def compute_output_spec(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return shape and dtype of the output, which is float32 under mixed precision."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self._output.compute_dtype)
