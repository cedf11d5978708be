"""A training loop of one's own, with all that `fit` does."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.callbacks.checkpoint.batch_spec import spec_of_batch
from unitools.core.checks import check_integer
from unitools.training.apply_mean import apply_mean, weighted
from unitools.training.distribution import check_supported
from unitools.training.gradient_sums import GradientSums
from unitools.training.loop_checks import check_model
from unitools.training.loop_data import LoopData
from unitools.training.loop_graph import LoopGraph
from unitools.training.loss_weight import loss_weight, num_examples
from unitools.training.running_loop import RunningLoop


class Loop:
    """Trains a compiled Keras model step by step, with one place to change for each thing that a loop decides.

    `fit` stays the main way. Take this one to accumulate gradients over micro-batches, to run several steps a call, or
    to change a step: override `gradients` (what is descended) or `step` (all that happens to a batch). Callbacks,
    metrics, validation, history, loss scaling and XLA (`compile(jit_compile=...)`) are those of `fit`, called in the
    same order with the same logs; without accumulation and with one replica, so are weights and history.

    Accumulated gradients, and those of the replicas of a `tf.distribute` strategy, are means over all that counts: each
    micro-batch weighs as much as the loss has divided by (`weight`), so that they are the gradient of one big batch,
    however unevenly labels are spread. Keras' own accumulation takes the mean of means, which is another one. Gradients
    are clipped once they are added up. An epoch that ends inside an accumulation ends with a step of what there is; the
    loss in the logs is then the mean over all that counted.

    Args:
        model: A compiled model. Make and compile it under the strategy's scope, if there is one.
        accumulate_steps: Micro-batches to one optimizer step, >= 1. Default 1.
        steps_per_call: Batches to one call of the graph, >= 1. Default 1. More save the time between calls, which
            matters for small models; callbacks then hear of every `steps_per_call`-th batch.

    Attributes:
        variables: Gradients and weights added up so far, and their count; all that a loop has to save beside the model.
        start: `(epoch, step)` at which `fit` has begun: the first, unless a callback has called `begin_at`. The step is
            None where only the end of the epoch was left.

    Raises:
        ValueError: The model is not compiled, has a `train_step` of its own that would be lost, accumulates in its
            optimizer too, or runs under a strategy that is not supported.

    Example:
    >>> import keras
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((3, 4)), ut.heads.TokenTagger(2)])
    >>> model.compile("sgd", ut.losses.TokenCrossEntropy())
    >>> tags = np.array([[0, 1, -1], [1, -1, -1], [0, 0, 1]])
    >>> data = tf.data.Dataset.from_tensor_slices((np.ones((3, 3, 4)), tags)).batch(1)
    >>> history = ut.training.Loop(model, accumulate_steps=3).fit(data, epochs=2, verbose=0)
    >>> len(history.history["loss"]), int(model.optimizer.iterations)
    (2, 2)
    """

    def __init__(self, model: keras.Model, *, accumulate_steps: int = 1, steps_per_call: int = 1):
        check_model(model, own_step=(type(self).step, type(self).gradients) != (Loop.step, Loop.gradients))
        check_supported(model.distribute_strategy)
        self.model = model
        self.accumulate_steps = check_integer("accumulate_steps", accumulate_steps, 1)
        self.steps_per_call = check_integer("steps_per_call", steps_per_call, 1)
        self.start = (0, 0)
        self._sums = None
        self._graph = LoopGraph(self)

    @property
    def variables(self) -> list[keras.Variable]:
        """Gradients and weights added up so far, and the count of micro-batches. Empty without accumulation."""
        return [] if self._sums is None else self._sums.variables

    def fit(
        self,
        data: tf.data.Dataset,
        *,
        epochs: int = 1,
        validation_data: Any = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        steps_per_epoch: int | None = None,
        verbose: int | str = "auto",
    ) -> keras.callbacks.History:
        """Train, and return the history.

        Args:
            data: Batches `(x, y)` or `(x, y, sample_weight)`, distributed or not.
            epochs: Epochs, >= 1.
            validation_data: What `evaluate` takes, evaluated after each epoch. Default None.
            callbacks: Keras callbacks.
            steps_per_epoch: Batches an epoch. Default None: as many as there are. Needed where data never end.
            verbose: As in `fit`.
        """
        check_integer("epochs", epochs, 1)
        self._data = LoopData(data, self.model.distribute_strategy, steps_per_epoch)
        self._validation_data = validation_data
        self._begin()
        self._callbacks = self._callback_list(callbacks, epochs, verbose)
        self._callbacks.on_train_begin()
        logs = None
        for epoch in range(self.start[0], epochs):
            logs = self._epoch(epoch, self.start[1] if epoch == self.start[0] else 0)
            if self.model.stop_training:
                break
        self.model.optimizer.finalize_variable_values(self.model.trainable_weights)
        self._callbacks.on_train_end(logs=logs)
        return self.model.history

    def begin_at(self, epoch: int, step: int | None, skip: int | None = None) -> None:
        """Go on at a step. For callbacks that resume, in `on_train_begin`.

        Args:
            epoch: Number of the epoch, from 0.
            step: Number of the batch in it. None: only its end is left, with validation.
            skip: Batches of the data to pass over first. Default None: those before this step, of a dataset; and none
                where the data know their position, or were distributed, for they are then expected to be there.
        """
        self.start = (check_integer("epoch", epoch, 0), None if step is None else check_integer("step", step, 0))
        self._data.go_to(*((epoch + 1, 0) if step is None else (epoch, step)), skip)

    def step(self, batch: Any) -> dict[str, Any]:
        """Train on a batch, in one replica, and return the logs.

        Args:
            batch: What the data give: `(x, y)` or `(x, y, sample_weight)`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        loss, gradients, y_pred = self.gradients(x, y, sample_weight)
        weight = num_examples(x) if self._is_plain else self.weight(x, y, y_pred, sample_weight)
        self.descend(gradients, weight)
        self.model._loss_tracker.update_state(loss * self._replicas, sample_weight=weight)
        return self.model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def gradients(self, x: Any, y: Any, sample_weight: Any) -> tuple[Any, list, Any]:
        """Return loss, gradients and predictions. A model's own `compute_gradients` has precedence.

        The gradients are in the order of `model.trainable_weights`, and those of `optimizer.scale_loss(loss)`. The loss
        is what `model.compute_loss` gives: a mean, divided by the number of replicas.

        Args:
            x: Inputs.
            y: Labels.
            sample_weight: Weights, or None.
        """
        model = self.model
        if hasattr(model, "compute_gradients"):
            return model.compute_gradients(x, y, sample_weight)
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True) if model._call_has_training_arg else model(x)
            loss = model._compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            scaled = model.optimizer.scale_loss(loss)
        return loss, tape.gradient(scaled, model.trainable_weights), y_pred

    def weight(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return how much a batch counts in an accumulated mean: what its loss was divided by.

        By default: the sum of weights that losses of unitools state (`sums`), and for Keras losses the number of loss
        values, masked ones left out, or the sum of the weights under `reduction="mean_with_sample_weight"`. A model
        without compiled loss, or with several plain means, counts examples.

        Args:
            x: Inputs.
            y: Labels.
            y_pred: Predictions.
            sample_weight: Weights, or None.
        """
        return loss_weight(self.model, x, y, y_pred, sample_weight)

    def descend(self, gradients: list, weight: Any) -> None:
        """Use the gradients of a batch, at once or in an accumulated step. For a `step` of your own.

        Args:
            gradients: As `gradients` returns them.
            weight: How much the batch counts. Without accumulation, and with one replica, it does not matter.
        """
        if self._is_plain:
            self.model.optimizer.apply_gradients(zip(gradients, self.model.trainable_weights, strict=True))
        elif self._sums is None:
            apply_mean(self.model, weighted(gradients, weight), weight)
        else:
            self._sums.add(self.model.trainable_weights, gradients, weight)

    @property
    def _replicas(self):
        return self.model.distribute_strategy.num_replicas_in_sync

    @property
    def _is_plain(self):
        return self.accumulate_steps == 1 and self._replicas == 1

    def _begin(self):
        """Make the variables, and set what `fit` begins with."""
        model = self.model
        self.start, model.stop_training = (0, 0), False
        with model.distribute_strategy.scope():
            if model._distribute_strategy is not None or not model.built:
                model._symbolic_build(data_batch=spec_of_batch(self._data.distributed))
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
            if self.accumulate_steps > 1:
                self._sums = GradientSums(model.optimizer, self._sums)
        model.make_train_function()

    def _callback_list(self, callbacks, epochs, verbose):
        shown = {"add_history": True, "add_progbar": verbose != 0, "verbose": verbose}
        steps = self._data.num_steps
        found = keras.callbacks.CallbackList(callbacks, **shown, epochs=epochs, steps=steps, model=self.model)
        for callback in found.callbacks:
            if hasattr(callback, "attach"):
                callback.attach(RunningLoop(self, self._data, epochs, self._validation_data, found))
        return found

    def _epoch(self, epoch, step):
        self.model.reset_metrics()
        self._callbacks.on_epoch_begin(epoch)
        logs, complete = self._steps(step)
        if complete and self._sums is not None and self._sums.is_begun():
            self._graph.apply_sums()
        logs = dict(self.model._get_metrics_result_or_logs(logs))
        if self._validation_data is not None:
            logs |= {f"val_{name}": value for name, value in self._evaluate().items()}
        self._callbacks.on_epoch_end(epoch, logs)
        return logs

    def _steps(self, step):
        """Take the steps of an epoch from one on; return the logs of the last, and whether all were taken."""
        if step is None:
            return self.model.get_metrics_result(), not self.model.stop_training
        logs, stopped, last = {}, False, self._data.num_steps
        self._data.begin()
        while not stopped and (last is None or step < last):
            self._callbacks.on_train_batch_begin(step)
            count = self.steps_per_call if last is None else min(self.steps_per_call, last - step)
            drawn = self._data.next_batch()
            if drawn is None:
                return logs or self.model.get_metrics_result(), True
            done, logs = self._graph.call(*drawn, count)
            step += done
            self._callbacks.on_train_batch_end(step - 1, logs)
            stopped = self.model.stop_training
        return logs, not stopped or step == last

    def _evaluate(self):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(self._validation_data)
        return self.model.evaluate(
            x, y, sample_weight=sample_weight, callbacks=self._callbacks, return_dict=True, verbose=0
        )
