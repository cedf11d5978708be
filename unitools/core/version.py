"""The version of unitools, for those who do not import it whole."""

from pathlib import Path

VERSION = Path(__file__).parents[1].joinpath("version.txt").read_text(encoding="utf-8").strip()
