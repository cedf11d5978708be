"""Bottleneck adapters, BitFit and prefix tuning against their formulas in numpy."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.adaptation.small_models import answers, attention, convolutions, encoder, inputs_of, mlp, train, values
from unitools.adaptation.adapter_slot import slot_of

adaptation = ut.adaptation
layers = keras.layers


def random_part(layer, scale=1.0):
    """Give a layer's part random weights, and return them by name."""
    part, random = slot_of(layer).part, np.random.default_rng(8)
    for variable in part.weights:
        variable.assign(random.normal(0, scale, variable.shape))
    return {variable.name: variable.numpy().astype("float64") for variable in part.weights}


def softmax(scores):
    exponents = np.exp(scores - scores.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


def test_bottleneck():
    model = mlp()
    report = adaptation.BottleneckAdapter(3, activation="tanh", layers="first").apply(model)
    assert report.added_parameters == 8 * 3 + 3 + 3 * 8 + 8
    weights = random_part(model.get_layer("first"))
    x = inputs_of(model).astype("float64")
    (k1, b1), (k2, b2), (k3, b3) = ([w.numpy() for w in layer.weights[:2]] for layer in model.layers)
    hidden = np.tanh(x @ k1 + b1)
    middle = np.tanh(hidden @ weights["down"] + weights["down_bias"])
    hidden = hidden + middle @ weights["up"] + weights["up_bias"]
    np.testing.assert_allclose(answers(model), np.tanh(hidden @ k2 + b2) @ k3 + b3, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [encoder, attention])
def test_bottlenecks_are_almost_nothing_at_first_and_learn(make):
    model = make()
    base = answers(model)
    report = adaptation.BottleneckAdapter(4).apply(model, seed=1)
    assert report.num_layers == (4 if make is encoder else 1)
    assert 0 < np.abs(answers(model) - base).max() < 0.01 * np.abs(base).max()
    before = values(model)
    train(model)
    moved = {path for path, value in values(model).items() if (value != before[path]).any()}
    assert moved == {weight.path for weight in model.trainable_weights}
    assert any("norm" in path for path in moved)


def test_bottleneck_after_blocks_and_after_a_pooling_layer():
    model = encoder()
    assert adaptation.BottleneckAdapter(4, layers="block_*", train_also="head").apply(model).num_layers == 2
    model = attention()
    assert adaptation.BottleneckAdapter(4, layers="global_average*", train_also=()).apply(model).num_layers == 1
    train(model)


def test_bit_fit_trains_biases_and_the_head():
    model = encoder()
    before = values(model)
    report = adaptation.BitFit().apply(model)
    block = (24 + 8) + (12 + 8) + 2 * 8  # attention, feed-forward part, two norms
    assert (report.num_layers, report.added_parameters, report.trained_parameters) == (0, 0, 2 * block + 8 * 3 + 3)
    train(model)
    moved = {path for path, value in values(model).items() if (value != before[path]).any()}
    assert {path.rpartition("/")[2] for path in moved} == {"bias", "beta", "kernel"}
    assert [path for path in moved if path.endswith("kernel")] == ["head/output/kernel"]


def test_prefix_of_our_blocks():
    inputs = keras.Input((None, 8))
    block = ut.backbones.EncoderBlock(2, 12, name="block")
    model = keras.Model(inputs, block(inputs))
    with pytest.raises(ValueError, match="train_also='nothing'"):
        adaptation.PrefixTuning(3, train_also="nothing").apply(model)
    assert adaptation.PrefixTuning(3, train_also=()).apply(model).added_parameters == 2 * 3 * 8
    prefix = random_part(block)
    x = np.random.default_rng(2).normal(size=(4, 5, 8))
    mask = np.arange(5) < np.array([[5], [3], [1], [4]])
    projected = x @ block._query_key_value.kernel.numpy() + block._query_key_value.bias.numpy()
    parts = projected.reshape(4, 5, 3, 2, 4)
    query, key, value = (parts[:, :, number] for number in range(3))
    key, value = (
        np.concatenate([np.broadcast_to(prefix[name], (4, 3, 2, 4)), own], axis=1)
        for name, own in (("keys", key), ("values", value))
    )
    scores = np.einsum("bqhd,bkhd->bhqk", query, key) / 2
    scores = np.where(np.concatenate([np.ones((4, 3), bool), mask], axis=1)[:, None, None], scores, -1e9)
    attended = np.einsum("bhqk,bkhd->bqhd", softmax(scores), value).reshape(4, 5, 8)

    def normed(values):
        return (values - values.mean(-1, keepdims=True)) / np.sqrt(values.var(-1, keepdims=True) + 1e-12)

    rows = normed(x + attended @ block._attention_output.kernel.numpy())
    hidden = keras.ops.convert_to_numpy(keras.ops.gelu(rows @ block._hidden.kernel.numpy(), approximate=False))
    wanted = normed(rows + hidden @ block._output.kernel.numpy())
    np.testing.assert_allclose(block(x.astype("float32"), mask=mask), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_prefix_of_keras_attention(causal, dropout):
    attend = layers.MultiHeadAttention(2, 4, value_dim=3, dropout=dropout, name="attention")
    inputs = keras.Input((5, 8))
    model = keras.Model(inputs, layers.Dense(3)(attend(inputs, inputs, use_causal_mask=causal)))
    assert adaptation.PrefixTuning(3).apply(model).added_parameters == 3 * 2 * (4 + 3)
    prefix = random_part(attend)
    x = np.random.default_rng(2).normal(size=(4, 5, 8))
    mask = np.arange(5) < np.array([[5], [3], [1], [4]])
    query, key, value = (
        np.einsum("btf,fhd->bthd", x, dense.kernel.numpy()) + dense.bias.numpy()
        for dense in (attend.query_dense, attend.key_dense, attend.value_dense)
    )
    key = np.concatenate([np.broadcast_to(prefix["keys"], (4, 3, 2, 4)), key], axis=1)
    value = np.concatenate([np.broadcast_to(prefix["values"], (4, 3, 2, 3)), value], axis=1)
    seen = np.broadcast_to(mask[:, None, :], (4, 5, 5)) & (np.tri(5, dtype=bool) if causal else True)
    seen = np.concatenate([np.ones((4, 5, 3), bool), seen], axis=2)[:, None]
    scores = np.where(seen, np.einsum("bqhd,bkhd->bhqk", query, key) / 2, -1e9)
    context = np.einsum("bhqk,bkhd->bqhd", softmax(scores), value)
    wanted = np.einsum("bqhd,hdf->bqf", context, attend.output_dense.kernel.numpy()) + attend.output_dense.bias.numpy()
    x = x.astype("float32")
    found = attend(x, x, attention_mask=mask[:, None, :], use_causal_mask=causal)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", [encoder, attention])
def test_prefixes_learn_and_nothing_else_does(make):
    model = make()
    before = values(model)
    adaptation.PrefixTuning(3).apply(model, seed=1)
    losses = train(model, 6)
    assert np.isfinite(losses).all()
    moved = {path for path, value in before.items() if (values(model)[path] != value).any()}
    assert len(moved) == 2  # the head's kernel and bias


@pytest.mark.parametrize(
    "adapter",
    [adaptation.LoRA(2), adaptation.BottleneckAdapter(3), adaptation.PrefixTuning(3), adaptation.BitFit()],
    ids=lambda adapter: type(adapter).__name__,
)
def test_the_encoder_of_keras_hub(adapter, tmp_path):
    def build():
        inputs = keras.Input((5, 8))
        x = keras_hub.layers.TransformerEncoder(12, 2, name="encoder")(inputs)
        return keras.Model(inputs, layers.Dense(3, name="head")(layers.GlobalAveragePooling1D()(x)))

    model, other = build(), build()
    other.set_weights(model.get_weights())
    report = adapter.apply(model, seed=1)
    assert report.num_layers == {"LoRA": 6, "BottleneckAdapter": 2, "PrefixTuning": 1, "BitFit": 0}[report.kind]
    before = values(model)
    train(model)
    moved = {path for path, value in values(model).items() if (value != before[path]).any()}
    assert moved <= {weight.path for weight in model.trainable_weights}
    assert len(moved) > 2
    adaptation.load_adapter(other, adaptation.save_adapter(model, tmp_path / "a.safetensors"))
    np.testing.assert_array_equal(answers(other), answers(model))


@pytest.mark.parametrize("adapter", [adaptation.BottleneckAdapter(3), adaptation.PrefixTuning(3)])
def test_xla_and_mixed_precision(adapter):
    full, mixed = encoder(), encoder(dtype="mixed_bfloat16")
    for model in (full, mixed):
        adapter.apply(model, seed=1)
        assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    np.testing.assert_allclose(tf.cast(answers(mixed), "float32"), answers(full), atol=0.1)
    compiled = tf.function(lambda x: full(x, training=False), jit_compile=True)
    np.testing.assert_allclose(compiled(inputs_of(full)), answers(full), rtol=1e-4, atol=1e-5)


def test_statistics_move_only_where_the_norm_learns():
    still, moving = convolutions(), convolutions()
    adaptation.LoRA(2).apply(still)
    adaptation.LoRA(2, train_also=("head", "norms")).apply(moving)
    x = inputs_of(still)
    np.testing.assert_allclose(still(x, training=True), still(x, training=False), rtol=1e-5, atol=1e-6)
    assert np.abs(moving(x, training=True) - moving(x, training=False)).max() > 0.01
    biases = convolutions()
    adaptation.BitFit().apply(biases)  # learns the norms' beta, and leaves their statistics
    np.testing.assert_allclose(biases(x, training=True), biases(x, training=False), rtol=1e-5, atol=1e-6)
    assert "norm1/beta" in [weight.path for weight in biases.trainable_weights]
