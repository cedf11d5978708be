"""Sentences of tagged words in column files."""

import copy
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from unitools.core.checks import check_choice, check_index, check_integer, check_number, fail
from unitools.data.stratify import split_indices
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.column_rows import parse_rows
from unitools.data.text.settled_rows import SettledRows
from unitools.data.text.special_tokens import checked_ids
from unitools.data.text.tag_scheme import SCHEMES, entity_spans
from unitools.data.text.tag_set import check_known, checked_tags, collect_tags
from unitools.data.text.tagged_table import tagged_table
from unitools.data.text.text_batches import TextBatches
from unitools.data.text.text_lines import read_text, split_lines


class ColumnText:
    """Reads sentences whose words are tagged, from a file with one word a line.

    Why: the usual layout of data for named-entity recognition and other tagging, as a reader with a length and random
    access, whose tags are checked, and brought to the scheme that a model is trained on.

    Columns are separated by a tab or by blanks. Every row has the same number of them. A blank line ends a sentence. A
    line that begins with -DOCSTART- starts a document. Nothing is dropped in silence: `line_counts` accounts for every
    line, `repaired` and `skipped` list what was changed or left out.

    Args:
        path: The file.
        scheme: Scheme of the file's tags: "iob2", "iob1", "bioes"; "auto" (default) for the one that they break least;
            None for tags that mark no entities, such as parts of speech, which are taken as they are.
        to: Scheme to convert the tags to. Default "iob2". None keeps the file's.
        token_column: Position of the column that holds the word, negative from the end. Default 0.
        tag_column: Position of the column that holds the tag. Default -1, the last.
        tags: All tags, in the order of their numbers. Default: those of the file, each entity type with all prefixes of
            its scheme. Give the training reader's `tags` to development and test files, so that numbers agree.
        on_error: "raise" (default); "repair" to read tags that break their scheme as `entity_spans` does; "skip" to
            leave out every sentence that has something wrong with it.
        comment: What a line begins with that is to be passed over, for instance "# ". Default None, as "#" is a word.
        encoding: Name of the file's encoding. Default "utf-8"; a byte-order mark is passed over.

    Attributes:
        sentences: Tuple of (words, tags), each a tuple of strings.
        documents: int32 array, the number of each sentence's document.
        lines: int64 array, the line in which each sentence begins.
        num_documents: Number of documents, 1 where none is marked.
        num_words: Number of words.
        tags: Tuple of all tags. `tag2id` and `id2tag` are dictionaries of the same.
        scheme: The scheme of the file, as given or detected.
        line_counts: Number of lines by kind.
        repaired: List of (line, reason) where tags were repaired.
        skipped: List of (line, reason) for which a sentence was left out.

    Raises:
        TextFileError: Lines that cannot be used; `findings` lists all of them.
        UnknownTagError: A tag is not in `tags`.
        ValueError, OSError: There is no such file, or another argument is out of range.

    Example:
    >>> import pathlib
    >>> _ = pathlib.Path("train.txt").write_text("Ada I-PER\\nLovelace I-PER\\nwrote O\\n\\nParis I-LOC\\n")
    >>> from unitools.data import ColumnText
    >>> reader = ColumnText("train.txt")
    >>> len(reader), reader.scheme, reader[0]["tags"], reader.entity_counts
    (2, 'iob1', ('B-PER', 'I-PER', 'O'), {'LOC': 1, 'PER': 1})
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        scheme: str | None = "auto",
        to: str | None = "iob2",
        token_column: int = 0,
        tag_column: int = -1,
        tags: list[str] | tuple[str, ...] | None = None,
        on_error: str = "raise",
        comment: str | None = None,
        encoding: str = "utf-8",
    ):
        self.path = Path(path)
        check_choice("scheme", scheme, ("auto", *SCHEMES, None))
        self.to = None if scheme is None else check_choice("to", to, (*SCHEMES, None))
        self.token_column = check_integer("token_column", token_column)
        self.tag_column = check_integer("tag_column", tag_column)
        self.on_error = check_choice("on_error", on_error, ("raise", "repair", "skip"))
        if comment is not None and not (isinstance(comment, str) and comment):
            fail("comment", comment, "a string that is not empty, or None")
        tags = None if tags is None else checked_tags(tags)
        lines = split_lines(read_text(path, encoding))
        found, self.line_counts, self.num_documents = parse_rows(lines, token_column, tag_column, comment)
        settled = SettledRows(self.path, found, scheme, self.to, on_error)
        found, self.scheme = settled.sentences, settled.scheme
        self.repaired, self.skipped = settled.repaired, settled.skipped
        used = {tag for sentence in found for tag in sentence.tags}
        self.tags = collect_tags(used, self.to or self.scheme) if tags is None else tags
        check_known(self.path, found, self.tags)
        self.sentences = tuple((tuple(sentence.words), tuple(sentence.tags)) for sentence in found)
        self.documents = np.array([sentence.document for sentence in found], np.int32)
        self.lines = np.array([sentence.lines[0] for sentence in found], np.int64)

    def __len__(self):
        return len(self.sentences)

    def __getitem__(self, index: int) -> dict:
        """Return `{"words": tuple, "tags": tuple, "labels": int32 (words,), "document": int}`."""
        position = check_index(index, len(self))
        words, tags = self.sentences[position]
        numbers = self.tag2id
        labels = np.array([numbers[tag] for tag in tags], np.int32)
        return {"words": words, "tags": tags, "labels": labels, "document": int(self.documents[position])}

    def split(self, fraction: float, seed: int, *, by: str = "auto") -> tuple["ColumnText", "ColumnText"]:
        """Return two readers: the first without, the second with `fraction` of the sentences, drawn at random.

        Both keep the tags and their numbers; `line_counts`, `repaired` and `skipped` are those of the file.

        Args:
            fraction: Share of the second reader, in (0, 1).
            seed: Integer >= 0. The same seed gives the same split.
            by: "document" to draw whole documents, so that no document is on both sides, and `fraction` of their
                number; "sentence"; or "auto" (default) for documents where there are several.

        Raises:
            ValueError: An argument is out of range, or there is nothing to draw on.
        """
        check_number("fraction", fraction, 0, 1, open_low=True, open_high=True)
        check_integer("seed", seed, 0)
        check_choice("by", by, ("auto", "document", "sentence"))
        several = len(set(self.documents.tolist())) > 1
        by_document = by == "document" or (by == "auto" and several)
        units = np.unique(self.documents, return_inverse=True)[1] if by_document else np.arange(len(self))
        if units.max() < 1:
            only = f"{str(self.path)!r} has one {'document' if by_document else 'sentence'} only."
            fail("by", by, "such that there are two to draw on", only)
        second = split_indices(np.arange(units.max() + 1), fraction, seed)[1]
        drawn = np.isin(units, second)
        return self._part(np.flatnonzero(~drawn)), self._part(np.flatnonzero(drawn))

    def _part(self, indices):
        part = copy.copy(self)
        part.sentences, part.lines = tuple(self.sentences[index] for index in indices), self.lines[indices]
        kept, numbers = np.unique(self.documents[indices], return_inverse=True)
        part.documents, part.num_documents = numbers.astype(np.int32), len(kept)
        part.repaired, part.skipped = list(self.repaired), list(self.skipped)
        return part

    def batches(
        self,
        batch_size: int,
        *,
        encode: Callable,
        unit: str = "sentences",
        max_length: int | None = None,
        boundaries: list[int] | tuple[int, ...] | int | None = None,
        overlap: int | None = None,
        special_ids: dict | None = None,
        inputs: Iterable[str] | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        drop_remainder: bool = False,
        augment: TextAugmenter | None = None,
    ) -> TextBatches:
        """Return `({"token_ids", "padding_mask"}, labels)` batches, all `(batch, time)`, for `fit`.

        The label of a word stands at its first piece. All else has the label -1: give the loss `ignore_class=-1`.

        Args:
            batch_size: Sentences a batch, or tokens, padding included.
            encode: A `WordPieceTokenizer`, or a function of ragged strings `(n, words)` that gives ragged integers, one
                id a word `(n, words)`, or word pieces `(n, words, pieces)`; or a dictionary of "token_ids" and of
                "word_ids", the number of each token's word. It is called here, once a sentence, not while training.
            unit: What `batch_size` counts, "sentences" (default) or "tokens".
            max_length: Greatest number of tokens, special ones included. What is longer is cut; the result's
                `num_truncated` and `num_lost_words` count it. Default None: nothing is cut.
            boundaries: Lengths that batches are padded to; see `TextBatches`. Default: 8, 16, 32, ...
            overlap: Words that neighbouring windows share, where a sentence longer than `max_length`, or than the
                tokenizer's own limit, becomes windows of whole words rather than being cut; see `plan_windows`. Each
                word has its label in one window, and -1 in others. Default None: it is cut.
            special_ids: Dictionary of the ids put in where a sentence begins ("start") and ends ("end"), where there is
                padding ("pad", default 0), and for a word that has no pieces ("unknown").
            inputs: Names of what the batches hold, such as a model's `input`; see `TextBatches`.
            shuffle: Whether sentences are grouped by length and shuffled, every epoch anew. With False they keep their
                order, as `predict` requires; more is then padding. Default True.
            seed: Integer from 0 to 2^31 - 1 that fixes the order; see `Batches`.
            drop_remainder: Whether the one batch that is not full is left out. Default False.
            augment: A text augmenter that changes the words, and their labels with them, anew each epoch. `encode` must
                then be TensorFlow graph code; it is called for every batch. Default None.

        Raises:
            ValueError: An argument is out of range, or `encode` gives something else.
        """
        ids = checked_ids(special_ids)
        changes = {"max_length": max_length, "overlap": overlap, "augment": augment}
        table = tagged_table(self.sentences, self.tag2id, encode, ids, **changes)
        options = {"unit": unit, "boundaries": boundaries, "max_length": max_length, "inputs": inputs}
        order = {"shuffle": shuffle, "seed": seed, "drop_remainder": drop_remainder}
        return TextBatches(table, batch_size, pad_id=ids["pad"] or 0, **order, **options)

    @property
    def tag2id(self) -> dict:
        """Number of each tag."""
        return {tag: number for number, tag in enumerate(self.tags)}

    @property
    def id2tag(self) -> dict:
        """Tag of each number."""
        return dict(enumerate(self.tags))

    @property
    def num_tags(self) -> int:
        """Number of different tags."""
        return len(self.tags)

    @property
    def num_words(self) -> int:
        """Number of words."""
        return sum(len(words) for words, _ in self.sentences)

    @property
    def tag_counts(self) -> dict:
        """Number of words by tag."""
        counts = Counter(tag for _, tags in self.sentences for tag in tags)
        return {tag: counts[tag] for tag in self.tags}

    @property
    def entity_counts(self) -> dict:
        """Number of entities by type, in alphabetical order; empty for tags that mark no entities."""
        if self.scheme is None:
            return {}
        counts = Counter(kind for _, tags in self.sentences for _, _, kind in entity_spans(tags))
        return dict(sorted(counts.items()))
