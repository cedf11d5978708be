"""What tests of random layers share."""

import math

import numpy as np


def assert_share(count, total, probability):
    """Check that a share of independent draws is within five standard deviations of its probability."""
    deviation = math.sqrt(probability * (1 - probability) / total)
    assert abs(count / total - probability) < 5 * deviation, (count / total, probability, deviation)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")
