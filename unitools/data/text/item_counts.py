"""Words or characters to a vocabulary: counted, chosen, written and read."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import tensorflow as tf

from unitools.core.checks import check_integer, fail

FIRST_ID = 2  # 0 is padding, 1 is unknown


def choose_items(counts: Mapping[str, int], min_count: int, max_size: int | None) -> tuple[str, ...]:
    """Return the items that are common enough, the most frequent first, those of one count by the alphabet.

    Args:
        counts: Occurrences by item.
        min_count: Occurrences an item needs.
        max_size: Largest number of items, or None.
    """
    check_integer("min_count", min_count, 1)
    if max_size is not None:
        check_integer("max_size", max_size, 1)
    kept = [item for item, count in counts.items() if item and count >= min_count]
    if not kept:
        fail("min_count", min_count, "such that an item is left", f"There are {len(counts)} different ones.")
    return tuple(sorted(kept, key=lambda item: (-counts[item], item))[:max_size])


def count_words(texts: Iterable, lowercase: bool) -> Counter:
    """Return the occurrences of each word of texts, or of lists of words, as the layer will see them."""
    counts = Counter()
    for text in texts:
        counts.update(text.split() if isinstance(text, str) else text)
    return lowered(counts) if lowercase else counts


def lowered(counts: Mapping[str, int]) -> Counter:
    """Return counts of lower-cased items, by TensorFlow's rules, which the layer follows too."""
    items = list(counts)
    small = [item.decode("utf-8") for item in tf.strings.lower(tf.constant(items, tf.string), "utf-8").numpy()]
    result = Counter()
    for item, low in zip(items, small, strict=True):
        result[low] += counts[item]
    return result


def check_items(items) -> tuple[str, ...]:
    """Return a vocabulary as a tuple, or raise if it is no list of different, non-empty strings."""
    advice = "Count your texts by from_texts(...), or give a list."
    if isinstance(items, (str, Mapping)) or not isinstance(items, Iterable):
        fail("vocabulary", items, "a list of strings", advice)
    items = tuple(items)
    if not items or not all(isinstance(item, str) and item for item in items):
        fail("vocabulary", items, "a list of strings, none of them empty", advice)
    twice = [item for item, count in Counter(items).items() if count > 1]
    if twice:
        fail("vocabulary", items, "a list of different strings", f"{twice[0]!r} stands in it twice.")
    return items


def write_settings(path, kind: str, settings: Mapping) -> None:
    """Write the arguments of a vocabulary as JSON."""
    Path(path).write_text(json.dumps({"kind": kind, **settings}, ensure_ascii=False, indent=0), encoding="utf-8")


def read_settings(path, kind: str) -> dict:
    """Return the arguments of a vocabulary that `write_settings` wrote.

    Raises:
        ValueError: The file is damaged, or holds something else.
    """
    try:
        settings = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file in UTF-8: {error}. Save the vocabulary again.") from error
    if not isinstance(settings, dict) or settings.pop("kind", None) != kind:
        raise ValueError(f"{path} must hold a {kind} as its `save` writes it. Save the vocabulary again.")
    return settings
