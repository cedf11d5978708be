import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as framework_config

import unitools as ut

layers = keras.layers

# Keras 3.15's saving calls np.array in a way that numpy 2 means to change.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def net(**head):
    """Two levels of kernels, a norm and a head."""
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, name="first"),
            layers.LayerNormalization(name="norm"),
            layers.Dense(4, name="second"),
            ut.heads.Classifier(3, **head),
        ]
    )


def data(count=16, classes=3):
    random = np.random.default_rng(0)
    return random.normal(size=(count, 6)).astype("float32"), random.integers(0, classes, count)


def quiet(model, **options):
    return ut.training.compile(model, verbose=False, **options)


def ending_in(*tail):
    return keras.Sequential([keras.Input((6,)), *tail])


@pytest.mark.parametrize(
    ("model", "loss", "text"),
    [
        (lambda: net(), "CrossEntropy", "on probabilities"),
        (lambda: net(activation=None), "CrossEntropy", "on logits"),
        (lambda: ending_in(layers.Dense(3, activation="softmax")), "CrossEntropy", "on probabilities"),
        (lambda: ending_in(layers.Dense(3), layers.Softmax()), "CrossEntropy", "on probabilities"),
        (lambda: ending_in(layers.Dense(3)), "CrossEntropy", "on logits"),
        (lambda: ending_in(ut.heads.Classifier(1)), "BinaryCrossentropy", ""),
        (lambda: ending_in(layers.Dense(4, activation="sigmoid")), "BinaryCrossentropy", ""),
    ],
)
def test_the_loss_follows_the_last_activation(model, loss, text):
    model = model()
    report = quiet(model)
    assert type(model.loss).__name__ == loss
    assert report.loss == f"{loss} {text}".strip()
    assert report.metrics == "accuracy"


def test_an_operation_at_the_end_is_read_too():
    inputs = keras.Input((6,))
    report = quiet(keras.Model(inputs, keras.ops.softmax(layers.Dense(3)(inputs))))
    assert report.loss == "CrossEntropy on probabilities"


@pytest.mark.parametrize("head", [{}, {"activation": None}], ids=["probabilities", "logits"])
def test_a_confident_mistake_has_the_same_exact_loss_either_way(head):
    model = ending_in(ut.heads.Classifier(3, **head))
    model.layers[-1].set_weights([np.zeros((6, 3)), np.array([50.0, 0, 0])])
    quiet(model)
    # -log p is 50 for logits (50, 0, 0); from rounded probabilities it could not pass 16.
    assert model.evaluate(*data(4, 1)[:1], np.ones(4), verbose=0)[0] == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: ending_in(layers.Dense(3, activation="relu")), "Pass loss="),
        (lambda: ending_in(layers.Dense(1)), "a logit or a number"),
        (lambda: ending_in(layers.LayerNormalization()), "an unknown function"),
        (lambda: keras.Model(x := keras.Input((2,)), [layers.Dense(3)(x), layers.Dense(2)(x)]), "2 known outputs"),
    ],
)
def test_an_output_that_cannot_be_told_needs_a_loss(model, message):
    model = model()
    with pytest.raises(ValueError, match=message):
        quiet(model)
    assert quiet(model, loss="mse").loss == "mse"


def test_first_step_sizes_follow_layer_decay():
    model = net()
    quiet(model, learning_rate=0.01, steps=10, warmup=0, decay=None, layer_decay=0.5, weight_decay=0.0, clip_norm=None)
    before = {variable.path: variable.numpy() for variable in model.trainable_variables}
    model.train_on_batch(*data())
    shares = {"first": 0.25, "norm": 0.25, "second": 0.5, "classifier": 1.0}
    for variable in model.trainable_variables:
        moved = np.abs(variable.numpy() - before[variable.path]).max()
        share = next(share for name, share in shares.items() if name in variable.path)
        # Adam's first step is the rate itself wherever the gradient is well above epsilon.
        assert moved == pytest.approx(0.01 * share, rel=2e-3), variable.path


