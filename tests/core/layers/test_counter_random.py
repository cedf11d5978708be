import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from unitools.core.layers import fold_in, threefry, uniform

# (key, counter, result), Random123's kat_vectors for threefry2x32 with 20 rounds.
KNOWN = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


def seeds_for(count):
    return tf.stack([tf.range(count), tf.ones(count, tf.int32)], axis=1)


@pytest.mark.parametrize(("key", "counter", "result"), KNOWN)
def test_threefry_gives_the_published_answers(key, counter, result):
    key, counter = ([tf.constant(word, tf.uint32) for word in pair] for pair in (key, counter))
    assert tuple(int(word) for word in threefry(key, counter)) == result


def test_uniform_numbers_are_uniform_along_seeds_and_along_counters():
    numbers = uniform(seeds_for(2000), 10).numpy()
    assert numbers.min() >= 0 and numbers.max() < 1
    for sample in (numbers[:, 0], numbers[:, 9], numbers[:200].ravel()):
        assert stats.kstest(sample, "uniform").statistic < 1.9 / np.sqrt(len(sample))


def test_numbers_of_neighbouring_seeds_and_counters_are_not_correlated():
    numbers = uniform(seeds_for(4000), 3).numpy()
    pairs = [(numbers[:, 0], numbers[:, 1]), (numbers[:, 1], numbers[:, 2]), (numbers[1:, 0], numbers[:-1, 0])]
    assert max(abs(np.corrcoef(*pair)[0, 1]) for pair in pairs) < 4 / np.sqrt(4000)


def test_uniform_takes_a_range():
    numbers = uniform(seeds_for(1000), 1, -2.0, 6.0).numpy()
    assert -2 <= numbers.min() < -1.9 and 5.9 < numbers.max() < 6


def test_a_seed_gives_the_same_numbers_anywhere_in_a_batch_and_under_xla():
    seeds = seeds_for(5)
    numbers = uniform(seeds, 4).numpy()
    np.testing.assert_array_equal(uniform(seeds[3:4], 4).numpy()[0], numbers[3])
    np.testing.assert_array_equal(uniform(seeds[2], 4).numpy(), numbers[2])
    compiled = tf.function(lambda seeds: uniform(seeds, 4), jit_compile=True)
    np.testing.assert_array_equal(compiled(seeds).numpy(), numbers)


def test_folding_in_gives_new_seeds():
    seeds = seeds_for(100)
    folded = np.concatenate([seeds, *(fold_in(seeds, data) for data in range(5))])
    assert len(np.unique(folded, axis=0)) == 600
    np.testing.assert_array_equal(fold_in(seeds, tf.fill([100], 3)), fold_in(seeds, 3))
