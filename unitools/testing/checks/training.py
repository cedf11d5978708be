"""Promises about training and inference: what repeats, what moves and what stays."""

import keras
import numpy as np
import tensorflow as tf

from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_layer, takes_seed, takes_training
from unitools.testing.tensors import as_arrays, as_tensors, caller, expect, expect_equal, is_floating, same_values

# A low-rank adapter starts with one factor at zero, so that the other moves from the second step on.
_STEPS = 3
_DRAWS = 5


@promise(is_layer)
def inference_repeats(specimen):
    """A call without `training` is inference, and gives the same result again."""
    component, inputs = specimen.build(), as_tensors(specimen.inputs())
    expected = caller(component, training=False)(inputs)
    expect_equal(expected, component(inputs), "a call without `training`, against training=False")
    expect_equal(expected, caller(component, training=False)(inputs), "a second call at training=False")


@promise(takes_training)
def seeded_training_repeats(specimen):
    """Two components with the same arguments and weights give the same result in training."""
    inputs = as_tensors(specimen.inputs())
    first, second = specimen.build(), specimen.build()
    for component in (first, second):
        component(inputs)  # builds it
    second.set_weights(first.get_weights())
    for step in range(2):
        expected = first(inputs, training=True)
        expect_equal(expected, second(inputs, training=True), f"training step {step} of a second component, same seed")


@promise(takes_seed)
def training_draws_anew(specimen):
    """A random component draws anew at every step of training."""
    component, inputs = specimen.build(), as_tensors(specimen.inputs())
    draws = [keras.tree.flatten(as_arrays(component(inputs, training=True))) for _ in range(_DRAWS)]
    same = all(same_values(left, right) for other in draws[1:] for left, right in zip(draws[0], other, strict=True))
    expect(not same, f"{_DRAWS} calls at training=True gave one and the same result")


@promise(is_layer)
def step_moves_trainable_weights(specimen):
    """A few steps of training move every trainable weight."""
    component, inputs = specimen.build(), as_tensors(specimen.inputs())
    caller(component)(inputs)
    before = [np.array(weight) for weight in component.trainable_weights]
    _train(component, inputs)
    for weight, start in zip(component.trainable_weights, before, strict=True):
        expect(bool(np.isfinite(np.array(weight)).all()), f"training made `{weight.path}` infinite")
        expect(not np.array_equal(start, weight), f"training did not move the trainable weight `{weight.path}`")


@promise(is_layer)
def frozen_weights_stay(specimen):
    """After `trainable = False`, training moves nothing, statistics included."""
    component, inputs = specimen.build(), as_tensors(specimen.inputs())
    caller(component)(inputs)
    component.trainable = False
    before = [np.array(weight) for weight in component.weights]
    _train(component, inputs)
    names = ", ".join(weight.path for weight in component.trainable_weights)
    expect(not names, f"still trainable after `trainable = False`: {names}")
    for weight, start in zip(component.weights, before, strict=True):
        expect(np.array_equal(start, weight), f"training moved the frozen weight `{weight.path}`")


def _train(component, inputs):
    """Take steps towards arbitrary outputs."""
    optimizer = keras.optimizers.SGD(0.01)
    for _ in range(_STEPS):
        with tf.GradientTape() as tape:
            loss = _arbitrary_loss(caller(component, training=True)(inputs))
        variables = component.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables]) if variables else []
        pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
        if pairs:
            optimizer.apply(*map(list, zip(*pairs, strict=True)))


def _arbitrary_loss(outputs):
    """Return a scalar that depends on every float of the outputs, each with a weight of its own."""
    generator = np.random.default_rng(0)
    floats = [leaf for leaf in keras.tree.flatten(outputs) if is_floating(leaf)]
    total = tf.constant(0.0)
    for leaf in floats:
        total += tf.reduce_sum(tf.cast(leaf, "float32") * generator.normal(size=leaf.shape).astype("float32"))
    return total
