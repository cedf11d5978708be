import warnings

import keras
import numpy as np
import pytest

import unitools as ut
from tests.regularization.plain_steps import assert_all_close, batch, dense_net, loss_object
from unitools.callbacks.exact_resume import ExactResume

ExponentialAverage, StochasticAverage = ut.regularization.ExponentialAverage, ut.regularization.StochasticAverage


class Steps(keras.callbacks.Callback):
    """Notes the weights after each batch, and at the end of each epoch."""

    def on_train_begin(self, logs=None):
        self.batches, self.epochs, self.validated, self.counts = [], [], [], []

    def on_train_batch_end(self, number, logs=None):
        self.batches.append(self.model.get_weights())
        self.counts.append(int(np.asarray(self.model.optimizer.iterations)))

    def on_test_begin(self, logs=None):
        self.validated.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(self.model.get_weights())


def fit(average, net=None, optimizer=None, epochs=3, data=None, **options):
    """Train on 4 batches an epoch. Returns (the net, what was noted, the history)."""
    x, y = data or batch()
    net = dense_net(batch_norm=True) if net is None else net
    net.compile(optimizer or keras.optimizers.SGD(0.3), loss_object(), jit_compile=False)
    steps = Steps()
    settings = {"batch_size": 4, "shuffle": False, "verbose": 0, "epochs": epochs, "validation_data": (x, y)} | options
    history = net.fit(x, y, callbacks=[average, steps], **settings)
    return net, steps, history.history


def exponential(points, decay, warmup):
    average = points[0]
    for t, point in enumerate(points[1:], start=1):
        d = min(decay, (1 + t) / (10 + t)) if warmup else decay
        average = [d * a + (1 - d) * w for a, w in zip(average, point, strict=True)]
    return average


def mean(points):
    return [np.mean(arrays, axis=0) for arrays in zip(*points, strict=True)]


@pytest.mark.parametrize(("decay", "warmup"), [(0.5, True), (0.9, False), (0.999, True), (0.0, True)])
def test_exponential_average_is_the_formula(decay, warmup):
    net, steps, _ = fit(ExponentialAverage(decay, warmup=warmup))
    assert_all_close(net.get_weights(), exponential(steps.batches, decay, warmup))
    assert_all_close(steps.validated[1], exponential(steps.batches[:8], decay, warmup))
    assert_all_close(steps.epochs[1], steps.batches[7], rtol=0, atol=0)  # training goes on with its own weights


@pytest.mark.parametrize(("start", "first"), [(5, 5), (0.7, 8), (0.5, 4), (0, 0)])
def test_it_begins_where_asked(start, first):
    net, steps, _ = fit(ExponentialAverage(0.7, start=start))
    assert_all_close(net.get_weights(), exponential(steps.batches[first:], 0.7, True))


def test_training_itself_does_not_see_the_average():
    _, with_average, _ = fit(ExponentialAverage(0.9))
    _, without, _ = fit(keras.callbacks.Callback())
    for left, right in zip(with_average.batches, without.batches, strict=True):
        assert_all_close(left, right, rtol=0, atol=0)


def test_accumulated_micro_batches_are_one_step():
    optimizer = keras.optimizers.SGD(0.3, gradient_accumulation_steps=3)
    net, steps, _ = fit(ExponentialAverage(0.6, batch_norm="average"), dense_net(), optimizer)
    assert steps.counts[-1] == 4
    points = [weights for number, weights in enumerate(steps.batches) if (number + 1) % 3 == 0]
    assert_all_close(net.get_weights(), exponential(points, 0.6, True))


def test_a_step_that_loss_scaling_skips_does_not_count():
    x, y = batch()
    x[5] = np.inf  # The second batch of each epoch has no finite gradient.
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.3))
    net, steps, _ = fit(ExponentialAverage(0.6), dense_net(), optimizer, data=(x, y))
    assert steps.counts == [1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9]
    points = [weights for number, weights in enumerate(steps.batches) if number % 4 != 1]
    assert_all_close(net.get_weights(), exponential(points, 0.6, True))


