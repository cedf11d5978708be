"""Faults of disk and files, and what became of the run: the tests of them, run once more and drawn."""

import errno
import re

import pytest
from matplotlib.patches import Rectangle

from tests.benchmarks.promises.picture import panels
from tests.callbacks.checkpoint import test_faults

BACK, ON, ERROR = "goes on from the checkpoint before", "trains on, to the same end", "is told by an error of its own"
COLORS = {BACK: "tab:blue", ON: "tab:green", ERROR: "tab:purple", "lost": "tab:red"}
OUTCOMES = {
    "test_missing_part": BACK,
    "test_truncated": BACK,
    "test_empty": BACK,
    "test_flipped_bit": BACK,
    "test_strange_manifest": BACK,
    "test_strange_entries": BACK,
    "test_unfinished_is_cleared": BACK,
    "test_full_disk": ON,
    "test_the_system_refuses_for_a_while": ON,
    "test_newer_version": ERROR,
    "test_none_is_whole": ERROR,
    "test_folders_that_cannot_be": ERROR,
    "test_another_process_trains_into_it": ERROR,
    "test_states_that_no_file_holds": ERROR,
}
COLUMNS = 6


class Results:
    """Hears of pytest which tests passed."""

    def __init__(self):
        self.passed = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.passed[report.nodeid.partition("::")[2]] = report.passed


def draw(_):
    """Return the figure."""
    results = Results()
    pytest.main(["-q", "--no-header", test_faults.__file__], plugins=[results])
    tiles = []
    for test, passed in results.passed.items():
        name, _, case = test.partition("[")
        label = name.removeprefix("test_").replace("_", " ").replace("the system refuses for a while", "system refuses")
        case = re.sub(r"-(\d+)$", lambda found: " " + errno.errorcode[int(found[1])], case[:-1])
        tiles.append((label, case, OUTCOMES[name] if passed else "lost"))
    rows = -(-len(tiles) // COLUMNS)
    figure, (axes,) = panels(f"{len(tiles)} faults of disk and files: the run", height=0.5 * rows + 0.8)
    for number, (label, case, outcome) in enumerate(sorted(tiles, key=lambda tile: list(COLORS).index(tile[2]))):
        x, y = number % COLUMNS, -(number // COLUMNS)
        axes.add_patch(Rectangle((x, y), 0.96, 0.9, color=COLORS[outcome], alpha=0.25, linewidth=0))
        axes.text(x + 0.48, y + 0.45, f"{label}\n{case[:28]}".strip(), ha="center", va="center", fontsize=6.5)
    for outcome, color in COLORS.items():
        count = sum(tile[2] == outcome for tile in tiles)
        if count:
            axes.plot([], [], "s", color=color, alpha=0.4, label=f"{outcome}: {count}")
    axes.set(xlim=(0, COLUMNS), ylim=(-rows + 1, 1))
    axes.set_axis_off()
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure
