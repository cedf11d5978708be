"""A vocabulary of word pieces as two tries in one double array: one table look-up a character, no hashing."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

CONTINUATION = "##"
_WINDOW = 4096  # free slots looked at together


class WordPieceTrie(NamedTuple):
    """Transitions of a trie: from `node` by symbol s to `base[node] + s`, if `check` names `node` there."""

    alphabet: dict
    base: np.ndarray
    check: np.ndarray
    accept: np.ndarray
    first_root: int
    next_root: int


def build_trie(vocabulary, whole_tokens=()) -> WordPieceTrie:
    """Return the trie of a vocabulary.

    Args:
        vocabulary: Tokens in the order of their ids; those that continue a word begin with "##".
        whole_tokens: Tokens that are one symbol each, since they are matched in the text as they stand.
    """
    characters = sorted({character for token in vocabulary for character in token})
    alphabet = {character: number for number, character in enumerate([*characters, *whole_tokens], start=1)}
    children, accept = _nodes(vocabulary, whole_tokens, alphabet)
    slots, base = _placed(children, len(alphabet) + 1)
    size = int(slots.max()) + len(alphabet) + 2
    tables = {name: np.full(size, fill, np.int32) for name, fill in (("base", 0), ("check", -1), ("accept", -1))}
    tables["base"][slots], tables["accept"][slots] = base, accept
    for node, followers in children.items():
        tables["check"][slots[list(followers.values())]] = slots[node]
    return WordPieceTrie(alphabet, **tables, first_root=int(slots[0]), next_root=int(slots[1]))


def _nodes(vocabulary, whole_tokens, alphabet):
    """Return the children of every node, by symbol, and the id that each node stands for, or -1."""
    children, accept = defaultdict(dict), [-1, -1]
    whole = frozenset(whole_tokens)
    for number, token in enumerate(vocabulary):
        root = int(token.startswith(CONTINUATION) and token not in whole)
        # "##" alone continues nothing, and stands for itself at the start of a word.
        root = root if len(token) > len(CONTINUATION) else 0
        node = root
        for character in [token] if token in whole else token[len(CONTINUATION) * root :]:
            follower = children[node].setdefault(alphabet[character], len(accept))
            if follower == len(accept):
                accept.append(-1)
            node = follower
        accept[node] = number
    return dict(children), np.array(accept, np.int32)


def _placed(children, symbols):
    """Return the slot of every node and its base, such that no two nodes share a slot."""
    count = 2 + sum(map(len, children.values()))
    slots, base = np.zeros(count, np.int64), np.zeros(count, np.int64)
    slots[1] = 1
    used = np.zeros(2 * count + 8 * symbols + _WINDOW, bool)
    used[: symbols + 2] = True  # so that no base is negative
    used, begin = _place_branching(children, slots, base, used, symbols)
    single = [(node, *followers.popitem()) for node, followers in _copies(children) if len(followers) == 1]
    if single:
        nodes, codes, followers = np.array(single).T
        free = np.flatnonzero(~used[begin:])[: len(nodes)] + begin
        slots[followers], base[nodes] = free, free - codes
    return slots, base


def _copies(children):
    return ((node, dict(followers)) for node, followers in children.items())


def _place_branching(children, slots, base, used, symbols):
    """Place the children of nodes with two or more, the largest families first, each where it first fits."""
    begin = symbols + 2
    families = sorted((node for node in children if len(children[node]) > 1), key=lambda node: -len(children[node]))
    for node in families:
        codes = np.fromiter(children[node], np.int64)
        place = begin
        while True:
            if place + _WINDOW + symbols > len(used):
                used = np.concatenate([used, np.zeros(len(used), bool)])
            bases = np.flatnonzero(~used[place : place + _WINDOW]) + place - codes[0]
            fits = ~used[bases[:, None] + codes].any(axis=1) if len(bases) else np.zeros(0, bool)
            if fits.any():
                break
            place += _WINDOW
        base[node] = bases[int(fits.argmax())]
        slots[list(children[node].values())] = base[node] + codes
        used[base[node] + codes] = True
        if len(bases) < _WINDOW // 16:
            begin = place + _WINDOW // 2 if place == begin else begin
    return used, symbols + 2