def test_weight_decay_spares_norms_and_biases():
    model = keras.Sequential(
        [keras.Input((4, 6)), layers.LayerNormalization(axis=[1, 2]), layers.Dense(3), ut.heads.Classifier(3)]
    )
    report = quiet(model, learning_rate=0.1, warmup=0, weight_decay=0.5)
    before = [variable.numpy() for variable in model.trainable_variables]
    model.optimizer.apply([np.zeros(variable.shape, "float32") for variable in model.trainable_variables],
                          model.trainable_variables)  # fmt: skip
    for variable, old in zip(model.trainable_variables, before, strict=True):
        factor = 1 - 0.1 * 0.5 if variable.name == "kernel" else 1.0
        np.testing.assert_allclose(variable.numpy(), old * factor, rtol=1e-6, err_msg=variable.path)
    assert report.weight_decay == "0.5 on 2 variables, none on 4 (norms, biases)"


def test_the_rate_over_a_run():
    model = net()
    report = quiet(model, learning_rate=0.2, steps=20, decay="linear")
    rates = []
    for _ in range(4):
        rates.append(float(model.optimizer.learning_rate))
        model.train_on_batch(*data())
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.2, 0.2 * 17 / 18], rtol=1e-6)
    assert report.learning_rate == "up to 0.2 over 2 steps, then linear to 0 at step 20"


def test_without_steps_the_rate_stays():
    model = net()
    assert quiet(model, learning_rate=0.2).learning_rate == "up to 0.2 over 100 steps, then constant"
    assert quiet(model, learning_rate=0.2, warmup=0).learning_rate == "0.2, constant"
    model.optimizer.learning_rate = 0.1  # ReduceLROnPlateau does this, and a schedule would refuse
    assert quiet(model, steps=40, warmup=0.25, decay=None).learning_rate == "up to 0.0001 over 10 steps, then constant"


def test_gradients_are_clipped_together():
    model = net()
    quiet(model, clip_norm=0.5)
    assert model.optimizer.global_clipnorm == 0.5
    quiet(model, clip_norm=None)
    assert model.optimizer.global_clipnorm is None


def test_label_smoothing_reaches_the_loss():
    model = net()
    quiet(model, label_smoothing=0.2)
    inputs, labels = data()
    smoothed = 0.8 * np.eye(3)[labels] + 0.2 / 3
    expected = -(smoothed * np.log(model.predict(inputs, verbose=0))).sum(-1).mean()
    assert model.evaluate(inputs, labels, verbose=0)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_in_place_equals_a_net_made_under_the_policy(policy):
    def make(dtype):
        inputs = keras.Input((8, 8, 3))
        scaled = layers.Rescaling(1 / 255, dtype="float32", name="scaled")(inputs)
        maps = layers.Conv2D(4, 3, dtype=dtype, name="maps")(scaled)
        maps = layers.ReLU(dtype=dtype)(layers.BatchNormalization(dtype=dtype)(maps))
        return keras.Model(inputs, ut.heads.Classifier(3, dtype="float32")(maps))

    ours, native = make("float32"), make(policy)
    ours.set_weights(native.get_weights())
    report = quiet(ours, mixed_precision=policy)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(ours(pictures), native(pictures))
    assert ours(pictures).dtype == "float32"
    assert ours.get_layer("maps").compute_dtype == policy.removeprefix("mixed_")
    assert ours.get_layer("scaled").compute_dtype == "float32"
    assert isinstance(ours.optimizer, keras.optimizers.LossScaleOptimizer) is (policy == "mixed_float16")
    assert report.precision.startswith(policy)


def test_loss_scaling_survives_a_reload(tmp_path):
    model = net()
    quiet(model, mixed_precision="mixed_float16", warmup=0)
    model.fit(*data(), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer, keras.optimizers.LossScaleOptimizer)
    for left, right in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(left, right)


def test_auto_precision_on_a_cpu_is_none():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("needs a machine without a GPU")
    model = net()
    assert quiet(model, mixed_precision="auto").precision.startswith("float32")
    assert model.get_layer("first").compute_dtype == "float32"


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_a_reloaded_model_trains_on_as_if_never_saved(tmp_path, jit):
    model = net()
    quiet(model, learning_rate=0.01, steps=6, layer_decay=0.5, weight_decay=0.1, jit_compile=jit)
    model.fit(*data(), batch_size=8, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, again):
        each.fit(*data(), batch_size=8, shuffle=False, epochs=2, verbose=0)
    for left, right in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(left, right, err_msg=left.path)


