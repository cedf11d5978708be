"""Named-entity recognition, from a base model and tagged sentences to spans in raw text."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from unitools.backbones import TextBackbone
from unitools.core.checks import check_choice, check_flag, check_number, fail
from unitools.core.entity_tags import check_tags
from unitools.data import ColumnText, TextBatches
from unitools.export import VerificationReport
from unitools.losses import CRFLoss, TokenCrossEntropy
from unitools.metrics import EntityScores, ScoreTable, TokenReport
from unitools.tasks.language.checked_texts import checked_texts
from unitools.tasks.language.entity import Entity
from unitools.tasks.language.entity_extractor import EntityExtractor
from unitools.tasks.language.read_entities import read_entities
from unitools.tasks.language.tagger_model import tagger_model
from unitools.tasks.language.text_task import AT_A_TIME, TextTask
from unitools.tasks.language.tokenizer_of import tokenizer_of


class NamedEntityRecognizer(TextTask):
    """Finds names of people, places and whatever else sentences were tagged with.

    It puts together what the library has for the case: a text backbone, a tagger or CRF on it, the loss and scores that
    count words and entities once, batches by length, windows over long texts, and an export that takes raw strings.
    `model` is a plain Keras model, yours to train, change or take further.

    Why: word pieces labelled as if they were words, texts cut at 128 pieces, losses diluted by padding and scores by
    piece make many taggers worse than they are, or look better.

    Args:
        backbone: A `TextBackbone`, such as `ut.backbones.bert(folder)` or `ut.backbones.lstm(...)`. Its weights are
            used as they are, and trained on.
        tags: Entity tags in the order of their numbers, as `ColumnText(...).tags`.
        tokenizer: A `WordPieceTokenizer` or `WordTokenizer`. Default None: the one in the folder that the backbone was
            loaded from.
        crf: Whether a CRF chooses the tags of a text together; steps that break the scheme are then impossible. Default
            False: each tag by itself.
        dropout: Share of the features dropped before the head in training, in [0, 1). Default 0.1.
        splitter: What parts raw texts into words. Default None: a `WordSplitter`.
        overlap: Words that windows over a long text share, >= 0. Default 16.

    Attributes:
        model: The tagger, from token ids to logits, or to a CRF's scores.
        tokenizer: The tokenizer.
        tags: Tuple of tags.
        layer: The `EntityExtractor`, from raw texts to entities, which holds all of these.

    Raises:
        ValueError: An argument is out of range, or the backbone has no tokenizer and none is given.

    Example:
    >>> import pathlib
    >>> import unitools as ut
    >>> _ = pathlib.Path("train.txt").write_text("Ada B-PER\\nwrote O\\n\\nParis B-LOC\\nsleeps O\\n")
    >>> train = ut.data.ColumnText("train.txt")
    >>> tokenizer = ut.data.WordTokenizer.from_reader(train)
    >>> base = ut.backbones.lstm(tokenizer.vocabulary_size, characters=tokenizer.num_characters, units=16, dropout=0.1)
    >>> recognizer = ut.tasks.NamedEntityRecognizer(base, train.tags, tokenizer=tokenizer, crf=True)
    >>> _ = recognizer.fit(train, epochs=30, batch_size=2, learning_rate=0.02, seed=1, verbose=False)
    >>> [(entity.text, entity.type, entity.start) for entity in recognizer.predict(["Paris wrote."])[0]]
    [('Paris', 'LOC', 0)]

    Source:
        Devlin et al. 2019, https://aclanthology.org/N19-1423, section 5.3; with a CRF Lample et al. 2016,
        https://arxiv.org/abs/1603.01360.
    """

    best_score = "val_entity_f1"
    layer_type = EntityExtractor

    def __init__(
        self,
        backbone: TextBackbone,
        tags: Sequence[str],
        *,
        tokenizer: keras.layers.Layer | None = None,
        crf: bool = False,
        dropout: float = 0.1,
        splitter: keras.layers.Layer | None = None,
        overlap: int = 16,
    ):
        tags = check_tags("tags", tags)
        check_number("dropout", dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        tokenizer = tokenizer_of(backbone) if tokenizer is None else tokenizer
        model = tagger_model(backbone, tags, check_flag("crf", crf), dropout)
        super().__init__(EntityExtractor(model, tokenizer, tags, splitter=splitter, overlap=overlap, name="entities"))

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in the order of their numbers."""
        return self.layer.tags

    def check_reader(self, reader: ColumnText) -> None:
        """Raise unless the reader has this recognizer's tags."""
        if not isinstance(reader, ColumnText):
            fail("reader", type(reader).__name__, "a ColumnText")
        if tuple(reader.tags) != self.tags:
            advice = "Give the training reader's to the others: ColumnText(path, tags=train.tags)."
            fail("reader", list(reader.tags), f"a reader with the tags {list(self.tags)}", advice)

    def training_settings(self) -> dict[str, Any]:
        """Return loss and scores for `ut.training.compile`."""
        is_crf = len(self.model.output.shape) == 4
        return {"loss": CRFLoss() if is_crf else TokenCrossEntropy(), "metrics": [EntityScores(self.tags)]}

    def batches(self, reader: ColumnText, batch_size: int = 16, **options: Any) -> TextBatches:
        """Return the batches of a reader as `model` takes them, for a training of your own.

        Args:
            reader: Tagged sentences, with the `tags` of this recognizer.
            batch_size: Sentences a batch.
            **options: Those of `ColumnText.batches`. By default long sentences become windows that overlap.
        """
        windows = {} if self.tokenizer.max_length is None else {"overlap": self.layer.overlap}
        return super().batches(reader, batch_size, **(windows | options))

    def predict(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Return the entities of each text, in their order.

        Args:
            texts: Raw texts of any length; nothing is cut.

        Raises:
            ValueError: `texts` is one string, or holds something else than strings.
        """
        return [entities for part in self.answers(checked_texts(texts)) for entities in read_entities(part)]

    @cached_property
    def _tag_words(self):
        signature = [tf.RaggedTensorSpec([None, None], tf.string, 1)]
        return tf.function(self.layer.tag_words, input_signature=signature, autograph=False)

    def predict_tags(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the tag of each word, for sentences that are already split into words.

        Args:
            sentences: Words of each sentence.
        """
        rows = []
        for start in range(0, len(sentences), AT_A_TIME):
            words = tf.ragged.constant([list(row) for row in sentences[start : start + AT_A_TIME]], tf.string, 1)
            tags, _ = self._tag_words(words)
            rows += [[self.tags[number] for number in row] for row in tags.to_list()]
        return rows

    def evaluate(self, reader: ColumnText, *, level: str = "entities", mode: str = "default") -> ScoreTable:
        """Return precision, recall and F1 on tagged sentences, every word counted once.

        Args:
            reader: Tagged sentences.
            level: "entities" (default): of whole entities, by type. "tokens": of words, by tag.
            mode: How entities are read from tags: "default" as CoNLL does, or "strict"; see `EntityScores`.

        Raises:
            ValueError: The reader has other tags.
        """
        check_choice("level", level, ("entities", "tokens"))
        self.check_reader(reader)
        metric = EntityScores(self.tags, mode=mode) if level == "entities" else TokenReport(self.tags)
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        for start in range(0, len(reader), AT_A_TIME):
            words, tags = zip(*reader.sentences[start : start + AT_A_TIME], strict=True)
            labels = tf.ragged.constant([[numbers[tag] for tag in row] for row in tags], tf.int32, 1)
            predicted, _ = self._tag_words(tf.ragged.constant(words, tf.string, 1))
            metric.update_state(labels.to_tensor(-1), predicted.to_tensor(0))
        return metric.report()

    def export(self, path: str | Path, examples: Sequence[str] | None = None, **options: Any) -> VerificationReport:
        """Write a SavedModel that takes raw strings, `texts`, and gives what `EntityExtractor` gives.

        It is compared with `predict` before it appears, and needs nothing but TensorFlow.

        Args:
            path: Folder to write. TensorFlow Serving wants its last part to be a number.
            examples: Texts to verify on. Default None: made ones, which say little.
            **options: `overwrite`, `fresh_process`, `tolerance`, as of `ut.export.saved_model`.
        """
        return self.export_texts(path, None if examples is None else [checked_texts(examples)], **options)
