import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.plain_steps import (
    assert_all_close,
    batch,
    compiled,
    dense_arrays,
    dense_net,
    slopes,
    text_net,
    texts,
)
from tests.regularization.plain_steps import loss_object as sparse_loss

FGM, PGD = ut.regularization.FGM, ut.regularization.PGD
RDrop, SharpnessAware = ut.regularization.RDrop, ut.regularization.SharpnessAware
OFF = {
    "none": [],
    "r_drop": [RDrop(0.0)],
    "fgm": [FGM(0.0)],
    "pgd": [PGD(0.0)],
    "sharpness": [SharpnessAware(0.0)],
    "all": [SharpnessAware(0.0), PGD(0.0), RDrop(0.0), FGM(0.0)],
}
ALL = [FGM(0.3), SharpnessAware(0.05), PGD(0.2, target="table"), RDrop(1.0)]


def trained(model, x, y, weights=None, epochs=2):
    fitted = model.fit(x, y, sample_weight=weights, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return fitted.history, model.get_weights()


@pytest.mark.parametrize("name", OFF)
@pytest.mark.parametrize("accumulation", [None, 2])
def test_steps_that_are_off_train_as_keras_bit_for_bit(name, accumulation):
    (x, y), weights = batch(), np.linspace(0.2, 2, 16)
    results = []
    for steps in (None, OFF[name]):
        net = dense_net(dropout=0.4, batch_norm=True, penalty=keras.regularizers.L2(0.01))
        model = net if steps is None else ut.regularization.RegularizedModel(net, steps)
        optimizer = keras.optimizers.AdamW(0.05, gradient_accumulation_steps=accumulation)
        model.compile(optimizer, sparse_loss(), metrics=["accuracy"], weighted_metrics=["accuracy"], jit_compile=False)
        results.append(trained(model, x, y, weights))
    (history, arrays), (again, others) = results
    assert history == again
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, other)


def test_a_penalty_counts_once_in_two_passes():
    x, y = batch()
    penalty = keras.regularizers.L2(0.5)
    net = dense_net(penalty=penalty)
    plain, _, _ = compiled(net, []).compute_gradients(x, y)
    for steps in ([RDrop(1.0)], [SharpnessAware(0.1)], [SharpnessAware(0.1), RDrop(1.0)]):
        loss, _, _ = compiled(net, steps).compute_gradients(x, y)
        np.testing.assert_allclose(loss, plain, rtol=1e-6)  # no dropout: both passes agree
    assert float(plain) > 0.5 * np.square(net.get_layer("inner").kernel.numpy()).sum()


def test_a_penalty_is_part_of_the_function_whose_sharpness_is_seen():
    x, y = batch()
    net = dense_net(penalty=keras.regularizers.L2(0.5))
    kernel = net.get_layer("inner").kernel
    start, first = net.get_weights(), dense_arrays(compiled(net, []).compute_gradients(x, y)[1])
    length = np.sqrt(sum(np.square(slope).sum() for slope in first))
    _, sharp, _ = compiled(net, [SharpnessAware(0.3)]).compute_gradients(x, y)
    net.set_weights([weight + 0.3 * slope / length for weight, slope in zip(start, first, strict=True)])
    expected = slopes(net, x, y)
    expected[0] = expected[0] + 2 * 0.5 * kernel.numpy()
    assert_all_close(dense_arrays(sharp), expected)


def test_losses_added_in_call_count_in_each_pass():
    x, y = batch()
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4,))
    hidden = keras.layers.ActivityRegularization(l2=0.7)(keras.layers.Dense(5)(inputs))
    net = keras.Model(inputs, keras.layers.Dense(3)(hidden))
    plain, _, _ = compiled(net, []).compute_gradients(x, y)
    loss, _, _ = compiled(net, [RDrop(1.0)]).compute_gradients(x, y)
    np.testing.assert_allclose(loss, plain, rtol=1e-6)
    assert float(plain) > float(sparse_loss()(y, net(x))) + 0.01


