"""Comparing a file's tensors with a model's, and the rule for loads that do not match."""

from collections.abc import Iterable, Mapping

from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport


def compare(
    source: str, expected: Mapping[str, tuple], found: Mapping[str, tuple], skipped: Iterable[str] = ()
) -> WeightsReport:
    """Return the report on two sets of tensor shapes.

    Args:
        source: The file, for the report.
        expected: Shape by name, in the model.
        found: Shape by name, in the file.
        skipped: Names of the file to leave out on purpose.
    """
    skipped = tuple(name for name in skipped if name in found)
    both = [name for name in expected if name in found]
    wrong = tuple((name, expected[name], found[name]) for name in both if tuple(expected[name]) != tuple(found[name]))
    return WeightsReport(
        source=str(source),
        matched=tuple(name for name in both if tuple(expected[name]) == tuple(found[name])),
        missing=tuple(name for name in expected if name not in found),
        unexpected=tuple(name for name in found if name not in expected and name not in skipped),
        wrong_shape=wrong,
        skipped=skipped,
    )


def require_complete(report: WeightsReport, allow_partial: bool) -> WeightsReport:
    """Return the report, or raise it as an error if the load is partial and that is not allowed.

    A file of which nothing fits is an error in any case: it belongs to another architecture.
    """
    if report.complete or (allow_partial and report.matched):
        return report
    advice = (
        "Expected every tensor to match. Nothing was loaded. Check that the architecture, `include_top` and "
        "`input_shape` are the file's, or pass `allow_partial=True` to load what matches."
    )
    if not report.matched:
        advice = (
            "Expected the weights of this architecture; nothing matches. Load the architecture the file was saved from."
        )
    raise WeightsFileError(f"{report}\n{advice}")
