"""What a verification found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VerificationReport:
    """The comparison of an export with its model.

    Args:
        path: Folder of the export.
        differences: Largest absolute difference from `predict` by signature.
        num_examples: Number of examples compared.
        made_examples: True where no examples were given and noise was used.
        fresh_process: True where the export ran in a process that imported its runtime alone.
        rtol: Relative tolerance.
        atol: Absolute tolerance.

    Example:
    >>> from unitools.export import VerificationReport
    >>> print(VerificationReport("m", {"serving_default": 1e-7}, 4, False, True, 1e-4, 1e-5))
    m: served equals predict on 4 examples, in a fresh process (serving_default differs by at most 1e-07)
    """

    path: str
    differences: dict[str, float]
    num_examples: int
    made_examples: bool
    fresh_process: bool
    rtol: float
    atol: float

    def __str__(self):
        kind = "made noise examples" if self.made_examples else "examples"
        where = "a fresh process" if self.fresh_process else "this process"
        parts = ", ".join(f"{name} differs by at most {value:.2g}" for name, value in self.differences.items())
        return f"{self.path}: served equals predict on {self.num_examples} {kind}, in {where} ({parts})"
