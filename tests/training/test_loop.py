"""The loop against `fit`, and accumulation against one big batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut

layers = keras.layers


def classifier(**options):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=4),
            layers.Dense(3),
        ]
    )
    options = {"optimizer": keras.optimizers.Adam(0.01), "loss": ut.losses.CrossEntropy(from_logits=True)} | options
    model.compile(metrics=["accuracy"], **options)
    return model


def examples(count=22):
    random = np.random.default_rng(0)
    return random.normal(size=(count, 6)).astype("float32"), random.integers(0, 3, count)


def dataset(batch_size=4, count=22):
    return tf.data.Dataset.from_tensor_slices(examples(count)).batch(batch_size)


def tagger(optimizer=None, **loss):
    """A tagger without dropout, so that a batch can be cut."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((7, 4)), layers.Dense(6, activation="tanh"), layers.Dense(3)])
    model.compile(optimizer or keras.optimizers.SGD(0.5), ut.losses.TokenCrossEntropy(**loss))
    return model


def tagged(count=12):
    """Features and tags; every other sentence has one known tag, so micro-batches of one differ sevenfold."""
    random = np.random.default_rng(1)
    tags = random.integers(0, 3, (count, 7))
    tags[::2, 1:] = -1
    return random.normal(size=(count, 7, 4)).astype("float32"), tags


def batches(data, batch_size):
    return tf.data.Dataset.from_tensor_slices(data).batch(batch_size)


def assert_equal_weights(one, other, **tolerance):
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, **({"rtol": 1e-6, "atol": 1e-6} | tolerance))


def assert_equal_histories(one, other):
    assert list(one.history) == list(other.history)
    for name, values in one.history.items():
        np.testing.assert_allclose(values, other.history[name], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"run_eagerly": True}], ids=["graph", "xla", "eager"])
def test_equals_fit(options):
    ours, theirs = classifier(**options), classifier(**options)
    settings = {"epochs": 3, "validation_data": examples(8), "verbose": 0}
    history = ut.training.Loop(ours).fit(dataset(), **settings)
    assert_equal_histories(history, theirs.fit(shuffle=False, x=dataset(), **settings))
    assert_equal_weights(ours, theirs)
    assert int(ours.optimizer.iterations) == 18
    assert ours.history is history


@pytest.mark.parametrize("known", [True, False], ids=["counted", "uncounted"])
@pytest.mark.parametrize("steps", [2, 4, 50])
def test_several_steps_a_call_give_the_same(steps, known):
    ours, theirs = classifier(), classifier()
    data = dataset() if known else dataset().filter(lambda x, y: True)
    heard = []
    listener = keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: heard.append(step))
    history = ut.training.Loop(ours, steps_per_call=steps).fit(data, epochs=2, callbacks=[listener], verbose=0)
    assert_equal_histories(history, theirs.fit(shuffle=False, x=dataset(), epochs=2, verbose=0))
    assert_equal_weights(ours, theirs)
    assert heard == 2 * [min(start + steps, 6) - 1 for start in range(0, 6, steps)]


class Recorder(keras.callbacks.Callback):
    """Writes down every call, with the names and values of the logs."""

    def __init__(self):
        super().__init__()
        self.calls = []


def _recording(hook):
    def record(self, *arguments, logs=None):
        logs = next((value for value in (*arguments, logs) if isinstance(value, dict)), {})
        places = [value for value in arguments if isinstance(value, int)]
        self.calls.append((hook, places, {name: round(float(value), 4) for name, value in logs.items()}))

    return record


PLACES = ["train_begin", "train_end", "epoch_begin", "epoch_end", "test_begin", "test_end"]
PLACES += ["train_batch_begin", "train_batch_end", "test_batch_begin", "test_batch_end"]
for _place in PLACES:
    setattr(Recorder, f"on_{_place}", _recording(_place))


