"""LoRA against its formula in numpy, for each kind of layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.adaptation.small_models import answers, attention, encoder, inputs_of, mlp, train
from unitools.adaptation.adapter_slot import slot_of

layers = keras.layers


def adapted(layer, shape, *, dtype="float32", **arguments):
    """Return a model of this layer alone with random factors, and the factors as float64."""
    model = keras.Sequential([keras.Input(shape, dtype=dtype), layer])
    ut.adaptation.LoRA(**{"rank": 2, "alpha": 6, "train_also": ()} | arguments).apply(model, seed=3)
    part = slot_of(layer).part
    random = np.random.default_rng(5)
    for factor in (part.a, part.b):
        factor.assign(random.normal(size=factor.shape))
    return model, part.a.numpy().astype("float64"), part.b.numpy().astype("float64")


def normal(*shape):
    return np.random.default_rng(7).normal(size=shape).astype("float32")


def test_dense():
    layer = layers.Dense(4, "tanh", bias_initializer="normal")
    model, a, b = adapted(layer, (5,))
    x = normal(3, 5)
    weight = layer.get_weights()[0] + 6 / 2 * a @ b
    np.testing.assert_allclose(model(x), np.tanh(x @ weight + layer.get_weights()[1]), rtol=1e-5, atol=1e-5)


def test_dense_on_three_axes_rank_stabilized():
    layer = layers.Dense(4, use_bias=False)
    model, a, b = adapted(layer, (7, 5), rank_stabilized=True)
    x = normal(3, 7, 5)
    np.testing.assert_allclose(model(x), x @ (layer.get_weights()[0] + 6 / np.sqrt(2) * a @ b), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("equation", "output_shape", "shape", "rows", "columns"),
    [
        ("abc,cde->abde", (None, 2, 3), (5, 8), 8, 6),  # query, key and value of Keras' attention
        ("abcd,cde->abe", (None, 8), (5, 2, 3), 6, 8),  # its output
        ("...x,xy->...y", 4, (5, 8), 8, 4),
    ],
)
def test_einsum_dense(equation, output_shape, shape, rows, columns):
    layer = layers.EinsumDense(equation, output_shape)
    model, a, b = adapted(layer, shape)
    kernel = layer.get_weights()[0]
    # A's axes are the kernel's first ones here, and B's the last ones: one product of matrices.
    product = (a.reshape(rows, 2) @ b.reshape(2, columns)).reshape(kernel.shape)
    x = normal(3, *shape)
    np.testing.assert_allclose(model(x), np.einsum(equation, x, kernel + 3 * product), rtol=1e-5, atol=1e-5)


def test_einsum_dense_with_an_axis_of_all_three():
    layer = layers.EinsumDense("bec,ecd->bed", (4, 5))
    model, a, b = adapted(layer, (4, 3))
    x, kernel = normal(2, 4, 3), layer.get_weights()[0]
    wanted = [x[:, expert] @ (kernel[expert] + 3 * a[expert] @ b[expert]) for expert in range(4)]
    np.testing.assert_allclose(model(x), np.stack(wanted, axis=1), rtol=1e-5, atol=1e-5)


def test_embedding():
    layer = layers.Embedding(9, 4)
    model, a, b = adapted(layer, (5,), dtype="int32", layers=layer.name)
    ids = np.array([[0, 3, 3, 8, 1]])
    np.testing.assert_allclose(model(ids), (layer.get_weights()[0] + 3 * a @ b)[ids], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_convolution(groups, strides, dilation):
    layer = layers.Conv2D(6, (3, 2), strides=strides, dilation_rate=dilation, groups=groups, activation="relu")
    model, a, b = adapted(layer, (7, 8, 4))
    x = normal(2, 7, 8, 4)
    kernel = layer.get_weights()[0] + 3 * (a.reshape(-1, 2) @ b).reshape(layer.kernel.shape)
    rows, columns = ((side - dilation * (size - 1) - 1) // strides + 1 for side, size in ((7, 3), (8, 2)))
    wanted = np.zeros((2, rows, columns, 6))
    for row in range(3):
        for column in range(2):
            seen = x[:, row * dilation :, column * dilation :][:, ::strides, ::strides][:, :rows, :columns]
            for group in range(groups):
                ins, outs = (slice(group * n // groups, (group + 1) * n // groups) for n in (4, 6))
                wanted[..., outs] += seen[..., ins] @ kernel[row, column][:, outs]
    np.testing.assert_allclose(model(x), np.maximum(wanted, 0), rtol=1e-4, atol=1e-4)


def test_causal_convolution():
    layer = layers.Conv1D(3, 2, padding="causal", use_bias=False)
    model, a, b = adapted(layer, (6, 4))
    x = normal(2, 6, 4)
    kernel = layer.get_weights()[0] + 3 * (a.reshape(8, 2) @ b).reshape(2, 4, 3)
    before = np.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    np.testing.assert_allclose(model(x), before @ kernel[0] + x @ kernel[1], rtol=1e-5, atol=1e-5)


def test_convolution_of_volumes_merged():
    layer = layers.Conv3D(3, 2)
    model, a, b = adapted(layer, (4, 4, 4, 2))
    kernel, x = layer.get_weights()[0], normal(2, 4, 4, 4, 2)
    unmerged = model(x).numpy()
    ut.adaptation.merge(model)
    np.testing.assert_allclose(
        layer.get_weights()[0], kernel + 3 * (a.reshape(16, 2) @ b).reshape(2, 2, 2, 2, 3), rtol=1e-5
    )
    np.testing.assert_allclose(model(x), unmerged, rtol=1e-4, atol=1e-5)


def test_first_values():
    model = mlp()
    before = answers(model)
    ut.adaptation.LoRA(4).apply(model, seed=1)
    np.testing.assert_array_equal(answers(model), before)
    first, second = (slot_of(model.get_layer(name)).part for name in ("first", "second"))
    assert not second.b.numpy().any()
    assert np.abs(first.a.numpy()).max() <= 1 / np.sqrt(6)
    assert np.abs(first.a.numpy()).std() > 0.05
    assert (first.a.numpy()[:6] != second.a.numpy()[:6]).all()  # a seed of its own each
    again = mlp()
    ut.adaptation.LoRA(4).apply(again, seed=1)
    np.testing.assert_array_equal(slot_of(again.get_layer("second")).part.a, second.a)


def test_dropout_drops_inputs_of_a_alone():
    layer = layers.Dense(4, kernel_initializer="zeros")
    model, _, _ = adapted(layer, (4,), rank=4, alpha=4, dropout=0.25)
    part = slot_of(layer).part
    part.a.assign(np.eye(4))
    part.b.assign(np.eye(4))
    x = np.abs(normal(200, 4)) + 1
    np.testing.assert_allclose(model(x, training=False), x, rtol=1e-6)
    dropped = model(x, training=True).numpy()
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], (x / 0.75)[kept], rtol=1e-5)
    assert 0.17 < 1 - kept.mean() < 0.33  # 0.25 within four standard deviations


def test_parameters_by_hand():
    model = mlp()
    report = ut.adaptation.LoRA(3).apply(model)
    assert report.num_layers == 2
    assert report.added_parameters == 3 * (6 + 8) + 3 * (8 + 8)
    assert report.trained_parameters == report.added_parameters + 8 * 3 + 3
    assert report.parameters == 6 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == report.trained_parameters
    # Two blocks: one product for query, key and value, one after attention, two of the feed-forward part.
    assert ut.adaptation.LoRA(2).apply(encoder()).added_parameters == 2 * 2 * ((8 + 24) + (8 + 8) + (8 + 12) * 2)
    assert ut.adaptation.LoRA(2).apply(attention()).added_parameters == 4 * 2 * (8 + 8)


@pytest.mark.parametrize("make", [mlp, encoder, attention])
def test_xla_equals_eager(make):
    model = make()
    ut.adaptation.LoRA(2).apply(model, seed=1)
    train(model)
    compiled = tf.function(lambda x: model(x, training=False), jit_compile=True)
    np.testing.assert_allclose(compiled(inputs_of(model)), answers(model), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    layer = layers.Dense(4, dtype=policy)
    model, a, b = adapted(layer, (5,))
    x = normal(3, 5)
    assert slot_of(layer).part.a.dtype == "float32"
    assert model(x).dtype == policy.removeprefix("mixed_")
    wanted = x @ (layer.get_weights()[0] + 3 * a @ b)
    np.testing.assert_allclose(tf.cast(model(x), "float32"), wanted, rtol=0.05, atol=0.2)


def test_half_precision_weights_get_factors_in_single_precision():
    layer = layers.Dense(4, dtype="bfloat16")
    model, a, b = adapted(layer, (5,))
    assert slot_of(layer).part.b.dtype == "float32"
    x = normal(3, 5)
    wanted = x @ (layer.get_weights()[0].astype("float64") + 3 * a @ b)
    np.testing.assert_allclose(tf.cast(model(x), "float32"), wanted, rtol=0.05, atol=0.2)


def test_fit_moves_factors_and_head_and_nothing_else():
    model = encoder()
    before = {variable.path: variable.numpy() for variable in model.weights}
    ut.adaptation.LoRA(2).apply(model, seed=1)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    x, labels = inputs_of(model, 12), np.arange(12) % 3
    losses = model.fit(x, labels, batch_size=4, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    after = {variable.path: variable.numpy() for variable in model.weights}
    moved = {path for path, value in before.items() if (after[path] != value).any()}
    assert moved == {"head/output/kernel", "head/output/bias"}
    assert all(value.any() for path, value in after.items() if path.endswith("default/b"))
