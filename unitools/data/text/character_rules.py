"""What each character becomes before a text is cut into word pieces."""

import functools
import unicodedata

from unitools.data.text.character_ranges import ACCENTS, CHINESE, PUNCTUATION, REMOVED, SPACES

LETTER, SPACE, ISOLATED = 0, 1, 2

# Blocks in which characters have a decomposition or a lower case; the rest are ideographs and empty planes.
_CHANGING = ((0x0, 0x3400), (0xA000, 0xD7A4), (0xF900, 0x20000), (0x2F800, 0x2FA20))
# Decompositions younger than the reference, which leaves these characters as they are.
_WHOLE = frozenset(
    {0x11938, 0x105C9, 0x105E4, 0x11383, 0x11385, 0x1138E, 0x11391, 0x113C5, 0x113C7, 0x113C8}
    | {*range(0x16121, 0x16129), *range(0x16D68, 0x16D6B)}
)
# Lower cases that the reference knows and Python may not yet: Unicode 15 to 17.
_YOUNG_LOWER = (
    {0x1C89: 0x1C8A, 0xA7CB: 0x264, 0xA7CC: 0xA7CD, 0xA7CE: 0xA7CF, 0xA7D2: 0xA7D3, 0xA7D4: 0xA7D5}
    | {0xA7DA: 0xA7DB, 0xA7DC: 0x19B}
    | {point: point + 0x20 for point in range(0x10D50, 0x10D66)}
    | {point: point + 0x1B for point in range(0x16EA0, 0x16EB9)}
)


@functools.cache
def changed_characters(lowercase: bool, strip_accents: bool) -> dict[int, str]:
    """Return what each character becomes that does not stay as it is, by code point.

    Args:
        lowercase: Whether letters become lower case, each by itself: no final sigma, as in the reference.
        strip_accents: Whether characters are decomposed and their accents left out.
    """
    accents = frozenset(ACCENTS.tolist()) if strip_accents else frozenset()
    changed = {}
    for first, last in _CHANGING:
        for point in range(first, last):
            character = chr(point)
            result = _decomposed(character, accents) if strip_accents else character
            result = "".join(map(_lower, result)) if lowercase else result
            if result != character:
                changed[point] = result
    return changed | dict.fromkeys(accents, "")


def _decomposed(character, accents):
    if ord(character) in _WHOLE or 0xD800 <= ord(character) < 0xE000:
        return character
    return "".join(part for part in unicodedata.normalize("NFD", character) if ord(part) not in accents)


def _lower(character):
    young = _YOUNG_LOWER.get(ord(character))
    return character.lower() if young is None else chr(young)


@functools.cache
def special_kinds(split_chinese: bool) -> dict[int, int]:
    """Return the kind of each character that is no letter: SPACE or ISOLATED, a word of its own."""
    isolated = [PUNCTUATION, CHINESE] if split_chinese else [PUNCTUATION]
    kinds = {point: ISOLATED for points in isolated for point in points.tolist()}
    return kinds | dict.fromkeys(SPACES.tolist(), SPACE)


def is_removed(point: int) -> bool:
    """Tell whether a character is left out of every text."""
    return point in _removed()


@functools.cache
def _removed():
    return frozenset(REMOVED.tolist())
