"""The error that lists what is wrong with picture files."""

_SHOWN = 10


class PictureError(ValueError):
    """Files that cannot be read as pictures.

    Args:
        findings: List of (file, reason). The message shows the first ten; the attribute `findings` holds all.
        advice: What to do, for the message.

    Example:
    >>> from unitools.data import PictureError
    >>> str(PictureError([("a.jpg", "the file is empty")]))
    '1 file cannot be read as a picture:\\n  a.jpg: the file is empty'
    """

    def __init__(self, findings: list, advice: str = ""):
        self.findings = list(findings)
        lines = [f"  {file}: {reason}" for file, reason in self.findings[:_SHOWN]]
        if len(self.findings) > _SHOWN:
            lines.append(f"  ... and {len(self.findings) - _SHOWN} more (see the error's `findings`)")
        count = "1 file" if len(self.findings) == 1 else f"{len(self.findings)} files"
        head = f"{count} cannot be read as a picture:" if count == "1 file" else f"{count} cannot be read as pictures:"
        super().__init__("\n".join([head, *lines, *([advice] if advice else [])]))
