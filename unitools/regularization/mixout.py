"""Weights mixed with those that training started from."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer, check_number
from unitools.core.component import register
from unitools.regularization.kernel_wrapper import KernelWrapper, full_precision


@register
class Mixout(KernelWrapper):
    """Replaces elements of a layer's kernels by those that training started from, at random in training.

    For fine-tuning large pretrained nets on little data, where dropout draws the weights towards zero, and runs fail
    now and then. The starting values are those at the time the wrapper is built: load the pretrained weights first,
    then wrap, for instance by `wrap_layers`. They are kept as weights that do not learn, so files hold both, and a
    resumed run goes on with the same. At inference the kernels are as they are.

    Args:
        layer: The layer to wrap. A composite layer's kernels are all mixed.
        rate: Probability of an element to be the starting one, in [0, 1). The mixture is corrected so that its mean
            over the draws is the kernel itself. The paper uses 0.7 to 0.9.
        seed: Seed of the draws. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: What the layer takes.
        mask: The mask of the inputs, for layers that take one. Keras passes it on by itself.
        training: Whether to mix. Default False.

    Input shape:
        The layer's.

    Output shape:
        The layer's.

    Raises:
        ValueError: `rate` is out of range, or the layer has no kernel.

    Example:
    >>> dense = keras.layers.Dense(2)
    >>> mixed = ut.regularization.Mixout(dense, 0.9, seed=1)
    >>> inputs = np.ones((1, 3), "float32")
    >>> bool(np.allclose(mixed(inputs, training=True), dense(inputs), atol=1e-5))  # no step has been taken yet
    True

    Source:
        Lee, Cho, Kang 2020, https://arxiv.org/abs/1909.11299, equation 5. Biases are not mixed, as in their code.
    """

    def __init__(self, layer: keras.layers.Layer, rate: float, *, seed: int | None = None, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.rate = check_number("rate", rate, 0, 1, open_high=True, advice="Use rate=0 to turn it off.")
        self.seed = None if seed is None else check_integer("seed", seed)
        self._draws = keras.random.SeedGenerator(self.seed)

    def build(self, input_shape: tuple) -> None:
        """Build the layer, and keep its kernels as the starting ones."""
        super().build(input_shape)
        self._starts = [self._start(number, kernel) for number, kernel in enumerate(self.kernels())]

    def _start(self, number, kernel):
        def values(shape, dtype=None):
            return ops.cast(full_precision(kernel), dtype)

        return self.add_weight(
            shape=kernel.shape, initializer=values, dtype=kernel.dtype, trainable=False, name=f"start_{number}"
        )

    def transform(self, number: int, kernel: Any, training: bool) -> Any:
        """Return the kernel, in training mixed with the starting one."""
        if not training or not self.rate:
            return kernel
        start = full_precision(self._starts[number])
        kept = keras.random.uniform(kernel.shape, seed=self._draws, dtype="float32") >= self.rate
        # The paper's mixture, written as a step away from the start: it is the start exactly where no step was taken.
        return start + ops.where(kept, kernel - start, 0.0) / (1 - self.rate)
