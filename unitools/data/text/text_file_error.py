"""The error that lists what is wrong with a text file."""

_SHOWN = 10


class TextFileError(ValueError):
    """Lines of a text file that cannot be used.

    Args:
        file: Path of the file.
        findings: List of (line, reason), lines counted from 1; 0 stands for the file as a whole. The message shows the
            first ten; the attribute `findings` holds all.
        advice: What to do, for the message.

    Example:
    >>> from unitools.data import TextFileError
    >>> str(TextFileError("train.txt", [(7, "1 column, where the others have 2")]))
    'train.txt cannot be read:\\n  line 7: 1 column, where the others have 2'
    """

    def __init__(self, file: str, findings: list, advice: str = ""):
        self.file, self.findings = str(file), list(findings)
        lines = [f"  line {line}: {reason}" if line else f"  {reason}" for line, reason in self.findings[:_SHOWN]]
        if len(self.findings) > _SHOWN:
            lines.append(f"  ... and {len(self.findings) - _SHOWN} more (see the error's `findings`)")
        super().__init__("\n".join([f"{self.file} cannot be read:", *lines, *([advice] if advice else [])]))
