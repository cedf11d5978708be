"""Weights averaged evenly over the end of a run."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import check_integer
from unitools.core.component import register
from unitools.regularization.weight_average import WeightAverage


@register
class StochasticAverage(WeightAverage):
    """Averages evenly the weights of many points late in training, and leaves the average in the model at the end.

    Why: a rate that stays large walks around a wide minimum, and the mean of the points it visits lies near the middle
    (SWA). Keep the rate constant, or cyclic, from `start` on: with a rate that falls to 0 all points are one. From then
    on validation scores are the average's. The cost is one more copy of the weights.

    Put this callback before `EarlyStopping`, which then leaves the average of the best epoch.

    Args:
        start: The share of the epochs before averaging begins, a float in [0, 1), rounded down to whole epochs; or the
            number of optimizer steps, an integer >= 0. Default 0.75.
        every: Optimizer steps from one point to the next, >= 1. Default None: the end of each epoch.
        batch_norm: "average" (default): batch norm statistics are averaged as the weights are. "reestimate": they are
            taken anew from the attribute `data`, at each validation and at the end, as in the paper.

    Attributes:
        data: Batches for `batch_norm="reestimate"`: `callback.data = dataset`. Default None.

    Raises:
        ValueError: An argument is out of range. From `fit`: `data` is needed and not set.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(0.1), "mse")
    >>> average = ut.regularization.StochasticAverage(start=0.5)
    >>> _ = model.fit(np.ones((8, 1)), np.zeros(8), epochs=4, verbose=0, callbacks=[average])

    Source:
        Izmailov et al. 2018, https://arxiv.org/abs/1803.05407, algorithm 1. The rate is the schedule's affair.
    """

    def __init__(
        self,
        start: int | float = 0.75,
        *,
        every: int | None = None,
        batch_norm: str = "average",
    ):
        super().__init__(start, batch_norm=batch_norm)
        self.every = None if every is None else check_integer("every", every, 1)

    def share(self, step: Any, passed: Any, count: Any) -> Any:
        """Return 1 / n for the n-th point, 0 between two points."""
        if self.every is None:
            return tf.constant(0.0)
        # With `steps_per_execution` a point may lie between the last call and this one.
        reached = step // self.every > (step - passed) // self.every
        return tf.where(reached, 1 / (count + 1), 0.0)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Take the epoch's point before it is validated."""
        self._take_epoch()
        super().on_test_begin(logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Take the epoch's point, unless validation has."""
        self._take_epoch()

    def _take_epoch(self):
        """Let the present weights enter once an epoch: not again while no step has been made since."""
        seen, begin, last = (self._counters[name] for name in ("seen", "begin", "last"))
        if self.every is not None or not self._fitting or int(begin.numpy()) < 0:
            return
        if int(seen.numpy()) > max(int(begin.numpy()), int(last.numpy())):
            self._mix(tf.cast(1 / (self._counters["count"] + 1), "float32"))
            last.assign(seen)
