"""The error for files that cannot be used."""


class WeightsFileError(ValueError):
    """A weights file is missing, damaged, of another kind, or not the one its hash promises.

    The message names the file.

    Example:
    >>> from unitools.backbones import WeightsFileError, load
    >>> try:
    ...     load("no/such/model.keras")
    ... except WeightsFileError as error:
    ...     print(error)
    No file or folder at no/such/model.keras. ...
    """
