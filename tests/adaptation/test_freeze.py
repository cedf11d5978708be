import keras
import numpy as np
import pytest

import unitools as ut

layers = keras.layers
adaptation = ut.adaptation

# Keras 3.15's saving calls np.array in a way that numpy 2 means to change.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def backbone():
    inputs = keras.Input((8, 8, 3))
    x = inputs
    for number in (1, 2, 3):
        x = layers.Conv2D(4, 3, padding="same", name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.Activation("tanh", name=f"tanh{number}")(x)  # a dead ReLU would pass no gradient on
    return keras.Model(inputs, x, name="backbone")


def inlined():
    base = backbone()
    return keras.Model(base.input, ut.heads.Classifier(3, name="head")(base.output))


def nested():
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, ut.heads.Classifier(3, name="head")(backbone()(inputs)))


def sequential():
    return keras.Sequential([keras.Input((8, 8, 3)), backbone(), ut.heads.Classifier(3, name="head")])


MODELS = pytest.mark.parametrize("make", [inlined, nested, sequential])


def moved_by_training(model):
    """Return the names of weights that two steps change, as "layer/weight"."""
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    before = [weight.numpy() for weight in model.weights]
    random = np.random.default_rng(0)
    for _ in range(2):
        model.train_on_batch(random.normal(2, 3, (8, 8, 8, 3)), random.integers(0, 3, 8))
    pairs = zip(model.weights, before, strict=True)
    return {"/".join(weight.path.split("/")[-2:]) for weight, old in pairs if (weight.numpy() != old).any()}


def weights_of(*names):
    kernels, norms = ("kernel", "bias"), ("gamma", "beta", "moving_mean", "moving_variance")
    return {f"{name}/{part}" for name in names for part in (norms if name.startswith("norm") else kernels)}


ALL = ("conv1", "norm1", "conv2", "norm2", "conv3", "norm3", "output")


@MODELS
@pytest.mark.parametrize(
    ("until", "learning"),
    [
        (None, ()),
        ("norm2", ("conv3", "norm3", "output")),
        ("conv2", ALL[3:]),
        ("conv*", ALL[5:]),
        ("*2", ALL[4:]),
        (3, ALL[3:]),
        (-1, ("output",)),
        (0, ALL),
    ],
)
def test_one_step_moves_exactly_what_is_not_frozen(make, until, learning):
    model = make()
    report = adaptation.freeze(model, until)
    assert (report.frozen_layers, report.trainable_layers) == (7 - len(learning), len(learning))
    if not learning:
        assert model.trainable_weights == []
        return
    assert moved_by_training(model) == weights_of(*learning)


@pytest.mark.parametrize("make", [nested, sequential])
def test_a_nested_model_can_be_named(make):
    model = make()
    adaptation.freeze(model, "backbone")
    assert moved_by_training(model) == weights_of("output")
    adaptation.unfreeze(model, "backbone", batch_norm=True)
    assert moved_by_training(model) == weights_of(*ALL)


