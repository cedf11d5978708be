"""Tables of texts, real ones and bad ones."""

import csv
import json

import numpy as np
import pandas
import pytest

from unitools.data import TextFileError, TextTable, UnknownClassError


def _findings(path, **options):
    with pytest.raises(TextFileError) as raised:
        TextTable(path, **options)
    assert str(path) in str(raised.value)
    return raised.value.findings


def _names(table):
    return [table.class_names[label] for label in table.labels]


@pytest.mark.parametrize(
    ("file", "columns", "size", "classes"),
    [
        ("banking77/train.csv", ("text", "category"), 10_003, 77),
        ("banking77/test.csv", ("text", "category"), 3_080, 77),
        ("sst2/train.csv", ("text", "label"), 6_920, 2),
        ("sst2/test.csv", ("text", "label"), 1_821, 2),
        ("bitext_customer_support/train.csv", ("utterance", "intent"), 6_480, 27),
    ],
)
def test_real_tables_are_read_as_pandas_reads_them(shared_data, file, columns, size, classes):
    folder, name = file.split("/")
    path = shared_data(folder) / name
    table = TextTable(path, text=columns[0], label=columns[1])
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    assert (len(table), table.num_classes) == (size, classes)
    assert list(table.texts) == frame[columns[0]].tolist() and _names(table) == frame[columns[1]].tolist()
    assert table.class_counts == frame[columns[1]].value_counts().sort_index().to_dict()


def test_a_tsv_without_header_equals_its_csv(shared_data):
    plain = TextTable(shared_data("sst2") / "dev.tsv", text=0, label=1)
    table = TextTable(shared_data("sst2") / "dev.csv")
    assert plain.texts == table.texts and plain.labels.tolist() == table.labels.tolist() and len(plain) == 872


def test_lines_are_those_of_the_file(write):
    table = TextTable(write('text,label\n"two\nlines",a\n\nplain,b\n"a ""word""",a\n', "t.csv"))
    assert table.texts == ("two\nlines", "plain", 'a "word"') and table.lines.tolist() == [2, 5, 6]
    assert table.labels.tolist() == [0, 1, 0] and table.labels.dtype == np.int32
    assert table[-1] == {"text": 'a "word"', "labels": 0}
    with pytest.raises(IndexError, match="index=3"):
        table[3]


