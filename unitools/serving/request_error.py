"""The error that is the asking side's to mend, or to try again."""

import reprlib

from unitools.core.checks import check_integer

# Cuts while it goes: a body may be as deep and as long as its sender likes.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 120


class RequestError(Exception):
    """A request that is not answered, with the status that HTTP has for the reason.

    Args:
        status: 400 for what cannot be read or does not fit the model, 401, 404, 413 for what is too large, 429 and 503
            where trying again helps, 504 where the time was up.
        message: What was given, what was expected, what to do.
        retry_after_s: Seconds after which trying again makes sense. Default None: not said.

    Example:
    >>> from unitools.serving import RequestError
    >>> RequestError(404, "no such model").status
    404
    """

    def __init__(self, status: int, message: str, retry_after_s: float | None = None):
        super().__init__(message)
        self.status = check_integer("status", status, 400, 599)
        self.message = message
        self.retry_after_s = retry_after_s


def refuse(name, given, expected, advice=""):
    """Raise status 400 with what was given for `name`, what was expected, and what to do."""
    shown = _SHORT.repr(given)
    shown = shown if len(shown) <= 120 else f"{shown[:117]}..."
    raise RequestError(400, f"`{name}` must be {expected}. Received {shown}. {advice}".rstrip())
