"""Cutting examples to a greatest length, and putting ids before and after them."""

from collections.abc import Mapping

import numpy as np

from unitools.core.checks import check_integer, fail
from unitools.data.text.token_table import IGNORED

SPECIAL = ("start", "end", "pad", "unknown")


def checked_ids(special_ids):
    """Return the special ids as a dictionary with every key, or raise."""
    if special_ids is not None and (not isinstance(special_ids, Mapping) or set(special_ids) - set(SPECIAL)):
        fail("special_ids", special_ids, f"a dictionary with keys among {SPECIAL}")
    given = {key: value for key, value in (special_ids or {}).items() if value is not None}
    return dict.fromkeys(SPECIAL) | {key: check_integer("special_ids", value, 0) for key, value in given.items()}


def add_special(table, ids, max_length):
    """Cut a `TokenTable` to `max_length` tokens an example, special ones included, and add those; change it in place.

    Args:
        table: The `TokenTable`.
        ids: What `checked_ids` gave.
        max_length: Greatest number of tokens, or None.
    """
    added = (ids["start"] is not None) + (ids["end"] is not None)
    if added and (table.packed or len(table.values) > 1):
        given = {key: value for key, value in ids.items() if value is not None}
        fail("special_ids", given, "without 'start' and 'end' where `encode` puts them in itself")
    if table.packed and max_length is not None and table.lengths.max(initial=0) > max_length:
        expected = f"at least {table.lengths.max()}, the longest row that the tokenizer gave"
        fail("max_length", max_length, expected, "Give the tokenizer that `max_length`: it keeps the token at the end.")
    if max_length is not None:
        _cut(table, check_integer("max_length", max_length, added + 1) - added)
    for key, ends in (("start", slice(None, -1)), ("end", slice(1, None))):
        if ids[key] is not None:
            places = table.splits[ends]
            table.values = {name: np.insert(value, places, ids[key]) for name, value in table.values.items()}
            if table.by_token:
                table.labels = np.insert(table.labels, places, IGNORED)
            table.splits = table.splits + np.arange(len(table.splits))


def _cut(table, length):
    lengths = table.lengths
    places = np.arange(table.splits[-1]) - np.repeat(table.splits[:-1], lengths)
    keep = places < length
    table.num_truncated += int(np.sum(lengths > length))
    table.values = {name: value[keep] for name, value in table.values.items()}
    if table.by_token:
        table.num_lost_words += int(np.sum(table.labels[~keep] != IGNORED))
        table.labels = table.labels[keep]
    table.splits = np.concatenate([[0], np.cumsum(np.minimum(lengths, length))]).astype(np.int64)