def test_texts_survive_writing_by_the_csv_module(tmp_path):
    random = np.random.default_rng(0)
    letters = np.array(["a", '"', ",", "\n", "\r\n", "\t", "\u2028", "\x0c", "é", "👩", "ש", " "])
    texts = ["x" + "".join(random.choice(letters, 12)) for _ in range(300)]
    with open(tmp_path / "t.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *((text, "a") for text in texts)])
    assert list(TextTable(tmp_path / "t.csv").texts) == texts
    records = [json.dumps({"text": text, "label": 3}, ensure_ascii=False) for text in texts]
    (tmp_path / "t.jsonl").write_text("\n".join(records), encoding="utf-8", newline="")
    table = TextTable(tmp_path / "t.jsonl")
    assert list(table.texts) == texts and table.class_names == ("3",)


def test_pairs_and_missing_labels(write):
    path = write("premise,hypothesis,gold\nIt rains,It is wet,yes\nIt snows,It is hot,no\n", "t.csv")
    table = TextTable(path, text=("premise", "hypothesis"), label="gold")
    assert table[1] == {"text": ("It snows", "It is hot"), "labels": 0} and table.is_pair
    table = TextTable(path, text="premise", label=None)
    assert table.labels is None and table[0] == {"text": "It rains"} and table.class_counts == {}
    assert [len(part) for part in table.split(0.5, 1)] == [1, 1]


def test_quotes_in_a_tsv_are_characters(write):
    assert TextTable(write('text\tlabel\n"so\ta\n5" long\tb\n', "t.tsv")).texts == ('"so', '5" long')


def test_class_names_are_numbers_in_order_and_shared(write):
    train = TextTable(write("text,label\na,10\nb,9\nc, 10 \n", "t.csv"))
    assert train.class_names == ("9", "10") and train.labels.tolist() == [1, 0, 1]
    assert TextTable(write("text,label\na,10\n", "u.csv"), class_names=train.class_names).labels.tolist() == [1]
    with pytest.raises(UnknownClassError, match=r"lacks '11' \(first in line 3\)"):
        TextTable(write("text,label\na,10\nb,11\n", "v.csv"), class_names=train.class_names)
    table = TextTable(write('{"text": "a", "label": true}\n{"text": "b", "label": false}\n', "t.jsonl"))
    assert table.class_names == ("false", "true")


def test_split_is_stratified_and_repeatable(shared_data):
    table = TextTable(shared_data("banking77") / "train.csv", label="category")
    first, second = table.split(0.1, 7)
    assert len(first) + len(second) == len(table) and not set(first.lines) & set(second.lines)
    for name, count in table.class_counts.items():
        assert second.class_counts[name] == max(round(0.1 * count), 1)
    assert table.split(0.1, 7)[1].texts == second.texts != table.split(0.1, 8)[1].texts
    by_line = dict(zip(table.lines.tolist(), zip(table.texts, table.labels.tolist(), strict=True), strict=True))
    assert [by_line[line] for line in second.lines] == list(zip(second.texts, second.labels.tolist(), strict=True))
    with pytest.raises(ValueError, match="fraction=1"):
        table.split(1, 1)


def test_bad_rows_are_listed_together_or_left_out(write):
    content = 'text,label\ngood,a\n"ragged"quote,a\nshort\nlong,a,b\n,a\nno label,\ngood too,b\n'
    path = write(content, "t.csv")
    findings = dict(_findings(path))
    assert list(findings) == [3, 4, 5, 6, 7]
    assert "quotes" in findings[3] and "1 columns, 2 expected" in findings[4] and "3 columns" in findings[5]
    assert findings[6] == "the text is empty" and findings[7] == "the label is missing"
    table = TextTable(path, on_error="skip")
    assert table.texts == ("good", "good too") and dict(table.skipped) == findings


def test_quote_that_is_never_closed(write):
    path = write('text,label\ngood,a\n"never closed,a\n' + "more,b\n" * 30_000, "t.csv")
    ((line, reason),) = _findings(path)
    assert line == 3 and "quotes do not fit" in reason


def test_bad_json(write):
    lines = ['{"text": "a", "label": 1}', "{", "[1]", '{"text": "b"}', '{"text": 5, "label": 1}']
    lines += ['{"text": "c", "label": null}', '{"text": "d", "label": 0.5}']
    findings = dict(_findings(write("\n".join(lines), "t.jsonl")))
    assert list(findings) == [2, 3, 4, 5, 6, 7]
    assert "no key ['label']" in findings[4] and "no string" in findings[5] and "missing" in findings[6]


def test_missing_columns_and_empty_files(write):
    path = write("text,category\na,b\n", "t.csv")
    ((line, reason),) = _findings(path)
    assert line == 1 and "['label']" in reason and "category" in reason
    assert "no single column ['text']" in _findings(write("text,text,label\na,b,c\n", "t.csv"))[0][1]
    assert "2 columns, 4 expected" in _findings(write("a,b\n", "t.csv"), text=0, label=3)[0][1]
    assert _findings(write("", "t.csv")) == [(0, "the file is empty")]
    assert _findings(write("text,label\n", "t.csv")) == [(0, "the file holds no rows")]


def test_encodings(write):
    path = write("text,label\nZoe,a\nZo\u00eb,b\n".encode("latin-1"), "t.csv")
    assert _findings(path) == [(3, "the bytes eb are not utf-8")]
    assert TextTable(path, encoding="latin-1").texts[1] == "Zo\u00eb"
    assert TextTable(write(b"\xef\xbb\xbftext,label\na,b\n", "t.csv")).texts == ("a",)


@pytest.mark.parametrize(
    "options",
    [
        {"text": ("text", "label", "text")},
        {"text": 0},
        {"text": -1, "label": 1},
        {"class_names": "ab"},
        {"class_names": ["a", "a"]},
        {"format": "xml"},
        {"on_error": "repair"},
    ],
)
def test_bad_arguments_are_named(write, options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be"):
        TextTable(write("text,label\na,b\n", "t.csv"), **options)


def test_unknown_suffix(write):
    path = write("text,label\na,b\n", "t.txt")
    with pytest.raises(ValueError, match="suffix of 't.txt' does not tell"):
        TextTable(path)
    assert len(TextTable(path, format="csv")) == 1
