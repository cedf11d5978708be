import json

import keras
import numpy as np
import pytest

import unitools as ut
from tests.callbacks.scripted_scores import Script, drive, scores, still_model

EPOCHS = 16
GRID = [
    (factor, patience, min_delta, mode, cooldown, min_lr)
    for factor in (0.1, 0.5)
    for patience in (1, 3)
    for min_delta in (0.0, 0.15)
    for mode in ("min", "max")
    for cooldown in (0, 2)
    for min_lr in (0.0, 0.1)
]


class Rates(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))


def slopes(optimizer, jit=False):
    """Return a model with one weight whose gradient is always 1, compiled."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer, lambda y, p: p, jit_compile=jit)
    return model


class Steps(keras.callbacks.Callback):
    """Takes down how far each step moves the weight: the rate that the graph used."""

    def on_train_begin(self, logs=None):
        self.seen, self.last = [], self.model.get_weights()[0].item()

    def on_train_batch_end(self, batch, logs=None):
        now = self.model.get_weights()[0].item()
        self.seen.append(self.last - now)
        self.last = now


def test_lowers_a_number_as_keras_does():
    for number, (factor, patience, min_delta, mode, cooldown, min_lr) in enumerate(GRID):
        values, rates = scores(number, EPOCHS), []
        options = {"factor": factor, "patience": patience, "mode": mode, "min_delta": min_delta, "cooldown": cooldown}
        for cls in (ut.callbacks.ReduceLROnPlateau, keras.callbacks.ReduceLROnPlateau):
            model = still_model(keras.optimizers.SGD(1.0))
            drive(model, [Script(values), cls("val_score", min_lr=min_lr, **options), seen := Rates()], EPOCHS)
            rates.append(seen.seen)
        np.testing.assert_allclose(*rates, rtol=1e-6, err_msg=str(GRID[number]))
        assert rates[0][-1] < 1.0 or patience == 3 or min_delta


@pytest.mark.parametrize("jit", [False, True])
def test_lowers_a_schedule_in_the_traced_graph(jit, capsys):
    schedule = ut.training.WarmupDecay(0.5, steps=24, warmup_steps=4)
    model, ones = slopes(keras.optimizers.SGD(schedule), jit), np.ones((3, 1), "float32")
    values = [1.0, 2.0, 0.5, 1.0, 1.0, 1.0, 0.1, 0.2]
    lowered_after = [1, 3, 4, 5, 7]
    expected = [float(schedule(step)) * 0.5 ** sum(epoch < step // 3 for epoch in lowered_after) for step in range(24)]
    reduce, steps = ut.callbacks.ReduceLROnPlateau("val_loss", patience=1), Steps()
    callbacks = [Script(values, "val_loss"), reduce, steps]
    history = model.fit(ones, ones, batch_size=1, epochs=8, verbose=0, callbacks=callbacks).history
    np.testing.assert_allclose(steps.seen, expected, atol=3e-6)
    logged = [float(schedule(3 * epoch + 3)) * 0.5 ** sum(e < epoch for e in lowered_after) for epoch in range(8)]
    np.testing.assert_allclose(history["learning_rate"], logged, rtol=1e-5, atol=1e-9)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        f"ReduceLROnPlateau: epoch {epoch + 1}" for epoch in lowered_after[:-1]
    ]  # after the last step the cosine is at 0: there is nothing to lower


def test_a_second_fit_goes_on_at_the_lower_rate():
    schedule = ut.training.WarmupDecay(0.5, warmup_steps=2, decay=None)
    model, ones = slopes(keras.optimizers.SGD(schedule)), np.ones((1, 1), "float32")
    model.fit(ones, ones, epochs=1, verbose=0)  # traced with the bare schedule
    for rates in ([0.5, 0.5, 0.25], [0.25, 0.25, 0.125]):
        reduce, steps = ut.callbacks.ReduceLROnPlateau("val_loss", patience=2), Steps()
        model.fit(ones, ones, epochs=3, verbose=0, callbacks=[Script([1.0, 1, 1], "val_loss"), reduce, steps])
        np.testing.assert_allclose(steps.seen, [rates[0]] * 3, rtol=1e-5)
        assert float(model.optimizer.learning_rate) == rates[2]


def test_a_saved_model_keeps_the_lower_schedule(tmp_path):
    model, ones = slopes(keras.optimizers.SGD(ut.training.WarmupDecay(0.5, decay=None))), np.ones((1, 1), "float32")
    model.compile(model.optimizer, "mse")
    reduce = ut.callbacks.ReduceLROnPlateau("val_loss", patience=1)
    model.fit(ones, ones, epochs=2, verbose=0, callbacks=[Script([1.0, 1.0], "val_loss"), reduce])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == 0.25
    assert isinstance(loaded.optimizer._learning_rate.schedule, ut.training.WarmupDecay)


def test_min_lr_holds_the_next_rate_of_a_schedule():
    model, ones = slopes(keras.optimizers.SGD(ut.training.WarmupDecay(0.5, decay=None))), np.ones((1, 1), "float32")
    reduce, steps = ut.callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5, min_lr=0.2), Steps()
    model.fit(ones, ones, epochs=5, verbose=0, callbacks=[Script([1.0] * 5, "val_loss"), reduce, steps])
    np.testing.assert_allclose(steps.seen, [0.5, 0.5, 0.25, 0.2, 0.2], rtol=1e-5)


def test_optimizers_that_hold_others():
    schedule = ut.training.WarmupDecay(0.5, decay=None)
    for inner, rate in ((keras.optimizers.SGD(0.5), 0.5), (keras.optimizers.SGD(schedule), 0.5)):
        model = still_model(keras.optimizers.LossScaleOptimizer(inner))
        reduce = ut.callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.1)
        drive(model, [Script([1.0] * 3, "val_loss"), reduce], 3)
        assert float(inner.learning_rate) == pytest.approx(rate * 0.01)


def test_a_compiled_model_of_ours():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), ut.heads.Classifier(2)])
    ut.training.compile(model, learning_rate=0.1, steps=10, warmup=2, layer_decay=0.5, verbose=False)
    reduce = ut.callbacks.ReduceLROnPlateau("val_score", patience=1)
    data = np.ones((4, 3), "float32"), np.zeros(4)
    model.fit(*data, batch_size=2, epochs=3, verbose=0, callbacks=[Script([1.0] * 3), reduce])
    expected = float(ut.training.WarmupDecay(0.1, steps=10, warmup_steps=2)(6)) / 4
    assert float(model.optimizer.learning_rate) == pytest.approx(expected, rel=1e-6)


def test_a_rate_that_is_a_function_is_refused():
    model = still_model(keras.optimizers.SGD(lambda: 0.1))
    with pytest.raises(ValueError, match="must be a number or a learning rate schedule.*Derive from"):
        drive(model, [ut.callbacks.ReduceLROnPlateau()], 1)


@pytest.mark.parametrize("cut", range(1, 10))
@pytest.mark.parametrize("kind", ["number", "schedule"])
def test_goes_on_after_any_epoch(cut, kind):
    values = [0.5, 0.6, 0.6, 0.4, 0.5, 0.5, 0.5, 0.3, 0.4, 0.4]

    def run(epochs, first=0, stored=None):
        rate = 0.5 if kind == "number" else ut.training.WarmupDecay(0.5, steps=20, decay="linear")
        model, ones = slopes(keras.optimizers.SGD(rate)), np.ones((2, 1), "float32")
        reduce = ut.callbacks.ReduceLROnPlateau("val_loss", patience=1, cooldown=1)
        model.set_weights([np.zeros((1, 1))])

        class GoOn(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                if stored:
                    model.optimizer.build(model.trainable_variables)
                    reduce.set_state(stored[0])
                    for variable, value in zip(model.weights + model.optimizer.variables, stored[1], strict=True):
                        variable.assign(value)

        callbacks = [Script(values, "val_loss"), reduce, GoOn()]
        model.fit(ones, ones, batch_size=1, epochs=epochs, initial_epoch=first, verbose=0, callbacks=callbacks)
        variables = [variable.numpy() for variable in model.weights + model.optimizer.variables]
        return json.loads(json.dumps(reduce.get_state())), variables

    whole, resumed = run(10), run(10, cut, run(cut))
    assert resumed[0] == whole[0]
    for left, right in zip(whole[1], resumed[1], strict=True):
        np.testing.assert_array_equal(left, right)
