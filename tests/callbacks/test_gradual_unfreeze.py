import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(12, 4)).astype("float32")
TARGETS = FEATURES[:, :2] * 2
LEVELS = ((0, "head"), (1, "middle"), (3, None))


def net(norm=False):
    keras.utils.set_random_seed(7)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(5, "tanh", name="base")(inputs)
    if norm:
        hidden = keras.layers.BatchNormalization(name="norm")(hidden)
    hidden = keras.layers.Dense(5, "tanh", name="middle")(hidden)
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(hidden))


def fit(model, *callbacks, epochs=4, **options):
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **options}
    return model.fit(FEATURES, TARGETS, epochs=epochs, callbacks=list(callbacks), **options)


def learning(level):
    """Return the layers that learn at a level, by the schedule read by hand."""
    return [{"head"}, {"middle", "head"}, {"base", "middle", "head"}][level]


def reference(optimizer, levels, epochs=4, first=0, model=None):
    """Train by a plain loop: one optimizer over all variables, applied to those of the layers that learn."""
    model = model or net()
    optimizer.build(model.trainable_variables)
    for epoch in range(first, epochs):
        names = learning(levels[epoch])
        variables = [v for layer in model.layers if layer.name in names for v in layer.trainable_variables]
        for start in range(0, 12, 4):
            x, y = FEATURES[start : start + 4], TARGETS[start : start + 4]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
            optimizer.apply(tape.gradient(loss, variables), variables)
    return model, optimizer


def expect_same(left, right, tolerance=1e-6):
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=tolerance, err_msg=one.path)


@pytest.mark.parametrize("jit", [False, True])
def test_trains_as_a_plain_loop_over_some_variables(jit, capsys):
    model, optimizer = net(), keras.optimizers.AdamW(0.01, weight_decay=0.1)
    model.compile(optimizer, "mse", jit_compile=jit)
    fit(model, ut.callbacks.GradualUnfreeze(LEVELS))
    expected, other = reference(keras.optimizers.AdamW(0.01, weight_decay=0.1), (0, 1, 1, 2))
    expect_same(model.weights, expected.weights)
    expect_same(optimizer.variables, other.variables)
    assert capsys.readouterr().out.splitlines() == [
        "GradualUnfreeze: epoch 1, learns from 'head' on, 12 of 67 parameters",
        "GradualUnfreeze: epoch 2, learns from 'middle' on, 42 of 67 parameters",
        "GradualUnfreeze: epoch 4, learns from 'base' on, 67 of 67 parameters",
    ]


def test_rates_by_layer_stay_with_their_layers():
    model = net()
    ut.training.compile(model, learning_rate=0.01, warmup=0, layer_decay=0.5, loss="mse", clip_norm=None, verbose=False)
    shares, decayed = model.optimizer.rate_shares, model.optimizer.decayed
    fit(model, ut.callbacks.GradualUnfreeze(LEVELS))
    optimizer = ut.training.LayerwiseAdamW(0.01, weight_decay=0.01, rate_shares=shares, decayed=decayed)
    expected, other = reference(optimizer, (0, 1, 1, 2))
    assert len(set(shares)) == 3
    expect_same(model.weights, expected.weights)
    expect_same(model.optimizer.variables, other.variables)


def test_a_second_fit_begins_at_the_first_level():
    model, optimizer = net(), keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "mse")
    gradual = ut.callbacks.GradualUnfreeze(LEVELS)
    fit(model, gradual)
    fit(model, gradual)
    expected, other = reference(keras.optimizers.SGD(0.1, momentum=0.9), (0, 1, 1, 2))
    expected, other = reference(other, (0, 1, 1, 2), model=expected)
    expect_same(model.weights, expected.weights, 1e-5)
    expect_same(optimizer.variables, other.variables, 1e-5)


def test_a_fit_that_begins_later_begins_at_its_level():
    model = net()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = [v.numpy() for v in model.weights]
    fit(model, ut.callbacks.GradualUnfreeze(LEVELS), epochs=3, initial_epoch=2)
    moved = {v.path.split("/")[0] for v, b in zip(model.weights, before, strict=True) if not np.array_equal(v, b)}
    assert moved == {"middle", "head"}


@pytest.mark.parametrize("learns", [False, True])
def test_batch_norms(learns):
    model = net(norm=True)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    norm = model.get_layer("norm")
    before = [v.numpy() for v in norm.weights]
    fit(model, ut.callbacks.GradualUnfreeze([(0, None)], batch_norm=learns), epochs=1)
    assert all(np.array_equal(v, b) != learns for v, b in zip(norm.weights, before, strict=True))


def test_loss_scaling_and_accumulation():
    optimizer = keras.optimizers.SGD(0.1, momentum=0.5, gradient_accumulation_steps=3)
    model = net()
    model.compile(optimizer, "mse")
    fit(model, ut.callbacks.GradualUnfreeze(LEVELS))
    other = keras.optimizers.SGD(0.1, momentum=0.5, gradient_accumulation_steps=3)
    expected, other = reference(other, (0, 1, 1, 2))
    expect_same(model.weights, expected.weights)
    model = net()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)), "mse", auto_scale_loss=False)
    fit(model, ut.callbacks.GradualUnfreeze(LEVELS))
    expected, _ = reference(keras.optimizers.SGD(0.1), (0, 1, 1, 2))
    expect_same(model.weights, expected.weights, 1e-5)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_goes_on_after_any_epoch_and_inside_one(cut):
    whole = net()
    whole.compile(keras.optimizers.Adam(0.01), "mse")
    fit(whole, ut.callbacks.GradualUnfreeze(LEVELS))
    first = net()
    first.compile(keras.optimizers.Adam(0.01), "mse")
    gradual = ut.callbacks.GradualUnfreeze(LEVELS)
    fit(first, gradual, epochs=cut)
    state = json.loads(json.dumps(gradual.get_state()))
    values = [v.numpy() for v in first.weights + first.optimizer.variables]
    second, again = net(), ut.callbacks.GradualUnfreeze(LEVELS)
    second.compile(keras.optimizers.Adam(0.01), "mse")

    class GoOn(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            again.set_state(state)
            frozen = {layer.name for layer in second.layers if layer.weights and not layer.trainable}
            assert {"base", "middle", "head"} - frozen == learning((0, 1, 1, 2)[cut - 1])
            for variable, value in zip(second.weights + second.optimizer.variables, values, strict=True):
                variable.assign(value)

    fit(second, again, GoOn(), initial_epoch=cut)
    expect_same(second.weights, whole.weights, 0)
    expect_same(second.optimizer.variables, whole.optimizer.variables, 0)


def test_mistakes_are_told_when_fit_begins():
    model = net()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="`since` must be the name of a layer.*Did you mean 'middle'"):
        fit(model, ut.callbacks.GradualUnfreeze(((0, "head"), (5, "midle"))))
    assert all(layer.trainable for layer in model.layers)
    ut.adaptation.freeze(model, "base")
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"Received the entry \(3, None\) of `schedule`, whose layers were frozen"):
        fit(model, ut.callbacks.GradualUnfreeze(LEVELS))
    model.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
    with pytest.raises(ValueError, match="Received use_ema=True. Compile the model without it"):
        fit(model, ut.callbacks.GradualUnfreeze(LEVELS))


def test_a_model_without_weights_yet_is_an_error_that_spoils_nothing():
    model = keras.Sequential([keras.layers.Dense(4, name="base"), keras.layers.Dense(2, name="head")])
    model.compile("sgd", "mse")
    gradual = ut.callbacks.GradualUnfreeze(((0, "head"),))
    data = {"x": np.ones((4, 3)), "y": np.ones((4, 2)), "verbose": 0, "callbacks": [gradual]}
    with pytest.raises(ValueError, match="`model` must be built"):
        model.fit(**data)
    model.build((None, 3))
    before = [np.array(weight) for weight in model.get_weights()]
    model.fit(**data)
    moved = [not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)]
    assert moved == [False, False, True, True]


@pytest.mark.parametrize(
    "schedule", [(), "head", ((1, "head"),), ((0, "a"), (0, "b")), ((0, 1.5),), ((-1, "a"),), (3,)]
)
def test_a_schedule_that_is_none_is_refused(schedule):
    with pytest.raises(ValueError, match="`schedule` must be"):
        ut.callbacks.GradualUnfreeze(schedule)


def test_a_schedule_may_be_a_dict():
    assert ut.callbacks.GradualUnfreeze({0: "head", 2: -3}).schedule == ((0, "head"), (2, -3))
