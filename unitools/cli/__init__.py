"""The command line: `python -m unitools`."""

from unitools.cli.main import main

__all__ = ["main"]
