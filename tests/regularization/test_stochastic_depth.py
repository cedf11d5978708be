"""Stochastic depth over whole models."""

import keras
import numpy as np
import pytest

import unitools as ut
from tests.regularization.real_backbones import classifier, compiled, efficientnet, images, minilm, texts
from tests.regularization.statistics import assert_share, normal
from unitools.regularization.layer_call import layer_calls
from unitools.regularization.residual import find_residuals

stochastic_depth, DropPath, LayerDrop = (
    getattr(ut.regularization, name) for name in ("stochastic_depth", "DropPath", "LayerDrop")
)
layers = keras.layers


def times(factor, name):
    return layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(factor), name=name)


def chain(factors=(0.1, 0.02, 0.003)):
    """Return a net whose block l adds factor l times its input."""
    inputs = x = keras.Input((1,))
    for number, factor in enumerate(factors, start=1):
        x = layers.Add(name=f"add_{number}")([x, times(factor, f"times_{number}")(x)])
    return keras.Model(inputs, x, name="chain")


def places(model, **options):
    return stochastic_depth(model, 0.5, **options).placement_report.places


def additions(outputs, inputs):
    """Return the names of the residual additions of a graph."""
    return [found.call.path for found in find_residuals(layer_calls(keras.Model(inputs, outputs)))]


@pytest.mark.parametrize("schedule", ["linear", "constant"])
def test_each_block_is_dropped_by_its_rate(schedule):
    """With x = 1 the product of (1 + factor / (1 - rate)) over the kept blocks tells which were kept."""
    factors, rate, examples = (0.1, 0.02, 0.003), 0.6, 20_000
    model = stochastic_depth(chain(factors), rate, schedule=schedule, seed=1)
    rates = [rate * number / 3 for number in (1, 2, 3)] if schedule == "linear" else [rate] * 3
    np.testing.assert_allclose(model.placement_report.rates, rates)
    outputs = model(np.ones((examples, 1), "float32"), training=True).numpy()[:, 0]
    kept = np.array([[(code >> bit) & 1 for bit in range(3)] for code in range(8)])
    values = np.prod(1 + kept * np.array(factors) / (1 - np.array(rates)), axis=1)
    codes = np.abs(outputs[:, None] - values).argmin(axis=1)
    np.testing.assert_allclose(outputs, values[codes], rtol=1e-5)
    for block in range(3):
        assert_share((kept[codes, block] == 0).sum(), examples, rates[block])
    shares = np.prod(np.where(kept, 1 - np.array(rates), rates), axis=1)  # the blocks are independent
    for code in range(8):
        assert_share((codes == code).sum(), examples, shares[code])


