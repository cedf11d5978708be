"""Words left out, or made unknown."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import register
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.augmenting.word_draws import may_change, word_draws


@register
class WordDropout(TextAugmenter):
    """Replaces words by an unknown one, or leaves them out.

    Why: a model that has seen gaps relies on the words around a word, not on the word alone.

    A replaced word keeps its label. With `replacement=None` words go, and their labels with them; one word always
    stays. In tagged data only words outside of entities go then, and none that stands right before an entity, so that
    no entity loses a part and no two come to touch.

    Args:
        rate: Probability of each word to be dropped, in [0, 1]. Use 0 to turn it off.
        replacement: Word that is put in its place; None to leave the word out. Default "[UNK]", which a
            `WordPieceTokenizer` takes for its unknown token.
        outside: Label of the words that belong to no entity. Default 0, the number of O in a reader's `tags`. None for
            tags that mark no entities, such as parts of speech: then any word may be left out.
        seed: Integer that fixes the draws of `call`; see `TextAugmenter`.

    Call arguments and shapes: see `TextAugmenter`.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> drop = ut.data.WordDropout(1.0, replacement="?")
    >>> drop(tf.constant([["two", "words"], ["one", ""]]), training=True).numpy().tolist()
    [[b'?', b'?'], [b'?', b'']]

    Source:
        Iyyer et al. 2015, Deep unordered composition rivals syntactic methods for text classification; ours draws a
        word, not a type of word.
    """

    def __init__(self, rate: float, *, replacement: str | None = "[UNK]", outside: int | None = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, 0, 1, advice="Use rate=0 to turn it off.")
        if replacement is not None and not (isinstance(replacement, str) and replacement):
            fail("replacement", replacement, "a word, or None", "Use None to leave words out.")
        self.replacement = replacement
        self.outside = outside if outside is None else check_integer("outside", outside, 0)

    def augment_words(self, words: tf.RaggedTensor, labels: tf.RaggedTensor | None, seeds: tf.Tensor) -> tuple:
        """Drop words; a pure function."""
        draws = word_draws(words, seeds)[:, 0]
        if self.replacement is not None:
            return words.with_values(tf.where(draws < self.rate, self.replacement, words.values)), labels
        keep = words.with_values(~self._goes(words, labels, draws))
        words = tf.ragged.boolean_mask(words, keep)
        return words, None if labels is None else tf.ragged.boolean_mask(labels, keep)

    def _goes(self, words, labels, draws):
        """Return which words go, one in every row kept."""
        free = may_change(words, labels, self.outside)
        rows = words.value_rowids()
        same_row = tf.concat([rows[1:] == rows[:-1], [False]], axis=0)[: tf.size(rows)]
        next_free = tf.concat([free[1:], [True]], axis=0)[: tf.size(rows)] | ~same_row
        goes = (draws < self.rate) & free & next_free
        left = tf.math.segment_sum(tf.cast(~goes, tf.int32), rows)
        largest = tf.math.segment_max(draws, rows)
        # Where all would go, that with the largest draw stays.
        candidate = (tf.gather(left, rows) == 0) & (draws == tf.gather(largest, rows))
        return goes & ~candidate
