import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut


def variables():
    random = np.random.default_rng(0)
    return [keras.Variable(random.normal(size=shape), dtype="float32") for shape in [(3, 2), (2,), (2, 4)]]


def adam_w(values, gradients, steps, *, rate, shares, decayed, weight_decay):
    """The docstring's formula in float64, with the same gradients at every step."""
    results = []
    for x, g, share, decays in zip(values, gradients, shares, decayed, strict=True):
        x, m, v = x.astype("float64"), np.zeros(x.shape), np.zeros(x.shape)
        for step in range(1, steps + 1):
            if decays:
                x = x - rate * share * weight_decay * x
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            x = x - rate * share * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)
        results.append(x)
    return results


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
def test_steps_follow_the_closed_form(compiled):
    parts = variables()
    gradients = [np.random.default_rng(1).normal(size=part.shape).astype("float32") for part in parts]
    options = {"shares": [0.25, 0.5, 1.0], "decayed": [True, False, False], "weight_decay": 0.3}
    expected = adam_w([part.numpy() for part in parts], gradients, 3, rate=0.1, **options)
    optimizer = ut.training.LayerwiseAdamW(
        0.1, weight_decay=0.3, rate_shares=options["shares"], decayed=options["decayed"]
    )
    optimizer.build(parts)

    def step():
        optimizer.apply([tf.constant(gradient) for gradient in gradients])

    step = tf.function(step, jit_compile=True) if compiled else step
    for _ in range(3):
        step()
    for part, target in zip(parts, expected, strict=True):
        np.testing.assert_allclose(part.numpy(), target, rtol=2e-4, atol=2e-5)


def test_zero_gradients_leave_decay_alone():
    parts = variables()
    before = [part.numpy() for part in parts]
    ut.training.LayerwiseAdamW(0.1, weight_decay=0.5).apply([np.zeros(part.shape, "float32") for part in parts], parts)
    for part, old, factor in zip(parts, before, [1 - 0.1 * 0.5, 1.0, 1 - 0.1 * 0.5], strict=True):
        np.testing.assert_allclose(part.numpy(), old * factor, rtol=1e-6)


def test_equals_keras_adam_w_where_they_mean_the_same():
    ours, theirs = variables(), variables()
    gradients = [np.random.default_rng(2).normal(size=part.shape).astype("float32") for part in ours]
    one = ut.training.LayerwiseAdamW(0.01, weight_decay=0.1, decayed=[True] * 3, global_clipnorm=0.5)
    two = keras.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5)
    for _ in range(3):
        one.apply(gradients, ours)
        two.apply(gradients, theirs)
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(left.numpy(), right.numpy(), rtol=1e-5)


def test_config_holds_schedule_and_lists():
    schedule = ut.training.WarmupDecay(0.1, steps=5)
    optimizer = ut.training.LayerwiseAdamW(
        schedule, rate_shares=[1.0], decayed=[False], beta_1=0.8, global_clipnorm=2.0
    )
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert isinstance(again, ut.training.LayerwiseAdamW)
    assert (again.rate_shares, again.decayed, again.beta_1, again.global_clipnorm) == ((1.0,), (False,), 0.8, 2.0)
    assert float(again.learning_rate) == pytest.approx(0.1)


def test_lists_that_do_not_fit_the_variables():
    with pytest.raises(ValueError, match="one value for each of the 3 trainable variables"):
        ut.training.LayerwiseAdamW(0.1, rate_shares=[1.0]).build(variables())
    with pytest.raises(ValueError, match="weight_decay=-1"):
        ut.training.LayerwiseAdamW(0.1, weight_decay=-1)


@pytest.mark.parametrize("options", [{"amsgrad": True}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}], ids=str)
def test_options_of_adam_mean_what_keras_means(options):
    ours, theirs = variables(), variables()
    one = ut.training.LayerwiseAdamW(0.05, weight_decay=0.0, **options)
    two = keras.optimizers.Adam(0.05, **options)
    for step in range(4):
        gradients = [np.random.default_rng(step).normal(size=part.shape).astype("float32") for part in ours]
        one.apply(gradients, ours)
        two.apply(gradients, theirs)
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(left.numpy(), right.numpy(), rtol=1e-5)


def test_rows_that_were_looked_up_step_as_a_whole_table_does():
    rows, again = keras.Variable(np.ones((5, 2), "float32")), keras.Variable(np.ones((5, 2), "float32"))
    sparse = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tf.constant([1, 3, 1]), (5, 2))
    optimizers = [ut.training.LayerwiseAdamW(0.1, global_clipnorm=1.0) for _ in range(2)]
    for _ in range(2):
        optimizers[0].apply([sparse], [rows])
        optimizers[1].apply([tf.convert_to_tensor(sparse)], [again])
    np.testing.assert_allclose(rows.numpy(), again.numpy(), rtol=1e-6)
    np.testing.assert_allclose(rows.numpy()[0], (1 - 0.1 * 0.01) ** 2, rtol=1e-6)
