"""Which layers an adapter goes on, what learns beside it, and what is refused."""

import keras
import numpy as np
import pytest

import unitools as ut
from tests.adaptation.small_models import attention, convolutions, encoder, mlp
from unitools.adaptation.adapter_slot import slot_of
from unitools.adaptation.layer_places import places
from unitools.core.name_patterns import fits

adaptation = ut.adaptation
layers = keras.layers


def adapted(model):
    """Return the paths of the layers that have a part."""
    return [
        place.path for place in places(model) if (slot := slot_of(place.layer)) is not None and slot.part is not None
    ]


@pytest.mark.parametrize(
    ("make", "patterns", "found"),
    [
        (mlp, None, ["first", "second"]),
        (mlp, "s*", ["second"]),
        (convolutions, None, ["conv1", "conv2"]),
        (attention, None, [f"attention/{name}" for name in ("query", "key", "value", "attention_output")]),
        (attention, ("query", "value"), ["attention/query", "attention/value"]),
        (attention, "attention", [f"attention/{name}" for name in ("query", "key", "value", "attention_output")]),
        (encoder, "block_*/attention_output", ["block_1/attention_output", "block_2/attention_output"]),
        (encoder, "block_2/feed_*", ["block_2/feed_forward_hidden", "block_2/feed_forward_output"]),
        (encoder, ["block_1/*_hidden"], ["block_1/feed_forward_hidden"]),
    ],
)
def test_patterns(make, patterns, found):
    model = make()
    adaptation.LoRA(2, layers=patterns).apply(model)
    assert adapted(model) == found


@pytest.mark.parametrize(
    ("path", "pattern", "inside", "outside"),
    [
        ("a/b/c", "c", True, True),
        ("a/b/c", "b", True, False),
        ("a/b/c", "a/b", True, False),
        ("a/b/c", "b/*", True, True),
        ("a/b/c", "*", True, True),
        ("a/b/c", "a*c", False, False),
        ("a", "a/b", False, False),
    ],
)
def test_a_pattern_has_as_many_steps_as_it_says(path, pattern, inside, outside):
    assert (fits(path, pattern, inside=True), fits(path, pattern, inside=False)) == (inside, outside)


@pytest.mark.parametrize(
    ("train_also", "learning"),
    [
        ((), set()),
        ("head", {"head/output/kernel", "head/output/bias"}),
        ("norms", {f"norm{number}/{name}" for number in (1, 2) for name in ("gamma", "beta")}),
        (["norm2"], {"norm2/gamma", "norm2/beta"}),
        (["conv1/bias", "gamma"], {"conv1/bias", "norm1/gamma", "norm2/gamma"}),
        ("biases", {"conv1/bias", "conv2/bias", "norm1/beta", "norm2/beta", "head/output/bias"}),
    ],
)
def test_what_else_learns(train_also, learning):
    model = convolutions()
    adaptation.LoRA(2, layers="conv2", train_also=train_also).apply(model)
    assert {weight.path for weight in model.trainable_weights} == learning | {"conv2/default/a", "conv2/default/b"}


def test_heads_of_several_outputs_and_of_nested_models():
    inputs = keras.Input((6,))
    base = keras.Sequential([keras.Input((6,)), layers.Dense(8, name="body")], name="base")
    features = base(inputs)
    outputs = [
        layers.Activation("softmax")(layers.Dense(2, name="left")(features)),
        layers.Dense(3, name="right")(features),
    ]
    model = keras.Model(inputs, outputs)
    adaptation.LoRA(2).apply(model)
    assert adapted(model) == ["base/body"]
    names = {"/".join(weight.path.split("/")[-2:]) for weight in model.trainable_weights}
    assert names == {"default/a", "default/b", "left/kernel", "left/bias", "right/kernel", "right/bias"}


def test_a_text_backbone_has_no_head():
    model = ut.backbones.lstm(vocabulary_size=20, embedding_size=4, units=4)
    with pytest.raises(ValueError, match=r"layers=None.*embeddings/words"):
        adaptation.LoRA(2).apply(model)
    assert adaptation.LoRA(2, layers="words", name="words").apply(model).trained_parameters == 2 * (20 + 4)
    adaptation.remove(model)
    report = adaptation.BitFit().apply(model)
    assert all("bias" in weight.name for weight in model.trainable_weights)
    assert report.trained_parameters > 0


def test_what_is_not_adapted_is_said():
    with pytest.raises(ValueError, match=r"the head apart.*layers='top'.*'first'"):
        adaptation.LoRA(layers="top").apply(mlp())
    with pytest.raises(ValueError, match=r"train_also='frist'.*first"):
        adaptation.LoRA(2, train_also="frist").apply(mlp())
    with pytest.raises(ValueError, match="layers='attn'"):
        adaptation.BottleneckAdapter(layers="attn").apply(encoder())
    with pytest.raises(ValueError, match="layers='attention_output'"):
        adaptation.BottleneckAdapter().apply(mlp())
    with pytest.raises(ValueError, match=r"PrefixTuning can adapt.*layers='\*'"):
        adaptation.PrefixTuning().apply(mlp())


def test_layers_whose_kernel_is_not_plain_are_left_out_or_refused():
    class Normed(layers.Dense):
        def call(self, inputs):
            return super().call(inputs / 2)

    model = keras.Sequential([keras.Input((6,)), Normed(8, name="own"), layers.Dense(8, name="plain"), layers.Dense(2)])
    adaptation.LoRA(2).apply(model)
    assert adapted(model) == ["plain"]
    with pytest.raises(ValueError, match="layers='own'"):
        adaptation.LoRA(2, layers="own", name="more").apply(model)
    model = mlp()
    model.get_layer("first").enable_lora(2)
    with pytest.raises(ValueError, match="enable_lora"):
        adaptation.LoRA(2, layers="first").apply(model)
    model = mlp()
    model.get_layer("first").quantize("int8")
    with pytest.raises(ValueError, match="quantize"):
        adaptation.LoRA(2).apply(model)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adaptation.LoRA(0), "rank=0"),
        (lambda: adaptation.LoRA(True), "rank=True"),
        (lambda: adaptation.LoRA(alpha=0), "alpha=0"),
        (lambda: adaptation.LoRA(dropout=1.0), "dropout=1.0"),
        (lambda: adaptation.LoRA(rank_stabilized="yes"), "rank_stabilized='yes'"),
        (lambda: adaptation.LoRA(layers=3), "layers=3"),
        (lambda: adaptation.LoRA(train_also=[""]), "train_also="),
        (lambda: adaptation.LoRA().apply(mlp(), seed=-1), "seed=-1"),
        (lambda: adaptation.BottleneckAdapter(0), "units=0"),
        (lambda: adaptation.BottleneckAdapter(activation="sharp"), "activation='sharp'"),
        (lambda: adaptation.PrefixTuning(0), "num_tokens=0"),
        (lambda: adaptation.merge(mlp(), permanent=1), "permanent=1"),
    ],
)
def test_values_out_of_range(make, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        make()


def test_settings_survive_their_config():
    given = adaptation.LoRA(3, alpha=5, dropout=0.1, rank_stabilized=True, layers=["q*"], train_also=["head"], name="x")
    again = adaptation.LoRA.from_config(given.get_config())
    assert vars(again) == vars(given)
    assert again.scale == 5 / np.sqrt(3)


def test_an_adapter_of_ones_own(tmp_path):
    from unitools.adaptation.adapter_part import AdapterPart

    class ShiftPart(AdapterPart):
        def build(self, input_shape=None):
            self.shift = self.make((8,), "shift", "zeros")

        def call(self, inputs):
            return inputs + self.shift

        class behaviour:
            def call(self, *args, **kwargs):
                return self.adapter_slot.part(super().call(*args, **kwargs))

    class Shift(adaptation.Adapter):
        def suits(self, layer):
            return isinstance(layer, layers.Dense) and layer.units == 8

        def make_part(self, layer, path, seed):
            part = ShiftPart(layer, name=self.name)
            part.build()
            return part

    model, other = mlp(), mlp()
    assert Shift().apply(model).added_parameters == 16
    slot_of(model.get_layer("second")).part.shift.assign(np.arange(8))
    adaptation.load_adapter(other, adaptation.save_adapter(model, tmp_path / "shift.safetensors"))
    x = np.ones((2, 6), "float32")
    np.testing.assert_array_equal(model(x), other(x))
    adaptation.activate(other, None)
    hidden = other.get_layer("second")(other.get_layer("first")(x)) + np.arange(8)
    np.testing.assert_allclose(model(x), other.get_layer("top")(hidden), rtol=1e-5)