@pytest.mark.parametrize(
    ("start", "every", "chosen"), [(3, 2, (4, 6, 8, 10)), (0, 5, (4, 9)), (0.7, 1, (8, 9, 10, 11))]
)
def test_stochastic_average_is_the_mean_of_points(start, every, chosen):
    net, steps, _ = fit(StochasticAverage(start, every=every))
    assert_all_close(net.get_weights(), mean([steps.batches[number] for number in chosen]))


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize(("start", "first"), [(0.25, 1), (5, 1), (4, 1), (0, 0)])
def test_a_point_an_epoch_is_the_default(start, first, validated):
    options = {} if validated else {"validation_data": None}
    net, steps, _ = fit(StochasticAverage(start), epochs=4, **options)
    assert_all_close(net.get_weights(), mean(steps.epochs[first:]))
    if validated:
        assert_all_close(steps.validated[2], mean(steps.epochs[first:3]))


@pytest.mark.parametrize("average", [ExponentialAverage(0.6), StochasticAverage(2, every=3)])
def test_several_steps_an_execution(average):
    x, y = batch()
    net = dense_net()
    net.compile(keras.optimizers.SGD(0.3), loss_object(), steps_per_execution=2, jit_compile=False)
    steps = Steps()
    net.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[average, steps])
    seen = steps.batches  # after steps 2, 4, ... 12
    if isinstance(average, StochasticAverage):
        expected = mean([seen[2], seen[3], seen[5]])  # points 5, 8 and 11 are seen after steps 6, 8 and 12
    else:
        expected = seen[0]
        for t, point in enumerate(seen[1:], start=1):
            d = min(0.6, (1 + t) / (10 + t)) ** 2
            expected = [d * a + (1 - d) * w for a, w in zip(expected, point, strict=True)]
    assert_all_close(net.get_weights(), expected)


def test_validation_scores_are_those_of_the_average():
    x, y = batch()
    average = ExponentialAverage(0.8)
    _, steps, history = fit(average)
    probe = dense_net(batch_norm=True)
    probe.compile("sgd", loss_object())
    for validated, score in zip(steps.validated, history["val_loss"], strict=True):
        probe.set_weights(validated)
        np.testing.assert_allclose(probe.evaluate(x, y, verbose=0), score, rtol=1e-5)


def test_an_evaluation_outside_of_fit_is_of_the_model_as_it_is():
    x, y = batch()
    average = ExponentialAverage(0.8)
    net, _, _ = fit(average)
    before = net.get_weights()
    net.set_weights([array + 1 for array in before])
    net.evaluate(x, y, verbose=0, callbacks=[average])
    assert_all_close(net.get_weights(), [array + 1 for array in before], rtol=0, atol=0)


