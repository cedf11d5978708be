"""Order, seeds, position, shards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unitools.data import Batches, Source
from unitools.data.example_order import ExampleOrder


def _load(index, seed):
    return {"index": index, "seed": seed}


def _batches(num_examples=10, batch_size=4, **options):
    options = {"seed": 3} | options
    return Batches(Source(num_examples, _load), batch_size, **options)


def _indices(batches):
    return [batch["index"].numpy().tolist() for batch in batches]


def _flat(batches):
    return [index for batch in batches for index in batch]


def _drawn(batches):
    return [tf.nest.map_structure(lambda tensor: tensor.numpy().tolist(), batch) for batch in batches]


@pytest.mark.parametrize("num_examples", [1, 2, 3, 7, 8, 9, 300])
def test_every_example_once_an_epoch(num_examples):
    batches = _batches(num_examples)
    for _ in range(3):
        assert sorted(_flat(_indices(batches))) == list(range(num_examples))


def test_same_seed_gives_same_order_and_seeds_and_epochs_differ():
    first, second, other = _batches(50), _batches(50), _batches(50, seed=4)
    epochs = [_drawn(first), _drawn(first), _drawn(first)]
    assert epochs == [_drawn(second), _drawn(second), _drawn(second)]
    orders = [_flat(batch["index"] for batch in epoch) for epoch in [*epochs, _drawn(other)]]
    assert len({tuple(order) for order in orders}) == 4


def test_first_place_is_uniform():
    """Over many epochs each example comes first equally often: chi-square with 9 degrees of freedom."""
    order = ExampleOrder(10, batch_size=10, shuffle=True, seed=3, drop_remainder=False)
    place = tf.constant(0, tf.int64)
    epochs = tf.range(10_000, dtype=tf.int64)
    firsts = tf.function(lambda: tf.map_fn(lambda epoch: order.example(epoch, place), epochs))()
    counts = np.bincount(firsts, minlength=10)
    assert np.sum((counts - 1000.0) ** 2 / 1000.0) < 27.9  # p = 0.001


def test_example_seeds_are_distinct_and_change_with_the_epoch():
    batches = _batches(40)
    seeds = [tuple(seed) for _ in range(3) for batch in _drawn(batches) for seed in batch["seed"]]
    assert len(set(seeds)) == 3 * 40


def test_unshuffled_order_is_the_index():
    batches = _batches(shuffle=False)
    assert _indices(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert _indices(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_drop_remainder_gives_a_static_batch_axis():
    batches = _batches(drop_remainder=True)
    assert len(batches) == 2 and batches.element_spec["index"].shape == (4,)
    assert [len(batch) for batch in _indices(batches)] == [4, 4]
    assert _batches(8).element_spec["index"].shape == (4,)
    assert _batches(9).element_spec["index"].shape == (None,)


@pytest.mark.parametrize("step", [0, 1, 2])
def test_resumes_with_the_very_batches_of_the_uninterrupted_run(step):
    whole = _batches()
    expected = [batch for _ in range(3) for batch in _drawn(whole)]
    stopped = _batches()
    drawn = _drawn(stopped)
    if step:
        drawn += [batch for batch, _ in zip(_drawn(stopped.take(step)), range(step), strict=True)]
    resumed = _batches()
    resumed.load_state_dict(stopped.state_dict())
    assert resumed.state_dict() == {"epoch": 1, "step": step}
    drawn += [batch for _ in range(2) for batch in _drawn(resumed)]
    assert drawn == expected


def test_position_counts_what_was_drawn():
    batches = _batches(40)
    positions = []
    for _ in batches:
        positions.append(batches.state_dict()["step"])
    assert positions == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert batches.state_dict() == {"epoch": 1, "step": 0}


def test_iterator_left_in_the_middle_starts_its_epoch_again():
    batches, reference = _batches(40), _drawn(_batches(40))
    next(iter(batches))
    assert batches.state_dict() == {"epoch": 0, "step": 1}
    assert _drawn(batches) == reference
    batches.load_state_dict({"epoch": 0, "step": 4})
    next(iter(batches))
    assert _drawn(batches) == reference[4:]
    assert batches.state_dict() == {"epoch": 1, "step": 0}


def test_transformations_keep_working_and_repetitions_advance_the_epoch():
    batches, reference = _batches(), _batches()
    expected = [_flat(_indices(reference)) for _ in range(3)]
    repeated = batches.map(lambda batch: batch["index"]).repeat(3).prefetch(2)
    drawn = [index for batch in repeated for index in batch.numpy().tolist()]
    assert drawn == _flat(expected)
    assert batches.state_dict() == {"epoch": 3, "step": 0}


@pytest.mark.parametrize("drop_remainder", [False, True])
@pytest.mark.parametrize(("num_examples", "count"), [(24, 2), (25, 2), (23, 3), (33, 4), (18, 4), (17, 2)])
def test_shards_are_disjoint_parts_of_one_order(num_examples, count, drop_remainder):
    whole = _flat(_indices(_batches(num_examples)))
    shards = [_batches(num_examples, drop_remainder=drop_remainder).shard(index, count) for index in range(count)]
    parts = [_indices(shard) for shard in shards]
    assert len({len(part) for part in parts}) == 1 and len(parts[0]) == len(shards[0])
    for index, part in enumerate(parts):
        taken = whole[index::count]
        assert _flat(part) == (taken[: 4 * len(part)] if drop_remainder else taken)
        assert all(1 <= len(batch) <= 4 for batch in part)
    if not drop_remainder:
        assert sorted(_flat(_flat(part) for part in parts)) == list(range(num_examples))


def test_shard_that_lends_an_example_resumes():
    shard = _batches(17).shard(1, 2)
    expected = _drawn(shard)
    assert [len(batch["index"]) for batch in expected] == [4, 3, 1]
    for step in range(3):
        shard.load_state_dict({"epoch": 0, "step": step})
        assert _drawn(shard) == expected[step:]


def test_shard_of_a_shard():
    whole = _flat(_indices(_batches(64)))
    assert _flat(_indices(_batches(64).shard(1, 2).shard(1, 2))) == whole[3::4]


def test_ragged_examples_are_padded():
    def count_up(index, seed):
        return tf.range(index)

    assert [batch.numpy().tolist() for batch in Batches(Source(3, count_up), 3, shuffle=False)] == [
        [[0, 0], [0, 0], [0, 1]]
    ]


def test_what_is_drawn_for_many_belongs_to_each_example():
    def load(index, drawn):
        return tf.stack([index, tf.cast(drawn["sum"], tf.int64)])

    def draw(seeds):
        return {"sum": tf.reduce_sum(tf.cast(seeds, tf.int64), axis=1)}

    drawn = Batches(Source(300, load, draw=draw), 4, seed=1)
    plain = Batches(Source(300, lambda index, seed: tf.cast(seed, tf.int64)), 4, seed=1)
    for ours, seeds in zip(drawn, plain, strict=True):
        np.testing.assert_array_equal(ours, tf.stack([seeds[:, 1], tf.reduce_sum(seeds, 1)], 1))


@pytest.mark.parametrize(("num_examples", "bad"), [(8, 5), (9, 8), (8, 7), (3, 0)])
def test_example_that_fails_is_named(num_examples, bad):
    def load(index, seed):
        with tf.control_dependencies([tf.debugging.Assert(index != bad, ["broken"])]):
            return tf.identity(index)

    names = tf.constant([f"file-{index}" for index in range(num_examples)])
    batches = Batches(Source(num_examples, load, names=names), 4, shuffle=False)
    drawn = []
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"could not be loaded. file-{bad}: .*broken"):
        drawn.extend(batch.numpy().tolist() for batch in batches)
    assert batches.state_dict()["step"] == bad // 4


class _Positions(keras.callbacks.Callback):
    def __init__(self, batches):
        super().__init__()
        self.batches, self.seen = batches, []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(tuple(self.batches.state_dict().values()))


def _regression(num_examples=10):
    def load(index, seed):
        value = tf.cast(index, tf.float32)
        return value[None], 2.0 * value[None]

    return Batches(Source(num_examples, load), 4, seed=3)


def _fit(batches, **options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    positions = _Positions(batches)
    # Keras warns of its own default, shuffle=True, for every tf.data.Dataset.
    model.fit(options.pop("data", batches), callbacks=[positions], verbose=0, shuffle=False, **options)
    return positions.seen


def test_position_inside_fit():
    assert _fit(_regression(), epochs=2) == [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]


def test_position_inside_fit_with_steps_per_epoch():
    batches = _regression()
    assert _fit(batches, epochs=2, steps_per_epoch=2, data=batches.repeat()) == [(0, 1), (0, 2), (1, 0), (1, 1)]


def test_length_is_known():
    assert len(_batches()) == 3 and int(_batches().cardinality()) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"seed": -1}, "seed=-1"),
        ({"shuffle": 1}, "shuffle=1"),
        ({"batch_size": 11, "drop_remainder": True}, "batch_size=11"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        _batches(**options)


@pytest.mark.parametrize("state", [None, {"epoch": 0}, {"epoch": 0, "step": 3}, {"epoch": -1, "step": 0}])
def test_bad_state_is_refused(state):
    with pytest.raises(ValueError, match="must be"):
        _batches().load_state_dict(state)


def test_bad_shards_are_refused():
    for index, count in ((2, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="must be"):
            _batches().shard(index, count)
    with pytest.raises(ValueError, match="Use fewer parts"):
        _batches(3).shard(0, 4)


def test_seed_follows_set_random_seed():
    keras.utils.set_random_seed(5)
    first = _batches(seed=None).seed
    keras.utils.set_random_seed(5)
    assert _batches(seed=None).seed == first
