"""Raw texts to entities, as one layer."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_integer, fail
from unitools.core.component import Component, register
from unitools.core.entity_tags import check_tags
from unitools.data import WordSplitter
from unitools.tasks.language.by_length import run_by_length
from unitools.tasks.language.document_windows import document_windows
from unitools.tasks.language.tag_choice import tag_choice
from unitools.tasks.language.text_inputs import checked_text_model, model_inputs
from unitools.tasks.language.text_spans import NAMES, text_spans
from unitools.tasks.language.word_pieces import WordPieces

_DTYPES = {"types": "string", "texts": "string", "starts": "int32", "ends": "int32", "confidences": "float32"}


@register
class EntityExtractor(Component, keras.layers.Layer):
    """Finds the entities of raw texts with a tagger of word pieces, in the graph.

    Why: what is served must do exactly what was trained. Splitting into words, the tokenizer, windows over long texts,
    the tagger and the reading of its tags are one layer of core TensorFlow operations, so an export takes strings and
    gives spans of characters. `ut.tasks.NamedEntityRecognizer` makes it; use it by itself to build a pipeline of your
    own.

    Texts of similar length go through the model together, whatever order they come in.

    Args:
        model: A tagger: a functional model whose inputs are a dict with `token_ids` and `padding_mask`, and whose
            output is the logits of a `TokenTagger`, or the output of a `CRF`. A model with the input `first_pieces`
            gets True where a word begins.
        tokenizer: A `WordPieceTokenizer` or `WordTokenizer`.
        tags: Entity tags in the order of their numbers.
        splitter: What parts texts into words. Default None: a `WordSplitter`.
        overlap: Words that windows over a long text share, >= 0. Default 16.
        group_size: Windows that go through the model together, >= 1. Default 32.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Texts.

    Input shape:
        `(batch,)` strings.

    Output shape:
        A dict of tensors `(batch, entities)`, padded to the most that a text has: "types" and "texts", strings;
        "starts" and "ends", int32, in characters, the end not included; "confidences", float32, the mean probability of
        the tags of an entity's words. The padding is "", -1 and 0.

    Raises:
        ValueError: A tag is no entity tag, the model has other inputs, or another argument is out of range.

    Example:
    >>> import unitools as ut
    >>> tags = ("O", "B-PER", "I-PER")
    >>> tokenizer = ut.data.WordTokenizer(ut.data.WordVocabulary(["Ada", "wrote"]))
    >>> base = ut.backbones.lstm(vocabulary_size=4, units=8)
    >>> model = keras.Model(base.input, ut.heads.TokenTagger(3)(base.sequence_output))
    >>> found = ut.tasks.EntityExtractor(model, tokenizer, tags)(tf.constant(["Ada wrote.", ""]))
    >>> sorted(found), found["types"].shape[0]
    (['confidences', 'ends', 'starts', 'texts', 'types'], 2)
    """

    def __init__(
        self,
        model: keras.Model,
        tokenizer: keras.layers.Layer,
        tags: Sequence[str],
        *,
        splitter: keras.layers.Layer | None = None,
        overlap: int = 16,
        group_size: int = 32,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.model = checked_text_model(model)
        self.tokenizer = tokenizer
        self.tags = check_tags("tags", tags)
        self.splitter = splitter
        self.overlap = check_integer("overlap", overlap, 0)
        self.group_size = check_integer("group_size", group_size, 1)
        self._splitter = WordSplitter(name="splitter") if splitter is None else splitter
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True

    def build(self, input_shape: Any) -> None:
        """Make nothing: the model and the tokenizer have all they need."""

    def call(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Return the entities."""
        texts = tf.convert_to_tensor(inputs, tf.string)
        if texts.shape.rank != 1:
            fail("inputs", tuple(texts.shape), "of shape (batch,)", "Give one string a text.")
        parts = self._splitter.split(texts)
        tags, confidences = self.tag_words(parts["words"])
        return text_spans(texts, parts["offsets"], tags, confidences, self.tags)

    def tag_words(self, words: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Return the number of each word's tag and its probability, ragged `(batch, words)` both.

        A word without a piece, of control characters only, is outside.

        Args:
            words: Ragged strings `(batch, words)`.
        """
        pieces = WordPieces(self.tokenizer, words)
        windows = document_windows(
            pieces.before, tf.cast(words.row_splits, tf.int32), self.tokenizer.room, self.overlap
        )

        def tag(rows):
            packed = pieces.packed(*(tf.gather(each, rows) for each in windows))
            tags, confidences = tag_choice(self.model(model_inputs(packed, self.model), training=False))
            chosen = packed["answers"]
            return packed["words"], *(tf.boolean_mask(each, chosen) for each in (tags, confidences))

        lengths = tf.gather(pieces.before, windows.last) - tf.gather(pieces.before, windows.first)
        outputs = [tf.TensorSpec([None], dtype) for dtype in (tf.int32, tf.int32, tf.float32)]
        numbers, tags, confidences = run_by_length(tag, lengths, self.group_size, outputs)
        outside = self.tags.index("O") if "O" in self.tags else 0
        size = tf.size(words.values)
        tags = tf.tensor_scatter_nd_update(tf.fill([size], outside), numbers[:, None], tags)
        confidences = tf.tensor_scatter_nd_update(tf.ones([size]), numbers[:, None], confidences)
        return words.with_values(tags), words.with_values(confidences)

    def compute_output_spec(self, inputs: Any) -> dict[str, Any]:
        """Return shapes and dtypes of the outputs."""
        return {name: keras.KerasTensor((inputs.shape[0], None), dtype=_DTYPES[name]) for name in NAMES}
