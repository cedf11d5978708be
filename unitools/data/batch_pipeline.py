"""The `tf.data` stages behind `Batches`."""

import os

import tensorflow as tf

from unitools.data.failure_reason import failure_reason

_AT_A_TIME = 256
"""Positions whose examples are looked up together."""
_READY = 2
"""Batches kept ready for the consumer. More do not help it, and a batch of 32 pictures of 224 x 224 takes 19 MB."""
_CORES = len(os.sched_getaffinity(0))
"""Examples loaded at once. Where TensorFlow tunes it, a pass ends up to 5 s late, as its tuner is awaited."""


def build_pipeline(source, order, position):
    """Return the data set of batches from `position` on.

    Stages: positions -> load (parallel) -> batch -> finish (parallel) -> prefetch -> draw. The last one runs when the
    consumer takes a batch, and notes in `position` where the consumer is.

    Args:
        source: A `Source`.
        order: An `ExampleOrder`.
        position: int64 variable [epoch, next step, step at which the pass began].

    Returns:
        A `tf.data.Dataset`.
    """
    stages = _Stages(source, order, position)
    parts = [stages.loaded(*part) for part in order.parts]
    batches = parts[0]
    for part in parts[1:]:
        batches = batches.concatenate(part)
    # A batch that fails is dropped here and missed by `draw`, which can say which example it was.
    batches = batches.ignore_errors().map(stages.finish, num_parallel_calls=min(2, _CORES))
    batches = batches.concatenate(stages.end(batches.element_spec)).prefetch(_READY)
    drawn = batches.scan(tf.constant(-1, tf.int64), stages.draw)
    return drawn.filter(_is_batch).map(_without_flag).with_options(pipeline_options())


def new_position():
    """Return the variable [epoch, next step, step at which the present pass began]."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.Variable([0, 0, 0], dtype=tf.int64, trainable=False, name="position")


def move(position, epoch, start, step, num_steps):
    """Return the operation that notes that `step` is next, or the next epoch where there is no such step."""
    after = tf.where(step == num_steps, tf.stack([epoch + 1, 0, 0]), tf.stack([epoch, step, start]))
    return tf.group(position.assign(after, read_value=False))


def pipeline_options():
    """Return the options of a data set in which one stage notes where the consumer is."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    # Both would draw batches that the consumer has not asked for.
    options.experimental_optimization.inject_prefetch = False
    options.experimental_optimization.map_parallelization = False
    return options


class _Stages:
    """The functions of the stages.

    An example travels with a card, one int64 tensor [epoch, step at which the pass began, position, seed, seed], since
    each further tensor costs time in every stage. A batch has a ticket, [epoch, step at which the pass began, step].
    """

    def __init__(self, source, order, position):
        self._source, self._order, self._position = source, order, position

    def loaded(self, first, end, batch_size):
        """Return the batches of a stretch of the epoch, as (cards, examples)."""

        def begin(_):
            epoch, start = self._position[0], self._position[2]
            positions = tf.data.Dataset.range(tf.maximum(self._order.first_position(start), first), end)
            positions = positions.batch(_AT_A_TIME)
            return positions.map(lambda positions: self._examples(epoch, start, positions)).unbatch()

        examples = tf.data.Dataset.from_tensors(0).flat_map(begin).map(self._load, num_parallel_calls=_CORES)
        ragged = any(not spec.shape.is_fully_defined() for spec in tf.nest.flatten(examples.element_spec))
        return examples.padded_batch(batch_size) if ragged else examples.batch(batch_size)

    def _examples(self, epoch, start, positions):
        """Return the cards of several positions, and what was drawn for them, if the source draws.

        Many at once are cheaper than one by one.
        """
        examples = self._order.example(epoch, positions)
        seeds = self._order.example_seeds(epoch, examples)
        same = tf.fill(tf.shape(positions), epoch), tf.fill(tf.shape(positions), start)
        cards = tf.concat([tf.stack([*same, positions], axis=1), tf.cast(seeds, tf.int64)], axis=1)
        return (cards,) if self._source.draw is None else (cards, self._source.draw(seeds))

    def _load(self, card, *drawn):
        return card, self._source.load(card[4], drawn[0] if drawn else tf.cast(card[3:], tf.int32))

    def finish(self, cards, batch):
        """Return (ticket of a batch, what the consumer receives)."""
        if self._order.size % self._order.batch_size == 0 and not self._order.lends:
            cards, batch = tf.nest.map_structure(self._with_batch_size, (cards, batch))
        ticket = tf.stack([cards[0, 0], cards[0, 1], self._order.step(cards[0, 2])])
        finish = self._source.finish
        return ticket, batch if finish is None else finish(batch, tf.cast(cards[:, 3:], tf.int32))

    def _with_batch_size(self, tensor):
        return tf.ensure_shape(tensor, [self._order.batch_size, *tensor.shape[1:]])

    def end(self, spec):
        """Return one more element, of zeros, by which `draw` sees that the last batch is missing."""

        def element(_):
            ticket = tf.stack([self._position[0], self._position[2], tf.constant(self._order.num_steps, tf.int64)])
            return ticket, tf.nest.map_structure(_zeros, spec[1])

        return tf.data.Dataset.from_tensors(0).map(element)

    def draw(self, expected, element):
        """Note the consumer's position, unless a batch is missing."""
        ticket, batch = element
        epoch, start, step = tf.unstack(ticket)
        expected = tf.where(expected < 0, start, expected)
        with tf.control_dependencies([tf.cond(step == expected, tf.no_op, lambda: self._report(epoch, expected))]):
            is_end = step == self._order.num_steps
            moved = tf.cond(is_end, tf.no_op, lambda: self._move(epoch, start, step + 1))
        with tf.control_dependencies([moved]):
            return step + 1, (tf.identity(is_end), batch)

    def _move(self, epoch, start, step):
        return move(self._position, epoch, start, step, self._order.num_steps)

    def _report(self, epoch, step):
        """Fail, and say which examples of a batch cannot be loaded.

        In Python, since nothing of it runs while all is well, and a graph of it would double the time to start a pass.
        """
        return tf.group(tf.py_function(self._load_again, [epoch, step], []))

    def _load_again(self, epoch, step):
        positions = tf.range(self._order.first_position(step), self._order.end_position(step))
        cards = tf.data.Dataset.from_tensor_slices(self._examples(epoch, step, positions))
        reasons = [(card[4].numpy(), failure_reason(self._load, card, *drawn)) for card, *drawn in cards]
        failures = [f"{self._name(example)}: {reason}" for example, reason in reasons if reason]
        at = f"Examples of epoch {int(epoch)}, step {int(step)}"
        raise ValueError(f"{at} could not be loaded. " + ("; ".join(failures) or "They can now."))

    def _name(self, example):
        names = self._source.names
        return f"example {example}" if names is None else os.fsdecode(names[example].numpy())


def _is_batch(is_end, batch):
    return tf.logical_not(is_end)


def _without_flag(is_end, batch):
    return batch


def _zeros(spec):
    return tf.zeros([size or 0 for size in spec.shape], spec.dtype)
