"""The penalty on the distance from the pretrained weights."""

import keras
import numpy as np
import pytest

import unitools as ut
from tests.regularization.real_backbones import classifier, compiled, efficientnet, images, minilm
from tests.regularization.statistics import normal
from unitools.callbacks.exact_resume import ExactResume

l2_sp = ut.regularization.l2_sp
layers = keras.layers


def functional():
    keras.utils.set_random_seed(1)
    base = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, name="dense"), layers.LayerNormalization()], name="base"
    )
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2, name="head")(base(inputs)), name="net")


def sequential():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, name="base"), layers.Dense(2, name="head")])


def by_hand(model, start, alpha, beta):
    """Return equation 3: the head is new. `start` has the weights at the start by their identity."""
    head = {id(weight) for weight in model.get_layer("head").trainable_weights}
    return sum(
        beta / 2 * (weight.numpy() ** 2).sum() if id(weight) in head else
        alpha / 2 * ((weight.numpy() - start[id(weight)]) ** 2).sum()
        for weight in model.trainable_weights
    )  # fmt: skip


def values(model):
    return {id(weight): weight.numpy() for weight in model.trainable_weights}


def train(model, **options):
    model.compile(keras.optimizers.SGD(0.05), "mse", **options)
    return model.fit(normal(32, 4), normal(32, 2, seed=1), batch_size=8, epochs=2, shuffle=False, verbose=0)


@pytest.mark.parametrize("make", [functional, sequential])
@pytest.mark.parametrize("jit", [False, True])
def test_it_is_the_papers_equation_before_and_after_training(make, jit):
    model = make()
    start = values(model)
    report = l2_sp(model, 0.3, 0.2, new="head")
    np.testing.assert_allclose(sum(model.losses), by_hand(model, start, 0.3, 0.2), rtol=1e-5)
    train(model, jit_compile=jit)
    assert by_hand(model, start, 0.3, 0.0) > 0
    np.testing.assert_allclose(sum(model.losses), by_hand(model, start, 0.3, 0.2), rtol=1e-4)
    assert len(report.penalized) == len(start) and report.spared == ()


def test_a_strong_pull_holds_the_pretrained_weights_and_shrinks_the_new():
    model = functional()
    start = values(model)
    head = np.abs(model.get_layer("head").kernel.numpy()).sum()
    l2_sp(model, 10.0, 10.0, new="head")
    train(model)
    free = functional()
    begin = values(free)
    train(free)
    drift = [sum(((w.numpy() - at[id(w)]) ** 2).sum() for w in net.get_layer("base").trainable_weights)
             for net, at in ((model, start), (free, begin))]  # fmt: skip
    assert drift[0] < 0.1 * drift[1]
    assert np.abs(model.get_layer("head").kernel.numpy()).sum() < 0.5 * head


def test_gradients_are_alpha_times_the_step():
    """A step of SGD against the penalty alone: w - rate * alpha * (w - w0)."""
    model = sequential()
    start = model.get_layer("base").kernel.numpy()
    l2_sp(model, 0.5, 0.1, new="head")
    model.get_layer("base").kernel.assign(start + 1)
    model.compile(keras.optimizers.SGD(0.2), lambda y, p: 0.0 * p, jit_compile=False)
    head = model.get_layer("head").kernel.numpy()
    model.fit(normal(4, 4), normal(4, 2), batch_size=4, verbose=0)
    np.testing.assert_allclose(model.get_layer("base").kernel, start + 1 - 0.2 * 0.5, rtol=1e-5)
    np.testing.assert_allclose(model.get_layer("head").kernel, head * (1 - 0.2 * 0.1), rtol=1e-5)


def test_no_new_layers_and_patterns():
    model = functional()
    start = values(model)
    l2_sp(model, 1.0, 5.0, new=None)
    assert float(sum(model.losses)) == 0
    model.get_layer("head").bias.assign([1.0, 2.0])
    np.testing.assert_allclose(sum(model.losses), 0.5 * 5)
    assert len(start) == 6
    pattern = functional()
    l2_sp(pattern, 0.0, 2.0, new=["base/dense", "head/kernel"])
    norms = sum((w.numpy() ** 2).sum() for w in (*pattern.get_layer("base").layers[0].weights[:2],
                                                 pattern.get_layer("head").kernel))  # fmt: skip
    np.testing.assert_allclose(sum(pattern.losses), norms, rtol=1e-5)


@pytest.mark.parametrize("make", [functional, sequential])
def test_weights_files_hold_the_start(make, tmp_path):
    """A run that begins elsewhere and loads the weights goes on towards the first start."""
    model = make()
    start = values(model)
    l2_sp(model, 1.0, 1.0, new="head")
    train(model)
    model.save_weights(tmp_path / "a.weights.h5")
    other = make()
    for weight in other.trainable_weights:
        weight.assign(weight + 7)
    l2_sp(other, 1.0, 1.0, new="head")
    other.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_allclose(sum(other.losses), by_hand(model, start, 1.0, 1.0), rtol=1e-4)
    held = sum(len(layer.l2_sp_starts.weights) for layer in model._flatten_layers() if hasattr(layer, "l2_sp_starts"))
    assert len(model.non_trainable_weights) == held == len(model.trainable_weights) - 2


