"""What one worker of several knows, told to all of them at one step."""

from typing import Any

import keras
import tensorflow as tf

from unitools.callbacks.checkpoint.workers import is_alone


class SharedFlag:
    """Tells every worker of a model whether one of them says yes.

    Why: what workers do together, such as reading a score that is spread over them, must be done by all at one step.

    Args:
        model: The model.
    """

    def __init__(self, model: keras.Model):
        self._strategy = model.distribute_strategy
        self._sum = None if is_alone(model) else tf.function(self._summed, autograph=False)

    def any(self, flag: bool) -> bool:
        """Return whether any worker says yes. All of them must ask, as often as the others.

        Args:
            flag: What this one says.
        """
        return flag if self._sum is None else bool(self._sum(tf.constant(flag, "float32")) > 0)

    def _summed(self, value: Any) -> Any:
        def in_replica(value):
            here = tf.identity(value)  # on the replica's device
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, here)

        return self._strategy.experimental_local_results(self._strategy.run(in_replica, (value,)))[0]
