"""The search itself cannot go on."""


class FailedSearchError(RuntimeError):
    """The search cannot go on: its folder holds another search or a damaged log, or a stored score is not found again.

    What a trial does wrong is no such error: it is recorded, and repeated it is a `FailedBuildError`.
    """
