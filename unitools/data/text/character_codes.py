"""Code points to codes: what a character becomes, whether it parts words, and its symbol in the trie."""

from typing import NamedTuple

import numpy as np

from unitools.data.text.character_ranges import CHINESE, REMOVED
from unitools.data.text.character_rules import ISOLATED, LETTER, SPACE, changed_characters, special_kinds

DROPPED = 0  # the code of characters that are left out
_PAGE = 256
_UNKNOWN = {LETTER: 2, SPACE: 1, ISOLATED: 3}  # codes of characters that the vocabulary does not have


class CharacterCodes(NamedTuple):
    """Tables from code points to codes, in pages, and from codes to kinds and symbols.

    A code of `len(kinds)` or more stands for several: row `code - len(kinds)` of the ragged `several`.
    """

    page_of: np.ndarray
    pages: np.ndarray
    kinds: np.ndarray
    symbols: np.ndarray
    several_splits: np.ndarray
    several: np.ndarray
    whole: dict


def build_codes(alphabet, whole_tokens, *, lowercase, strip_accents, split_chinese) -> CharacterCodes:
    """Return the tables for an alphabet of symbols.

    Args:
        alphabet: Symbol by character, and by whole token.
        whole_tokens: Tokens that have a symbol of their own.
        lowercase: Whether letters become lower case.
        strip_accents: Whether accents are left out.
        split_chinese: Whether each ideograph is a word.
    """
    kinds = special_kinds(split_chinese)
    codes = {(0, SPACE): 1, (0, LETTER): 2, (0, ISOLATED): 3}

    def code(character, forced=None):
        kind = kinds.get(ord(character), LETTER) if forced is None else forced
        symbol = 0 if kind == SPACE else alphabet.get(character, 0)
        return codes.setdefault((symbol, kind), len(codes) + 1)

    table = np.full(0x110000, _UNKNOWN[LETTER], np.int32)
    for point, kind in kinds.items():
        table[point] = _UNKNOWN[kind]
    for character in alphabet:
        if len(character) == 1:
            table[ord(character)] = code(character)
    whole = {token: codes.setdefault((alphabet[token], ISOLATED), len(codes) + 1) for token in whole_tokens}
    chinese = frozenset(CHINESE.tolist()) if split_chinese else frozenset()
    rows = {
        point: [code(part, ISOLATED if point in chinese else None) for part in result]
        for point, result in changed_characters(lowercase, strip_accents).items()
    }
    several = _enter(table, rows, len(codes) + 1)
    table[REMOVED] = DROPPED
    pairs = np.array([(0, SPACE), *codes], np.int32)
    pages, page_of = np.unique(table.reshape(-1, _PAGE), axis=0, return_inverse=True)
    page_of = page_of.reshape(-1).astype(np.int32) * _PAGE
    return CharacterCodes(page_of, pages.reshape(-1), pairs[:, 1], pairs[:, 0], *several, whole)


def _enter(table, rows, first):
    """Write what characters become into the table, and return the rows of those that become several."""
    numbers = {}
    for point, codes in rows.items():
        if len(codes) > 1:
            table[point] = first + numbers.setdefault(tuple(codes), len(numbers))
        else:
            table[point] = codes[0] if codes else DROPPED
    splits = np.cumsum([0, *map(len, numbers)]).astype(np.int64)
    return splits, np.array([code for codes in numbers for code in codes], np.int32)
