"""Column files, real ones and bad ones."""

import numpy as np
import pytest
from seqeval.metrics.sequence_labeling import get_entities

from unitools.data import ColumnText, TextFileError, UnknownTagError

SMALL = (
    "-DOCSTART- -X- O\n\nAda NNP I-PER\nwrote V O\n\n\nParis NNP I-LOC\n"
    "-DOCSTART- -X- O\nBerlin NNP I-LOC\nUN NNP I-ORG"
)


def _tags(reader):
    return [list(tags) for _, tags in reader.sentences]


def _findings(path, **options):
    with pytest.raises(TextFileError) as raised:
        ColumnText(path, **options)
    assert str(path) in str(raised.value)
    return raised.value.findings


@pytest.mark.parametrize(
    ("name", "sentences", "words", "entities", "documents"),
    [
        ("train.iob2.txt", 14_041, 203_621, 23_499, 1),
        ("eng.testa", 3_250, 51_362, 5_942, 216),
        ("eng.testb", 3_453, 46_435, 5_648, 231),
        ("test.iob2.txt", 3_453, 46_435, 5_648, 1),
    ],
)
def test_published_sizes_of_conll2003(shared_data, name, sentences, words, entities, documents):
    reader = ColumnText(shared_data("conll2003-en") / name)
    assert (len(reader), reader.num_words, sum(reader.entity_counts.values())) == (sentences, words, entities)
    assert reader.num_documents == documents
    assert sum(len(get_entities(tags)) for tags in _tags(reader)) == entities
    assert sum(reader.tag_counts.values()) == words


def test_original_conll2003_converts_to_the_iob2_edition(shared_data):
    folder = shared_data("conll2003-en")
    with pytest.raises(TextFileError, match="line 152428: 'B-MISC' breaks the iob1 scheme"):
        ColumnText(folder / "eng.train")
    original = ColumnText(folder / "eng.train", on_error="repair")
    edition = ColumnText(folder / "train.iob2.txt")
    assert (original.scheme, edition.scheme) == ("iob1", "iob2")
    assert original.sentences == edition.sentences and original.tags == edition.tags
    assert [line for line, _ in original.repaired] == [152428, 175436] and edition.repaired == []
    assert original.num_documents == 946 and original.documents.max() == 945
    counts = original.line_counts
    assert counts["lines"] == sum(counts.values()) - counts["lines"] == 219_554


def test_wikigold(shared_data):
    folder = shared_data("wikigold")
    whole = ColumnText(folder / "wikigold.conll.txt")
    parts = [ColumnText(folder / f"{name}.iob2.txt", tags=whole.tags) for name in ("train", "dev", "test")]
    assert whole.scheme == "iob1" and len(whole) == sum(len(part) for part in parts) == 1_696
    assert whole.num_words == sum(part.num_words for part in parts) == 39_007
    assert set(whole.sentences) == {sentence for part in parts for sentence in part.sentences}
    assert sum(whole.entity_counts.values()) == 3_558


def test_rows_sentences_and_documents(write):
    reader = ColumnText(write(SMALL))
    assert [words for words, _ in reader.sentences] == [("Ada", "wrote"), ("Paris",), ("Berlin", "UN")]
    assert reader.documents.tolist() == [0, 0, 1] and reader.num_documents == 2
    assert reader.lines.tolist() == [3, 7, 9]
    assert reader.line_counts == {"lines": 10, "rows": 5, "blank": 3, "comments": 0, "document_starts": 2}
    assert reader.tags == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert reader[-1]["words"] == ("Berlin", "UN") and reader[-1]["labels"].tolist() == [1, 3]
    assert reader[-1]["labels"].dtype == np.int32 and reader[-1]["document"] == 1
    assert reader.tag2id["B-PER"] == 5 and reader.id2tag[5] == "B-PER" and reader.num_tags == 7
    assert reader.entity_counts == {"LOC": 2, "ORG": 1, "PER": 1} and reader.tag_counts["O"] == 1
    with pytest.raises(IndexError, match="index=3"):
        reader[3]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_and_a_byte_order_mark(write, ending):
    reader = ColumnText(write(b"\xef\xbb\xbf" + SMALL.replace("\n", ending).encode()))
    assert reader.sentences == ColumnText(write(SMALL, "plain.txt")).sentences


def test_columns_are_chosen_and_schemes_converted(write):
    path = write("1 I-A x Ada\n2 B-A x Bo\n")
    for to, expected in ((None, ["I-A", "B-A"]), ("iob1", ["I-A", "B-A"]), ("bioes", ["S-A", "S-A"])):
        reader = ColumnText(path, token_column=-1, tag_column=1, to=to)
        assert reader.sentences[0] == (("Ada", "Bo"), tuple(expected))
    assert reader.tags == ("O", "B-A", "I-A", "E-A", "S-A")
    assert ColumnText(path, token_column=-1, tag_column=1, to=None).tags == ("O", "I-A", "B-A")