def test_a_keras_file_loads_without_the_penalty(tmp_path):
    model = functional()
    l2_sp(model, 1.0, 1.0, new="head")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = normal(3, 4)
    np.testing.assert_array_equal(again(x), model(x))
    assert again.losses == []


class CutError(Exception):
    """Stands for a machine that goes down."""


class CutAfterTwoEpochs(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise CutError


def run(make, callbacks, moved=0.0):
    model = make()
    for weight in model.trainable_weights:
        weight.assign(weight + moved)
    l2_sp(model, 0.5, 0.5, new="head")
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)
    data = normal(32, 4), normal(32, 2, seed=1)
    model.fit(*data, batch_size=8, epochs=4, shuffle=False, verbose=0, callbacks=callbacks)
    return model


@pytest.mark.parametrize("make", [functional, sequential])
def test_a_resumed_run_ends_as_the_uninterrupted(make, tmp_path):
    """Even if the resumed one was not given the pretrained weights: the checkpoint holds them."""
    with pytest.raises(CutError):
        run(make, [ExactResume(str(tmp_path)), CutAfterTwoEpochs()])
    resumed, whole = run(make, [ExactResume(str(tmp_path))], moved=3.0), run(make, [])
    for left, right in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_models_of_the_same_layers_hold_penalty_and_start(tmp_path):
    model = functional()
    start = values(model)
    l2_sp(model, 1.0, 1.0, new="head")
    dropping = ut.regularization.add_dropout(model, 0.5, after="base/dense", seed=1)
    train(dropping)
    np.testing.assert_allclose(sum(dropping.losses), by_hand(model, start, 1.0, 1.0), rtol=1e-4)
    assert len(dropping.non_trainable_weights) == 4


def test_with_sharpness_aware_steps_it_counts_once():
    model = functional()
    start = values(model)
    l2_sp(model, 1.0, 1.0, new="head")
    stepping = ut.regularization.RegularizedModel(model, [ut.regularization.SharpnessAware(0.05)])
    x, y = normal(8, 4), normal(8, 2, seed=1)
    stepping.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    plain = float(np.mean((np.array(model(x)) - y) ** 2))
    loss = stepping.fit(x, y, batch_size=8, verbose=0).history["loss"][0]
    np.testing.assert_allclose(loss, plain + by_hand(model, start, 1.0, 1.0), rtol=1e-4)


def test_frozen_layers_cost_nothing_and_mixed_precision_keeps_full_starts():
    inputs = keras.Input((4,))
    base = layers.Dense(5, dtype="mixed_bfloat16", name="base")
    model = keras.Model(inputs, layers.Dense(2, name="head")(base(inputs)))
    l2_sp(model, 1.0, 0.0, new="head")
    assert float(sum(model.losses)) == 0
    assert base.l2_sp_starts.weights[0].dtype == "float32"
    base.kernel.assign(base.kernel + 1)
    np.testing.assert_allclose(sum(model.losses), 0.5 * 20, rtol=1e-5)
    base.trainable = False
    assert float(sum(model.losses)) == 0


def test_a_pretrained_net_in_a_classifier(shared_weights):
    model = classifier(efficientnet(shared_weights))
    report = l2_sp(model, 0.1, 0.01, new="head")
    assert len(report.penalized) == len(model.trainable_weights)
    head = model.get_layer("head")
    np.testing.assert_allclose(sum(model.losses), 0.005 * (head.kernel.numpy() ** 2).sum(), rtol=1e-5)
    before = values(model)
    compiled(model, jit_compile=False).fit(images(), np.array([0, 1]), verbose=0)
    np.testing.assert_allclose(sum(model.losses), by_hand(model, before, 0.1, 0.01), rtol=1e-3)


def test_minilm():
    model = minilm()
    l2_sp(model, 2.0, 0.1, new=None)
    assert float(sum(model.losses)) == 0
    hidden = model.get_layer("block_2")._hidden.kernel
    hidden.assign(hidden + 0.5)
    np.testing.assert_allclose(sum(model.losses), 0.25 * np.prod(hidden.shape), rtol=1e-4)


def test_bad_input():
    model = functional()
    with pytest.raises(ValueError, match=r"`new` must be a pattern that fits the path of a weight.*'haed'.*head/"):
        l2_sp(model, new="haed")
    for name in ("alpha", "beta"):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            l2_sp(model, **{name: -1.0}, new="head")
    assert model.losses == []
    l2_sp(model, new="head")
    with pytest.raises(ValueError, match=r"`model` must be one without L2-SP.*Build it anew"):
        l2_sp(model, new="head")
    with pytest.raises(ValueError, match=r"`model` must be built"):
        l2_sp(keras.Sequential([layers.Dense(3)]), new=None)
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        l2_sp(3, new=None)
