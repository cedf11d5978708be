"""How much each setting matters."""

import math
from collections.abc import Mapping
from numbers import Real

from matplotlib.figure import Figure

from unitools.core.checks import fail


def importance(shares: Mapping[str, float], *, title: str = "importance of the settings") -> Figure:
    """Draw how much each of several settings, or features, matters: a bar each, the largest on top.

    Args:
        shares: From names to shares, >= 0, such as `search.importance()` returns.
        title: Title of the picture. Default "importance of the settings".

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: There is nothing to draw, or a share is no number >= 0.

    Example:
    >>> figure = ut.plots.importance({"units": 0.2, "learning_rate": 0.8})
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['learning_rate', 'units']
    """
    if not isinstance(shares, Mapping) or not shares:
        fail("shares", shares, "a dict from names to numbers", 'Write {"learning_rate": 0.8, "units": 0.2}.')
    for name, share in shares.items():
        if not isinstance(share, Real) or not math.isfinite(share) or share < 0:
            fail("shares", {name: share}, "a dict of numbers >= 0", f"Mend {name!r}.")
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    figure = Figure(figsize=(6.4, 1.2 + 0.35 * len(ordered)), layout="constrained")
    axes = figure.add_subplot()
    positions = range(len(ordered))
    bars = axes.barh(positions, [share for _, share in ordered])
    axes.bar_label(bars, [f"{share:.2f}" for _, share in ordered], padding=3)
    # parse_math=False: names are no mathematics.
    axes.set_yticks(positions, [str(name) for name, _ in ordered], parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_title(title, parse_math=False)
    axes.set_xlabel("share")
    return figure
