"""Times of steps, and what follows from them."""

import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np


def figures(seconds: Sequence[float], examples: float, waited: float | None) -> dict[str, Any]:
    """Return the figures of an epoch, None for each that cannot be told.

    Args:
        seconds: Time of each measured step.
        examples: How many examples these steps had, 0 where it is not counted.
        waited: Seconds of them that passed in wait for data, None where it was not measured.
    """
    total = float(np.sum(seconds))
    return {
        "examples_per_s": examples / total if examples and total else None,
        "steps_per_s": len(seconds) / total if total else None,
        "step_ms_median": 1e3 * float(np.median(seconds)) if len(seconds) else None,
        "step_ms_p90": 1e3 * float(np.percentile(seconds, 90)) if len(seconds) else None,
        "data_wait_share": waited / total if waited is not None and total else None,
        "rss_peak_mib": peak_memory_mib(),
    }


def figures_text(figures: dict[str, Any]) -> str:
    """Return figures in words, those that are None left out."""
    forms = {
        "examples_per_s": "{:,.4g} examples/s",
        "steps_per_s": "{:.4g} steps/s",
        "step_ms_median": "{:.4g} ms a step",
        "step_ms_p90": "{:.4g} ms for the slowest tenth",
        "data_wait_share": "{:.0%} waiting for data",
        "rss_peak_mib": "{:,.0f} MiB at the peak",
    }
    return "  ".join(form.format(figures[name]) for name, form in forms.items() if figures.get(name) is not None)


def peak_memory_mib() -> float | None:
    """Return the largest resident memory that this process has had, in MiB, None where the system does not tell."""
    if importlib.util.find_spec("resource") is None:  # Windows
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # macOS counts bytes, Linux KiB
