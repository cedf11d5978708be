"""The graph of a loop: several steps a call, over an iterator."""

import keras
import tensorflow as tf

from unitools.training.apply_mean import apply_mean, summed_once


class LoopGraph:
    """Compiles the steps of a `Loop`, anew where a callback has asked for a new train function.

    Args:
        loop: The loop. Its `step` runs in each replica.
    """

    def __init__(self, loop):
        self._loop = loop
        self._traced_for = None

    def call(self, iterator, batch, count):
        """Take up to `count` steps, and return how many there were and the logs of the last.

        Args:
            iterator: Iterator over batches.
            batch: The first batch, or None to draw it in the graph. There must be one then: where drawing fails there,
                what does not depend on the batch, such as random states, has moved on.
            count: Steps to take.
        """
        self._refresh()
        done, logs = self._function(iterator, batch, tf.constant(count))
        return (1 if self._loop.steps_per_call == 1 else int(done)), logs

    def apply_sums(self):
        """Take the optimizer step of an accumulation that has ended early."""
        self._refresh()
        self._loop._sums.recall()
        self._end()

    def _refresh(self):
        model = self._loop.model
        if self._traced_for is None or model.train_function is not self._traced_for:
            model.make_train_function()
            self._traced_for = model.train_function
            self._function, self._end = self._compiled()

    def _compiled(self):
        model, one = self._loop.model, self._one
        if model.run_eagerly:
            return lambda *given: self._several(one, *given), self._run_apply_sums
        one = tf.function(one, autograph=False, reduce_retracing=True, jit_compile=model.jit_compile)
        several = tf.function(lambda *given: self._several(one, *given), autograph=False, reduce_retracing=True)
        return several, tf.function(self._run_apply_sums, autograph=False)

    def _several(self, one, iterator, batch, count):
        logs = one(iterator.get_next() if batch is None else batch)
        if self._loop.steps_per_call == 1:
            return 1, logs

        def draw(done):
            nothing = lambda: tf.experimental.Optional.empty(iterator.element_spec)  # noqa: E731
            return tf.cond(done < count, iterator.get_next_as_optional, nothing)

        def step(done, following, logs):
            # Not in a condition: TensorFlow loses inputs of one in which several replicas run.
            logs = one(following.get_value())
            return done + 1, draw(done + 1), logs

        start = tf.constant(1)
        done, _, logs = tf.while_loop(
            lambda done, following, logs: following.has_value(), step, (start, draw(start), logs)
        )
        return done, logs

    def _one(self, batch):
        loop, strategy = self._loop, self._loop.model.distribute_strategy
        with summed_once(loop.model):
            logs = strategy.run(loop.step, args=(batch,))
        if loop._sums is not None:
            # Outside of the replicas: a strategy may not reduce inside of a condition of theirs.
            tf.cond(loop._sums.count() == loop.accumulate_steps, self._run_apply_sums, lambda: tf.constant(False))
        if strategy.num_replicas_in_sync == 1:
            return logs
        return keras.tree.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), logs)

    def _run_apply_sums(self):
        with summed_once(self._loop.model):
            self._loop.model.distribute_strategy.run(self._apply_sums)
        self._loop._sums.restart()
        return tf.constant(True)

    def _apply_sums(self):
        sums, variables = self._loop._sums, self._loop.model.trainable_weights
        apply_mean(self._loop.model, *sums.read(variables))
        sums.clear()
