"""The version of unitools, for those who ask the server."""

from pathlib import Path

VERSION = Path(__file__).parents[1].joinpath("version.txt").read_text(encoding="utf-8").strip()
