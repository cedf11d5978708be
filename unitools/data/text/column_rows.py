"""Parsing the lines of a column file into sentences."""

import re
from collections import Counter
from dataclasses import dataclass, field

DOCUMENT_START = "-DOCSTART-"
_BLANKS = re.compile(" +")


@dataclass
class _Sentence:
    """The rows of one sentence: its words and tags, the line of each, and the number of its document."""

    document: int
    lines: list = field(default_factory=list)
    words: list = field(default_factory=list)
    tags: list = field(default_factory=list)
    findings: list = field(default_factory=list)


def parse_rows(lines, token_column, tag_column, comment):
    """Return (sentences, number of lines by kind, number of documents).

    A sentence ends at a blank line, and where a document starts. What is wrong with its rows is in its `findings`, as
    (line, reason).

    Args:
        lines: Lines of the file.
        token_column: Position of the word's column; negative from the end.
        tag_column: Position of the tag's column.
        comment: What a line begins with that is passed over, or None.
    """
    kinds = [_kind(line, comment) for line in lines]
    rows = [_cells(line) if kind == "rows" else None for line, kind in zip(lines, kinds, strict=True)]
    widths = Counter(len(row) for row in rows if row is not None)
    width = widths.most_common(1)[0][0] if widths else 0
    sentences, document, current = [], -1, None
    for number, (kind, row) in enumerate(zip(kinds, rows, strict=True), 1):
        if kind == "rows":
            if current is None:
                document = max(document, 0)
                current = _Sentence(document)
                sentences.append(current)
            _add_row(current, number, row, width, token_column, tag_column)
        elif kind != "comments":
            current = None
            document += kind == "document_starts"
    counts = Counter(kinds)
    named = {kind: counts[kind] for kind in ("rows", "blank", "comments", "document_starts")}
    return sentences, {"lines": len(lines)} | named, document + 1


def _kind(line, comment):
    if comment is not None and line.startswith(comment):
        return "comments"
    if not line.strip(" \t"):
        return "blank"
    return "document_starts" if _cells(line)[0] == DOCUMENT_START else "rows"


def _cells(line):
    """Split at tabs where there is one, else at blanks. No other white space separates: it may be part of a word."""
    if "\t" in line:
        return [cell.strip(" ") for cell in line.rstrip(" \t").split("\t")]
    return _BLANKS.split(line.strip(" "))


def _add_row(sentence, number, row, width, token_column, tag_column):
    needed = max(column + 1 if column >= 0 else -column for column in (token_column, tag_column))
    reason = None
    if len(row) < needed or (len(row) == 1 and token_column != tag_column):
        reason = f"{_columns(len(row))}, too few for a word in column {token_column} and a tag in column {tag_column}"
    elif len(row) != width:
        reason = f"{_columns(len(row))}, where most lines have {width}"
    elif not row[token_column] or not row[tag_column]:
        reason = "the word is empty" if not row[token_column] else "the tag is empty"
    if reason:
        sentence.findings.append((number, reason))
        return
    sentence.lines.append(number)
    sentence.words.append(row[token_column])
    sentence.tags.append(row[tag_column])


def _columns(count):
    return "1 column" if count == 1 else f"{count} columns"
