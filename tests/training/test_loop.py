"""The loop against `fit`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.training.loop_models import (
    assert_equal_histories,
    assert_equal_weights,
    batches,
    classifier,
    dataset,
    examples,
    tagged,
    tagger,
)

layers = keras.layers


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