def test_callbacks_hear_what_they_hear_in_fit():
    recorders = [Recorder(), Recorder()]
    settings = {"epochs": 2, "validation_data": dataset(5, 10), "verbose": 0}
    ut.training.Loop(classifier()).fit(dataset(), callbacks=[recorders[0]], **settings)
    classifier().fit(shuffle=False, x=dataset(), callbacks=[recorders[1]], **settings)
    assert recorders[0].calls == recorders[1].calls
    assert len(recorders[0].calls) == 2 + 2 * (2 + 6 * 2 + 2 + 2 * 2)
    assert recorders[0].params == recorders[1].params


def test_a_callback_stops_training_between_steps_and_epochs():
    def stop_at(step):
        return keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", batch == step)
        )

    for step, taken in ((2, 3), (5, 6)):
        model = classifier()
        ut.training.Loop(model).fit(dataset(), epochs=4, callbacks=[stop_at(step)], verbose=0)
        assert int(model.optimizer.iterations) == taken


def test_epochs_of_given_length_go_on_in_endless_data_as_in_fit():
    ours, theirs = classifier(), classifier()
    data = dataset(4, 20).repeat()
    history = ut.training.Loop(ours).fit(data, epochs=3, steps_per_epoch=3, verbose=0)
    assert_equal_histories(history, theirs.fit(shuffle=False, x=data, epochs=3, steps_per_epoch=3, verbose=0))
    assert_equal_weights(ours, theirs)


def test_data_that_end_begin_again_within_an_epoch_of_given_length():
    ours, theirs = classifier(), classifier()
    ut.training.Loop(ours).fit(dataset(4, 20), epochs=2, steps_per_epoch=7, verbose=0)
    theirs.fit(shuffle=False, x=dataset(4, 20).repeat(), epochs=2, steps_per_epoch=7, verbose=0)
    assert_equal_weights(ours, theirs)


def test_the_position_of_batches_follows_the_loop():
    x, y = map(tf.constant, examples())
    data = ut.data.Batches(ut.data.Source(22, lambda index, seed: (x[index], y[index])), 4, seed=1)
    ut.training.Loop(classifier()).fit(data, epochs=2, verbose=0)
    assert data.state_dict() == {"epoch": 2, "step": 0}


@pytest.mark.parametrize("seekable", [True, False])
def test_begins_at_a_step(seekable):
    """Nine of twelve steps, then the last three from the state after them: as twelve in one go."""
    x, y = map(tf.constant, examples())

    def data():
        batches = ut.data.Batches(ut.data.Source(22, lambda i, seed: (x[i], y[i])), 4, seed=1, shuffle=False)
        return batches if seekable else batches.map(lambda *batch: batch)

    def resume(loop, given):
        def begin(logs):
            if seekable:
                given.load_state_dict({"epoch": 1, "step": 3})
            loop.begin_at(1, 3)

        return keras.callbacks.LambdaCallback(on_train_begin=begin)

    def stop(epoch_and_step):
        place = []
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: place.append(epoch),
            on_train_batch_end=lambda step, logs: setattr(model, "stop_training", (place[-1], step) == epoch_and_step),
        )

    whole = classifier()
    ut.training.Loop(whole).fit(data(), epochs=2, verbose=0)
    model = classifier()
    ut.training.Loop(model).fit(data(), epochs=2, callbacks=[stop((1, 2))], verbose=0)
    assert int(model.optimizer.iterations) == 9
    loop, given = ut.training.Loop(model), data()
    loop.fit(given, epochs=2, callbacks=[resume(loop, given)], verbose=0)
    assert_equal_weights(model, whole, rtol=0, atol=0)


def big_and_small(make, data, size, count, **fit):
    """Train on big batches by `fit`, and on their micro-batches by the loop; return both models."""
    big, small = make(), make()
    big.fit(shuffle=False, x=batches(data, size * count), epochs=3, verbose=0, **fit)
    ut.training.Loop(small, accumulate_steps=count).fit(batches(data, size), epochs=3, verbose=0, **fit)
    return big, small


