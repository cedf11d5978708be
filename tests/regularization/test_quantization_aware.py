"""Rounding in training: against numpy, and against what LiteRT stores."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from sklearn.datasets import load_digits

import unitools as ut
from tests.regularization.statistics import normal

QuantizedKernel, QuantizedOutput = ut.regularization.QuantizedKernel, ut.regularization.QuantizedOutput
LAYERS = {
    "dense": (lambda: keras.layers.Dense(7), (3, 12), (0,)),
    "conv1d": (lambda: keras.layers.Conv1D(5, 3), (2, 9, 4), (0, 1)),
    "conv2d": (lambda: keras.layers.Conv2D(5, 3), (2, 8, 8, 4), (0, 1, 2)),
    "transposed": (lambda: keras.layers.Conv2DTranspose(5, 3), (2, 8, 8, 4), (0, 1, 3)),
    "depthwise": (lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (2, 8, 8, 4), (0, 1)),
}


def rounded(kernel, axes, bits):
    kernel, most = kernel.astype("float64"), 2 ** (bits - 1) - 1
    scale = np.abs(kernel).max(axis=axes, keepdims=True) / most
    return np.round(kernel / scale) * scale


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("kind", LAYERS)
def test_it_is_the_layer_with_the_rounded_kernel(kind, bits):
    make, shape, axes = LAYERS[kind]
    x, wrapper = normal(*shape), QuantizedKernel(make(), bits=bits)
    found = wrapper(x)
    kernel, bias = (weight.numpy() for weight in wrapper.layer.weights)
    plain = make()
    plain.build(x.shape)
    plain.set_weights([rounded(kernel, axes, bits), bias])
    np.testing.assert_allclose(found, plain(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(wrapper.layer.weights[0].numpy(), kernel)


def test_the_kernel_gets_the_gradient_of_the_rounded_one():
    x, wrapper = normal(6, 5), QuantizedKernel(keras.layers.Dense(4), bits=3)
    wrapper(x)
    plain = keras.layers.Dense(4)
    plain.build((None, 5))
    plain.set_weights([rounded(wrapper.layer.kernel.numpy(), (0,), 3), np.zeros(4)])
    slopes = []
    for layer, kernel in ((wrapper, wrapper.layer.kernel), (plain, plain.kernel)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(x)))
        slopes.append(tape.gradient(loss, kernel.value).numpy())
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-4, atol=1e-5)


def test_a_kernel_of_zeros_stays():
    wrapper = QuantizedKernel(keras.layers.Dense(2, kernel_initializer="zeros"))
    np.testing.assert_array_equal(wrapper(normal(3, 4)), np.zeros((3, 2)))


def stored(path):
    """Return {rank: float values of the int8 constants} of a LiteRT file, by integers and scales that it stores."""
    interpreter = Interpreter(str(path / "model.tflite"))
    interpreter.allocate_tensors()
    found = {}
    for tensor in interpreter.get_tensor_details():
        scales, axis = (tensor["quantization_parameters"][key] for key in ("scales", "quantized_dimension"))
        if tensor["dtype"] == np.int8 and len(scales) > 1:
            values = interpreter.get_tensor(tensor["index"]).astype("float64")
            shape = [-1 if one == axis else 1 for one in range(values.ndim)]
            found[tuple(values.shape)] = values * scales.astype("float64").reshape(shape)
    return found


def test_litert_stores_what_the_wrapper_computes_with(tmp_path):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((6, 6, 3), name="images"), keras.layers.Conv2D(5, 3), keras.layers.BatchNormalization()]
    layers += [keras.layers.ReLU(), keras.layers.DepthwiseConv2D(2), keras.layers.Flatten(), keras.layers.Dense(4)]
    model = keras.Sequential(layers)
    norm = model.layers[1]
    norm.set_weights([normal(5), normal(5), normal(5), np.abs(normal(5)) + 0.5])
    images = np.abs(normal(100, 6, 6, 3)) * 100
    ut.export.litert(
        model, tmp_path / "int8", quantization="int8", representative=images, fresh_process=False, output_name="scores"
    )
    found = stored(tmp_path / "int8")
    gamma, _, _, variance = (weight.numpy().astype("float64") for weight in norm.weights)
    conv = rounded(model.layers[0].kernel.numpy(), (0, 1, 2), 8) * gamma / np.sqrt(variance + norm.epsilon)
    depthwise = rounded(model.layers[3].kernel.numpy(), (0, 1), 8)
    dense = rounded(model.layers[5].kernel.numpy(), (0,), 8)
    np.testing.assert_allclose(found[(5, 3, 3, 3)], conv.transpose(3, 0, 1, 2), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[(1, 2, 2, 5)], depthwise.reshape(1, 2, 2, 5), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[(4, 45)], dense.T, rtol=1e-4, atol=1e-6)


def levels(x, low, high, bits):
    low, high, most = min(low, 0.0), max(high, 0.0), 2**bits - 1
    scale = (high - low) / most
    zero = np.round(-low / scale)
    return (np.clip(np.round(x.astype("float64") / scale) + zero, 0, most) - zero) * scale


@pytest.mark.parametrize("bits", [2, 8])
def test_outputs_are_rounded_to_levels_of_the_range(bits):
    layer = QuantizedOutput(keras.layers.Activation("linear"), bits=bits, momentum=0.8)
    batches = [normal(50, 3) * (1 + number) + 0.3 for number in range(4)]
    np.testing.assert_array_equal(layer(batches[0]), batches[0])  # no range yet
    low = high = share = 0.0
    for batch in batches:
        found = layer(batch, training=True).numpy()
        low, high, share = (0.8 * old + 0.2 * new for old, new in ((low, batch.min()), (high, batch.max()), (share, 1)))
        step = (high - low) / share / (2**bits - 1)
        off = np.abs(found - levels(batch, low / share, high / share, bits))
        assert off.max() < 1.001 * step and np.mean(off > 0.01 * step) < 0.01  # on an edge either level is right
    before = [float(weight.numpy()) for weight in layer.weights]
    np.testing.assert_allclose(layer(np.zeros((1, 3), "float32")), 0)  # 0 is a level
    assert before == [float(weight.numpy()) for weight in layer.weights]


def test_gradients_pass_within_the_range():
    layer = QuantizedOutput(keras.layers.Activation("linear"))
    layer(np.array([[-1.0, 2.0]], "float32"), training=True)
    x = tf.constant([[-1.5, -0.5, 0.0, 1.9, 2.5]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x) * [[1.0, 2, 3, 4, 5]])
    np.testing.assert_array_equal(tape.gradient(loss, x), [[0, 2, 3, 4, 0]])


def test_half_precision_keeps_the_range_in_full():
    layer = QuantizedOutput(keras.layers.Activation("linear", dtype="mixed_float16"))
    outputs = layer(np.array([[0.0, 60000.0]], "float32"), training=True)
    assert outputs.dtype == tf.float16 and all(weight.dtype == "float32" for weight in layer.weights)


def network():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.ReLU(name="act")(
        keras.layers.BatchNormalization(name="bn")(keras.layers.Conv2D(8, 3, name="c")(inputs))
    )
    branch = keras.layers.Conv2D(8, 3, padding="same", name="branch")(x)
    inner = keras.Sequential(
        [keras.Input((6, 6, 8)), keras.layers.Conv2D(8, 3, activation="relu", name="deep")], name="in"
    )
    x = keras.layers.Flatten()(inner(keras.layers.Add(name="sum")([x, branch])))
    return keras.Model(inputs, keras.layers.Dense(10, "softmax", name="out")(x))


def test_what_is_rounded():
    model = network()
    aware = ut.regularization.quantization_aware(model)
    assert aware.placement_report.places == (
        *("c (kernel)", "branch (kernel)", "in/deep (kernel)", "out (kernel)"),
        *("act (output)", "branch (output)", "sum (output)", "in/deep (output)"),
    )
    inner = aware.get_layer("branch")
    assert isinstance(inner, QuantizedOutput) and isinstance(inner.layer, QuantizedKernel)
    assert inner.layer.layer is model.get_layer("branch")


def digits():
    data = load_digits()
    images, labels = data.images[..., None].astype("float32") / 16, data.target
    return (images[:1400], labels[:1400]), (images[1400:], labels[1400:])


def test_learning_with_the_rounding_stands_it(tmp_path):
    keras.utils.set_random_seed(1)
    (x, y), (new, truth) = digits()
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=15, verbose=0)

    def accuracy(net):
        return np.mean(net.predict(new, verbose=0).argmax(-1) == truth)

    floats = accuracy(model)
    aware = ut.regularization.quantization_aware(model, bits=3, momentum=0.9)
    after = []
    for rate, epochs in ((0.0, 1), (1e-3, 6)):  # the first epoch finds the ranges alone
        aware.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        aware.fit(x, y, epochs=epochs, verbose=0)
        after.append(accuracy(aware))
    assert floats > 0.85 and after[0] < floats - 0.05 and after[1] > after[0] + 0.05
    aware.save(tmp_path / "aware.keras")
    again = keras.saving.load_model(tmp_path / "aware.keras")
    np.testing.assert_array_equal(again.predict(new, verbose=0), aware.predict(new, verbose=0))


def test_bad_input():
    with pytest.raises(ValueError, match="`layer` must be one of Dense.*LSTM"):
        QuantizedKernel(keras.layers.LSTM(3))
    for call in (
        lambda: QuantizedKernel(keras.layers.Dense(1), bits=1),
        lambda: QuantizedOutput(keras.layers.ReLU(), bits=17),
        lambda: QuantizedOutput(keras.layers.ReLU(), momentum=1),
    ):
        with pytest.raises(ValueError, match="must be"):
            call()
    with pytest.raises(ValueError, match="dense or convolutional layers of its own"):
        ut.regularization.quantization_aware(keras.Sequential([keras.Input((2,)), keras.layers.ReLU()]))
    with pytest.raises(TypeError, match="Keras model"):
        ut.regularization.quantization_aware(keras.layers.Dense(2))
