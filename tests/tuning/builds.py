"""What the searches of these tests build. Only the functions that need Keras import it."""

import os
import signal
import sys
import time
from pathlib import Path


def parabola(settings, trial):
    """Report three values that come nearer to the score, and leave a file."""
    score = (settings["x"] - 1) ** 2
    (trial.folder / "model.txt").write_text(str(score))
    for step in range(3):
        if trial.report(score + 2 - step):
            break
    return score


def imports(settings, trial):
    """Tell whether this process has TensorFlow or Keras."""
    return {"error": settings["x"], "loaded": float(bool({"tensorflow", "keras"} & set(sys.modules)))}


def counted(settings, trial):
    """Note in a file that the trial ran, slowly enough to be killed."""
    with Path(settings["notes"]).open("a") as file:
        file.write(f"{trial.number} {os.getpid()}\n")
    for _ in range(4):
        time.sleep(0.05)
        trial.report(settings["x"] ** 2)
    return settings["x"] ** 2


def broken(settings, trial):
    """Fail as a build of a wrong shape does."""
    print("about to fail")
    raise KeyError("no such layer")


def by_number(settings, trial):
    """Fail, die, hang, diverge or end, by the number of the trial."""
    if trial.number == 0:
        raise ValueError("first")
    if trial.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if trial.number == 2:
        time.sleep(600)
    return {3: float("nan")}.get(trial.number, 0.5)


def wrong_name(settings, trial):
    """Return scores without the objective."""
    return {"loss": 1.0, "f1": 0.5}


def read_model(settings, trial):
    """Evaluate again what `parabola` has stored."""
    return float((trial.folder / "model.txt").read_text())


def nothing(settings, trial):
    """Return what is no score."""
    return "good"


def budget(settings, trial):
    """Note what Hyperband asks for."""
    source = "-" if trial.source is None else trial.source.name
    with Path(settings["notes"]).open("a") as file:
        file.write(f"{trial.number} {trial.initial_epoch} {trial.epochs} {source}\n")
    return (settings["x"] - 1) ** 2 / trial.epochs


def classifier(settings, trial):
    """Return a small classifier and what to fit it with."""
    import keras
    import numpy as np

    random = np.random.default_rng(0)
    x = random.normal(size=(96, 4)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype("int32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.1), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(settings["rate"]), loss, metrics=["accuracy"])
    return model, {"x": x[:64], "y": y[:64], "validation_data": (x[64:], y[64:]), "epochs": 3, "batch_size": 16}
