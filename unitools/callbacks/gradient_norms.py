"""Learning rate and norms of gradients, seen where the optimizer gets them."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.callbacks.held_rate import innermost_optimizer
from unitools.callbacks.layer_groups import layer_group


class GradientNorms:
    """Notes the learning rate and the norms of the gradients inside the training step, from `attach` to `detach`.

    The optimizer's `apply` is wrapped while the step is traced, so there is no second backward pass: the gradients are
    those of the step, before clipping and after the loss scale is taken out. They are read in the first step and in
    every `every`-th one only.

    Args:
        model: A compiled model.
        every: Optimizer steps from one reading to the next, >= 1.
        norms: Whether gradients are read besides the learning rate.

    Raises:
        ValueError: The model has several optimizers, or none.
    """

    def __init__(self, model: keras.Model, every: int, norms: bool):
        self._model, self._every, self._optimizer = model, every, innermost_optimizer(model)
        # Of all weights: others may learn later.
        self._groups = list(dict.fromkeys(map(self._group, model.weights))) if norms else None
        self._seen, self._function = set(), None
        size = 1 if self._groups is None else 2 + len(self._groups)
        with model.distribute_strategy.scope():
            # Each replica sees the gradients of its own examples. What is read is their mean.
            self._values = tf.Variable(
                tf.zeros(size),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.MEAN,
            )

    @property
    def step(self) -> int:
        """Steps that the optimizer has done."""
        return int(keras.ops.convert_to_numpy(self._optimizer.iterations))  # int() takes no mirrored variable

    def fits(self, model: keras.Model) -> bool:
        """Return whether this is for the model as it is compiled now."""
        return model is self._model and innermost_optimizer(model) is self._optimizer

    def attach(self) -> None:
        """Wrap the optimizer. The training function is traced anew, unless it was traced so before."""
        self._own, self._wrapper = self._optimizer.apply, self._apply
        self._optimizer.apply = self._wrapper
        if self._function is None or self._model.train_function is not self._function:
            self._model.make_train_function(force=True)
            self._function = self._model.train_function

    def detach(self) -> None:
        """Give the optimizer its own `apply` back. A graph that is traced by now goes on reading."""
        if vars(self._optimizer).get("apply") is self._wrapper:
            del self._optimizer.apply
            if self._optimizer.apply != self._own:  # it was wrapped by another one
                self._optimizer.apply = self._own

    def due(self, before: int) -> int | None:
        """Return the last step that was read since the optimizer had done `before` steps, None if none was."""
        now = self.step
        last = now // self._every * self._every or min(now, 1)
        return last if last > before else None

    def read(self) -> dict[str, float]:
        """Return what was read last: `learning_rate`, `gradient_norm/all` and the norm by group."""
        rate, *norms = self._values.read_value().numpy().tolist()
        if self._groups is None:
            return {"learning_rate": rate}
        named = {f"gradient_norm/{group}": norm for group, norm in zip(self._groups, norms[1:], strict=True)}
        shown = {name: norm for name, norm in named.items() if name.partition("/")[2] in self._seen}
        return {"learning_rate": rate, "gradient_norm/all": norms[0]} | shown

    def _apply(self, grads: Sequence, trainable_variables: Sequence | None = None) -> Any:
        variables = self._optimizer._trainable_variables if trainable_variables is None else trainable_variables
        grads, variables = list(grads), list(variables)
        step = tf.convert_to_tensor(self._optimizer.iterations) + 1
        due = (step == 1) | (step % self._every == 0)
        tf.cond(due, lambda: self._note(grads, variables), lambda: None)
        return self._own(grads, variables)

    def _note(self, grads, variables):
        values = [tf.cast(tf.convert_to_tensor(self._optimizer.learning_rate), tf.float32)]
        if self._groups is not None:
            squares = dict.fromkeys(self._groups, tf.constant(0.0))
            for gradient, variable in zip(grads, variables, strict=True):
                if gradient is not None:
                    group = self._group(variable)
                    self._seen.add(group)
                    squares[group] = squares.get(group, 0.0) + self._square(gradient, variable)
            # A group that came after `attach` counts in the sum of all.
            values += [tf.sqrt(tf.add_n(list(squares.values()))), *(tf.sqrt(squares[group]) for group in self._groups)]
        self._values.assign(tf.stack(values))

    def _group(self, variable):
        return layer_group(variable.path, self._model.name)

    def _square(self, gradient, variable):
        if isinstance(gradient, tf.IndexedSlices):  # a row may come several times
            rows = variable.shape[0]
            gradient = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)
        gradient = tf.cast(gradient, tf.float32) / (self._optimizer.loss_scale_factor or 1.0)
        return tf.reduce_sum(tf.square(gradient))
