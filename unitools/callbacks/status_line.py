"""A line of output that is written over."""

import io
import sys

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

# The line that stands on the screen, so that what is printed elsewhere in this folder takes it away first.
_STANDING = []


class StatusLine:
    """Writes one line over and over, until text is printed in its place.

    It is written with carriage returns alone, which terminals and notebooks both know. No thread runs, the cursor stays
    visible and `sys.stdout` is left as it is: where `fit` ends with an error there is nothing to put back.

    Args:
        console: Where to write.
    """

    def __init__(self, console: Console):
        self._console = console
        self._width = 0

    def show(self, renderable: object) -> None:
        """Write the line over what stands there."""
        line = self._rendered(renderable)
        width = cell_len(Text.from_ansi(line).plain)
        self._write("\r" + line + " " * (self._width - width))
        self._width = width
        _STANDING[:] = [self]

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self._write("\r" + " " * self._width + "\r")
        self._width = 0
        _STANDING[:] = [line for line in _STANDING if line is not self]

    def print(self, text: str) -> None:
        """Print text that stays."""
        clear_standing()
        self._write(text + "\n")

    def _rendered(self, renderable):
        """Return what the console would print, in one line.

        It is another console that prints it: rich's for notebooks adds an empty output to the cell each time, even
        where what it prints is captured, and behind another output a notebook writes on a line of its own.
        """
        console = self._console
        twin = Console(
            file=io.StringIO(),
            force_terminal=console.is_terminal,
            force_jupyter=False,
            color_system=console.color_system,
            no_color=console.no_color,
            width=console.width,
        )
        twin.print(renderable, width=console.width - 1, no_wrap=True, crop=True, highlight=False)
        return twin.file.getvalue().splitlines()[0].rstrip()

    def _write(self, text):
        self._console.file.write(text)
        self._console.file.flush()


def clear_standing() -> None:
    """Take away the line that stands on the screen, if there is one."""
    for line in tuple(_STANDING):
        line.clear()


def print_below(text: str) -> None:
    """Print to standard output, after taking away the line that stands there."""
    clear_standing()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
