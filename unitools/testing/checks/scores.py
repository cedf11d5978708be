"""Promises of losses and metrics: sample weights, gradients, batches and resets."""

import inspect

import keras
import numpy as np
import tensorflow as tf

from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_loss, is_metric, is_scored
from unitools.testing.tensors import as_tensors, batch_size, expect, expect_equal, measure, take


def _takes_weights(specimen):
    return is_scored(specimen) and (
        is_loss(specimen) or "sample_weight" in inspect.signature(specimen.cls.update_state).parameters
    )


def _score(component, pair, weight):
    pair, weight = as_tensors(pair), tf.constant(weight, "float32")
    if isinstance(component, keras.metrics.Metric):
        return measure(component, (*pair, weight))
    return component(*pair, sample_weight=weight)


@promise(_takes_weights)
def equal_weights_change_nothing(specimen):
    """Sample weights of one give the unweighted result."""
    component, pair = specimen.build(), specimen.inputs()
    metric = isinstance(component, keras.metrics.Metric)
    plain = measure(component, as_tensors(pair)) if metric else component(*as_tensors(pair))
    expect_equal(plain, _score(component, pair, np.ones(batch_size(pair))), "with sample weights of one")


@promise(_takes_weights)
def weight_zero_removes_an_example(specimen):
    """What is predicted for an example of weight zero changes nothing."""
    component, pair = specimen.build(), specimen.inputs()
    weight = np.ones(batch_size(pair), "float32")
    weight[0] = 0
    other = keras.tree.map_structure(lambda leaf: np.concatenate([leaf[-1:], leaf[1:]]), pair[1])
    expected = _score(component, pair, weight)
    expect_equal(expected, _score(component, (pair[0], other), weight), "another prediction at sample weight zero")


@promise(is_loss)
def gradient_reaches_predictions(specimen):
    """The gradient with respect to the predictions is finite, and not zero everywhere."""
    y_true, y_pred = as_tensors(specimen.inputs())
    component = specimen.build()
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = tf.reduce_sum(component(y_true, y_pred))
    gradients = [leaf for leaf in keras.tree.flatten(tape.gradient(value, y_pred)) if leaf is not None]
    expect(bool(gradients), "no gradient reaches the predictions")
    expect(all(np.isfinite(leaf).all() for leaf in map(np.asarray, gradients)), "the gradient is infinite or NaN")
    expect(any(np.any(leaf) for leaf in map(np.asarray, gradients)), "the gradient is zero everywhere")


@promise(is_metric)
def reset_forgets(specimen):
    """After `reset_state`, a metric has forgotten what it saw."""
    component, pair = specimen.build(), specimen.inputs()
    component.update_state(*as_tensors(pair))
    expected = component.result()
    component.update_state(*as_tensors(take(pair, slice(1))))
    component.reset_state()
    component.update_state(*as_tensors(pair))
    expect_equal(expected, component.result(), "after a reset")


@promise(is_metric)
def batches_add_up(specimen):
    """Two halves of a batch, one after the other, give the result of the whole."""
    component, pair = specimen.build(), specimen.inputs()
    half = batch_size(pair) // 2
    parts = [as_tensors(take(pair, rows)) for rows in (slice(half), slice(half, None))]
    expect_equal(measure(component, as_tensors(pair)), measure(component, *parts), "two halves against the whole")
