"""Texts and their labels in csv, tsv and jsonl files."""

import copy
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from unitools.core.checks import check_choice, check_flag, check_index, check_integer, check_number, fail
from unitools.data.batches import Batches
from unitools.data.stratify import split_indices
from unitools.data.text.augmented_texts import AugmentedTexts, check_augmenter
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.label_names import check_known, checked_names, collect_names, label_name
from unitools.data.text.special_tokens import add_special, checked_ids
from unitools.data.text.string_source import string_source
from unitools.data.text.table_rows import FORMATS, cell_fault, parse_table
from unitools.data.text.text_batches import TextBatches
from unitools.data.text.text_file_error import TextFileError
from unitools.data.text.text_lines import read_text
from unitools.data.text.token_table import encode_texts


class TextTable:
    """Reads texts, or pairs of texts, with one label each from a csv, tsv or jsonl file.

    Why: the usual layout of data for text classification, as a reader with a length, random access and stratified
    splits, whose errors name file and line.

    In csv files, quotes follow RFC 4180. In tsv files a quote is a character as any other. In jsonl files each line is
    an object; a label may be a string, an integer, true or false. Texts are kept as they are; white space around labels
    is taken off. Blank lines are passed over; nothing else is, unless `skipped` lists it.

    Args:
        path: The file.
        text: Name of the column that holds the text, or a pair of names. Default "text". Numbers from 0 say that the
            file has no header line.
        label: Name or number of the column that holds the label; None where there is none. Default "label".
        class_names: Names of the classes in the order of their numbers. Default: the labels that occur, sorted, by
            value if all are integers. Give the training reader's to development and test files.
        format: "csv", "tsv", "jsonl", or "auto" (default) for what the file's suffix says.
        on_error: "raise" (default), or "skip" to leave out rows that cannot be used; they are listed in `skipped`.
        encoding: Name of the file's encoding. Default "utf-8"; a byte-order mark is passed over.

    Attributes:
        texts: Tuple of strings, or of pairs of strings.
        labels: int32 array, the class of each text; None without labels.
        class_names: Tuple of class names; a label is a position in it.
        lines: int64 array, the line in which each row begins.
        skipped: List of (line, reason) that were left out.

    Raises:
        TextFileError: Rows that cannot be used; `findings` lists all of them.
        UnknownClassError: A label is not in `class_names`.
        ValueError, OSError: There is no such file, or another argument is out of range.

    Example:
    >>> import pathlib
    >>> _ = pathlib.Path("train.csv").write_text('text,label\\n"Hi, there",greet\\nWhere is it?,ask\\n')
    >>> from unitools.data import TextTable
    >>> table = TextTable("train.csv")
    >>> len(table), table.class_names, table[0]
    (2, ('ask', 'greet'), {'text': 'Hi, there', 'labels': 1})
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        text: str | int | tuple = "text",
        label: str | int | None = "label",
        class_names: list[str] | tuple[str, ...] | None = None,
        format: str = "auto",
        on_error: str = "raise",
        encoding: str = "utf-8",
    ):
        self.path = Path(path)
        self.text, self.label = tuple(text) if isinstance(text, (list, tuple)) else text, label
        self.on_error = check_choice("on_error", on_error, ("raise", "skip"))
        check_choice("format", format, ("auto", "csv", "tsv", "jsonl"))
        columns = self._columns()
        kind = FORMATS.get(self.path.suffix.lower()) if format == "auto" else format
        if kind is None:
            fail("format", format, "'csv', 'tsv' or 'jsonl'", f"The suffix of {self.path.name!r} does not tell.")
        if kind == "jsonl" and isinstance(columns[0], int):
            fail("text", text, "the name of a key", "jsonl has no numbered columns.")
        names = None if class_names is None else checked_names(class_names)
        rows = self._usable(parse_table(path, read_text(path, encoding), kind, columns))
        self._keep(rows, names)

    def _columns(self):
        texts = self.text if self.is_pair else (self.text,)
        if self.is_pair and len(texts) != 2:
            fail("text", self.text, "a column, or a pair of columns")
        columns = [*texts, *([] if self.label is None else [self.label])]
        numbers = all(isinstance(column, int) and not isinstance(column, bool) and column >= 0 for column in columns)
        if not numbers and not all(isinstance(column, str) for column in columns):
            fail("text", self.text, f"of the same kind as label={self.label!r}, names or numbers >= 0")
        return columns

    @property
    def is_pair(self) -> bool:
        """Whether each example has two texts."""
        return isinstance(self.text, tuple)

    def _usable(self, rows):
        for row in rows:
            row.reason = row.reason or cell_fault(row.cells, 2 if self.is_pair else 1)
        findings = [(row.line, row.reason) for row in rows if row.reason]
        rows = [row for row in rows if not row.reason]
        if findings and self.on_error == "raise":
            raise TextFileError(self.path, findings, 'Mend them, or leave them out with on_error="skip".')
        if not rows:
            raise TextFileError(self.path, findings or [(0, "the file holds no rows")])
        self.skipped = findings
        return rows

    def _keep(self, rows, names):
        self.lines = np.array([row.line for row in rows], np.int64)
        self.texts = tuple(row.cells[:2] if self.is_pair else row.cells[0] for row in rows)
        self.labels, self.class_names = None, names or ()
        if self.label is None:
            return
        labels = [label_name(row.cells[-1]) for row in rows]
        self.class_names = collect_names(labels) if names is None else names
        check_known(self.path, self.lines, labels, self.class_names)
        numbers = {name: number for number, name in enumerate(self.class_names)}
        self.labels = np.array([numbers[label] for label in labels], np.int32)

    def __len__(self):
        return len(self.texts)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def class_counts(self) -> dict:
        """Number of texts by class name; empty without labels."""
        if self.labels is None:
            return {}
        counts = np.bincount(self.labels, minlength=self.num_classes)
        return dict(zip(self.class_names, counts.tolist(), strict=True))

    def __getitem__(self, index: int) -> dict:
        """Return `{"text": string or pair, "labels": int}`, the latter if there are labels."""
        position = check_index(index, len(self))
        label = {} if self.labels is None else {"labels": int(self.labels[position])}
        return {"text": self.texts[position]} | label

    def split(self, fraction: float, seed: int, *, stratify: bool = True) -> tuple["TextTable", "TextTable"]:
        """Return two readers: the first without, the second with `fraction` of the texts, drawn at random.

        Args:
            fraction: Share of the second reader, in (0, 1).
            seed: Integer >= 0. The same seed gives the same split.
            stratify: Whether the share is taken of each class, at least one text a class on either side. Default True;
                without labels it has no effect.

        Raises:
            ValueError: `fraction` is out of range, or a class has too few texts.
        """
        check_number("fraction", fraction, 0, 1, open_low=True, open_high=True)
        check_integer("seed", seed, 0)
        by_class = check_flag("stratify", stratify) and self.labels is not None
        names = self.class_names if by_class else None
        parts = split_indices(self.labels if by_class else self.texts, fraction, seed, names)
        return tuple(self._part(indices) for indices in parts)

    def _part(self, indices):
        part = copy.copy(self)
        part.texts, part.lines = tuple(self.texts[index] for index in indices), self.lines[indices]
        part.labels = None if self.labels is None else self.labels[indices]
        part.skipped = list(self.skipped)
        return part

    def batches(
        self,
        batch_size: int,
        *,
        encode: Callable | None = None,
        class_mode: str | None = "sparse",
        unit: str = "sentences",
        max_length: int | None = None,
        boundaries: list[int] | tuple[int, ...] | int | None = None,
        special_ids: dict | None = None,
        inputs: Iterable[str] | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        drop_remainder: bool = False,
        augment: TextAugmenter | None = None,
    ) -> Batches:
        """Return `(inputs, labels)` batches for `fit`; inputs alone without labels.

        Inputs are `{"token_ids", "padding_mask"}`, both `(batch, time)`, or the strings where there is no `encode`.

        Args:
            batch_size: Texts a batch, or tokens, padding included.
            encode: A `WordPieceTokenizer`, or a function of strings `(n,)`, a tuple of two for pairs, that gives ragged
                integers `(n, tokens)`, or a dictionary of them, "token_ids" and if need be "segment_ids". It is called
                here, once for each text, not while training.
                Default None: batches of strings `(batch,)`, for models that have their tokenizer inside.
            class_mode: "sparse" (default) for int32 `(batch,)`, "categorical" for one-hot float32, None for no labels.
            unit: What `batch_size` counts, "sentences" (default, one text each) or "tokens".
            max_length: Greatest number of tokens, special ones included. What is longer is cut; the result's
                `num_truncated` counts it. Default None: nothing is cut.
            boundaries: Lengths that batches are padded to; see `TextBatches`. Default: 8, 16, 32, ...
            special_ids: Dictionary of the ids put in where a text begins ("start") and ends ("end"), and where there is
                padding ("pad", default 0).
            inputs: Names of what the batches hold, such as a model's `input`; see `TextBatches`.
            shuffle: Whether texts are grouped by length and shuffled, every epoch anew. With False they keep their
                order, as `predict` requires; more is then padding. Default True.
            seed: Integer from 0 to 2^31 - 1 that fixes the order; see `Batches`.
            drop_remainder: Whether the one batch that is not full is left out. Default False.
            augment: A text augmenter that changes the words of each text, parted at white space, anew each epoch.
                `encode` must then be TensorFlow graph code; it is called for every batch. Default None.

        Raises:
            ValueError: An argument is out of range, `encode` gives something else, or there is one class only.
        """
        labels, classes = self._batch_labels(check_choice("class_mode", class_mode, ("sparse", "categorical", None)))
        order = {"shuffle": shuffle, "seed": seed, "drop_remainder": drop_remainder}
        ids = checked_ids(special_ids)
        if augment is not None:
            check_augmenter(augment)
        if encode is None:
            check_choice("unit", unit, ("sentences",), "Give `encode`, so that tokens can be counted.")
            check_choice("inputs", inputs, (None,), "Give `encode`: without it, batches hold strings.")
            return Batches(string_source(self.texts, labels, classes, augment), batch_size, **order)
        columns = list(zip(*self.texts, strict=True)) if self.is_pair else [self.texts]
        table = encode_texts(encode, columns)
        table.labels, table.num_classes = labels, classes
        add_special(table, ids, max_length)
        if augment is not None:
            table.rows = AugmentedTexts(augment, encode, columns, ids, max_length)
        options = {"unit": unit, "boundaries": boundaries, "max_length": max_length, "inputs": inputs}
        return TextBatches(table, batch_size, pad_id=ids["pad"] or 0, **order, **options)

    def _batch_labels(self, class_mode):
        """Return (labels or None, number of classes for one-hot labels or None)."""
        if self.labels is None or class_mode is None:
            return None, None
        if self.num_classes < 2:
            expected = f"None where {str(self.path)!r} has one class only ({self.class_names[0]!r})"
            fail("class_mode", class_mode, expected, "A classifier needs texts of at least two classes.")
        return self.labels, self.num_classes if class_mode == "categorical" else None
