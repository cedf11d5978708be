"""What each character is to the word splitter, as bits, in pages of code points."""

import functools
from typing import NamedTuple

import numpy as np

from unitools.data.text.character_ranges import CHINESE, PUNCTUATION, SPACES

SPACE = 1  # parts words, and is in none
ALONE = 2  # a word of its own wherever it stands
BRACKET = 4  # the same, but for addresses
EDGE = 8  # a word of its own where a word begins or ends
LETTER = 16
DIGIT = 32
CURRENCY = 64
REPEATED = 128  # makes one word with its like

_PAGE = 256
# Controls; zero-width space, byte-order mark and marks of writing direction, which nobody sees.
_UNSEEN = ((0x0, 0x8), (0xE, 0x1F), (0x7F, 0x9F), (0x61C, 0x61C), (0x200B, 0x200B), (0x200E, 0x200F)) + (
    ((0x202A, 0x202E), (0x2066, 0x2069), (0xFEFF, 0xFEFF))
)
_SPACES = ((0xB, 0xC), (0x85, 0x85))
_BRACKETS = '()[]{}"“”„‟«»'
_DASHES = "—―…"  # em dash, horizontal bar, ellipsis
_WIDE = "、。〃〈〉《》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟！＂（），：；？［］｛｝｟｠｡｢｣､"  # noqa: RUF001 - as they are
_EDGES = "'`,;:!?‘’‚‛‹›´¿¡·¶§†‡•‼⁇⁈⁉،؛؟۔।॥։՝՜՞፡።፣፤፥፦፧"  # noqa: RUF001 - as they are
_SYMBOLS = ((0xA2, 0xA9), (0xAC, 0xB1), (0xB4, 0xB8), (0xD7, 0xD7), (0xF7, 0xF7), (0x2000, 0x2BFF)) + (
    ((0xFFF0, 0xFFFF), (0x1F000, 0x1FAFF))
)
_CURRENCY = ((0x24, 0x24), (0xA2, 0xA5), (0x20A0, 0x20C0), (0xFF04, 0xFF04), (0xFFE0, 0xFFE1), (0xFFE5, 0xFFE6))


class _CharacterKinds(NamedTuple):
    """Bits of a code point: `pages[page_of[point // 256] + point % 256]`."""

    page_of: np.ndarray
    pages: np.ndarray


@functools.cache
def character_kinds(split_chinese: bool) -> _CharacterKinds:
    """Return the kinds of all characters.

    Args:
        split_chinese: Whether each ideograph is a word of its own.
    """
    table = np.full(0x110000, LETTER, np.int32)
    table[PUNCTUATION] = 0
    for ranges, kind in ((_SYMBOLS, 0), (_CURRENCY, CURRENCY), (_UNSEEN + _SPACES, SPACE)):
        for first, last in ranges:
            table[first : last + 1] = kind
    table[SPACES] = SPACE
    table[ord("0") : ord("9") + 1] = DIGIT
    for characters, kind in ((_BRACKETS, BRACKET | EDGE), (_DASHES + _WIDE, ALONE), (_EDGES, EDGE)):
        table[[ord(character) for character in characters]] = kind
    table[[ord(character) for character in ".-'`"]] |= REPEATED
    if split_chinese:
        table[CHINESE] = ALONE
    pages, page_of = np.unique(table.reshape(-1, _PAGE), axis=0, return_inverse=True)
    return _CharacterKinds(page_of.reshape(-1).astype(np.int32) * _PAGE, pages.reshape(-1))
