"""The list of the batches of an epoch: buckets, places, sizes, lengths."""

from dataclasses import dataclass

import numpy as np

from unitools.core.checks import check_integer, fail

_SHORTEST = 8


@dataclass(frozen=True)
class BucketPlan:
    """What is the same in every epoch.

    Args:
        batches: int64 array (steps, 4) of bucket, first place, number of examples over all shards, padded length.
        members: Examples by bucket.
        first_members: Place in `members` where each bucket's own examples begin.
        pools: Number of examples of each bucket, those passed on from below included.
        passed_on: Number of those passed on from below.
        used: Number of places of each bucket that its own batches take; the rest is passed on.
    """

    batches: np.ndarray
    members: np.ndarray
    first_members: tuple = (0,)
    pools: tuple = ()
    passed_on: tuple = ()
    used: tuple = ()


def checked_boundaries(boundaries, lengths, max_length=None):
    """Return the lengths to pad to.

    Args:
        boundaries: Ascending integers; or how many lengths there are from one power of two to the next, 1, 2, 4 or 8,
            `max_length` in place of the last; or None, for 1.
        lengths: Number of tokens of each example.
        max_length: Greatest number of tokens, or None.
    """
    longest = int(np.max(lengths))
    if boundaries is None or (isinstance(boundaries, int) and boundaries in (1, 2, 4, 8)):
        steps = _steps(max(longest, 1), boundaries or 1)
        limit = steps[-1] if max_length is None else max_length
        return tuple(dict.fromkeys(min(step, limit) for step in steps))
    if not isinstance(boundaries, (list, tuple)) or list(boundaries) != sorted(set(boundaries)) or not boundaries:
        fail("boundaries", boundaries, "ascending integers >= 1, or one of the numbers 1, 2, 4 and 8")
    if boundaries[-1] < longest:
        advice = f"Add {longest}, or cut the examples with `max_length`."
        fail("boundaries", boundaries, f"such that the longest example, of {longest} tokens, fits", advice)
    return tuple(check_integer("boundaries", boundary, 1) for boundary in boundaries)


def _steps(longest, per_doubling):
    """Return lengths from 8 on, so many until it doubles, up to the first that holds the longest example."""
    steps, length = [_SHORTEST], _SHORTEST
    while steps[-1] < longest:
        steps += [length + length * part // per_doubling for part in range(1, per_doubling + 1)]
        length *= 2
    return [step for step, before in zip(steps, [0, *steps], strict=False) if before < longest]


def plan_buckets(lengths, boundaries, batch_size, unit, shards, drop_remainder):
    """Return the `BucketPlan` of examples grouped by length."""
    buckets = np.searchsorted(boundaries, lengths)
    kept = np.unique(buckets)
    members = np.argsort(buckets, kind="stable")
    counts = [int(np.sum(buckets == bucket)) for bucket in kept]
    batches, pools, passed, used, carry = [], [], [], [], 0
    for level, (bucket, count) in enumerate(zip(kept, counts, strict=True)):
        size = _examples_a_batch(batch_size, unit, boundaries[bucket]) * shards
        pool = carry + count
        full = pool // size * size
        passed.append(carry)
        pools.append(pool)
        used.append(full)
        carry = pool - full
        batches += [(level, first, size, boundaries[bucket]) for first in range(0, full, size)]
    if carry and not drop_remainder:
        if carry < shards:
            _lend(batches, shards - carry, shards, pools, passed, used)
        level = len(kept) - 1
        batches.append((level, used[level], pools[level] - used[level], boundaries[kept[level]]))
    firsts = tuple(np.concatenate([[0], np.cumsum(counts[:-1])]).astype(int).tolist())
    return BucketPlan(_table(batches, batch_size), members, firsts, tuple(pools), tuple(passed), tuple(used))


def _lend(batches, missing, shards, pools, passed, used):
    """Let a full batch pass examples on, so that the last batch has one for every shard; change the lists in place."""
    for place in reversed(range(len(batches))):
        level, first, size, length = batches[place]
        if size - missing >= shards:
            break
    else:
        _refuse_shards(shards)
    for above in range(level + 1, len(pools)):
        passed[above] += missing
        pools[above] += missing
    used[level] -= missing
    batches[place] = (level, first, size - missing, length)


def _refuse_shards(shards):
    advice = "Use fewer parts, larger batches, or drop_remainder=True."
    fail("count", shards, "such that every part has an example in every batch", advice)


def plan_in_order(lengths, boundaries, batch_size, unit, shards, drop_remainder):
    """Return the `BucketPlan` of examples in their order, each batch as long as its longest example requires."""
    padded = np.asarray(boundaries)[np.searchsorted(boundaries, lengths)]
    starts, first, longest = [0], 0, 0
    for place, length in enumerate(padded.tolist()):
        longest = max(longest, length)
        if -(-(place + 1 - first) // shards) > _examples_a_batch(batch_size, unit, longest):
            first, longest = place, length
            starts.append(place)
    ends = [*starts[1:], len(padded)]
    batches = [(0, first, end - first) for first, end in zip(starts, ends, strict=True)]
    _, first, size = batches[-1]
    if drop_remainder and unit == "sentences" and size < batch_size * shards:
        batches.pop()
    elif size < shards:
        _, before, lent = batches[-2] if len(batches) > 1 else (0, 0, 0)
        if lent - (shards - size) < shards:
            _refuse_shards(shards)
        middle = first - (shards - size)
        batches[-2:] = [(0, before, middle - before), (0, middle, shards)]
    batches = [(*batch, int(padded[batch[1] : batch[1] + batch[2]].max())) for batch in batches]
    return BucketPlan(_table(batches, batch_size), np.arange(len(lengths)))


def _examples_a_batch(batch_size, unit, length):
    if unit == "sentences":
        return batch_size
    if batch_size < length:
        advice = "Use a larger batch, or cut the examples with `max_length`."
        fail("batch_size", batch_size, f"at least {length} tokens, the length that an example is padded to", advice)
    return batch_size // length


def _table(batches, batch_size):
    if not batches:
        advice = "With drop_remainder=True an epoch needs a full batch. Use a smaller batch or drop_remainder=False."
        fail("batch_size", batch_size, "such that the examples fill a batch", advice)
    return np.array(batches, np.int64)