def test_the_average_can_be_had_within_fit():
    class Reader(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            own = self.model.get_weights()
            with average.averaged():
                self.inside = self.model.get_weights()
            assert_all_close(self.model.get_weights(), own, rtol=0, atol=0)

    average, reader, (x, y) = ExponentialAverage(0.8), Reader(), batch()
    net = dense_net()
    net.compile("sgd", loss_object())
    net.fit(x, y, batch_size=4, verbose=0, callbacks=[average, reader])
    assert_all_close(reader.inside, net.get_weights(), rtol=0, atol=0)


def test_statistics_are_taken_anew_from_all_of_the_data():
    x, _ = batch()
    average = ExponentialAverage(0.8, batch_norm="reestimate")
    average.data = [x[:5], x[5:7], x[7:]]
    net, steps, _ = fit(average)
    inner, norm = net.get_layer("inner"), net.get_layer("norm")
    hidden = np.tanh(x @ inner.kernel.numpy() + inner.bias.numpy())
    np.testing.assert_allclose(norm.moving_mean.numpy(), hidden.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance.numpy(), hidden.var(0), rtol=1e-4, atol=1e-6)
    for validated, after in zip(steps.validated, steps.epochs, strict=True):
        assert not np.allclose(validated[4], after[4])  # the moving mean
    assert_all_close(steps.epochs[-1], steps.batches[-1], rtol=0, atol=0)


def test_reestimation_in_pictures_spares_frozen_norms_seeds_and_the_rest():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 4, 2))
    x = keras.layers.BatchNormalization(name="first", momentum=0.9)(inputs)
    x = keras.layers.Dropout(0.5, seed=3)(keras.layers.BatchNormalization(name="frozen", trainable=False)(x))
    net = keras.Model(inputs, keras.layers.BatchNormalization(name="last")(x))
    before = net.get_weights()
    images = np.random.default_rng(0).normal(3, 2, (10, 4, 4, 2)).astype("float32")
    data = [(images[:6], np.zeros(6)), (images[6:], np.zeros(4))]
    assert ut.regularization.reestimate_batch_norm(net, data) == ["first", "last"]
    first = net.get_layer("first")
    np.testing.assert_allclose(first.moving_mean.numpy(), images.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(first.moving_variance.numpy(), images.var((0, 1, 2)), rtol=1e-5)
    assert first.momentum == 0.9
    assert_all_close(net.get_layer("frozen").get_weights(), before[4:8], rtol=0, atol=0)
    state = next(layer for layer in net.layers if isinstance(layer, keras.layers.Dropout)).seed_generator.state
    assert state.numpy().tolist() == [3, 0]


def test_data_are_asked_for_before_training():
    with pytest.raises(ValueError, match=r"callback\.data = "):
        fit(ExponentialAverage(batch_norm="reestimate"))
    average = ExponentialAverage(batch_norm="reestimate")
    average.data = np.zeros((4, 4), "float32")
    with pytest.raises(ValueError, match="Cut arrays into batches"):
        fit(average)
    average.data = iter(())
    with pytest.raises(ValueError, match="one batch or more"):
        fit(average)


def test_a_fit_that_ends_too_early_says_so():
    with pytest.warns(UserWarning, match="averaged no weights: fit ended before start=100"):
        net, steps, _ = fit(ExponentialAverage(start=100))
    assert_all_close(net.get_weights(), steps.batches[-1], rtol=0, atol=0)


def test_weights_unfrozen_on_the_way_are_followed_from_then_on():
    class Unfreeze(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.get_layer("inner").trainable = True
                self.model.make_train_function(force=True)

    x, y = batch()
    net = dense_net()
    net.compile(keras.optimizers.SGD(0.3), loss_object(), jit_compile=False)
    net.optimizer.build(net.trainable_variables)
    net.get_layer("inner").trainable = False
    average, steps = ExponentialAverage(0.6), Steps()
    net.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[average, Unfreeze(), steps])
    assert not np.allclose(steps.batches[3][0], steps.batches[4][0])
    assert_all_close(net.get_weights(), exponential(steps.batches, 0.6, True))


@pytest.mark.parametrize("build", [lambda: ExponentialAverage(0.7, start=2), lambda: StochasticAverage(0.4)])
@pytest.mark.parametrize("cut", [1, 3, 4, 6, 8, 11])
def test_a_run_killed_anywhere_ends_as_the_one_that_was_not(tmp_path, build, cut):
    def train(stop=None):
        class Kill(keras.callbacks.Callback):
            def on_train_batch_begin(self, number, logs=None):
                if int(np.asarray(self.model.optimizer.iterations)) == stop:
                    raise KeyboardInterrupt

        x, y = batch()
        net = dense_net(dropout=0.3, batch_norm=True)
        net.compile(keras.optimizers.AdamW(0.05), loss_object(), jit_compile=False)
        folder = str(tmp_path / ("whole" if stop == "never" else "killed"))
        callbacks = [build(), Kill(), ExactResume(folder, every=1, background=False)]
        options = {"batch_size": 4, "shuffle": False, "verbose": 0, "epochs": 3, "validation_data": (x, y)}
        history = net.fit(x, y, callbacks=callbacks, **options)
        return net.get_weights(), history.history

    weights, history = train("never")
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    again, resumed = train()
    assert_all_close(again, weights, rtol=0, atol=0)
    assert resumed == history


def test_two_fits_on_one_model_are_counted_apart():
    average = ExponentialAverage(0.7, start=2)
    net, _, _ = fit(average)
    x, y = batch()
    steps = Steps()
    net.fit(x, y, batch_size=4, shuffle=False, verbose=0, epochs=2, callbacks=[average, steps])
    assert_all_close(net.get_weights(), exponential(steps.batches[2:], 0.7, True))


def test_it_averages_what_a_regularized_model_trains():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = ut.regularization.RegularizedModel(dense_net(batch_norm=True), [ut.regularization.SharpnessAware(0.1)])
        net, steps, _ = fit(ExponentialAverage(0.8), net)
    assert_all_close(net.get_weights(), exponential(steps.batches, 0.8, True))


def test_what_is_kept_by_a_validation_score_is_the_average(tmp_path):
    """The weights kept reach the score that they were kept for; a training score belongs to the model's own."""
    path = str(tmp_path / "best.safetensors")
    stop = ut.callbacks.EarlyStopping("val_loss", mode="max", patience=9)
    own = ut.callbacks.BestWeights(tmp_path / "own.safetensors", "loss", mode="max")
    average, x_and_y = ExponentialAverage(0.9), batch()
    callbacks = [average, ut.callbacks.BestWeights(path, "val_loss", mode="max"), own, stop]
    net = dense_net(batch_norm=True)
    net.compile(keras.optimizers.SGD(0.3), loss_object(), jit_compile=False)
    steps, settings = Steps(), {"batch_size": 4, "shuffle": False, "verbose": 0, "validation_data": x_and_y}
    worst = net.fit(*x_and_y, epochs=2, callbacks=[steps, *callbacks], **settings).history["val_loss"]
    assert np.argmax(worst) == 0
    assert net.evaluate(*x_and_y, verbose=0) == pytest.approx(worst[0], rel=1e-6)
    assert_all_close(net.get_weights(), exponential(steps.batches[:4], 0.9, warmup=True))
    callbacks[1].restore(net)
    assert net.evaluate(*x_and_y, verbose=0) == pytest.approx(worst[0], rel=1e-6)
    own.restore(net)
    assert_all_close(net.get_weights(), steps.epochs[own.best_epoch], rtol=0, atol=0)


def test_an_average_of_a_fit_that_failed_is_not_kept(tmp_path):
    net, average = dense_net(), ExponentialAverage(0.9)
    net.compile(keras.optimizers.SGD(0.3), loss_object(), jit_compile=False)
    settings = {"batch_size": 4, "shuffle": False, "verbose": 0, "validation_data": batch()}

    def fail(epoch, logs):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        net.fit(*batch(), callbacks=[average, keras.callbacks.LambdaCallback(on_epoch_end=fail)], **settings)
    best = ut.callbacks.BestWeights(tmp_path / "best.safetensors")
    loss = net.fit(*batch(), callbacks=[best], **settings).history["val_loss"][0]
    best.restore(net)
    assert net.evaluate(*batch(), verbose=0) == pytest.approx(loss, rel=1e-6)


def test_a_loop_of_ones_own(tmp_path):
    """No `fit`, and so no history: the average is kept with its score all the same."""
    net, x_and_y = dense_net(), batch()
    net.compile(keras.optimizers.SGD(0.3), loss_object(), jit_compile=False)
    best = ut.callbacks.BestWeights(tmp_path / "best.safetensors")
    callbacks = keras.callbacks.CallbackList([ExponentialAverage(0.9), best], model=net, epochs=1)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    for step in range(6):
        callbacks.on_train_batch_begin(step)
        net.train_on_batch(*x_and_y)
        callbacks.on_train_batch_end(step)
    loss = net.evaluate(*x_and_y, verbose=0, callbacks=callbacks)
    callbacks.on_epoch_end(0, {"val_loss": loss})
    own = net.evaluate(*x_and_y, verbose=0)
    best.restore(net)
    assert net.evaluate(*x_and_y, verbose=0) == pytest.approx(loss, rel=1e-6)
    assert loss != pytest.approx(own, rel=1e-3)
