"""Chains of tags by enumeration of all paths, in float64."""

import itertools

import numpy as np


def enumerate_paths(unary, transitions, mask, allowed=None):
    """Return all paths over the positions of one sentence that count, and their scores.

    Args:
        unary: Scores (time, num_tags).
        transitions: Scores (num_tags + 1, num_tags + 1), beginnings in the last row, ends in the last column.
        mask: Booleans (time,).
        allowed: Booleans like `transitions`.
    """
    unary, size = unary[mask].astype("float64"), unary.shape[1]
    paths, scores = [], []
    for path in itertools.product(range(size), repeat=len(unary)):
        steps = list(itertools.pairwise([size, *path, size]))
        if allowed is not None and not all(allowed[before][now] for before, now in steps):
            continue
        paths.append(path)
        scores.append(
            sum(float(transitions[step]) for step in steps) + sum(unary[place, tag] for place, tag in enumerate(path))
        )
    return np.array(paths), np.array(scores)


def log_sum(scores):
    """Logarithm of the sum of exponentials."""
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


def node_marginals(paths, scores, size):
    """Probability of each tag at each position, (positions, size)."""
    weights = np.exp(scores - log_sum(scores))
    return np.stack([[weights[paths[:, place] == tag].sum() for tag in range(size)] for place in range(paths.shape[1])])