@pytest.mark.parametrize("steps", [[RDrop(1.0)], [SharpnessAware(0.2)], ALL[1:2] + ALL[3:]])
def test_batch_norm_statistics_move_once_a_step_and_by_the_first_pass(steps):
    x, y = batch()
    model = compiled(dense_net(batch_norm=True), steps)
    inner, norm = model.get_layer("inner"), model.get_layer("norm")
    hidden = inner(x).numpy()
    model.fit(x, y, batch_size=16, verbose=0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.01 * hidden.mean(0), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(norm.moving_variance.numpy(), 0.99 + 0.01 * hidden.var(0), rtol=1e-5)


def test_metrics_and_trackers_of_outputs_count_once():
    x, y = batch()
    inputs = keras.Input((4,))
    net = keras.Model(inputs, {name: keras.layers.Dense(3, name=name)(inputs) for name in ("a", "b")})
    model = ut.regularization.RegularizedModel(net, [SharpnessAware(0.1), RDrop(1.0)])
    losses = {"a": sparse_loss(), "b": sparse_loss()}
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    model.compile("sgd", losses, metrics={"a": [accuracy]})
    expected = {name: float(sparse_loss()(y, output)) for name, output in net(x).items()}
    history = model.fit(x, {"a": y, "b": y}, batch_size=16, verbose=0).history
    np.testing.assert_allclose([history["a_loss"][0], history["b_loss"][0]], [expected["a"], expected["b"]], rtol=1e-5)
    assert accuracy.count.numpy() == 16


def test_a_frozen_layer_stays():
    x, y = texts()
    net = text_net(dropout=0.2)
    net.get_layer("mix").trainable = False
    before = [array.copy() for array in net.get_layer("mix").get_weights()]
    words = net.get_layer("words").get_weights()[0].copy()
    compiled(net, ALL).fit(x, y, batch_size=8, verbose=0)
    for array, later in zip(before, net.get_layer("mix").get_weights(), strict=True):
        np.testing.assert_array_equal(array, later)
    assert not np.array_equal(words, net.get_layer("words").get_weights()[0])


def test_xla_gives_the_same():
    x, y = texts()
    plain, xla = (trained(compiled(text_net(), ALL, jit_compile=jit), x, y)[1] for jit in (False, True))
    assert_all_close(plain, xla, rtol=1e-4, atol=1e-5)


def test_it_learns_under_float16_with_loss_scaling():
    x, y = texts()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(text_net(), ALL, optimizer=keras.optimizers.SGD(0.05), auto_scale_loss=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    half, weights = trained(model, x, y, epochs=4)
    full, others = trained(compiled(text_net(), ALL, optimizer=keras.optimizers.SGD(0.05)), x, y, epochs=4)
    assert_all_close(weights, others, rtol=0.05, atol=5e-3)
    assert half["loss"][-1] < half["loss"][0]
    assert int(model.optimizer.iterations.numpy()) == 8  # none was skipped


def test_a_file_keeps_steps_and_training(tmp_path):
    x, y = texts()
    model = compiled(text_net(), ALL)
    trained(model, x, y)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [step.get_config() for step in again.steps] == [step.get_config() for step in ALL]
    assert [type(step) for step in again.steps] == [type(step) for step in ALL]
    assert_all_close(trained(again, x, y)[1], trained(model, x, y)[1], rtol=0, atol=0)


def test_gradients_of_a_loop_are_those_of_fit():
    x, y = texts()
    model, other = compiled(text_net(), ALL), compiled(text_net(), ALL)
    loss, gradients, y_pred = tf.function(model.compute_gradients)(x, y)
    model.optimizer.apply(gradients, model.trainable_weights)
    history = other.fit(x, y, batch_size=16, verbose=0).history
    assert_all_close(model.get_weights(), other.get_weights(), rtol=1e-6)
    np.testing.assert_allclose(loss, history["loss"][0], rtol=1e-6)
    assert y_pred.shape == (16, 3)


def test_the_first_step_is_the_outermost():
    calls = []

    class Note(ut.regularization.StepRegularizer):
        def __init__(self, label):
            self.label = label

        def loss(self, model, forward, x, y, sample_weight):
            calls.append(f"loss {self.label}")
            return forward(x, y, sample_weight)

        def gradients(self, model, compute, x, y, sample_weight):
            calls.append(f"gradients {self.label}")
            return compute(x, y, sample_weight)

    x, y = batch()
    compiled(dense_net(), [Note("a"), Note("b")]).compute_gradients(x, y)
    assert calls == ["gradients a", "gradients b", "loss a", "loss b"]


def test_layers_are_shared_with_the_model_given():
    x, y = batch()
    net = dense_net()
    model = compiled(keras.Sequential(net.layers), [SharpnessAware(0.1)])
    model.fit(x, y, verbose=0)
    assert_all_close(model.get_weights(), net.get_weights(), rtol=0, atol=0)


def test_what_cannot_be_wrapped_is_refused():
    class OwnStep(keras.Model):
        def train_step(self, data):
            return {}

    inputs = keras.Input((2,))
    wrapped = ut.regularization.RegularizedModel(keras.Model(inputs, keras.layers.Dense(1)(inputs)))
    with pytest.raises(ValueError, match="Give all steps to one"):
        ut.regularization.RegularizedModel(wrapped, [RDrop()])
    with pytest.raises(ValueError, match="Keras' own train_step"):
        ut.regularization.RegularizedModel(OwnStep(inputs, keras.layers.Dense(1)(inputs)))
    with pytest.raises(ValueError, match="functional or sequential"):
        ut.regularization.RegularizedModel(keras.Sequential([keras.layers.Dense(1)]))
