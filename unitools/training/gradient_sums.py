"""Gradients added up over micro-batches."""

import keras
import tensorflow as tf

from unitools.core.checks import fail
from unitools.training.apply_mean import weighted


class GradientSums:
    """Holds the sums of weighted gradients and of weights, in each replica its own, and the number of micro-batches.

    Read or assigned from outside of the replicas, a variable is the sum of theirs.

    Args:
        optimizer: A built optimizer. There is a sum for each variable that it knows, so that layers can be frozen and
            unfrozen meanwhile.
        former: Sums made before for the same optimizer, which are then emptied and used again. Default None.
    """

    def __init__(self, optimizer, former=None):
        self._optimizer = optimizer
        if former is not None and former._optimizer is optimizer:
            self.__dict__ |= former.__dict__
            for variable in [*self._sums.values(), self._weight, self._count]:
                variable.assign(tf.zeros(variable.shape, variable.dtype))
            return
        known = getattr(optimizer, "inner_optimizer", optimizer)._trainable_variables
        self._sums = {id(variable): _sum(variable.shape, f"sum_{i}") for i, variable in enumerate(known)}
        self._weight = _sum((), "weight")
        self._count = keras.Variable(0, dtype="int32", trainable=False, aggregation="only_first_replica", name="count")
        self._is_used = keras.Variable(
            "zeros", (len(known),), "int32", trainable=False, aggregation="only_first_replica", name="is_used"
        )
        self._used = None

    @property
    def variables(self):
        """The sums, in the order of the optimizer's variables, their weight, the count, and which sums are used."""
        return [*self._sums.values(), self._weight, self._count, self._is_used]

    def add(self, variables, gradients, weight):
        """Add the gradients of a micro-batch. In a replica."""
        self._used = {id(v) for v, g in zip(variables, gradients, strict=True) if g is not None}
        for variable, gradient in zip(variables, weighted(gradients, weight), strict=True):
            if gradient is not None:
                self._sums[id(variable)].value.assign_add(gradient)
        self._weight.value.assign_add(tf.cast(weight, "float32"))

    def read(self, variables):
        """Return the sums, None where the loss does not depend on a variable, and the sum of weights. In a replica."""
        keys = [id(variable) for variable in variables]
        sums = [self._sums[key].value.read_value() if key in self._used else None for key in keys]
        return sums, self._weight.value.read_value()

    def clear(self):
        """Begin anew. In a replica."""
        for variable in [*self._sums.values(), self._weight]:
            variable.value.assign(tf.zeros(variable.shape, variable.dtype))

    def recall(self):
        """Know which sums are used, in a run that goes on with nothing but the end of an accumulation."""
        if self._used is None:
            self._used = {key for key, used in zip(self._sums, self._is_used.numpy(), strict=True) if used}

    def count(self):
        """Count one more micro-batch, and return their number."""
        if self._used is None:
            fail("step", "a step that accumulates nothing", "one that calls `descend` for accumulate_steps > 1")
        self._is_used.value.assign([int(key in self._used) for key in self._sums])
        self._count.value.assign_add(1)
        return tf.convert_to_tensor(self._count.value)

    def restart(self):
        """Set the count to 0."""
        self._count.value.assign(0)

    def is_begun(self):
        """Whether there is something that the optimizer has not seen."""
        return int(self._count.numpy()) > 0


def _sum(shape, name):
    return keras.Variable(
        "zeros", shape, "float32", trainable=False, aggregation="sum", synchronization="on_read", name=name
    )
