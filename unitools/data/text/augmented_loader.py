"""Batches of texts that are augmented anew each epoch."""

import tensorflow as tf

from unitools.data.example_order import ExampleOrder
from unitools.data.text.batch_inputs import PADDING_MASK, select_inputs
from unitools.data.text.token_table import IGNORED

_DOUBLINGS = 16
"""Lengths beyond the last boundary, each twice the one before: for rows that have grown."""


class AugmentedLoader:
    """Takes (epoch, step) to a padded batch of changed texts.

    A batch is as long as it would be without augmentation, or, where its longest row has grown beyond that, as the next
    boundary that holds it.

    Args:
        table: The `TokenTable` of the unchanged texts, with `rows`.
        pad_id: Token id of padding.
        inputs: Names of what a batch holds.
        order: The `BucketOrder`.
    """

    def __init__(self, table, pad_id, inputs, order):
        self._order, self._pad_id, self._inputs = order, pad_id, inputs
        self._rows, self._by_token, self._num_classes = table.rows, table.by_token, table.num_classes
        self._labels = None if table.labels is None or table.by_token else tf.constant(table.labels)
        self._seeds = ExampleOrder(order.num_examples, 1, order.shuffle, order.seed, drop_remainder=False)
        last, limit = order.boundaries[-1], table.rows.max_length
        lengths = [*order.boundaries, *(last << doubling for doubling in range(1, _DOUBLINGS))]
        self._lengths = tf.constant([min(each, limit or each) for each in lengths], tf.int64)

    def __call__(self, ticket):
        """Return the ticket [epoch, step at which the pass began, step], and its batch."""
        examples, planned = self._order.batch(ticket[0], ticket[2])
        values, labels = self._rows(examples, self._seeds.example_seeds(ticket[0], examples))
        sizes = values["token_ids"].row_lengths()
        place = tf.searchsorted(self._lengths, tf.reduce_max(sizes)[None])[0]
        length = tf.maximum(planned, self._lengths[tf.minimum(place, tf.size(self._lengths) - 1)])
        pads = dict.fromkeys(values, 0) | {"token_ids": self._pad_id}
        batch = {key: _padded(value, pads[key], length) for key, value in values.items()}
        batch[PADDING_MASK] = tf.sequence_mask(sizes, length)
        if self._by_token:
            labels = _padded(labels, IGNORED, length)
            return ticket, (select_inputs(batch, labels, self._inputs), labels)
        batch = select_inputs(batch, None, self._inputs)
        if self._labels is None:
            return ticket, batch
        labels = tf.gather(self._labels, examples)
        return ticket, (batch, labels if self._num_classes is None else tf.one_hot(labels, self._num_classes))


def _padded(rows, pad, length):
    inner = tf.shape(rows.values, tf.int64)[1:]
    return rows.to_tensor(pad, shape=tf.concat([[rows.nrows(), length], inner], axis=0))
