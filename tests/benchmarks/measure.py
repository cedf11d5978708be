"""What the benchmarks share: interleaved runs, medians, one table, the machine."""

import importlib.metadata
import os
import platform
import statistics
import time

from rich.console import Console
from rich.table import Table

PACKAGES = (
    *("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless", "torch", "pillow"),
    *("transformers", "tensorflow-text"),
)


def images_per_second(batches):
    """Return pictures a second over one pass, without the first batch, which pays for start-up."""
    iterator = iter(batches)
    next(iterator)
    begin, count = time.perf_counter(), 0
    for batch in iterator:
        count += len(batch[0] if isinstance(batch, tuple) else batch)
    return count / (time.perf_counter() - begin)


def interleaved(contenders, rounds, rate=images_per_second):
    """Return the median rate of each contender by name; each round runs all of them, so that noise meets all alike.

    Args:
        contenders: Functions without arguments by name; each returns what `rate` measures.
        rounds: Runs a contender, after one that is not counted.
        rate: Function from what a contender returns to a number.
    """
    runs = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            value = rate(contender())
            if number:
                runs[name].append(value)
    return {name: statistics.median(values) for name, values in runs.items()}


def print_table(title, rates, ours, unit="images/s"):
    """Print rates, and how many times as fast `ours` is."""
    table = Table(title=title)
    for column in ("what", unit, f"{ours} is x times as fast"):
        table.add_column(column, justify="left" if column == "what" else "right", no_wrap=True)
    for name, value in rates.items():
        table.add_row(name, f"{value:,.0f}", f"{rates[ours] / value:.2f}")
    Console(width=110).print(table)


def print_machine():
    """Print processor, cores, memory, versions."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {memory:.0f} GB")
    print(", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name))))


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
