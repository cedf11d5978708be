"""The errors for adapter files that cannot be used."""


class AdapterFileError(ValueError):
    """An adapter file is missing, damaged, no adapter file, or does not fit. The message names the file."""


class WrongBaseError(AdapterFileError):
    """An adapter was trained on another base than the one it is to be put on."""
