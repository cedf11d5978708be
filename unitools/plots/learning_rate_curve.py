"""The loss at each learning rate."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from unitools.core.checks import check_number, fail


def learning_rate_curve(
    rates: Sequence[float],
    losses: Sequence[float],
    *,
    smoothed: Sequence[float] | None = None,
    suggestion: float | None = None,
) -> Figure:
    """Draw the loss of a range test over the learning rate, which has a logarithmic axis.

    The figure belongs to no window and no pyplot state: show it in a notebook, or write it with `savefig`.

    Args:
        rates: Learning rates, > 0, rising.
        losses: The loss at each of them.
        smoothed: The smoothed loss at each of them. Default None: none is drawn.
        suggestion: A rate to mark, > 0. Default None: none.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: The arrays differ in length or are empty, or a rate is not above 0.

    Example:
    >>> import unitools as ut
    >>> figure = ut.plots.learning_rate_curve([1e-3, 1e-2, 1e-1], [1.0, 0.7, 2.0], suggestion=1e-2)
    >>> [float(loss) for loss in figure.axes[0].lines[0].get_ydata()]
    [1.0, 0.7, 2.0]
    """
    rates = _checked_rates(rates)
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(rates, _checked("losses", losses, rates), color="tab:blue", alpha=0.35, label="loss")
    if smoothed is not None:
        axes.plot(rates, _checked("smoothed", smoothed, rates), color="tab:blue", label="smoothed")
    if suggestion is not None:
        rate = check_number("suggestion", suggestion, 0, open_low=True, advice="Use None to mark no rate.")
        axes.axvline(rate, color="tab:red", linestyle="--", label=f"suggestion {rate:.2g}")
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
    axes.legend()
    return figure


def _checked_rates(rates):
    rates = np.asarray(rates, "float64")
    if rates.ndim != 1 or not rates.size or rates[0] <= 0 or np.any(np.diff(rates) <= 0):
        fail("rates", rates.tolist(), "rising numbers > 0, one or more", "Give them in the order of the test.")
    return rates


def _checked(name, values, rates):
    values = np.asarray(values, "float64")
    if values.shape != rates.shape:
        fail(name, values.shape, f"of the shape of the rates, {rates.shape}", "Give one value a rate.")
    return values
