"""A search of 30 trials on two cores against a recipe set by hand, and the memory of the process that searches.

python -m tests.benchmarks.search [--trials 30] [--workers 2] [--engine optuna]

The task: scikit-learn's 1,797 digits of 8 x 8 pixels, 1,000 to train and 400 to validate, with noise on the pixels. The
recipe by hand is what one would write down first. The found one is scored, as that, on the 397 digits that neither saw.
"""

import argparse
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import psutil
from rich.console import Console
from rich.table import Table

import unitools as ut
from tests.benchmarks.measure import print_machine

BY_HAND = {"units": 64, "depth": 2, "dropout": 0.2, "optimizer": "adam", "learning_rate": 1e-3, "batch_size": 32}
EPOCHS = 12


def digits():
    """Return three pairs of pixels and labels: to train, to validate, to test."""
    import numpy as np
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    order = random.permutation(len(x))
    x = (x / 16 + random.normal(0, 0.35, x.shape)).astype("float32")[order]
    return [(x[part], y[order][part]) for part in (slice(0, 1000), slice(1000, 1400), slice(1400, None))]


def build(settings, trial):
    """Return a dense classifier and what to fit it with."""
    import keras

    keras.utils.set_random_seed(trial.seed)
    train, validation, _ = digits()
    layers = [keras.Input((64,))]
    for _ in range(settings["depth"]):
        layers += [keras.layers.Dense(settings["units"], "relu"), keras.layers.Dropout(settings["dropout"])]
    model = keras.Sequential([*layers, keras.layers.Dense(10, "softmax")])
    options = {"momentum": settings["momentum"]} if settings["optimizer"] == "sgd" else {}
    optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[settings["optimizer"]]
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer(settings["learning_rate"], **options), loss, metrics=["accuracy"])
    data = {"x": train[0], "y": train[1], "validation_data": validation}
    return model, data | {"epochs": EPOCHS, "batch_size": settings["batch_size"]}


def accuracy_on_test(settings, trial):
    """Return the accuracy on the digits that the search never saw, with the weights that the trial kept."""
    model, _ = build(settings, trial)
    model.load_weights(trial.weights)
    x, y = digits()[2]
    return {"val_accuracy": model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]}


def space():
    """Return what is searched."""
    return {
        "units": ut.tuning.Integer(16, 512, log=True),
        "depth": ut.tuning.Integer(1, 3),
        "dropout": ut.tuning.Number(0, 0.6),
        "optimizer": ut.tuning.Choice(["adam", "sgd"]),
        "momentum": ut.tuning.Number(0, 0.95, when={"optimizer": "sgd"}),
        "learning_rate": ut.tuning.Number(1e-4, 1e-1, log=True),
        "batch_size": ut.tuning.Choice([16, 32, 64]),
    }


def hand_set(folder):
    """Return the search that has one trial: the recipe by hand, whose batch size alone is called a choice."""
    only = BY_HAND | {"batch_size": ut.tuning.Choice([BY_HAND["batch_size"]])}
    search = ut.tuning.Search(build, only, "val_accuracy", folder=f"{folder}/by_hand")
    search.run(1)
    return search


def on_test(search):
    """Return the accuracy of a search's best trial on the test digits, which `verify` compares with no stored one."""
    return accuracy_on_test(search.best.settings, search.as_trial(search.best))["val_accuracy"]


def main():
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=30)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--engine", default="optuna", choices=["optuna", "keras_tuner"])
    given = arguments.parse_args()
    print_machine()
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        print(f"by hand: {BY_HAND}")
        by_hand = hand_set(folder)
        search = ut.tuning.Search(build, space(), "val_accuracy", engine=given.engine, folder=f"{folder}/search")
        search.run(1)  # so that the memory at the beginning holds all code
        begin, start = process.memory_info().rss, time.perf_counter()
        search.run(given.trials, workers=given.workers).print()
        seconds, end = time.perf_counter() - start, process.memory_info().rss
        again = search.verify()
        report(given, by_hand, search, again, seconds, begin, end)


def report(given, by_hand, search, again, seconds, begin, end):
    """Print scores, time and memory."""
    table = Table("recipe", "validation accuracy", "evaluated again", "test accuracy")
    table.add_row("by hand", f"{by_hand.best.score:.4f}", f"{by_hand.verify():.4f}", f"{on_test(by_hand):.4f}")
    table.add_row("found", f"{search.best.score:.4f}", f"{again:.4f}", f"{on_test(search):.4f}")
    console = Console()
    console.print(table)
    console.print(f"found: {search.best.settings}")
    console.print(f"{given.trials} trials, {given.workers} at a time: {seconds:.0f} s")
    growth = f"{100 * (end / begin - 1):+.1f} %"
    console.print(f"memory of the searching process: {begin / 2**20:.0f} MiB, then {end / 2**20:.0f} MiB ({growth})")


if __name__ == "__main__":
    main()
