"""python -m tests.benchmarks.serving DATA WEIGHTS [--only latency throughput ...] [--minutes 10]

DATA holds flower_photos and sst2, WEIGHTS is a MiniLM folder.
"""

import argparse
import collections
import csv
import os
import statistics
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from tests.benchmarks.measure import print_machine
from tests.benchmarks.serving import measures
from tests.benchmarks.serving.exports import short_texts, small_pictures, write_pictures, write_texts
from tests.benchmarks.serving.process import served

PARTS = ("ready", "latency", "throughput", "swaps", "drain", "soak")


def print_latencies(found):
    direct = found["signature"]
    for what, values in found.items():
        middle, late = np.percentile(values, [50, 99])
        above = [middle - np.percentile(direct, 50), late - np.percentile(direct, 99)]
        print(f"  {what:15} p50 {middle:6.2f} ms, p99 {late:6.2f} ms, above: {above[0]:5.2f} and {above[1]:5.2f}")


def print_counts(answered, failures):
    print(f"  {answered:,} answered, {len(failures)} failures {dict(collections.Counter(failures))}")


def print_soak(samples):
    seconds, megabytes = np.array(samples).T
    after_one = np.median(megabytes[(seconds > 60) & (seconds <= 120)])
    last = np.median(megabytes[seconds > seconds[-1] - 60])
    print(f"  resident: second minute {after_one:.0f} MiB, last {last:.0f} MiB, {100 * (last / after_one - 1):+.2f} %")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", type=Path)
    arguments.add_argument("weights", type=Path)
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--minutes", type=float, default=10)
    given = arguments.parse_args()
    print_machine()
    with (given.data / "sst2" / "test.csv").open(encoding="utf-8") as rows:
        texts = short_texts([row["text"] for row in csv.DictReader(rows)])[:512]
    files = sorted((given.data / "flower_photos" / "val").glob("*/*.jpg"))
    pictures = small_pictures(files[::3])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_texts(given.weights, folder, texts)
        write_pictures(folder, files)
        requests = {"texts": measures.bodies(texts=texts), "pictures": measures.bodies(pictures=pictures)}
        run(given, folder, {"texts": texts, "pictures": pictures}, requests)


def run(given, folder, inputs, requests):
    if "ready" in given.only:
        seconds = []
        for _ in range(3):
            with served(folder) as server:
                seconds.append(server.ready_seconds)
        print(f"ready after {statistics.median(seconds):.1f} s (both models)")
    if "latency" in given.only:
        for name, key in (("texts", "texts"), ("pictures", "image_bytes")):
            print(f"latency of one client, {name}")
            print_latencies(measures.latencies(folder, name, key, inputs[name], 5, 200))
    if "throughput" in given.only:
        for name in requests:
            print(f"32 clients, {name}")
            rates, failures = measures.throughput(folder, name, requests[name], 32, 10, 3)
            middle = {kind: statistics.median(values) for kind, values in rates.items()}
            print(f"  {middle}, {middle['batches'] / middle['one by one']:.2f} times; failures: {failures[:3]}")
    if "swaps" in given.only:
        print("20 hot swaps under load")
        print_counts(*measures.swaps(folder, "pictures", requests["pictures"]))
    if "drain" in given.only:
        print("SIGTERM under load, 5 times")
        answered, failures, seconds = measures.drain(folder, "pictures", requests["pictures"], 5)
        print_counts(answered, failures)
        print(f"  gone after {max(seconds):.2f} s at most")
    if "soak" in given.only:
        print(f"soak of {given.minutes} minutes")
        samples, answered, failures = measures.soak(folder, requests, given.minutes)
        print_counts(answered, failures)
        print_soak(samples)


if __name__ == "__main__":
    main()
