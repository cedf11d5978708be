"""The error of an export that does not do what its model does."""


class VerificationError(ValueError):
    """An export loads not at all, or answers differently from its model. It was not published.

    Example:
    >>> from unitools.export import VerificationError
    >>> issubclass(VerificationError, ValueError)
    True
    """
