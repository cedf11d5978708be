"""Classes from features."""

from collections.abc import Callable
from typing import Any

import keras

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.component import Component, register
from unitools.heads.pooling import as_sequence, attention, average, maximum

_POOLINGS = ("avg", "max", "attention", None)


@register
class Classifier(Component, keras.layers.Layer):
    """Turns a feature map, a sequence or a vector into class probabilities.

    Put it on any backbone's output. Features are pooled over their positions, go through a hidden layer if there is
    one, through dropout, and through the output layer, which computes in float32 under mixed precision.

    It gives probabilities by default, since that is what `predict` and an exported model are asked for. Training loses
    nothing by it: Keras' softmax and sigmoid leave their logits on their result, and the losses go back to them.
    `ut.training.compile` reads `output_activation` and chooses the loss. Give `activation=None` for logits.

    Args:
        num_classes: Number of outputs, >= 1. For two classes either 2, with the labels 0 and 1 or one-hot, or 1: the
            probability of class 1 by a sigmoid, with labels of shape (batch,) or (batch, 1), as `class_mode="binary"`
            gives them.
        hidden_units: Units of a hidden ReLU layer, >= 1. Default None: no hidden layer.
        dropout: Share of the output layer's inputs that is dropped in training, in [0, 1). Default 0.
        pooling: How positions become one vector. "avg" (default): their mean. "max": their maximum. "attention": the
            mean with weights softmax_i(v x_i), where v is learned and starts at 0, that is, at the mean. None: no
            pooling, every position is classified. Vectors are not pooled. Masked positions do not count; an example
            without any position that counts is pooled to zeros.
        activation: Activation of the output: a name, a function or None for logits. Default "auto": "softmax", or
            "sigmoid" if `num_classes` is 1. Use "sigmoid" for classes that do not exclude each other.
        seed: Seed of the dropout. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Features.
        training: Whether to drop out. Default False.
        mask: Booleans of the shape of the positions, True where a position counts. Keras passes it on by itself.

    Input shape:
        `(batch, height, width, channels)`, `(batch, time, features)` or `(batch, features)`.

    Output shape:
        `(batch, num_classes)`. With `pooling=None` the positions are kept: `(batch, time, num_classes)`.

    Raises:
        ValueError: An argument is out of range, softmax is asked for over one class, or the inputs have no positions.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> head = ut.heads.Classifier(5, hidden_units=16, dropout=0.5)
    >>> probabilities = head(numpy.ones((2, 7, 7, 32)))
    >>> tuple(probabilities.shape), round(float(probabilities[0].numpy().sum()), 3)
    ((2, 5), 1.0)

    Source:
        Attention pooling as in Yang et al. 2016, https://aclanthology.org/N16-1174, equations 6 and 7, without the
        hidden layer of equation 5.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        hidden_units: int | None = None,
        dropout: float = 0.0,
        pooling: str | None = "avg",
        activation: str | Callable | None = "auto",
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_classes = check_integer("num_classes", num_classes, 1)
        self.hidden_units = None if hidden_units is None else check_integer("hidden_units", hidden_units, 1)
        self.dropout = check_number("dropout", dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        self.pooling = check_choice("pooling", pooling, _POOLINGS)
        self.activation = activation
        self.seed = None if seed is None else check_integer("seed", seed)
        self.supports_masking = True
        self._activation = _resolve(activation, self.num_classes)
        self._make_layers()

    def _make_layers(self):
        policy = self.dtype_policy
        self._hidden = self._scores = None
        if self.pooling == "attention":
            self._scores = keras.layers.Dense(
                1, use_bias=False, kernel_initializer="zeros", dtype=policy, name="attention"
            )
        if self.hidden_units is not None:
            self._hidden = keras.layers.Dense(self.hidden_units, activation="relu", dtype=policy, name="hidden")
        self._dropout = keras.layers.Dropout(self.dropout, seed=self.seed, dtype=policy, name="dropout")
        self._output = keras.layers.Dense(
            self.num_classes, activation=self._activation, dtype=policy.variable_dtype, name="output"
        )

    @property
    def output_activation(self) -> Callable:
        """The function that makes the output, "auto" resolved."""
        return self._activation

    def build(self, input_shape: tuple) -> None:
        """Make the weights for features of this shape."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            fail("inputs", tuple(input_shape), "(batch, ..., channels) with a known number of channels")
        features = (input_shape[0], input_shape[-1])
        if self._scores is not None and len(input_shape) > 2:
            self._scores.build((input_shape[0], None, input_shape[-1]))
        if self._hidden is not None:
            self._hidden.build(features)
            features = (input_shape[0], self.hidden_units)
        self._output.build(features)

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return the classes' probabilities, or what `activation` makes."""
        features = self._pool(inputs, mask) if self._pools(inputs.shape) else inputs
        if self._hidden is not None:
            features = self._hidden(features)
        return self._output(self._dropout(features, training=training))

    def _pools(self, shape):
        return self.pooling is not None and len(shape) > 2

    def _pool(self, inputs, mask):
        features, mask = as_sequence(inputs, mask)
        if self.pooling == "attention":
            return attention(features, self._scores(features), mask)
        return {"avg": average, "max": maximum}[self.pooling](features, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the positions, which pooling uses up."""
        return None if self._pools(inputs.shape) else previous_mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the output for inputs of this shape."""
        positions = () if self._pools(input_shape) else tuple(input_shape[1:-1])
        return (input_shape[0], *positions, self.num_classes)

    def compute_output_spec(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return shape and dtype of the output: the output layer's dtype, which is float32 under mixed precision."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self._output.compute_dtype)


def _resolve(activation, num_classes):
    if isinstance(activation, str) and activation == "auto":
        activation = "sigmoid" if num_classes == 1 else "softmax"
    try:
        function = keras.activations.get(activation)
    except ValueError:
        fail("activation", activation, "'auto', None, a function or a name that keras.activations knows")
    if function is keras.activations.softmax and num_classes == 1:
        fail("activation", activation, "another one for num_classes=1: softmax over one class is always 1",
             "Use 'sigmoid', or num_classes=2.")  # fmt: skip
    return function
