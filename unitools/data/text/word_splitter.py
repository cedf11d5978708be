"""Texts to words as annotated corpora have them."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_flag, fail
from unitools.core.component import Component, register
from unitools.data.text.word_splitter_kinds import character_kinds
from unitools.data.text.word_splitter_parts import find_words, read_characters
from unitools.data.text.word_splitter_periods import period_table

ABBREVIATIONS = (
    *("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "Rev.", "Gen.", "Col.", "Lt.", "Sgt.", "Capt.", "Gov.", "Sen.", "Rep."),
    *("Corp.", "Inc.", "Ltd.", "Co.", "Bros.", "St.", "Jr.", "Sr.", "No.", "vs.", "etc.", "Calif.", "Fla."),
    *("Jan.", "Feb.", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."),
)


@register
class WordSplitter(Component, keras.layers.Layer):
    """Parts raw texts into words with their offsets, in the graph, the way annotated corpora are parted.

    Why: a tagger learns from words as CoNLL-2003 or the Penn Treebank part them, and is then given raw text. It runs on
    core TensorFlow operations only, all texts of a batch at once, so a model exported with it takes raw strings and
    loads where nothing but TensorFlow is installed.

    The rules: white space parts words. Brackets, double quotes, em dashes, ellipses and full-width punctuation are
    words wherever they stand; so are two or more hyphens, periods or single quotes in a row, as one word. Single quotes
    and , ; : ! ? are words at either end of a word, and , ; : ! ? before a letter. A last period is a word, but for
    abbreviations: those of `abbreviations`, a single letter (J.), one or two letters at a time with periods between
    them (U.S., Ph.D.), and the number that begins a text ("1. Zürich"). A sign of currency is parted from its amount, a
    last "%" from its number. Hyphens, slashes, periods and commas in numbers stay in their word. In web and e-mail
    addresses, told by "://", "www." or "@", only what stands at their ends is parted.

    Measured: of the sentences of CoNLL-2003, joined by spaces, 99.8 % come back word for word, and 99.99 % of the
    words; of those of wikigold, which leaves $ and % at their number, 97.3 % and 99.8 %. See docs/tokenizers.md.

    No character is changed, and none left out but white space, controls, U+200B, U+FEFF and marks of writing
    direction. Invalid UTF-8 becomes U+FFFD; an invalid part counts as one character in the offsets.

    Calling the layer pads; `split` gives ragged words.

    Args:
        abbreviations: Words whose last period stays, as they are written, such as "Mr."; letters, digits and periods.
            Default: `ABBREVIATIONS` of this file: 14 titles (Mr., Gen., ...), 5 forms of
            companies (Corp., Co., ...), 7 months, and St. Jr. Sr. No. vs. etc. Calif. Fla.
        split_clitics: Whether 's 're 've 'll 'd 'm n't, with ' or ’, are words. Default True.
        split_chinese: Whether each ideograph is a word. Default True.
        **kwargs: `name`, `dtype`.

    Call arguments:
        inputs: Texts. A list of strings will do.

    Input shape:
        `(batch,)` strings.

    Output shape:
        A dictionary: `words` strings `(batch, words)`, padded with ""; `offsets` int32 `(batch, words, 2)`, start and
        end in characters (Unicode code points), padded with 0.

    Raises:
        ValueError: An argument is out of range, or the texts have another shape.

    Example:
    >>> splitter = ut.data.WordSplitter()
    >>> found = splitter.split(['"It isn\\'t," Mr. Day said (in the U.S.).'])
    >>> b" ".join(found["words"][0].numpy()).decode()
    '" It is n\\'t , " Mr. Day said ( in the U.S. ) .'
    >>> found["offsets"][0, 2:4].numpy().tolist()
    [[4, 6], [6, 9]]

    Source:
        Marcus et al. 1993, https://aclanthology.org/J93-2004, and its tokenizer script. Quotes and brackets keep their
        form, as in CoNLL-2003, and an abbreviation's period stays at the end of a sentence.
    """

    def __init__(
        self,
        *,
        abbreviations: Sequence[str] = ABBREVIATIONS,
        split_clitics: bool = True,
        split_chinese: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.abbreviations = _checked_abbreviations(abbreviations)
        self.split_clitics = check_flag("split_clitics", split_clitics)
        self.split_chinese = check_flag("split_chinese", split_chinese)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self._flat_words = tf.function(
            self._find, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False, reduce_retracing=True
        )

    def _find(self, texts):
        characters = read_characters(texts, character_kinds(self.split_chinese))
        begins, ends = find_words(characters, period_table(self.abbreviations), self.split_clitics)
        rows = tf.gather(characters.rows, begins)
        offsets = tf.stack([begins, ends], axis=1) - tf.gather(characters.begins, rows)[:, None]
        spelled = tf.RaggedTensor.from_row_lengths(_inside(characters, begins, ends), ends - begins, validate=False)
        lengths = tf.math.bincount(rows, minlength=tf.size(texts), dtype=tf.int64)
        return tf.strings.unicode_encode(spelled, "UTF-8"), offsets, lengths

    def split(self, texts: Any) -> dict[str, tf.RaggedTensor]:
        """Return ragged `words` `(batch, words)` and `offsets` `(batch, words, 2)` of texts."""
        if not isinstance(texts, tf.RaggedTensor):
            texts = tf.convert_to_tensor(texts, tf.string)
        if texts.shape.rank != 1:
            fail("inputs", texts.shape, "of shape (batch,)", "Give texts, one string each.")
        words, offsets, lengths = self._flat_words(texts)
        parts = {"words": words, "offsets": offsets}
        return {name: tf.RaggedTensor.from_row_lengths(part, lengths, validate=False) for name, part in parts.items()}

    def call(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Return the words, padded."""
        return {name: part.to_tensor() for name, part in self.split(inputs).items()}


def _inside(characters, begins, ends):
    """Return the code points of all words, one after the other."""
    changes = tf.tensor_scatter_nd_add(tf.zeros_like(characters.points), begins[:, None], tf.ones_like(begins))
    changes = tf.tensor_scatter_nd_sub(changes, ends[:, None], tf.ones_like(ends))
    return tf.boolean_mask(characters.points, tf.cumsum(changes) > 0)


def _checked_abbreviations(abbreviations):
    good = isinstance(abbreviations, Sequence) and not isinstance(abbreviations, str)
    if not good or not all(isinstance(item, str) and _is_abbreviation(item) for item in abbreviations):
        fail("abbreviations", abbreviations, 'a list of words of letters and periods that end in one, such as "Mr."')
    return tuple(abbreviations)


def _is_abbreviation(item):
    return item[-1:] == "." and item[-2:-1].isalnum() and item.replace(".", "").isalnum()