def test_fit_under_xla():
    model = stochastic_depth(chain((-0.9, 0.5)), 0.5, seed=1)
    model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=True)
    history = model.fit(np.ones((64, 1)), 3 * np.ones((64, 1)), epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_inference_weights_and_old_model_stay():
    old = chain()
    new = stochastic_depth(old, 0.5, seed=1)
    x = normal(6, 1)
    np.testing.assert_array_equal(new(x), old(x))
    np.testing.assert_array_equal(old(x, training=True), old(x))
    assert [id(weight) for weight in new.trainable_weights] == [id(weight) for weight in old.trainable_weights]
    assert new.name == "chain" and not new.compiled
    assert [layer.seed for layer in new.layers if isinstance(layer, DropPath)] == [1, 2, 3]


def test_what_is_a_residual_addition():
    x = keras.Input((8,))
    dense = lambda tensor, units=8: layers.Dense(units)(tensor)  # noqa: E731
    assert len(additions(x + dense(x), x)) == 1
    assert additions(layers.Add(name="a")([dense(dense(x)), x]), x) == ["a"]
    assert additions(layers.Add(name="a")([dense(x), dense(dense(x))]), x) == ["a"]  # a projection
    # Two branches alike, a sum of three, one that has no weights, and two inputs of the net: not residual.
    assert additions(layers.Add(name="a")([dense(x), dense(x)]), x) == []
    assert additions(layers.Add(name="a")([x, dense(x), dense(x)]), x) == []
    assert additions(layers.Add(name="a")([x, layers.ReLU()(x)]), x) == []
    other = keras.Input((8,))
    assert additions(layers.Add(name="a")([dense(x), other]), [x, other]) == []


def test_the_branch_is_dropped_on_either_side_and_the_projection_kept():
    inputs = keras.Input((1,))
    shortcut = times(3.0, "projection")(inputs)
    outputs = layers.Add(name="sum")([times(10.0, "second")(times(1.0, "first")(inputs)), shortcut])
    model = stochastic_depth(keras.Model(inputs, outputs), 0.5, seed=1)
    assert set(np.unique(model(np.ones((50, 1)), training=True))) == {3.0, 23.0}


def test_a_top_down_path_is_no_branch():
    """In a feature pyramid the deeper map is added to the shallower: dropping it would drop the net below."""
    inputs = keras.Input((8, 8, 2))
    low = layers.Conv2D(4, 3, strides=2, padding="same")(inputs)
    mid = layers.Add(name="block")([low, layers.Conv2D(4, 3, padding="same")(low)])
    deep = layers.Conv2D(4, 3, strides=2, padding="same")(mid)
    deep = layers.Add(name="deep_block")([deep, layers.Conv2D(4, 3, padding="same")(deep)])
    merged = layers.Add(name="merge")([layers.UpSampling2D()(deep), low])
    assert additions(merged, inputs) == ["block", "deep_block"]


def test_an_addition_that_is_called_twice_has_both_branches_dropped():
    inputs, add = keras.Input((1,)), layers.Add(name="plus")
    x = add([inputs, times(1.0, "a")(inputs)])
    model = stochastic_depth(keras.Model(inputs, add([x, times(10.0, "b")(x)])), 0.5, seed=1)
    # Doubled when kept: (1 or 3) times (1 or 21).
    assert set(np.unique(model(np.ones((200, 1)), training=True))) == {1.0, 3.0, 21.0, 63.0}
    assert model.placement_report.places == ("plus",)


def test_blocks_can_be_chosen():
    assert places(chain(), blocks="add_2") == ("add_2",)
    assert places(chain(), blocks=["add_[13]"]) == ("add_1", "add_3")
    with pytest.raises(ValueError, match=r"`blocks` must be a pattern that fits an addition or a layer.*'ad_1'.*add_1"):
        places(chain(), blocks="ad_1")


class Block(keras.layers.Layer):
    """A block with its addition inside, that does not say so."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(4)

    def call(self, inputs):
        return inputs + self.inner(inputs)


def test_composite_layers_by_name_or_by_their_mark():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Block(name="second")(Block(name="first")(inputs)))
    with pytest.raises(ValueError, match=r"residual blocks.*Name composite layers in `blocks`"):
        places(model)
    new = stochastic_depth(model, 0.4, blocks=["first", "second"], seed=1)
    assert [type(layer) for layer in new.layers[1:]] == [LayerDrop, LayerDrop]
    assert new.placement_report.rates == (0.2, 0.4)
    x = normal(2000, 4)
    passed = np.all(new.layers[1](x, training=True).numpy() == x, axis=1)
    assert_share(passed.sum(), 2000, 0.2)
    marked = type("Marked", (Block,), {"is_residual_block": True})
    assert places(keras.Model(inputs, marked(name="m")(inputs))) == ("m",)


@pytest.mark.parametrize(
    ("name", "count", "own"),
    [("ResNet50V2", 16, 0), ("MobileNetV2", 10, 0), ("EfficientNetB0", 9, 9), ("ConvNeXtTiny", 18, 0)],
)
def test_nets_of_keras(name, count, own):
    """The numbers of blocks are the architectures': 3 + 4 + 6 + 3; those of stride 1 and equal width; 3 + 3 + 9 + 3."""
    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(64, 64, 3))
    new = stochastic_depth(model, 0.2)
    report = new.placement_report
    assert (len(report.places), len(report.replaced)) == (count, own)
    assert not set(report.replaced) & {layer.name for layer in new.layers}
    x = images()
    np.testing.assert_array_equal(new(x), model(x))
    assert np.abs(new(x, training=True) - new(x, training=True)).max() > 0