@pytest.mark.parametrize("optimizer", ["sgd", "clipped", "adam_w"])
@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_micro_batches_of_uneven_token_counts_equal_one_big_batch(optimizer, jit):
    makers = {
        "sgd": lambda: keras.optimizers.SGD(0.5),
        "clipped": lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.05),
        "adam_w": lambda: ut.training.LayerwiseAdamW(0.01, weight_decay=0.1),
    }

    def make():
        model = tagger(makers[optimizer]())
        model.jit_compile = jit
        return model

    big, small = big_and_small(make, tagged(), size=1, count=4)
    assert_equal_weights(big, small, rtol=1e-5, atol=2e-6)
    assert int(small.optimizer.iterations) == 9


def test_accumulation_in_the_optimizer_does_not():
    """TRAPS 6: the mean of micro-batch means is another one than that of the big batch."""
    big = tagger()
    small = tagger(keras.optimizers.SGD(0.5, gradient_accumulation_steps=4))
    big.fit(shuffle=False, x=batches(tagged(), 4), verbose=0)
    small.fit(shuffle=False, x=batches(tagged(), 1), verbose=0)
    differences = [np.abs(a - b).max() for a, b in zip(big.get_weights(), small.get_weights(), strict=True)]
    assert max(differences) > 0.01


def weighted(shape):
    """Sentences and tags with a weight for each sentence, or for each position."""
    return (*tagged(), np.random.default_rng(2).uniform(0.2, 3, shape).astype("float32"))


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (ut.losses.TokenCrossEntropy(), 12),
        (ut.losses.TokenCrossEntropy(class_weight=[1.0, 5.0, 0.5], label_smoothing=0.1), (12, 7)),
        (ut.losses.CrossEntropy(from_logits=True, ignore_class=-1, class_weight=[1.0, 5.0, 0.5]), 12),
        (keras.losses.SparseCategoricalCrossentropy(True, ignore_class=-1), (12, 7)),
        (keras.losses.SparseCategoricalCrossentropy(True, -1, reduction="mean_with_sample_weight"), (12, 7)),
    ],
)
def test_losses_with_weights(loss, shape):
    def make():
        model = tagger()
        model.compile(keras.optimizers.SGD(0.5), loss)
        return model

    big, small = big_and_small(make, weighted(shape), size=1, count=4)
    assert_equal_weights(big, small, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("loss", ["mse", keras.losses.MeanSquaredError("mean_with_sample_weight")])
@pytest.mark.parametrize("weighted", [False, True])
def test_masked_means_of_keras(loss, weighted):
    """Rows of zeros are masked, and their number differs from one micro-batch to the next."""
    random = np.random.default_rng(3)
    features = random.normal(size=(12, 5, 4)).astype("float32")
    features[::3, 2:] = 0
    data = (features, random.normal(size=(12, 5, 2)).astype("float32"))
    data = (*data, random.uniform(0.5, 2, (12, 5)).astype("float32")) if weighted else data

    def make():
        keras.utils.set_random_seed(6)
        model = keras.Sequential([keras.Input((5, 4)), layers.Masking(), layers.LSTM(3, return_sequences=True)])
        model.add(layers.Dense(2))
        model.compile(keras.optimizers.SGD(0.5), loss)
        return model

    big, small = big_and_small(make, data, size=2, count=3)
    assert_equal_weights(big, small, rtol=1e-5, atol=2e-6)


def test_penalties_count_once_and_embeddings_are_added_up():
    random = np.random.default_rng(4)
    data = (random.integers(0, 9, (12, 5)), random.integers(0, 3, (12, 5)))

    def make():
        keras.utils.set_random_seed(7)
        embedding = layers.Embedding(9, 4, embeddings_regularizer=keras.regularizers.L2(0.1))
        model = keras.Sequential([keras.Input((5,), dtype="int32"), embedding, layers.Dense(3)])
        model.compile(keras.optimizers.SGD(0.5), ut.losses.TokenCrossEntropy())
        return model

    big, small = big_and_small(make, data, size=1, count=3)
    assert_equal_weights(big, small, rtol=1e-5, atol=2e-6)


def test_an_epoch_that_ends_inside_an_accumulation_takes_what_there_is():
    """Ten batches of one by fours: 4, 4, 2, as fit takes ten examples by fours."""
    big, small = big_and_small(tagger, tagged(10), size=1, count=4)
    assert_equal_weights(big, small, rtol=1e-5, atol=2e-6)
    assert int(small.optimizer.iterations) == 9


def test_the_loss_of_the_history_is_the_mean_over_valid_tokens():
    model = tagger(keras.optimizers.SGD(0.0))
    data = tagged()
    history = ut.training.Loop(model, accumulate_steps=4).fit(batches(data, 1), verbose=0)
    logits = np.asarray(model(data[0])).astype("float64")
    losses = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, np.maximum(data[1], 0)[..., None], -1)[..., 0]
    assert history.history["loss"][0] == pytest.approx(losses[data[1] >= 0].mean(), rel=1e-5)


