"""Pictures side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from unitools.core.checks import check_integer, fail


def picture_grid(images: Sequence, titles: Sequence[str] | None = None, *, columns: int = 6) -> Figure:
    """Draw pictures in rows, each with its title.

    The figure belongs to no window and no pyplot state: show it in a notebook, or write it with `savefig`.

    Args:
        images: One picture or more, `(height, width, channels)` with 1, 3 or 4 channels, or `(height, width)`; values
            from 0 to 255 of any dtype. Sizes may differ. An array `(batch, height, width, channels)` is taken too.
        titles: One text a picture. Default: none.
        columns: Pictures a row, >= 1. Default 6.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: There are no pictures, one has another shape, or the number of titles is another.

    Example:
    >>> import numpy as np
    >>> import unitools as ut
    >>> figure = ut.plots.picture_grid(np.zeros((3, 8, 8, 1)), ["a", "b", "c"], columns=2)
    >>> [axes.get_title() for axes in figure.axes]
    ['a', 'b', 'c']
    """
    columns = min(check_integer("columns", columns, 1), max(len(images), 1))
    if len(images) == 0:
        fail("images", [], "one picture or more", "Leave the grid out where there is nothing to show.")
    if titles is not None and len(titles) != len(images):
        fail("titles", len(titles), f"one for each of the {len(images)} pictures", "Give None for no titles.")
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.7 * columns, 1.9 * rows), layout="constrained")
    for place, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.imshow(_pixels(image), cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        if titles is not None:
            # parse_math=False: a class may be called "$5".
            axes.set_title(str(titles[place]), fontsize=8, parse_math=False)
    return figure


def _pixels(image):
    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim != 2 and not (pixels.ndim == 3 and pixels.shape[2] in (3, 4)):
        fail("images", pixels.shape, "pictures (height, width, channels) with 1, 3 or 4 channels", "Move the axes.")
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
