"""What the pictures share."""

import re
from pathlib import Path

from matplotlib.figure import Figure

OURS, THEIRS, PLAIN = "tab:blue", "tab:orange", "0.6"


def panels(*titles, height=3.6, widths=None):
    """Return a figure with one panel a title, side by side, and its axes."""
    figure = Figure(figsize=(10.0, height), layout="constrained")
    axes = figure.subplots(1, len(titles), squeeze=False, width_ratios=widths)[0]
    for each, title in zip(axes, titles, strict=True):
        each.set_title(title, fontsize=10)
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def table_below(page, heading, number=0):
    """Return the rows of a table of docs/, as dicts by the names of the columns.

    Args:
        page: Name of the page, without suffix.
        heading: The heading it stands below.
        number: Which of the tables below this heading.
    """
    text = Path(__file__).parents[3].joinpath("docs", f"{page}.md").read_text(encoding="utf-8")
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1].partition("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section + "\n", flags=re.MULTILINE)
    names, _, *rows = map(_cells, tables[number].splitlines())
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cells(line):
    return [cell.strip().strip("*") for cell in line.strip().strip("|").split("|")]
