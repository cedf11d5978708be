"""Files of word vectors in their three layouts, good and damaged."""

import numpy as np
import pytest

import unitools as ut

WORDS = ("the", "Cat", "at name", "naïve", "#")


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype("float32")


def write(path, values, header):
    lines = [" ".join([word, *map(repr, row.tolist())]) for word, row in zip(WORDS, values, strict=True)]
    path.write_text("\n".join([f"{len(WORDS)} 6"] * header + lines) + " \n", encoding="utf-8")
    return path


@pytest.mark.parametrize("header", [False, True], ids=["glove", "word2vec"])
def test_layouts(tmp_path, values, header):
    vectors = ut.data.WordVectors(write(tmp_path / "vectors.txt", values, header))
    assert vectors.words == WORDS
    np.testing.assert_array_equal(vectors.vectors, values)
    np.testing.assert_array_equal(vectors["naïve"], values[3])


def test_some_words_only(tmp_path, values):
    vectors = ut.data.WordVectors(write(tmp_path / "vectors.txt", values, True), words=["the", "#", "none"])
    assert vectors.words == ("the", "#")


def test_matrix(tmp_path, values):
    vectors = ut.data.WordVectors(write(tmp_path / "vectors.txt", values, False))
    vocabulary = ut.data.WordVocabulary(["Cat", "THE", "dog"])
    matrix, missing = vectors.matrix(vocabulary, seed=3)
    assert (matrix.shape, matrix.dtype, missing) == ((5, 6), np.float32, ("dog",))
    np.testing.assert_array_equal(matrix[[0, 2, 3]], [np.zeros(6), values[1], values[0]])
    np.testing.assert_array_equal(matrix, vectors.matrix(vocabulary, seed=3)[0])
    assert vectors.matrix(vocabulary, seed=3, lowercase=False)[1] == ("THE", "dog")


def test_drawn_rows_are_like_the_others(tmp_path, values):
    vectors = ut.data.WordVectors(write(tmp_path / "vectors.txt", values, False))
    matrix, missing = vectors.matrix(ut.data.WordVocabulary([f"x{number}" for number in range(4000)]), seed=1)
    assert len(missing) == 4000
    np.testing.assert_allclose(matrix[1:].mean(axis=0), values.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(matrix[1:].std(axis=0), values.std(axis=0), rtol=0.1)


def test_out_of_vocabulary_rate(tmp_path, values):
    vectors = ut.data.WordVectors(write(tmp_path / "vectors.txt", values, False))
    assert vectors.out_of_vocabulary_rate(["the", "The", "dog", "dog"]) == 0.5
    assert vectors.out_of_vocabulary_rate(["the", "The", "dog", "dog"], lowercase=False) == 0.75
    assert vectors.out_of_vocabulary_rate([]) == 0


def test_repeated_words_are_counted(tmp_path):
    (tmp_path / "vectors.txt").write_text("a 1 2\nb 3 4\na 5 6\n")
    vectors = ut.data.WordVectors(tmp_path / "vectors.txt")
    assert (vectors.words, vectors.num_repeated, vectors["a"].tolist()) == (("a", "b"), 1, [1, 2])


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("a 1 2\nb 3\nc 4 x\nd 5 6", [2, 3]),
        ("a 1 2\nb nan 1", [2]),
        ("3 2\na 1 2", [1]),
        ("a 1 2\n\nb 3 4", [2]),
        ("word", [1]),
        ("", [0]),
    ],
)
def test_damaged_lines_are_named(tmp_path, content, lines):
    (tmp_path / "vectors.txt").write_text(content)
    with pytest.raises(ut.data.TextFileError, match=r"vectors\.txt cannot be read") as caught:
        ut.data.WordVectors(tmp_path / "vectors.txt")
    assert [line for line, _ in caught.value.findings] == lines


def test_a_file_without_the_words_asked_for(tmp_path, values):
    vectors = ut.data.WordVectors(write(tmp_path / "vectors.txt", values, False), words=["none"])
    with pytest.raises(ValueError, match="None of those asked for"):
        vectors.matrix(ut.data.WordVocabulary(["a"]), seed=0)
