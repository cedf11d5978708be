"""The metrics of a model that have a report."""

from collections.abc import Sequence

import keras

from unitools.core.checks import fail
from unitools.metrics import CountedScores


def reported_metrics(model: keras.Model, names: Sequence[str] | None) -> dict[str, CountedScores]:
    """Return the model's metrics that have a report, by name; of two with one name the second is called `name_2`.

    Args:
        model: A compiled model.
        names: Names of those wanted. None: all.

    Raises:
        ValueError: The model has no such metric.
    """
    found = metrics_with_report(model)
    if not found:
        raise ValueError(
            f"The model must be compiled with metrics that have a report. Received {_other(model)}. {_ADVICE}"
        )
    unknown = [name for name in names or () if name not in found]
    if unknown:
        there = ", ".join(map(repr, found))
        fail("metrics", tuple(names), f"among the model's metrics with a report, {there}", f"Mend {unknown[0]!r}.")
    return {name: found[name] for name in names or found}


_ADVICE = "Compile it with metrics=[ut.metrics.EntityScores(tags)] or with another of `ut.metrics.CountedScores`."


def _other(model):
    names = [metric.name for metric in _flat(model.metrics) if not hasattr(metric, "metrics")]
    return "the metrics " + ", ".join(map(repr, names)) if names else "a model without metrics"


def metrics_with_report(model: keras.Model) -> dict[str, CountedScores]:
    """Return all of the model's metrics that have a report, by name, as above. There may be none."""
    found = {}
    for metric in _flat(model.metrics):
        if isinstance(metric, CountedScores):
            count = sum(other.name == metric.name for other in found.values())
            found[f"{metric.name}_{count + 1}" if count else metric.name] = metric
    return found


def _flat(metrics):
    """Yield metrics, those that `compile` has put together into one apart again."""
    for metric in metrics:
        yield metric
        yield from _flat(getattr(metric, "metrics", ()))
