import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from unitools.data.image.beta_quantiles import BetaQuantiles


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 8.0, 100.0])
def test_quantiles_are_those_of_the_distribution(alpha):
    units = (np.arange(20000) + 0.5) / 20000
    numbers = BetaQuantiles(alpha)(tf.constant(units, tf.float32)).numpy().astype("float64")
    assert numbers.min() >= 0 and numbers.max() <= 1 and (np.diff(numbers) >= 0).all()
    # Compared where float32 tells numbers from 0 and 1: below alpha = 1 much lies closer to them.
    told = (numbers > 1e-30) & (numbers < 1 - 1e-4)
    assert np.abs(stats.beta.cdf(numbers[told], alpha, alpha) - units[told]).max() < 1e-3
    assert abs(numbers.mean() - 0.5) < 1e-3
    assert abs(numbers.var() - stats.beta.var(alpha, alpha)) < 2e-3 * stats.beta.var(alpha, alpha) + 1e-4


def test_random_numbers_pass_kolmogorov_smirnov():
    units = np.random.default_rng(0).random(20000).astype("float32")
    numbers = BetaQuantiles(0.4)(tf.constant(units)).numpy()
    assert stats.kstest(numbers, stats.beta(0.4, 0.4).cdf).statistic < 0.015
