"""Weights averaged with exponentially fading memory."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import check_flag, check_number
from unitools.core.component import register
from unitools.regularization.weight_average import WeightAverage


@register
class ExponentialAverage(WeightAverage):
    """Averages the weights over the last optimizer steps, and leaves the average in the model at the end of `fit`.

    After each optimizer step, average = d average + (1 - d) weights, with d = min(decay, (1 + t) / (10 + t)) after t
    averages. The first average is the weights after the first step.

    Why: the weights of the last step are noisy, their average is not; it often scores as after a longer decay of the
    rate. Validation scores are the average's. The cost is one more copy of the weights and little time.

    Keras' `use_ema` averages on each micro-batch when gradients are accumulated, leaves batch norm statistics out, and
    begins from the untrained weights. Put this callback before `EarlyStopping`, which then leaves the average of the
    best epoch.

    Args:
        decay: Share of the old average, in [0, 1). Default 0.999, a memory of about 1,000 steps; for a short run use
            0.99.
        warmup: Whether the memory grows with the number of steps, up to `decay`. Default True. With False the first
            steps weigh for long.
        start: Optimizer steps before averaging begins, an integer >= 0; or, as a float in [0, 1), the share of the
            epochs, rounded down to whole ones. Default 0.
        batch_norm: "average" (default): batch norm statistics are averaged as the weights are. "reestimate": they are
            taken anew from the attribute `data`, at each validation and at the end.

    Attributes:
        data: Batches for `batch_norm="reestimate"`: `callback.data = dataset`. Default None.

    Raises:
        ValueError: An argument is out of range. From `fit`: `data` is needed and not set.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(0.1), "mse")
    >>> average = ut.regularization.ExponentialAverage(decay=0.9)
    >>> _ = model.fit(np.ones((8, 1)), np.zeros(8), batch_size=2, verbose=0, callbacks=[average])

    Source:
        Polyak and Juditsky 1992, https://doi.org/10.1137/0330046. The warm-up is that of
        `tf.train.ExponentialMovingAverage(num_updates=...)`. With `steps_per_execution` of k, only the weights after
        every k steps are seen, and d is taken to the power k.
    """

    def __init__(
        self,
        decay: float = 0.999,
        *,
        warmup: bool = True,
        start: int | float = 0,
        batch_norm: str = "average",
    ):
        super().__init__(start, batch_norm=batch_norm)
        self.decay = check_number("decay", decay, 0, 1, open_high=True)
        self.warmup = check_flag("warmup", warmup)

    def share(self, step: Any, passed: Any, count: Any) -> Any:
        """Return 1 - d."""
        decay = tf.constant(self.decay, "float64")
        done = tf.cast(count, "float64")
        if self.warmup:
            decay = tf.minimum(decay, (1 + done) / (10 + done))
        return 1 - decay ** tf.cast(passed, "float64")
