"""Memory of streaming 10,000 files, cost of seeking, time of `import unitools`.

python -m tests.benchmarks.reading ../shared/data/flower_photos/train
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import psutil
import tensorflow as tf

import unitools as ut
from tests.benchmarks.measure import print_machine

NUM_FILES = 10_000


def linked_files(folder, target):
    """Fill `target` with 10,000 links to the pictures of `folder`, in its classes."""
    files = sorted(Path(folder).resolve().glob("*/*.jpg"))
    for number in range(NUM_FILES):
        file = files[number % len(files)]
        place = Path(target) / file.parent.name
        place.mkdir(exist_ok=True)
        (place / f"{number}.jpg").symlink_to(file)


class PeakMemory:
    """Samples the resident memory of this process every 20 ms."""

    def __enter__(self):
        self._done, self.peak = threading.Event(), 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        process = psutil.Process()
        while not self._done.wait(0.02):
            self.peak = max(self.peak, process.memory_info().rss)

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def streaming(folder):
    """Return megabytes above the baseline, TensorFlow started, while 10,000 files pass; and pictures a second."""
    next(iter(tf.data.Dataset.range(1)))
    baseline = psutil.Process().memory_info().rss
    with PeakMemory() as memory:
        augment = ut.data.RandomAffine(shear=0.2, zoom=0.2, horizontal_flip=True)
        batches = ut.data.ImageFolder(folder).batches(32, seed=1, augment=augment)
        begin = time.perf_counter()
        count = sum(len(images) for images, _ in batches)
        seconds = time.perf_counter() - begin
    return (memory.peak - baseline) / 2**20, count / seconds


def seeking(folder):
    """Return the median milliseconds to the first batch from several steps of an epoch."""
    batches = ut.data.ImageFolder(folder).batches(32, seed=1)
    times = {step: [] for step in (0, 1, 100, len(batches) - 1)}
    for number in range(8):
        for step, seconds in times.items():
            batches.load_state_dict({"epoch": 0, "step": step})
            begin = time.perf_counter()
            next(iter(batches))
            if number:
                seconds.append(time.perf_counter() - begin)
    return {step: 1000 * statistics.median(seconds) for step, seconds in times.items()}


def importing():
    """Return the median milliseconds of `import unitools` in fresh processes."""
    code = "import time; begin = time.perf_counter(); import unitools; print(time.perf_counter() - begin)"
    runs = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(7)]
    return 1000 * statistics.median(runs)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    given = arguments.parse_args()
    print_machine()
    print(f"import unitools: {importing():.1f} ms")
    with tempfile.TemporaryDirectory() as place:
        linked_files(given.folder, place)
        megabytes, rate = streaming(place)
        print(f"streaming {NUM_FILES:,} files: {megabytes:.0f} MB above the baseline, {rate:,.0f} images/s")
        for step, milliseconds in seeking(place).items():
            print(f"first batch from step {step}: {milliseconds:.0f} ms")


if __name__ == "__main__":
    main()
