"""Texts of others, read back by a Markdown and a YAML parser."""

import random
import string

import pytest
import yaml
from markdown_it import MarkdownIt

from unitools.export.markdown import inline, paragraphs, plain, table, yaml_text

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TEXTS = [
    "snake_case and _private_ and __dunder__",
    "*a* **b** `code` ``x`` ~~no~~ ~x~",
    "[link](https://example.org) ![picture](x.png) [ref]: y",
    "# no heading",
    "C# and F # and ## x #",
    "- no item",
    "+ no item",
    "-",
    "--- ",
    "***",
    "___",
    "===",
    "1. no item",
    "12) no item",
    "3.14 is no item",
    "> no quote",
    "    no code",
    "<script>alert(1)</script> <b> <!-- c --> <https://example.org>",
    "&amp; &#35; & &nbsp; a&b;",
    "a | b | c",
    "ends in \\",
    "\\* \\\\",
    "$x_1$",
    "ümläut 日本語 😀 _日_ a_日_b",
    "a\tb \r\n c\u2028d\x85e",
    "https://example.org/a_b?c=d&e=f#g",
]


PLAIN = {"text", "text_special"}
STRANGE = ["a: b", "no", "1e3", "---", '"', "'", "{a: 1}", "!tag", "&anchor", "%x", "@", "\x7f\x80\ufeff\ud800"]


def shown(source):
    """Return the text of a document of one paragraph, or None where it is anything else."""
    tokens = PARSER.parse(source)
    if [token.type for token in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    children = tokens[1].children
    return "".join(child.content for child in children) if {child.type for child in children} <= PLAIN else None


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_shown_as_written(text):
    assert shown(inline(text)) == " ".join(text.split())


def test_any_text_is_shown_as_written():
    dice = random.Random(0)
    alphabet = string.punctuation * 3 + "ab1. \n"
    for _ in range(20_000):
        text = "".join(dice.choices(alphabet, k=dice.randint(1, 12)))
        if text.strip():
            assert shown(inline(text)) == " ".join(text.split()), repr(text)


def test_any_text_is_one_cell_and_one_line():
    dice = random.Random(1)
    for _ in range(2_000):
        text = "x" + "".join(dice.choices(string.punctuation * 3 + "ab \n", k=8)) + "x"
        tokens = PARSER.parse(table(["a", "b"], [[inline(text), "1"]]))
        cells = [token for token in tokens if token.type == "inline"]
        assert len(cells) == 4, repr(text)
        assert "".join(child.content for child in cells[2].children) == " ".join(text.split())


def test_blank_lines_part_paragraphs():
    source = paragraphs("one\ntwo\n\n# three\r\n \r\n- four\n\n")
    tokens = PARSER.parse(source)
    assert [token.type for token in tokens if token.nesting == 1] == ["paragraph_open"] * 3
    parts = ["".join(child.content for child in token.children) for token in tokens if token.type == "inline"]
    assert parts == ["one two", "# three", "- four"]


@pytest.mark.parametrize("text", [*TEXTS, *STRANGE])
def test_yaml_reads_the_text(text):
    assert yaml.safe_load(f"key: {yaml_text(text)}\nnext: 1") == {"key": plain(text), "next": 1}


def test_what_no_file_holds_is_replaced():
    assert plain("a\x00b\x1bc\ud800d\ufffee") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert inline("a\ud800").encode() == "a\ufffd".encode()
