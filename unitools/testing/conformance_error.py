"""The error that lists every broken promise at once."""


class ConformanceError(AssertionError):
    """A component breaks promises that every component makes.

    The text holds one line a failed check: its name and the reason.

    Args:
        label: Name of the component.
        failures: Reason by name of the failed check.
        num_checks: How many checks were run.

    Example:
    >>> from unitools.testing import ConformanceError
    >>> print(ConformanceError("Scale", {"dynamic_batch": "fails for a batch of 1"}, num_checks=20))
    Scale fails 1 of 20 checks:
    - dynamic_batch: fails for a batch of 1
    """

    def __init__(self, label: str, failures: dict[str, str], num_checks: int):
        lines = [f"- {name}: {reason}" for name, reason in failures.items()]
        super().__init__("\n".join([f"{label} fails {len(failures)} of {num_checks} checks:", *lines]))
        self.label = label
        self.failures = dict(failures)
        self.num_checks = num_checks
