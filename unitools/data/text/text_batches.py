"""Batches of encoded texts, grouped by length."""

import hashlib
import random
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from unitools.core.checks import check_choice, check_flag, check_integer
from unitools.data.batch_pipeline import move, new_position, pipeline_options
from unitools.data.batches import Batches
from unitools.data.text.augmented_loader import AugmentedLoader
from unitools.data.text.batch_inputs import chosen_inputs, select_inputs
from unitools.data.text.bucket_order import BucketOrder
from unitools.data.text.bucket_plan import checked_boundaries
from unitools.data.text.token_table import IGNORED, TokenTable

_READY = 2
"""Batches kept ready for the consumer."""


class TextBatches(Batches):
    """Batches of encoded texts that know where they are, padded to one of a few lengths.

    Why: texts differ in length. Batches of similar texts waste little on padding, and a few lengths mean few programs
    to compile. Position, resuming and shards are those of `Batches`. The readers' `batches(...)` make these.

    Args:
        table: The encoded texts, a `TokenTable`.
        batch_size: Examples a batch, or tokens, padding included.
        unit: "sentences" (default) or "tokens".
        boundaries: Lengths to pad to; or how many there are from one power of two to the next: 1, 2, 4 or 8. More of
            them mean less padding, and more programs where XLA compiles. Default 1: 8, 16, 32, ...
        max_length: Length in place of the last of the default `boundaries`.
        pad_id: Token id of padding. Default 0.
        inputs: Names of what each batch holds, such as a model's `input`: "token_ids", "padding_mask", "segment_ids",
            "character_ids", "first_pieces" (True where a word begins). Default: all there are but "first_pieces", and
            "segment_ids" for pairs of texts only.
        shuffle: Whether examples are grouped by length, and shuffled. Otherwise they keep their order. Default True.
        seed: Integer from 0 to 2^31 - 1 that fixes the order; see `Batches`.
        drop_remainder: Whether the one batch that is not full is left out. Default False.

    Attributes:
        boundaries: The lengths that batches have.
        padding_share: Share of padding among all tokens of an epoch.
        num_truncated: Number of texts that lost tokens to `max_length`, or to the tokenizer's own limit.
        num_lost_words: Number of words whose labels are in no batch: cut off, or without a token.

    Raises:
        ValueError: An argument is out of range, or the examples do not fill a batch.

    Example:
    >>> import pathlib
    >>> import tensorflow as tf
    >>> _ = pathlib.Path("train.csv").write_text("text,label\\nHi there,greet\\nWhere?,ask\\n")
    >>> from unitools.data import TextTable
    >>> def encode(texts):
    ...     words = tf.strings.split(texts)
    ...     return words.with_values(tf.strings.to_hash_bucket_fast(words.values, 1000))
    >>> batches = TextTable("train.csv").batches(2, encode=encode, seed=1)
    >>> len(batches), batches.boundaries, batches.padding_share
    (1, (8,), 0.8125)
    """

    def __init__(
        self,
        table: TokenTable,
        batch_size: int,
        *,
        unit: str = "sentences",
        boundaries: list[int] | tuple[int, ...] | int | None = None,
        max_length: int | None = None,
        pad_id: int = 0,
        inputs: Iterable[str] | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        drop_remainder: bool = False,
    ):
        check_integer("batch_size", batch_size, 1)
        check_choice("unit", unit, ("sentences", "tokens"))
        check_flag("shuffle", shuffle)
        check_flag("drop_remainder", drop_remainder)
        seed = random.randrange(2**31) if seed is None else check_integer("seed", seed, 0, 2**31 - 1)
        boundaries = checked_boundaries(boundaries, table.lengths, max_length)
        order = BucketOrder(table.lengths, batch_size, unit, boundaries, shuffle, seed, drop_remainder)
        self._open((table, pad_id, chosen_inputs(inputs, table)), order)

    def _open(self, source, order):
        order.plan  # noqa: B018 - raises for arguments that do not go together, before any graph is built
        self._source, self._order = source, order
        self._position = new_position()
        loader = _Loader if source[0].rows is None else AugmentedLoader
        self._pipeline = _pipeline(loader(*source, order), order, self._position)
        tf.data.Dataset.__init__(self, tf.data.experimental.to_variant(self._pipeline))

    def _content(self):
        table = self._source[0]
        arrays = [table.splits, *table.values.values(), *([] if table.labels is None else [table.labels])]
        return {"tokens": hashlib.sha256(b"".join(np.ascontiguousarray(array) for array in arrays)).hexdigest()}

    @property
    def boundaries(self) -> tuple:
        """The lengths that batches are padded to."""
        return tuple(sorted({int(length) for length in self._order.plan.batches[:, 3]}))

    @property
    def padding_share(self) -> float:
        """Share of padding among all tokens of an epoch, all shards together."""
        return self._order.padding_share

    @property
    def num_truncated(self) -> int:
        """Number of texts that lost tokens."""
        return self._source[0].num_truncated

    @property
    def num_lost_words(self) -> int:
        """Number of words whose labels are in no batch."""
        return self._source[0].num_lost_words


class _Loader:
    """Takes (epoch, step) to a padded batch."""

    def __init__(self, table, pad_id, inputs, order):
        self._order, self._pad_id, self._inputs = order, pad_id, inputs
        self._by_token, self._num_classes = table.by_token, table.num_classes
        self._values = {key: tf.constant(value) for key, value in table.values.items()}
        self._splits = tf.constant(table.splits)
        self._labels = None if table.labels is None else tf.constant(table.labels)

    def __call__(self, ticket):
        examples, length = self._order.batch(ticket[0], ticket[2])
        starts = tf.gather(self._splits, examples)[:, None]
        ends = tf.gather(self._splits, examples + 1)[:, None]
        places = starts + tf.range(length)[None]
        inside = places < ends
        places = tf.where(inside, places, 0)

        def padded(values, pad):
            real = inside if values.shape.rank == 1 else inside[..., None]
            return tf.where(real, tf.gather(values, places), tf.cast(pad, values.dtype))

        pads = dict.fromkeys(self._values, 0) | {"token_ids": self._pad_id}
        batch = {key: padded(values, pads[key]) for key, values in self._values.items()}
        batch["padding_mask"] = inside
        if self._labels is None:
            return ticket, select_inputs(batch, None, self._inputs)
        if self._by_token:
            labels = padded(self._labels, IGNORED)
            return ticket, (select_inputs(batch, labels, self._inputs), labels)
        batch = select_inputs(batch, None, self._inputs)
        labels = tf.gather(self._labels, examples)
        return ticket, (batch, labels if self._num_classes is None else tf.one_hot(labels, self._num_classes))


def _pipeline(load, order, position):
    """Return the data set of batches from `position` on, which notes what the consumer drew."""

    def begin(_):
        epoch, start = position[0], position[2]
        return tf.data.Dataset.range(start, order.num_steps).map(lambda step: tf.stack([epoch, start, step]))

    def note(ticket, batch):
        with tf.control_dependencies([move(position, ticket[0], ticket[1], ticket[2] + 1, order.num_steps)]):
            return tf.nest.map_structure(tf.identity, batch)

    tickets = tf.data.Dataset.from_tensors(0).flat_map(begin)
    # One at a time: a batch is gathered in far less time than a model takes for it.
    return tickets.map(load).prefetch(_READY).map(note).with_options(pipeline_options())