def test_a_pretrained_backbone_nested_in_a_model(shared_weights, tmp_path):
    backbone = efficientnet(shared_weights)
    model = classifier(backbone)
    new = stochastic_depth(model, 0.2, seed=3)
    found = new.placement_report.places
    added = [layer.name for layer in backbone.layers if isinstance(layer, layers.Add)]
    assert found == tuple(f"efficientnet_lite0/{name}" for name in added)
    inner = new.layers[1]
    assert isinstance(inner, ut.backbones.Backbone) and inner.pyramid == backbone.pyramid
    x = images(8)
    np.testing.assert_array_equal(new(x), model(x))
    kernel = backbone.layers[2].weights[0].numpy()
    compiled(new, jit_compile=False).fit(x, np.arange(8) % 3, batch_size=4, verbose=0)
    assert (backbone.layers[2].weights[0].numpy() != kernel).any()  # shared
    np.testing.assert_allclose(new(x), model(x), atol=1e-5)
    new.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x), new(x), atol=1e-5)
    rates = [layer.rate for layer in again.layers[1].layers if isinstance(layer, DropPath)]
    np.testing.assert_allclose(rates, new.placement_report.rates)


def test_weights_files_of_a_net_with_additions_fit_both_ways(tmp_path):
    old, other = chain(), stochastic_depth(chain((9, 9, 9)), 0.5)
    old.save_weights(tmp_path / "a.weights.h5")
    other.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(other(np.ones((1, 1))), old(np.ones((1, 1))))


def test_minilm(tmp_path):
    backbone = minilm()
    new = stochastic_depth(backbone, 0.3, seed=1)
    assert new.placement_report.places == tuple(f"block_{number}" for number in range(1, 7))
    assert isinstance(new, ut.backbones.TextBackbone) and new.tokenizer_folder == backbone.tokenizer_folder
    x = texts()
    for name, value in backbone(x).items():
        np.testing.assert_array_equal(new(x)[name], value)
    # The mask still goes through the wrapped blocks: what stands in the padding changes nothing.
    padded = {"token_ids": np.where(x["padding_mask"], x["token_ids"], 99), "padding_mask": x["padding_mask"]}
    np.testing.assert_allclose(new(padded)["pooled_output"], new(x)["pooled_output"], atol=1e-5)
    head = keras.Model(new.input, layers.Dense(2)(new.pooled_output))
    compiled(head, jit_compile=False).fit(texts(8), np.arange(8) % 2, batch_size=8, verbose=0)
    new.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x)["pooled_output"], new(x)["pooled_output"], atol=1e-5)


def test_mixed_precision():
    with_policy = layers.Dense(4, dtype="mixed_float16")
    inputs = keras.Input((4,), dtype="float16")
    model = keras.Model(inputs, layers.Add(dtype="mixed_float16", name="sum")([inputs, with_policy(inputs)]))
    new = stochastic_depth(model, 0.5, seed=1)
    assert new.get_layer("sum_drop_path").compute_dtype == "float16"
    assert new(normal(8, 4), training=True).dtype == "float16"


def test_bad_input():
    once = stochastic_depth(chain(), 0.5)
    with pytest.raises(ValueError, match=r"without stochastic depth.*add_1.*set it once"):
        stochastic_depth(once, 0.5)
    inputs = keras.Input((4,))
    wrapped = stochastic_depth(keras.Model(inputs, Block(name="b")(inputs)), 0.5, blocks="b")
    with pytest.raises(ValueError, match="without stochastic depth"):
        stochastic_depth(wrapped, 0.5, blocks="b")
    with pytest.raises(ValueError, match=r"residual blocks.*'vgg16'"):
        stochastic_depth(keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)), 0.1)
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
        stochastic_depth(chain(), 1.0)
    with pytest.raises(ValueError, match="`schedule` must be"):
        stochastic_depth(chain(), 0.5, schedule="cosine")
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        stochastic_depth(layers.Dense(3), 0.5)
    with pytest.raises(ValueError, match="functional, or sequential and built"):
        stochastic_depth(keras.Sequential([layers.Dense(3)]), 0.5)
    with pytest.raises(ValueError, match=r"Keras' train step.*RegularizedModel"):
        stochastic_depth(ut.regularization.RegularizedModel(chain(), [ut.regularization.SharpnessAware()]), 0.5)
