"""What a check is, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from unitools.testing.specimen import Specimen

_CHECKS = {}


@dataclass(frozen=True)
class Check:
    """One promise that components make, as a function of a specimen.

    Args:
        name: Name for reports and for `Specimen.exceptions`.
        function: Raises an AssertionError with the reason if the promise is broken.
        applies: Whether the promise is made by this kind of component.

    Example:
    >>> from unitools.testing import Specimen
    >>> from unitools.testing.checks import Check
    >>> def has_name(specimen):
    ...     assert specimen.label, "has no name"
    >>> Check("has_name", has_name, applies=lambda specimen: True).failure(Specimen(int))
    """

    name: str
    function: Callable[[Specimen], None]
    applies: Callable[[Specimen], bool]

    def failure(self, specimen: Specimen) -> str | None:
        """Return why the specimen fails, or None. Any error raised on the way is a failure."""
        try:
            self.function(specimen)
        except AssertionError as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    @property
    def promise(self) -> str:
        """What is promised: the first line of the function's docstring."""
        return (self.function.__doc__ or self.name).partition("\n")[0]


def promise(applies: Callable[[Specimen], bool]) -> Callable:
    """Decorate a function as a check that is run on the specimens for which `applies` holds."""

    def enter(function):
        _CHECKS[function.__name__] = Check(function.__name__, function, applies)
        return function

    return enter


def all_checks() -> dict[str, Check]:
    """Return every check by name."""
    return dict(_CHECKS)


def applicable_checks(specimen: Specimen) -> list[Check]:
    """Return the checks whose promise the specimen's kind of component makes."""
    return [check for check in _CHECKS.values() if check.applies(specimen)]
