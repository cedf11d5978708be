"""A process that loads one export in its runtime, and times or scores it. Imports that runtime and numpy alone.

Run as a script: worker.py CALL_PORTABLE EXPORT PICTURES THREADS BATCH CALLS; prints JSON. With CALLS 0 it answers for
all pictures instead, and prints the place of the largest probability of each.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np

SKIPPED = 5


def load(script, export, threads):
    """Return a function from {"images": array} to {name: array}."""
    if (Path(export) / "saved_model.pb").exists():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        serve = tf.saved_model.load(str(export)).signatures["serving_images"]
        return lambda inputs: {name: value.numpy() for name, value in serve(**_tensors(tf, inputs)).items()}
    spec = importlib.util.spec_from_file_location("call_portable", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(export, threads)


def _tensors(tf, inputs):
    return {name: tf.constant(value) for name, value in inputs.items()}


def latencies(call, pictures, batch, calls):
    """Return the seconds of each call; the first ones, which pay for memory, are not among them."""
    found = []
    for number in range(calls + SKIPPED):
        start = number * batch % (len(pictures) - batch + 1)
        images = np.ascontiguousarray(pictures[start : start + batch], np.float32)
        begin = time.perf_counter()
        call({"images": images})
        found.append(time.perf_counter() - begin)
    return found[SKIPPED:]


def classes(call, pictures, batch=16):
    """Return the place of the largest probability of each picture."""
    found = []
    for start in range(0, len(pictures), batch):
        answers = call({"images": np.ascontiguousarray(pictures[start : start + batch], np.float32)})
        found += answers["probabilities"].argmax(-1).tolist()
    return found


if __name__ == "__main__":
    script, export, file, threads, batch, calls = sys.argv[1:]
    function = load(script, export, int(threads))
    given = np.load(file, mmap_mode="r")
    done = latencies(function, given, int(batch), int(calls)) if int(calls) else classes(function, given)
    print(json.dumps(done))
