"""Numbers in addresses."""

from unitools.serving.request_error import refuse


def version_number(text: str) -> int:
    """Return the version that a part of an address means.

    Raises:
        RequestError: 400: it is no number.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        refuse("version", text, "a number")
    return int(text)
