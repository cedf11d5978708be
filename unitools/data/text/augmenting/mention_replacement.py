"""Entities replaced by others of their type."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from unitools.core.checks import check_choice, check_number, fail
from unitools.core.component import register
from unitools.core.entity_tags import PREFIXES, check_tags, split_tag
from unitools.data.text.augmenting.entity_parts import before, lacking_tags, part_entities, phrase_labels
from unitools.data.text.augmenting.phrase_table import PhraseTable
from unitools.data.text.augmenting.splicing import regrouped, splice
from unitools.data.text.augmenting.tag_tables import TagTables
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.augmenting.word_draws import pick, word_draws
from unitools.data.text.tag_scheme import SCHEMES, entity_spans


@register
class MentionReplacement(TextAugmenter):
    """Replaces entities by other mentions of their type.

    Why: small training sets name few entities. A tagger that sees each sentence with other names learns the sentence,
    not the names.

    A mention is drawn from all those of the type, so the entity may get its own name again. Words and labels move
    along, in the scheme and with the tag numbers given. Entities are read as `entity_spans` reads them; those of a type
    without mentions stay as they are, and so do those that touch a word with the label -1, as in overlapping windows:
    they may be incomplete.

    Args:
        mentions: Dictionary from an entity type to its mentions, each a sequence of words. A mention that stands there
            twice is drawn twice as often.
        tags: All tags in the order of their numbers, a reader's `tags`.
        rate: Probability of each entity to be replaced, in [0, 1]. Use 0 to turn it off.
        scheme: Scheme of the tags, "iob2", "iob1" or "bioes". Default "iob2".
        seed: Integer that fixes the draws of `call`; see `TextAugmenter`.

    Call arguments and shapes: see `TextAugmenter`. Labels are needed.

    Raises:
        ValueError: A type has no tags or no mentions, or another argument is out of range.

    Example:
    >>> tags = ("O", "B-LOC", "I-LOC")
    >>> replace = ut.data.MentionReplacement({"LOC": [["New", "York"]]}, tags=tags, rate=1.0)
    >>> changed = replace({"words": tf.constant([["in", "Rome"]]), "labels": tf.constant([[0, 1]])}, training=True)
    >>> changed["words"].numpy().tolist(), changed["labels"].numpy().tolist()
    ([[b'in', b'New', b'York']], [[0, 1, 2]])

    Source:
        Dai, Adel 2020, An analysis of simple data augmentation for named entity recognition,
        https://arxiv.org/abs/2010.11683 (mention replacement).
    """

    def __init__(
        self,
        mentions: Mapping[str, Sequence[Sequence[str]]],
        *,
        tags: Sequence[str],
        rate: float,
        scheme: str = "iob2",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.mentions = _checked_mentions(mentions)
        self.tags = check_tags("tags", tags)
        self.rate = check_number("rate", rate, 0, 1, advice="Use rate=0 to turn it off.")
        self.scheme = check_choice("scheme", scheme, SCHEMES)
        self._check_prefixes()
        names = (*self.mentions, *sorted({split_tag(tag)[1] for tag in tags} - {"", *self.mentions}))
        self._tables = TagTables.from_tags(self.tags, names)
        self._phrases = PhraseTable.from_groups([self.mentions.get(name, ()) for name in names])

    def _check_prefixes(self):
        foreign = [tag for tag in self.tags if tag != "O" and tag[0] not in PREFIXES[self.scheme]]
        if foreign:
            fail("scheme", self.scheme, f"the scheme of the tags {list(self.tags)}", f"It has no {foreign[0]!r}.")
        lacking = lacking_tags(self.tags, self.mentions, self.scheme)
        if lacking:
            expected = f"all tags of the types of `mentions`, {lacking} too"
            fail(
                "tags", self.tags, expected, "Leave out mentions of other types, or give the training reader's `tags`."
            )

    @classmethod
    def from_reader(cls, reader: Any, *, rate: float, seed: int | None = None) -> "MentionReplacement":
        """Return the augmenter with the different entities of a reader, in its scheme and with its tag numbers.

        Args:
            reader: A `ColumnText`, the training set's.
            rate: Probability of each entity to be replaced, in [0, 1].
            seed: Integer that fixes the draws of `call`; see `TextAugmenter`.

        Raises:
            ValueError: The reader's tags mark no entities, or there are none.
        """
        scheme = reader.to or reader.scheme
        if scheme is None:
            fail("reader", str(reader.path), "a reader of entity tags", "Read it with scheme='auto'.")
        mentions = {}
        for words, tags in reader.sentences:
            for start, end, kind in entity_spans(tags):
                mentions.setdefault(kind, {})[words[start:end]] = None
        if not mentions:
            fail("reader", str(reader.path), "a reader of sentences with entities", "There is nothing to replace.")
        mentions = {kind: tuple(found) for kind, found in sorted(mentions.items())}
        return cls(mentions, tags=reader.tags, rate=rate, scheme=scheme, seed=seed)

    def augment_words(self, words: tf.RaggedTensor, labels: tf.RaggedTensor | None, seeds: tf.Tensor) -> tuple:
        """Replace entities; a pure function."""
        if labels is None:
            fail("labels", labels, "the labels of the words", "Give {'words': ..., 'labels': ...}, or tagged data.")
        kinds, stretches, begins = part_entities(labels, self._tables)
        sizes = tf.math.bincount(tf.cast(stretches, tf.int32), minlength=tf.size(begins), dtype=tf.int64)
        kind = tf.gather(kinds, begins)
        draws = tf.gather(word_draws(words, seeds, 2), begins)
        counts = tf.gather(tf.constant(self._phrases.counts), tf.maximum(kind, 0))
        chosen = (kind >= 0) & (counts > 0) & (draws[:, 0] < self.rate) & _whole(labels, begins, sizes)
        phrases = tf.gather(tf.constant(self._phrases.firsts), tf.maximum(kind, 0)) + pick(draws[:, 1], counts)
        starts, lengths = self._phrases.spans(tf.where(chosen, phrases, 0))
        starts = tf.where(chosen, starts + tf.size(words.values, tf.int64), begins)
        lengths = tf.where(chosen, lengths, sizes)
        spliced, owners = splice(words.values, tf.constant(self._phrases.words, tf.string), starts, lengths)
        changed = self._labels(labels, begins, chosen, kind, lengths, owners)
        rows = tf.gather(words.value_rowids(), begins)
        return regrouped(spliced, words, rows, lengths), regrouped(changed, words, rows, lengths)

    def _labels(self, labels, begins, chosen, kind, lengths, owners):
        """Return the label of each new word, from the stretch that owns it."""
        flat = labels.values
        places = tf.range(tf.size(owners, tf.int64)) - tf.gather(tf.cumsum(lengths, exclusive=True), owners)
        new = tf.gather(chosen, owners)
        old = tf.gather(flat, tf.where(new, tf.zeros_like(places), tf.gather(begins, owners) + places))
        firsts, kinds = tf.cast(tf.gather(flat, begins), tf.int32), tf.gather(kind, owners)
        fresh = phrase_labels(
            self._tables, self.scheme, kinds, tf.gather(firsts, owners), places, tf.gather(lengths, owners)
        )
        return tf.where(new, tf.cast(fresh, flat.dtype), old)


def _whole(labels, begins, sizes):
    """Return which stretches have no word without a label beside them."""
    flat, rows = labels.values, labels.value_rowids()
    ends = tf.minimum(begins + sizes, tf.size(flat, tf.int64) - 1)
    own = tf.gather(rows, begins)
    left = tf.gather(before(flat, 0) < 0, begins) & (tf.gather(before(rows, -1), begins) == own)
    right = (tf.gather(flat, ends) < 0) & (tf.gather(rows, ends) == own)
    return ~left & ~right


def _checked_mentions(mentions):
    advice = 'For instance {"LOC": [["New", "York"], ["Rome"]]}.'
    if not isinstance(mentions, Mapping) or not mentions or not all(isinstance(kind, str) for kind in mentions):
        fail("mentions", mentions, "a dictionary of entity types and their mentions", advice)
    for kind, found in mentions.items():
        if not isinstance(found, (list, tuple)) or not found or not all(map(_is_phrase, found)):
            fail(
                "mentions",
                mentions,
                f"a dictionary with a list of mentions, each a list of words, for {kind!r}",
                advice,
            )
    return {kind: tuple(tuple(words) for words in found) for kind, found in mentions.items()}


def _is_phrase(words):
    return isinstance(words, (list, tuple)) and bool(words) and all(isinstance(word, str) and word for word in words)