def test_several_losses_are_means_over_examples_or_an_error():
    def make(**losses):
        keras.utils.set_random_seed(8)
        inputs = keras.Input((4,))
        outputs = {name: layers.Dense(2, name=name)(inputs) for name in ("left", "right")}
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.SGD(0.1), losses, loss_weights={"left": 1.0, "right": 3.0})
        return model

    random = np.random.default_rng(5)
    labels = {name: random.normal(size=(12, 2)).astype("float32") for name in ("left", "right")}
    data = (random.normal(size=(12, 4)).astype("float32"), labels)
    big, small = big_and_small(lambda: make(left="mse", right="mae"), data, size=2, count=3)
    assert_equal_weights(big, small, rtol=1e-5, atol=2e-6)
    uneven = make(left="mse", right=ut.losses.CrossEntropy(from_logits=True))
    with pytest.raises(ValueError, match="Override `weight`"):
        ut.training.Loop(uneven, accumulate_steps=2).fit(batches(data, 2), verbose=0)


def test_loss_scaling_of_float16():
    """A gradient that overflows leaves the weights and halves the scale; sound ones step as in float32."""

    def make(scaled):
        optimizer = keras.optimizers.SGD(0.5)
        return tagger(keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0) if scaled else optimizer)

    plain, scaled = make(False), make(True)
    for model in (plain, scaled):
        ut.training.Loop(model, accumulate_steps=4).fit(batches(tagged(), 1), verbose=0)
    assert_equal_weights(plain, scaled, rtol=1e-4, atol=1e-5)
    features, tags = tagged(4)
    features[2] = np.inf
    before = scaled.get_weights()
    ut.training.Loop(scaled, accumulate_steps=4).fit(batches((features, tags), 1), verbose=0)
    for old, new in zip(before, scaled.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert float(scaled.optimizer.dynamic_scale) == 512


def test_sums_are_variables_that_can_be_saved_in_the_middle():
    """Stop after two of four micro-batches, hand weights and sums to another loop, and go on."""
    data, whole, model = batches(tagged(4), 1), tagger(), tagger()
    ut.training.Loop(whole, accumulate_steps=4).fit(data, verbose=0)
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: setattr(model, "stop_training", step == 1)
    )
    first = ut.training.Loop(model, accumulate_steps=4)
    first.fit(data, callbacks=[stop], verbose=0)
    assert int(model.optimizer.iterations) == 0
    assert [variable.shape for variable in first.variables] == [*(w.shape for w in model.weights), (), ()]
    saved = [variable.numpy() for variable in first.variables]
    assert saved[-1] == 2
    assert saved[-2] == (tagged(4)[1][:2] >= 0).sum()

    second = ut.training.Loop(model, accumulate_steps=4)

    def restore(logs):
        for variable, value in zip(second.variables, saved, strict=True):
            variable.assign(value)
        second.begin_at(0, 2)

    second.fit(data, callbacks=[keras.callbacks.LambdaCallback(on_train_begin=restore)], verbose=0)
    assert_equal_weights(model, whole, rtol=0, atol=0)
    assert [float(np.abs(variable.numpy()).max()) for variable in second.variables] == [0.0] * len(saved)


