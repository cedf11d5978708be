"""Documents longer than a model's window: split with overlap, and put together again."""

from collections.abc import Sequence
from typing import Any

from unitools.core.checks import check_integer, fail


def plan_windows(piece_counts: Sequence[int], room: int, *, overlap: int = 16) -> list[tuple[int, int, int, int]]:
    """Split a document into windows of whole words that overlap, so that each word is read with its surroundings.

    Every word counts in one window: of the two that hold it, the one that shows more words around it.

    Args:
        piece_counts: Number of word pieces of each word.
        room: Pieces a window may hold, >= 1: the model's length without special tokens. A single word with more pieces
            has a window of its own, where the tokenizer cuts it and counts what it cuts.
        overlap: Words that neighbouring windows share, >= 0, fewer where they would not fit. Default 16.

    Returns:
        A tuple `(first, last, counts_from, counts_to)` a window: it holds the words from `first` up to, not including,
        `last`, and answers for those from `counts_from` up to `counts_to`.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> from unitools.data import plan_windows
    >>> plan_windows([1, 1, 2, 1, 1, 1], room=4, overlap=2)
    [(0, 3, 0, 2), (1, 4, 2, 3), (2, 5, 3, 4), (3, 6, 4, 6)]
    """
    check_integer("room", room, 1, advice="It is the model's length without special tokens.")
    check_integer("overlap", overlap, 0)
    counts = [check_integer("piece_counts", count, 0) for count in piece_counts]
    spans = [(0, _last_word(counts, 0, room))]
    while spans[-1][1] < len(counts):
        first = _next_first(counts, *spans[-1], room, overlap)
        spans.append((first, _last_word(counts, first, room)))
    middles = [(after[0] + before[1] + 1) // 2 for before, after in zip(spans, spans[1:], strict=False)]
    edges = [0, *middles, len(counts)]
    return [(*span, *edge) for span, edge in zip(spans, zip(edges, edges[1:], strict=False), strict=True)]


def join_windows(windows: Sequence[tuple[int, int, int, int]], values: Sequence[Sequence[Any]]) -> list[Any]:
    """Put the values of the words of all windows together: one a word, in the order of the document.

    Args:
        windows: What `plan_windows` returned.
        values: For each window, one value for each of its words.

    Raises:
        ValueError: The numbers of windows or of words differ.

    Example:
    >>> from unitools.data import join_windows
    >>> join_windows([(0, 3, 0, 2), (1, 4, 2, 4)], [["a", "b", "x"], ["y", "c", "d"]])
    ['a', 'b', 'c', 'd']
    """
    if len(windows) != len(values):
        fail("values", len(values), f"one sequence for each of the {len(windows)} windows")
    joined = []
    for (first, last, begin, end), row in zip(windows, values, strict=True):
        if len(row) != last - first:
            fail("values", list(row), f"one value for each of the {last - first} words from {first} to {last - 1}")
        joined += row[begin - first : end - first]
    return joined


def _last_word(counts, first, room):
    """Return one past the last word that a window from `first` can hold, one word at least."""
    last, used = first, 0
    while last < len(counts) and (used + counts[last] <= room or last == first):
        used += counts[last]
        last += 1
    return last


def _next_first(counts, first, last, room, overlap):
    """Return where the next window begins, such that it holds the word `last` too."""
    begin, used = last, counts[last]
    while begin - 1 > first and last - begin < overlap and used + counts[begin - 1] <= room:
        begin -= 1
        used += counts[begin]
    return begin