def test_a_seed_makes_a_run_repeatable():
    model = net(dropout=0.5)
    start = model.get_weights()
    results = []
    for seed in (3, 3, 4):
        model.set_weights(start)
        quiet(model, seed=seed, warmup=0)
        model.fit(*data(), batch_size=4, epochs=2, verbose=0)
        results.append(model.get_weights())
    for first, second in zip(results[0], results[1], strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((first != third).any() for first, third in zip(results[0], results[2], strict=True))


def test_a_layers_own_seed_is_kept():
    model = ending_in(layers.Dropout(0.5, seed=11), ut.heads.Classifier(3, dropout=0.5))
    model.layers[0](np.ones((1, 6)), training=True)
    quiet(model, seed=1)
    np.testing.assert_array_equal(model.layers[0].seed_generator.state, [11, 0])


def test_deterministic_operations_need_a_seed_and_switch_xla_off():
    with pytest.raises(ValueError, match="deterministic=True"):
        quiet(net(), deterministic=True)
    try:
        assert quiet(net(), seed=1, deterministic=True, steps=5000).jit_compile.startswith("False (determin")
        assert framework_config.is_op_determinism_enabled()
    finally:
        framework_config.disable_op_determinism()


def test_jit_is_chosen_by_shapes_layers_and_device():
    on_cpu = not tf.config.list_physical_devices("GPU")
    assert quiet(net(), steps=1000).jit_compile.startswith("True")
    if on_cpu:
        assert "CPU only" in quiet(net(), steps=999).jit_compile
        pictures = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3), ut.heads.Classifier(2)])
        assert "convolutions" in quiet(pictures, steps=5000).jit_compile
    sequences = keras.Sequential([keras.Input((None, 3)), layers.Dense(2), ut.heads.Classifier(2)])
    assert "shape is open" in quiet(sequences, steps=5000).jit_compile
    strings = keras.Sequential([keras.Input((1,)), layers.Hashing(4), ut.heads.Classifier(2)])
    assert "does not support XLA" in quiet(strings, steps=5000).jit_compile
    model = net()
    quiet(model, jit_compile=True)
    assert model.jit_compile is True


def test_an_optimizer_of_your_own_takes_over():
    model = net()
    report = quiet(model, optimizer=keras.optimizers.SGD(0.1))
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert report.optimizer == "SGD, as given"
    with pytest.raises(ValueError, match="layer_decay=0.5"):
        quiet(model, optimizer=keras.optimizers.SGD(0.1), layer_decay=0.5)
    with pytest.raises(ValueError, match="optimizer='adam'"):
        quiet(model, optimizer="adam")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"steps": 0}, "steps=0"),
        ({"steps": 10, "warmup": 10}, "more than warmup_steps=10"),
        ({"warmup": 0.1}, "warmup=0.1"),
        ({"warmup": -1}, "warmup=-1"),
        ({"decay": "step"}, "decay='step'"),
        ({"weight_decay": -0.1}, "weight_decay=-0.1"),
        ({"layer_decay": 0}, "layer_decay=0"),
        ({"clip_norm": 0}, "clip_norm=0"),
        ({"label_smoothing": 1}, "label_smoothing=1"),
        ({"label_smoothing": 0.1, "loss": "mse"}, "loss itself"),
        ({"mixed_precision": "float16"}, "mixed_precision='float16'"),
        ({"jit_compile": "yes"}, "jit_compile='yes'"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        quiet(net(), **options)


def test_layer_decay_needs_a_graph():
    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    model = Custom()
    model(np.ones((1, 3)))
    with pytest.raises(ValueError, match="whose layers have an order"):
        quiet(model, loss="mse", layer_decay=0.5)
    assert quiet(model, loss="mse").weight_decay == "0.01 on 1 variables, none on 1 (norms, biases)"


def test_frozen_layers_change_what_the_optimizer_holds():
    model = net()
    model.get_layer("first").trainable = False
    quiet(model, layer_decay=0.5)
    model.train_on_batch(*data())
    assert model.optimizer.rate_shares == (0.25, 0.25, 0.5, 0.5, 1.0, 1.0)


def test_the_report_is_printed(capsys):
    report = ut.training.compile(net(), learning_rate=1e-3, layer_decay=0.5)
    printed = capsys.readouterr().out
    assert printed.strip() == str(report)
    assert "0.25 to 1 over 3 levels" in printed
