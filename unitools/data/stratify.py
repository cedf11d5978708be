"""Drawing a share of the examples, class by class."""

import numpy as np


def split_indices(labels, fraction, seed, class_names=None):
    """Return two sorted arrays of indices, the second with `fraction` of the examples.

    Args:
        labels: Integer array, the class of each example.
        fraction: Share of the second, in (0, 1). Rounded to the nearest example, at least one on either side.
        seed: Integer >= 0.
        class_names: Names of the classes, to take the share of each class; None to take it of the whole.

    Raises:
        ValueError: A class, or the whole, has one example only.
    """
    random = np.random.default_rng(seed)
    groups = [np.arange(len(labels))]
    names = ["the whole"]
    if class_names is not None:
        groups = [np.flatnonzero(labels == label) for label in range(len(class_names))]
        names = [f"class {name!r}" for name in class_names]
    second = [_draw(group, name, fraction, random) for group, name in zip(groups, names, strict=True) if len(group)]
    second = np.sort(np.concatenate(second))
    return np.setdiff1d(np.arange(len(labels)), second), second


def _draw(group, name, fraction, random):
    if len(group) < 2:
        raise ValueError(
            f"A split needs at least two examples on which to draw. {name[0].upper() + name[1:]} has {len(group)}. "
            "Add examples, or use stratify=False."
        )
    count = min(max(round(fraction * len(group)), 1), len(group) - 1)
    return random.permutation(group)[:count]
