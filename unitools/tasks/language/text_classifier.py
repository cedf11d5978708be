"""Text classification, from a base model and labelled texts to classes of raw text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from unitools.backbones import TextBackbone
from unitools.core.checks import check_choice, fail
from unitools.data import TextTable
from unitools.export import VerificationReport
from unitools.heads import Classifier
from unitools.metrics import ScoreTable, TokenReport
from unitools.tasks.language.checked_texts import checked_texts
from unitools.tasks.language.classification import Classification
from unitools.tasks.language.text_scorer import TextScorer
from unitools.tasks.language.text_task import TextTask
from unitools.tasks.language.tokenizer_of import tokenizer_of

_NAMES = ("texts", "second_texts")


class TextClassifier(TextTask):
    """Sorts texts, or pairs of texts, into classes: sentiment, topic, intent, entailment.

    It puts together what the library has for the case: a text backbone, a `Classifier` on it, batches by length, and an
    export that takes raw strings. `model` is a plain Keras model, yours to train, change or take further.

    Args:
        backbone: A `TextBackbone`, such as `ut.backbones.bert(folder)` or `ut.backbones.lstm(...)`. For pairs one with
            `segments=True`. Its weights are used as they are, and trained on.
        labels: Names of the classes in the order of their numbers, as `TextTable(...).class_names`.
        tokenizer: A `WordPieceTokenizer` or `WordTokenizer`. Default None: the one in the folder that the backbone was
            loaded from.
        pooling: How the tokens' features become one vector: "avg" (default), "max", "attention", or "pooled" for the
            backbone's own `pooled_output`.
        hidden_units: Units of a hidden layer before the output. Default None: no such layer.
        dropout: Share of the features dropped before the output in training, in [0, 1). Default 0.1.
        group_size: Texts that go through the model together in prediction, >= 1. Default 32.

    Attributes:
        model: The classifier, from token ids to probabilities.
        tokenizer: The tokenizer.
        labels: Tuple of class names.
        layer: The `TextScorer`, from raw texts to probabilities, which holds all of these.

    Raises:
        ValueError: An argument is out of range, or the backbone has no tokenizer and none is given.

    Example:
    >>> import pathlib
    >>> import unitools as ut
    >>> _ = pathlib.Path("train.csv").write_text("text,label\\nwell done,good\\nso well,good\\nso bad,bad\\nbad,bad\\n")
    >>> train = ut.data.TextTable("train.csv")
    >>> tokenizer = ut.data.WordTokenizer.from_reader(train)
    >>> base = ut.backbones.lstm(tokenizer.vocabulary_size, units=16, dropout=0.0)
    >>> classifier = ut.tasks.TextClassifier(base, train.class_names, tokenizer=tokenizer, pooling="max")
    >>> _ = classifier.fit(train, epochs=20, batch_size=4, learning_rate=0.02, seed=1, verbose=False)
    >>> [answer.label for answer in classifier.predict(["a bad day", "done so well"])]
    ['bad', 'good']

    Source:
        Devlin et al. 2019, https://aclanthology.org/N19-1423, section 4.1; the mean in place of the first token's
        vector as in Reimers and Gurevych 2019, https://aclanthology.org/D19-1410.
    """

    best_score = "val_accuracy"
    layer_type = TextScorer

    def __init__(
        self,
        backbone: TextBackbone,
        labels: Sequence[str],
        *,
        tokenizer: keras.layers.Layer | None = None,
        pooling: str = "avg",
        hidden_units: int | None = None,
        dropout: float = 0.1,
        group_size: int = 32,
    ):
        check_choice("pooling", pooling, ("avg", "max", "attention", "pooled"))
        tokenizer = tokenizer_of(backbone) if tokenizer is None else tokenizer
        own = pooling == "pooled"
        head = Classifier(
            len(labels), hidden_units=hidden_units, dropout=dropout, pooling=None if own else pooling, name="classifier"
        )
        probabilities = head(backbone.pooled_output if own else backbone.sequence_output)
        model = keras.Model(dict(backbone.input), probabilities, name="classifier")
        scorer = TextScorer(model, tokenizer, labels, group_size=group_size, name="classes")
        super().__init__(scorer, _NAMES[: 1 + _takes_pairs(model)])

    @property
    def takes_pairs(self) -> bool:
        """Whether each example is a pair of texts: where the model takes `segment_ids`."""
        return _takes_pairs(self.model)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in the order of their numbers."""
        return self.layer.labels

    def check_reader(self, reader: TextTable) -> None:
        """Raise unless the reader has this classifier's classes."""
        if not isinstance(reader, TextTable) or reader.labels is None:
            fail("reader", type(reader).__name__, "a TextTable with labels")
        if tuple(reader.class_names) != self.labels:
            advice = "Give the training reader's to the others: TextTable(path, class_names=train.class_names)."
            fail("reader", list(reader.class_names), f"a reader with the classes {list(self.labels)}", advice)

    def predict(self, texts: Sequence) -> list[Classification]:
        """Return the class of each text.

        Args:
            texts: Raw texts, or pairs of them. What a text has beyond the tokenizer's `max_length` is cut, and counted.

        Raises:
            ValueError: `texts` is one string, or holds something else.
        """
        found = []
        for answers in self.answers(*self._columns(texts)):
            rows = zip(answers["probabilities"], answers["num_truncated"], strict=True)
            found += [Classification.of(self.labels, *row) for row in rows]
        return found

    def _columns(self, texts):
        """Return the list of texts, or the lists of first and of second texts."""
        if not self.takes_pairs:
            return [checked_texts(texts)]
        pairs = list(texts)
        if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
            fail("texts", texts, "a list of pairs of strings", "The model takes `segment_ids`, which pairs have.")
        return [checked_texts([pair[place] for pair in pairs]) for place in range(2)]

    def evaluate(self, reader: TextTable) -> ScoreTable:
        """Return precision, recall and F1 by class; their micro average is the accuracy.

        Args:
            reader: Labelled texts.

        Raises:
            ValueError: The reader has other classes, or no labels.
        """
        self.check_reader(reader)
        metric = TokenReport(self.labels, ignore_class=None)
        answers = self.predict(reader.texts)
        metric.update_state(reader.labels, np.array([answer.probabilities for answer in answers], np.float32))
        return metric.report()

    def export(self, path: str | Path, examples: Sequence | None = None, **options: Any) -> VerificationReport:
        """Write a SavedModel that takes raw strings, `texts` (and `second_texts`), and gives what `TextScorer` gives.

        It is compared with `predict` before it appears, and needs nothing but TensorFlow.

        Args:
            path: Folder to write. TensorFlow Serving wants its last part to be a number.
            examples: Texts, or pairs, to verify on. Default None: made ones, which say little.
            **options: `overwrite`, `fresh_process`, `tolerance`, as of `ut.export.saved_model`.
        """
        return self.export_texts(path, None if examples is None else self._columns(examples), **options)


def _takes_pairs(model):
    return "segment_ids" in model.input
