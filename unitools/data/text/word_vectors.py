"""Published word vectors."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from unitools.core.checks import check_integer, fail
from unitools.data.text.item_counts import FIRST_ID
from unitools.data.text.text_file_error import TextFileError
from unitools.data.text.text_lines import read_text, split_lines


class WordVectors:
    """Reads word vectors from a text file of GloVe, fastText (.vec) or word2vec.

    Why: a model that reads whole words learns far more from few texts when its embedding starts from these.

    A first line of two numbers, of words and of dimensions, is a header, and is checked against the rest. A word may
    contain spaces, as some of GloVe's do. Of a word that comes twice the first vector counts; `num_repeated` tells.

    Args:
        path: The file.
        words: Words to keep, for large files. Default None: all.
        encoding: Codec of the file. Default "utf-8".

    Attributes:
        words: Tuple of words, in the order of the file.
        vectors: float32 array `(words, dimension)`.
        num_repeated: Lines whose word had come before.

    Raises:
        TextFileError: Lines are damaged; the message names them. Or the header does not agree.
        ValueError, OSError: There is no such file or encoding.

    Example:
    >>> import pathlib
    >>> _ = pathlib.Path("tiny.txt").write_text("the 1 2\\ncat 3 4\\n")
    >>> from unitools.data import WordVectors, WordVocabulary
    >>> vectors = WordVectors("tiny.txt")
    >>> matrix, missing = vectors.matrix(WordVocabulary(["cat", "dog"]), seed=1)
    >>> matrix.shape, matrix[2].tolist(), missing
    ((4, 2), [3.0, 4.0], ('dog',))
    """

    def __init__(self, path: str | os.PathLike, *, words: Iterable[str] | None = None, encoding: str = "utf-8"):
        self.path = Path(path)
        wanted = None if words is None else frozenset(words)
        lines = split_lines(read_text(path, encoding))
        header = _header(lines[0])
        rows = list(enumerate(lines, start=1))[1 if header else 0 :]
        self._check_header(header, rows)
        self.dimension = header[1] if header else len(rows[0][1].rstrip().split(" ")) - 1
        self.num_repeated = 0
        self.words, self.vectors = self._read(rows, wanted)
        self._places = {word: place for place, word in enumerate(self.words)}

    def _check_header(self, header, rows):
        if header and header[0] != len(rows):
            reason = f"the first line says {header[0]} words, and {len(rows)} lines follow"
            raise TextFileError(self.path, [(1, reason)], "The file may be cut off. Get it again.")

    def _read(self, rows, wanted):
        """Return the words and their vectors, or raise for all damaged lines together."""
        found, findings = {}, []
        for number, line in rows:
            word, *values = line.rstrip().rsplit(" ", self.dimension)
            try:
                vector = self._vector(word, values)
            except ValueError as error:
                findings.append((number, str(error)))
                continue
            self.num_repeated += word in found
            if wanted is None or word in wanted:
                found.setdefault(word, vector)
        if findings:
            raise TextFileError(self.path, findings, "A line is a word and its numbers, parted by single spaces.")
        return tuple(found), np.array(list(found.values()), np.float32).reshape(-1, self.dimension)

    def _vector(self, word, values):
        if not word or len(values) != self.dimension or not self.dimension:
            raise ValueError(f"a word and {self.dimension} numbers are expected")
        vector = np.array(values, np.float32)
        if not np.isfinite(vector).all():
            raise ValueError("a number is infinite or NaN")
        return vector

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self._places

    def __getitem__(self, word: str) -> np.ndarray:
        """Return the vector of a word."""
        return self.vectors[self._places[word]]

    def matrix(self, vocabulary, *, seed: int, lowercase: bool = True) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the weights of an embedding, float32 `(vocabulary.size, dimension)`, and the words without a vector.

        Padding is zeros. Unknown words and words without a vector are drawn from a normal distribution with the mean
        and the deviation of the file's vectors, dimension by dimension.

        Args:
            vocabulary: A `WordVocabulary`.
            seed: Integer >= 0 that fixes what is drawn.
            lowercase: Whether a word that is not found is looked up in lower case too. Default True.
        """
        check_integer("seed", seed, 0)
        if not len(self):
            fail("words", (), f"words of {str(self.path)!r}", "None of those asked for is in the file.")
        draws = np.random.default_rng(seed).normal(size=(FIRST_ID + len(vocabulary.vocabulary), self.dimension))
        matrix = (draws * self.vectors.std(axis=0) + self.vectors.mean(axis=0)).astype(np.float32)
        matrix[0] = 0
        missing = []
        for row, word in enumerate(vocabulary.vocabulary, start=FIRST_ID):
            place = self._places.get(word, self._places.get(word.lower()) if lowercase else None)
            if place is None:
                missing.append(word)
            else:
                matrix[row] = self.vectors[place]
        return matrix, tuple(missing)

    def out_of_vocabulary_rate(self, words: Iterable[str], *, lowercase: bool = True) -> float:
        """Return the share of the words, each as often as it comes, that have no vector; 0 where there are none.

        Args:
            words: Words of texts.
            lowercase: Whether a word counts as found in lower case too. Default True.
        """
        found = [word in self or (lowercase and word.lower() in self) for word in words]
        return 1 - sum(found) / len(found) if found else 0.0


def _header(line):
    """Return the numbers of words and dimensions of a header line, or None."""
    fields = line.split()
    if len(fields) == 2 and all(field.isascii() and field.isdigit() for field in fields):
        return int(fields[0]), int(fields[1])
    return None