def test_a_second_fit_begins_with_empty_sums():
    model, other = tagger(), tagger()
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: setattr(model, "stop_training", step == 1)
    )
    loop = ut.training.Loop(model, accumulate_steps=4)
    loop.fit(batches(tagged(4), 1), callbacks=[stop], verbose=0)
    loop.fit(batches(tagged(4), 1), verbose=0)
    ut.training.Loop(other, accumulate_steps=4).fit(batches(tagged(4), 1), verbose=0)
    assert_equal_weights(model, other, rtol=0, atol=0)


def test_a_new_train_function_is_heeded():
    """As GradualUnfreeze does: freeze, and ask for a new train function."""
    model = classifier()
    before = model.layers[0].get_weights()[0]

    def freeze(epoch, logs):
        model.layers[0].trainable = epoch == 1
        model.make_train_function(force=True)
        moved.append(float(np.abs(model.layers[0].get_weights()[0] - before).max()))

    moved = []
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=freeze)
    model.optimizer.build(model.trainable_variables)
    ut.training.Loop(model, accumulate_steps=2).fit(dataset(), epochs=3, callbacks=[callback], verbose=0)
    assert moved[1] == 0
    assert moved[2] > 0


def test_gradients_can_be_overridden():
    class Signs(ut.training.Loop):
        def gradients(self, x, y, sample_weight):
            loss, gradients, y_pred = super().gradients(x, y, sample_weight)
            return loss, [tf.sign(gradient) for gradient in gradients], y_pred

    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.25), "mse")
    Signs(model).fit(batches((np.ones((4, 2), "float32"), np.ones((4, 1), "float32")), 2), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], [[0.5], [0.5]])


def test_gradients_of_the_model_have_precedence():
    def make():
        plain = tagger()
        model = keras.Model(plain.inputs, plain.outputs[0])
        model = ut.regularization.RegularizedModel(model, [ut.regularization.SharpnessAware(rho=0.05)])
        model.compile(keras.optimizers.SGD(0.5), ut.losses.TokenCrossEntropy())
        return model

    ours, theirs = make(), make()
    ut.training.Loop(ours).fit(batches(tagged(), 4), epochs=2, verbose=0)
    theirs.fit(shuffle=False, x=batches(tagged(), 4), epochs=2, verbose=0)
    assert_equal_weights(ours, theirs)


class OwnStep(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        return {"loss": tf.constant(0.0)}


def _compiled(model, *arguments, **options):
    model.compile(*arguments, **options)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ut.training.Loop("model"), "`model` must be a keras.Model"),
        (lambda: ut.training.Loop(keras.Sequential([layers.Dense(1)])), "compiled with an optimizer"),
        (lambda: ut.training.Loop(tagger(), accumulate_steps=0), "accumulate_steps=0"),
        (lambda: ut.training.Loop(tagger(), steps_per_call=1.5), "steps_per_call=1.5"),
        (
            lambda: ut.training.Loop(tagger(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2))),
            "mean of micro-batch means",
        ),
        (lambda: ut.training.Loop(_compiled(OwnStep(), "sgd", "mse")), "Its train_step would be lost"),
        (lambda: ut.training.Loop(tagger()).fit(tagged(), verbose=0), "from_tensor_slices"),
        (lambda: ut.training.Loop(tagger()).fit(batches(tagged(), 2), epochs=0), "epochs=0"),
        (lambda: ut.training.Loop(tagger()).fit(batches(tagged(), 2).repeat()), "steps_per_epoch"),
        (lambda: ut.training.Loop(tagger()).fit(batches(tagged(), 2), steps_per_epoch=0), "steps_per_epoch=0"),
        (
            lambda: ut.training.Loop(tagger()).fit(batches(tagged(), 2).take(0), steps_per_epoch=2, verbose=0),
            "It is empty",
        ),
        (
            lambda: ut.training.Loop(tagger(reduction="sum"), accumulate_steps=2).fit(batches(tagged(), 2), verbose=0),
            "reduction='sum'",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
