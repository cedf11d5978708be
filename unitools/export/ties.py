"""Names of the most probable classes, where some are equally probable."""

import numpy as np


def by_class(probabilities):
    """Return one column a class: of one sigmoid unit those of both its labels."""
    return np.concatenate([1 - probabilities, probabilities], -1) if probabilities.shape[-1] == 1 else probabilities


def equal_but_for_ties(labels, reference, probabilities, tolerance):
    """Return whether names agree, but for the order of classes whose probabilities are within `tolerance`.

    Classes that follow one another within `tolerance` are a tie. A tie that lies within the names must hold the same
    ones in any order. Of one that goes on beyond the last name, other classes may be named, but none twice.

    Args:
        labels: Names, the most probable first, `(batch,)` or `(batch, k)`.
        reference: Names of another calculation, of the same shape.
        probabilities: Of all classes, `(batch, classes)`, by that calculation.
        tolerance: Largest difference within a tie.
    """
    labels, reference = (names.reshape(len(probabilities), -1) for names in (labels, reference))
    descending = -np.sort(-probabilities, axis=-1)
    rows = np.flatnonzero((labels != reference).any(axis=-1))
    return all(_is_equal(labels[row].tolist(), reference[row].tolist(), descending[row], tolerance) for row in rows)


def _is_equal(labels, reference, descending, tolerance):
    starts = [0, *(np.flatnonzero(descending[:-1] - descending[1:] >= tolerance) + 1), len(descending)]
    for start, end in zip(starts, starts[1:], strict=False):
        named = labels[start:end]
        if end <= len(labels):
            if sorted(named) != sorted(reference[start:end]):
                return False
        elif len(set(named)) != len(named) or set(named) & set(reference[:start]):
            return False
    return True
