"""Which classes are taken for which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from unitools.core.checks import check_flag, fail

_MAX_NUMBERED = 30  # classes, above which the numbers in the cells could not be read


def confusion_matrix(
    labels: Sequence[int],
    predictions: Sequence[int],
    class_names: Sequence[str],
    *,
    normalize: bool = False,
) -> Figure:
    """Draw how many examples of each class were taken for each class.

    A row is a true class, a column a predicted one; the diagonal is what was right. Cells carry their numbers up to 30
    classes. The figure belongs to no window and no pyplot state: show it in a notebook, or write it with `savefig`.

    Args:
        labels: True classes, integers `(examples,)` from 0 to the number of classes - 1.
        predictions: Predicted classes, likewise.
        class_names: Names of the classes, in the order of their integers.
        normalize: Whether each row shows shares of its class instead of counts. Default False.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: The arrays differ in length, or a value is no class.

    Example:
    >>> import unitools as ut
    >>> figure = ut.plots.confusion_matrix([0, 0, 1], [0, 1, 1], ["cat", "dog"])
    >>> figure.axes[0].images[0].get_array().tolist()
    [[1, 1], [0, 1]]
    """
    check_flag("normalize", normalize)
    names = [str(name) for name in class_names]
    matrix = _counts(labels, predictions, len(names))
    if normalize:
        matrix = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(max(3.0, 1.6 + 0.5 * len(names)), 20.0)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(matrix, cmap="Blues", vmin=0)
    figure.colorbar(shown, ax=axes, label="share of the true class" if normalize else "examples")
    _name_axes(axes, names)
    if len(names) <= _MAX_NUMBERED:
        _write_numbers(axes, matrix, normalize)
    return figure


def _counts(labels, predictions, num_classes):
    labels = _checked("labels", labels, num_classes)
    predictions = _checked("predictions", predictions, num_classes)
    if labels.shape != predictions.shape:
        fail("predictions", predictions.shape, f"of the shape of the labels, {labels.shape}", "Give one an example.")
    cells = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def _checked(name, values, num_classes):
    values = np.asarray(values)
    if values.size == 0:
        values = values.astype(np.int64)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        fail(name, values, "integers (examples,)", "Take the argmax of probabilities over the classes first.")
    outside = values[(values < 0) | (values >= num_classes)]
    if outside.size:
        fail(name, int(outside[0]), f"classes from 0 to {num_classes - 1}", "Give every class a name in class_names.")
    return values.astype(np.int64)


def _name_axes(axes, names):
    positions = np.arange(len(names))
    # parse_math=False: a class may be called "$5".
    axes.set_xticks(positions, names, rotation=90, parse_math=False)
    axes.set_yticks(positions, names, parse_math=False)
    axes.set(xlabel="predicted", ylabel="true")


def _write_numbers(axes, matrix, normalize):
    middle = matrix.max(initial=0) / 2
    for (row, column), value in np.ndenumerate(matrix):
        text = f"{value:.2f}" if normalize else f"{value}"
        colour = "white" if value > middle else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
