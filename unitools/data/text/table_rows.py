"""Parsing csv, tsv and jsonl text into the cells of chosen columns."""

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass

from unitools.data.text.text_file_error import TextFileError
from unitools.data.text.text_lines import split_lines

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass
class _Row:
    """One record: the line it begins in, its chosen cells (None where missing), and why it cannot be used."""

    line: int
    cells: tuple = ()
    reason: str | None = None


def parse_table(path, text, kind, columns):
    """Return the rows of a table. Blank lines are none.

    Args:
        path: Path of the file, for messages.
        text: What the file holds.
        kind: "csv", "tsv" or "jsonl".
        columns: Names of the columns to take; or their numbers, where the file has no header line.

    Raises:
        TextFileError: The header lacks a column.
    """
    if kind == "jsonl":
        return _json_rows(text, columns)
    records = list(_csv_records(text) if kind == "csv" else _tsv_records(text))
    records = [record for record in records if record[1] != [] or record[2]]
    places = columns
    width = Counter(len(cells) for _, cells, reason in records if not reason).most_common(1)
    width = width[0][0] if width else 0
    if not isinstance(columns[0], int) and records:
        line, header, reason = records.pop(0)
        places, width = _places(path, line, header, reason, columns), len(header)
    return [_row(line, cells, reason, places, width) for line, cells, reason in records]


def _places(path, line, header, reason, columns):
    missing = [column for column in columns if header.count(column) != 1]
    if reason or missing:
        found = f"the header has no single column {missing}; its columns are {header}"
        advice = "Name the columns by `text` and `label`, or by number from 0 where the file has no header line."
        raise TextFileError(path, [(line, reason or found)], advice)
    return [header.index(column) for column in columns]


def _row(line, cells, reason, places, width):
    if reason:
        return _Row(line, reason=reason)
    if len(cells) != width or max(places) >= width:
        return _Row(line, reason=f"{len(cells)} columns, {max(width, max(places) + 1)} expected")
    return _Row(line, tuple(cells[place] for place in places))


def _csv_records(text):
    """Yield (line, cells, reason). An error in one record does not end the file."""
    limit = csv.field_size_limit(2**31 - 1)  # 131,072 by default, less than a long document
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        while True:
            line = reader.line_num + 1
            try:
                yield line, next(reader), None
            except StopIteration:
                return
            except csv.Error as error:
                yield line, [], f"the quotes do not fit: {error}"
    finally:
        csv.field_size_limit(limit)


def _tsv_records(text):
    for line, content in enumerate(split_lines(text), 1):
        yield line, content.split("\t") if content.strip(" ") else [], None


def _json_rows(text, columns):
    rows = []
    for line, content in enumerate(split_lines(text), 1):
        if not content.strip():
            continue
        try:
            record = json.loads(content)
        except ValueError as error:
            rows.append(_Row(line, reason=f"it is no JSON: {error}"))
            continue
        if not isinstance(record, dict):
            rows.append(_Row(line, reason=f"it is no JSON object: {content[:40]}"))
        elif missing := [column for column in columns if column not in record]:
            rows.append(_Row(line, reason=f"no key {missing}; it has {list(record)}"))
        else:
            rows.append(_Row(line, tuple(record[column] for column in columns)))
    return rows


def cell_fault(cells, num_texts):
    """Return why the cells of a row, texts first, cannot be used, or None."""
    for cell in cells[:num_texts]:
        if not isinstance(cell, str):
            return f"the text {cell!r} is no string"
        if not cell.strip():
            return "the text is empty"
    for cell in cells[num_texts:]:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return "the label is missing"
        if not isinstance(cell, (str, int)):
            return f"the label {cell!r} is neither a string nor an integer"
    return None
