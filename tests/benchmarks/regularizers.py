"""What each regularizer does to the held-out score of a fine-tuning, and what a step costs.

    python -m tests.benchmarks.regularizers {flowers|sst2} DATA WEIGHTS [--results FILE] [--train 400] [--epochs 4]
        [--seeds 3] [--only NAME ...] [--rounds 12] [--threads 2]

flowers: DATA is flower_photos, WEIGHTS the timm folder of EfficientNet-Lite0. sst2: DATA is sst2, WEIGHTS a BERT folder
of Transformers. All runs train the whole net on the same few examples with AdamW, a tenth of warm-up and, but for two,
a linear decay; a seed fixes the head, the order and the noise. The score is the accuracy on all of val or dev after the
last epoch, in percent. The cost is the median of the ratio of two steps, one with and one without, made in turns.

Each finished run is a line of JSON in FILE (default: regularizers_{task}.jsonl); what is there is not run again.
`--rounds 0` leaves the costs for later, when the machine is quiet.
"""

import argparse
import gc
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import unitools as ut
from tests.benchmarks.measure import print_machine
from tests.benchmarks.regularizer_recipes import Flowers, Sst2

TASKS = {"flowers": Flowers, "sst2": Sst2}
BATCH = 16


def prepared(task, recipe, seed, num_steps):
    """Return a compiled model."""
    keras.utils.set_random_seed(seed)
    model = task.build(recipe)
    recipe.model(model)
    if recipe.steps is not None:
        model = ut.regularization.RegularizedModel(model, recipe.steps())
    smoothing = recipe.compile.get("label_smoothing", 0.0)
    options = {"learning_rate": task.rate, "steps": num_steps, "warmup": 0.1, "decay": "linear", "weight_decay": 0.0}
    options |= {name: value for name, value in recipe.compile.items() if name != "label_smoothing"}
    loss = ut.losses.CrossEntropy(from_logits=True, label_smoothing=smoothing)
    metrics = ["accuracy", keras.metrics.SparseCategoricalCrossentropy("cross_entropy", from_logits=True)]
    ut.training.compile(model, **options, loss=loss, metrics=metrics, jit_compile=False, seed=seed, verbose=False)
    return model


def run(task, recipe, seed, given):
    """Train once, and return the score in percent and the cross-entropy on the held-out data."""
    num_steps = given.epochs * -(-len(task.train[1]) // BATCH)
    model = prepared(task, recipe, seed, num_steps)
    begin = time.perf_counter()
    model.fit(*task.train, batch_size=BATCH, epochs=given.epochs, verbose=0, callbacks=recipe.callbacks())
    seconds = time.perf_counter() - begin
    found = model.evaluate(*task.held_out, batch_size=64, verbose=0, return_dict=True)
    return {"score": 100 * found["accuracy"], "loss": found["cross_entropy"], "seconds": round(seconds, 1)}


def cost(task, recipe, given):
    """Return milliseconds a step, and the median ratio to a plain step made just before or after."""
    x, y = (keras.tree.map_structure(lambda array: tf.constant(array[:BATCH]), part) for part in task.train)
    steps = [stepper(task, chosen, x, y) for chosen in (task.recipes["none"], recipe)]
    pairs = []
    for number in range(given.rounds + 2):
        order = (0, 1) if number % 2 else (1, 0)
        times = {place: clocked(steps[place]) for place in order}
        pairs.append((times[0], times[1]))
    pairs = pairs[2:]  # the first two pay for tracing
    ratio = statistics.median(with_it / plain for plain, with_it in pairs)
    return {"ratio": ratio, "ms": 1000 * statistics.median(with_it for _, with_it in pairs)}


def stepper(task, recipe, x, y):
    """Return a function that makes one step, that of callbacks included."""
    model = prepared(task, recipe, 1, 1000)
    callbacks = keras.callbacks.CallbackList(recipe.callbacks(), model=model, epochs=1, steps=1000)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)

    def step():
        callbacks.on_train_batch_begin(0)
        model.train_on_batch(x, y)
        callbacks.on_train_batch_end(0)

    return step


def clocked(step):
    """Return how many seconds a step takes."""
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def finished(path):
    """Return the results of earlier runs by what was run. A line that a kill cut short is passed over."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[tuple(entry["run"])] = entry
    return found


def measure(task, given, path):
    """Make the runs that are missing, one line in the file each."""
    done = finished(path)
    for kind, name, seed in wanted(task, given):
        key = (kind, name, seed, given.train, given.epochs)
        if key in done:
            continue
        recipe = task.recipes[name]
        entry = {"run": key} | (run(task, recipe, seed, given) if kind == "score" else cost(task, recipe, given))
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if ends_whole(path) else "\n") + json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        print(json.dumps(entry), flush=True)
        keras.backend.clear_session()
        gc.collect()
    return finished(path)


def wanted(task, given):
    """Return all runs, one seed after the other, so that a table can be had early."""
    names = given.only or list(task.recipes)
    costs = [("cost", name, 0) for name in names] if given.rounds else []
    return [("score", name, seed) for seed in range(1, given.seeds + 1) for name in names] + costs


def ends_whole(path):
    """Return whether the file ends with a whole line."""
    return not path.stat().st_size or path.read_bytes().endswith(b"\n")


def show(task, given, done):
    """Print the table, the best first."""
    title = f"{task.name}, {given.train} examples, {given.epochs} epochs, {given.seeds} seeds"
    table = Table(
        "regularizer", "accuracy", "lowest to highest", "against none", "cross-entropy", "a step costs", title=title
    )
    scores = {}
    for kind, name, seed in wanted(task, given):
        entry = done.get((kind, name, seed, given.train, given.epochs))
        if kind == "score" and entry:
            scores.setdefault(name, {})[seed] = entry
    plain = scores.get("none", {})
    for name, runs in sorted(scores.items(), key=lambda item: -mean(item[1], "score")):
        values = [entry["score"] for entry in runs.values()]
        gains = [entry["score"] - plain[seed]["score"] for seed, entry in runs.items() if seed in plain]
        spread = f" ± {statistics.stdev(gains):.2f}" if len(gains) > 1 else ""
        price = done.get(("cost", name, 0, given.train, given.epochs), {}).get("ratio", np.nan)
        table.add_row(
            name, f"{np.mean(values):.2f}", f"{min(values):.2f} to {max(values):.2f}",
            f"{np.mean(gains):+.2f}{spread}" if gains else "", f"{mean(runs, 'loss'):.4f}", f"{price:.2f} x",
        )  # fmt: skip
    Console(width=120).print(table)
    print("against none: mean and standard deviation over seeds of the difference to the plain run of the same seed")


def mean(runs, key):
    """Return the mean of a value over seeds."""
    return float(np.mean([entry[key] for entry in runs.values()]))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("task", choices=list(TASKS))
    arguments.add_argument("data", type=Path)
    arguments.add_argument("weights", type=Path)
    arguments.add_argument("--results", type=Path)
    for name, value in {"train": 400, "epochs": 4, "seeds": 3, "rounds": 12, "threads": 2}.items():
        arguments.add_argument(f"--{name}", type=int, default=value)
    arguments.add_argument("--only", nargs="*")
    given = arguments.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    print_machine()
    task = TASKS[given.task](given.data, given.weights, given.train)
    unknown = set(given.only or ()) - set(task.recipes)
    if unknown:
        arguments.error(f"--only: no regularizer {sorted(unknown)}; there are {sorted(task.recipes)}")
    path = given.results or Path(f"regularizers_{given.task}.jsonl")
    show(task, given, measure(task, given, path))


if __name__ == "__main__":
    main()