@MODELS
def test_a_frozen_batch_norm_runs_as_at_inference(make):
    model = make()
    adaptation.freeze(model, "norm3")
    pictures = np.random.default_rng(1).normal(5, 3, (4, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(model(pictures, training=True), model(pictures, training=False), rtol=1e-6)


@MODELS
def test_unfreezing_keeps_batch_norms_frozen_unless_asked(make):
    model = make()
    adaptation.freeze(model)
    assert adaptation.unfreeze(model, "conv2").frozen_batch_norms == 3
    assert moved_by_training(model) == weights_of("conv2", "conv3", "output")
    assert adaptation.unfreeze(model, "conv2", batch_norm=True).frozen_batch_norms == 1
    assert moved_by_training(model) == weights_of(*ALL[2:])


def test_batch_norms_that_were_never_frozen_stay_as_they_are():
    model = inlined()
    adaptation.freeze(model, "norm2")
    assert adaptation.unfreeze(model).frozen_batch_norms == 2
    assert moved_by_training(model) == weights_of("conv1", "conv2", "conv3", "norm3", "output")


@pytest.mark.parametrize(("since", "learning"), [(1, ["output"]), (3, ["conv3", "output"]), (-4, ["conv3", "output"])])
def test_unfreezing_by_count(since, learning):
    model = nested()
    adaptation.freeze(model)
    adaptation.unfreeze(model, since)
    assert moved_by_training(model) == weights_of(*learning)


def test_step_by_step():
    model = nested()
    adaptation.freeze(model)
    counts = [adaptation.unfreeze(model, since).trainable_layers for since in ("head", "conv3", "conv2", "conv1")]
    assert counts == [1, 2, 3, 4]


def test_parameters_are_counted():
    model = inlined()
    report = adaptation.freeze(model, "conv1")
    assert report.frozen_parameters == 3 * 3 * 3 * 4 + 4 + 3 * 8  # and the statistics of three batch norms
    assert report.trainable_parameters == sum(np.prod(weight.shape) for weight in model.trainable_weights)
    assert report.first_trainable == "norm1"
    assert "Compile" in str(report)


@MODELS
def test_the_flag_of_a_whole_model_is_taken_over(make):
    model = make()
    model.trainable = False
    adaptation.unfreeze(model, "head")
    assert moved_by_training(model) == weights_of("output")
    if make is not inlined:
        model.get_layer("backbone").trainable = False
        adaptation.unfreeze(model, "conv3")
        assert moved_by_training(model) == weights_of("conv3", "output")


@MODELS
def test_state_survives_a_keras_file(make, tmp_path):
    model = make()
    adaptation.freeze(model)
    adaptation.unfreeze(model, "conv3")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert moved_by_training(again) == weights_of("conv3", "output")


def test_a_block_is_frozen_as_a_whole():
    @keras.saving.register_keras_serializable("test_freeze")
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.conv = layers.Conv2D(3, 1, name="conv1")
            self.norm = layers.BatchNormalization(name="norm1")

        def build(self, shape):
            self.conv.build(shape)
            self.norm.build(shape)

        def call(self, inputs, training=False):
            return self.norm(self.conv(inputs), training=training)

    model = keras.Sequential([keras.Input((4, 4, 3)), Block(name="block"), ut.heads.Classifier(3)])
    model_inputs = np.random.default_rng(0).normal(3, 2, (4, 4, 4, 3))
    assert adaptation.freeze(model, "block").frozen_batch_norms == 1
    np.testing.assert_allclose(model(model_inputs, training=True), model(model_inputs), rtol=1e-6)
    adaptation.unfreeze(model)
    assert [weight.name for weight in model.layers[0].trainable_weights] == ["kernel", "bias"]


def test_layer_decay_and_freezing_together():
    model = nested()
    adaptation.freeze(model, "norm1")
    ut.training.compile(model, layer_decay=0.5, verbose=False)
    model.train_on_batch(np.ones((2, 8, 8, 3)), np.array([0, 1]))
    assert len(model.optimizer.rate_shares) == len(model.trainable_weights) == 10


def test_names_that_do_not_fit():
    with pytest.raises(ValueError, match=r"until='conv9'.*Did you mean.*conv3"):
        adaptation.freeze(inlined(), "conv9")
    with pytest.raises(ValueError, match="until='block\\*'"):
        adaptation.freeze(inlined(), "block*")
    with pytest.raises(ValueError, match="until=8"):
        adaptation.freeze(inlined(), 8)
    with pytest.raises(ValueError, match="batch_norm='no'"):
        adaptation.unfreeze(inlined(), batch_norm="no")
    with pytest.raises(TypeError, match="Dense"):
        adaptation.freeze(layers.Dense(2))
    with pytest.raises(ValueError, match="built"):
        adaptation.freeze(keras.Sequential([layers.Dense(2)]))


def test_a_name_that_means_two_layers_needs_a_path():
    stacks = {name: [keras.Input((3,)), layers.Dense(2, name="same")] for name in ("left", "right")}
    towers = [keras.Sequential(stack, name=name) for name, stack in stacks.items()]
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Concatenate()([tower(inputs) for tower in towers]))
    with pytest.raises(ValueError, match="'left/same', 'right/same'"):
        adaptation.freeze(model, "same")
    adaptation.freeze(model, "left/same")
    assert [tower.layers[0].trainable for tower in towers] == [False, True]
