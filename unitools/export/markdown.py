"""Text of others in Markdown and YAML: it reads as written, and is never markup."""

import json
import re
import unicodedata
from collections.abc import Sequence

_MARKUP = re.compile(
    r"""
    [\\`*\[\]<>|~$]                             # anywhere
    | (?<![^\W_])_ | _(?![^\W_])                # within a word it is a letter
    | (?<!\S)\#                                 # of headings, not of C# and of addresses
    | &(?=\#?\w+;)                              # of entities
    | ^[-+=](?=\s|$) | ^-(?=-) | ^=(?==)        # of lists, rules and headings
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_NO_CHARACTER = "\ufffd"


def plain(text: str) -> str:
    """Return the text on one line, control characters and what no file can hold replaced."""
    return "".join(_NO_CHARACTER if _is_unfit(character) else character for character in " ".join(text.split()))


def inline(text: str) -> str:
    """Return Markdown that shows the text on one line."""
    marked = _MARKUP.sub(lambda found: "\\" + found[0], plain(text))
    return _NUMBERED.sub(r"\1\\\2", marked)


def paragraphs(text: str) -> str:
    """Return Markdown that shows the text. Blank lines part paragraphs."""
    return "\n\n".join(inline(part) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def yaml_text(text: str) -> str:
    """Return a YAML scalar. A string of JSON is one, once it holds no character that YAML refuses."""
    return json.dumps(plain(text), ensure_ascii=False)


def _is_unfit(character):
    return unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff\ufeff"
