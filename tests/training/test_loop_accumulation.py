"""Accumulation against one big batch."""

import keras
import numpy as np
import pytest

import unitools as ut
from tests.training.loop_models import assert_equal_weights, batches, tagged, tagger

layers = keras.layers


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
    assert [variable.shape for variable in first.variables] == [*(w.shape for w in model.weights), (), (), (4,)]
    saved = [variable.numpy() for variable in first.variables]
    assert saved[-2] == 2
    assert saved[-3] == (tagged(4)[1][:2] >= 0).sum()

    second = ut.training.Loop(model, accumulate_steps=4)

    def restore(logs):
        for variable, value in zip(second.variables, saved, strict=True):
            variable.assign(value)
        second.begin_at(0, 2)

    second.fit(data, callbacks=[keras.callbacks.LambdaCallback(on_train_begin=restore)], verbose=0)
    assert_equal_weights(model, whole, rtol=0, atol=0)
    assert [float(np.abs(variable.numpy()).max()) for variable in second.variables[:-1]] == [0.0] * (len(saved) - 1)


def half_used():
    """A model with weights on which its loss does not depend. AdamW would shrink them if they had a gradient of 0."""
    keras.utils.set_random_seed(9)
    inputs = keras.Input((7, 4))
    body = keras.Model(inputs, [layers.Dense(3)(inputs), layers.Dense(2, name="unused")(inputs)])
    model = keras.Model(inputs, body(inputs)[0])
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.5), ut.losses.TokenCrossEntropy())
    return model


def test_only_the_end_of_an_accumulation_is_left():
    """Weights without gradient stay without one, also where no step has been traced in this process."""
    data, whole, model = batches(tagged(4), 2), half_used(), half_used()
    unused = whole.layers[-1].get_layer("unused").get_weights()[0]
    state = lambda model, loop: [*model.variables, *model.optimizer.variables, *loop.variables]  # noqa: E731
    saved = []

    def save(step, logs):
        if step == 1 and not saved:
            saved.extend(variable.numpy() for variable in state(whole, first))

    def restore(logs):
        for variable, value in zip(state(model, second), saved, strict=True):
            variable.assign(value)
        second.begin_at(0, 2)

    first, second = ut.training.Loop(whole, accumulate_steps=3), ut.training.Loop(model, accumulate_steps=3)
    first.fit(data, epochs=2, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=save)], verbose=0)
    second.fit(data, epochs=2, callbacks=[keras.callbacks.LambdaCallback(on_train_begin=restore)], verbose=0)
    assert int(model.optimizer.iterations) == int(whole.optimizer.iterations) == 2
    assert_equal_weights(model, whole, rtol=0, atol=0)
    np.testing.assert_array_equal(whole.layers[-1].get_layer("unused").get_weights()[0], unused)


@pytest.mark.parametrize("options", [{"steps_per_call": 3}, {"steps_per_call": 50, "eager": True}], ids=str)
def test_several_steps_a_call_accumulate_the_same(options):
    """Ten batches of one by fours, three to a call: calls and accumulations end at different places."""

    def make(eager=False):
        model = tagger()
        model.run_eagerly = eager
        return model

    eager = options.pop("eager", False)
    one, other = make(), make(eager)
    ut.training.Loop(one, accumulate_steps=4).fit(batches(tagged(10), 1), epochs=2, verbose=0)
    ut.training.Loop(other, accumulate_steps=4, **options).fit(batches(tagged(10), 1), epochs=2, verbose=0)
    assert_equal_weights(one, other)
    assert int(other.optimizer.iterations) == 6


def test_a_step_that_accumulates_nothing_is_an_error():
    class Forgetful(ut.training.Loop):
        def step(self, batch):
            return {"loss": self.gradients(*batch, None)[0]}

    with pytest.raises(ValueError, match="calls `descend`"):
        Forgetful(tagger(), accumulate_steps=2).fit(batches(tagged(), 2), verbose=0)


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