def test_tags_that_mark_no_entities(write):
    reader = ColumnText(write(SMALL), tag_column=1, scheme=None)
    assert reader.tags == ("NNP", "V") and reader.entity_counts == {} and reader[0]["labels"].tolist() == [0, 1]


def test_unusual_words_are_kept(write):
    words = [
        "\u00a0",
        "\u2028",
        "\u0085x",
        "\x0c",
        "\x1f\x07",
        "\x00",
        "👩\u200d👩\u200d👧",
        "שלום",
        "\u202eabc",
        "#",
        '"',
        "e\u0301",
    ]
    content = "".join(f"{word}\tO\n" for word in words) + "\n" + "New York\tB-LOC\n"
    reader = ColumnText(write(content))
    assert [list(sentence) for sentence, _ in reader.sentences] == [words, ["New York"]]


def test_long_sentences_are_whole(write):
    reader = ColumnText(write("word O\n" * 9_999 + "last B-X\n"))
    assert len(reader) == 1 and reader.num_words == 10_000 and reader[0]["tags"][-1] == "B-X"


def test_comments_are_counted(write):
    path = write("# id 1\n# O\nword O\n#\tO\n")
    assert _findings(write("# id 1\nword O\n", "other.txt"))[0][0] in (1, 2)
    reader = ColumnText(path, comment="# ")
    assert reader.line_counts["comments"] == 2 and [words for words, _ in reader.sentences] == [("word", "#")]


def test_scheme_that_is_broken_is_an_error_or_repaired_or_left_out(write):
    content = "A B-X\nB I-X\nC I-Y\n\nD O\nE I-X\n\nF B-X\nG I-X\n"
    path = write(content)
    assert [line for line, _ in _findings(path)] == [3, 6]
    reader = ColumnText(path, on_error="repair")
    assert _tags(reader) == [["B-X", "I-X", "B-Y"], ["O", "B-X"], ["B-X", "I-X"]]
    assert [line for line, _ in reader.repaired] == [3, 6] and reader.skipped == []
    reader = ColumnText(path, on_error="skip")
    assert [words for words, _ in reader.sentences] == [("F", "G")]
    assert [line for line, _ in reader.skipped] == [3, 6] and reader.repaired == []
    assert _findings(path, scheme="bioes")[0][0] == 2
    assert ColumnText(write("A I-X\n"), scheme="iob1").sentences[0][1] == ("B-X",)


def test_rows_that_cannot_be_used_are_listed_together(write):
    path = write("A N O\nB N\nC\n\tN\tO\n\nD N person\nE N B-PER\n")
    findings = dict(_findings(path))
    assert set(findings) == {2, 3, 4, 6}
    assert "2 columns, where most lines have 3" in findings[2] and "too few" in findings[3]
    assert "word is empty" in findings[4] and "'person' is no entity tag" in findings[6]
    assert set(dict(_findings(path, on_error="repair"))) == {2, 3, 4, 6}
    skipping = write("A N O\nB N\n\nE N B-PER\n", "skip.txt")
    assert ColumnText(skipping, on_error="skip").skipped[0][0] == 2


def test_file_of_words_only(write):
    assert "too few" in _findings(write("Ada\nwrote\n"))[0][1]


@pytest.mark.parametrize("content", [b"", b"\n\n \n", b"-DOCSTART- O\n\n", b"\xef\xbb\xbf"])
def test_empty_files(write, content):
    assert _findings(write(content))[0][0] == 0


def test_wrong_encoding_is_named_with_its_line(write):
    path = write("Zoe O\nZo\u00eb B-PER\n".encode("latin-1"))
    assert _findings(path) == [(2, "the bytes eb are not utf-8")]
    assert ColumnText(path, encoding="latin-1").sentences[0][0] == ("Zoe", "Zo\u00eb")
    assert ColumnText(write("Zo\u00eb O\n".encode("utf-16")), encoding="utf-16")[0]["words"] == ("Zo\u00eb",)
    with pytest.raises(ValueError, match="encoding='utf-99'"):
        ColumnText(path, encoding="utf-99")


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        ColumnText(tmp_path / "gone.txt")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        ColumnText(tmp_path)


def test_tag_set_is_shared_and_what_it_lacks_is_named(write):
    train = ColumnText(write(SMALL))
    test = ColumnText(write("A B-ORG\n\nB B-LOC\n", "test.txt"), tags=train.tags)
    assert test.tags == train.tags and test[0]["labels"].tolist() == [3]
    with pytest.raises(UnknownTagError, match=r"lacks 'B-MISC' \(first in line 3\).*convert"):
        ColumnText(write("A B-ORG\n\nB B-MISC\n", "other.txt"), tags=train.tags)


@pytest.mark.parametrize(
    "options",
    [
        {"scheme": "bilou"},
        {"to": "auto"},
        {"token_column": 1.5},
        {"tag_column": None},
        {"tags": "O"},
        {"tags": ["O", "O"]},
        {"on_error": "ignore"},
        {"comment": ""},
    ],
)
def test_bad_arguments_are_named(write, options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be"):
        ColumnText(write(SMALL), **options)
