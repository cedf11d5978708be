"""A run that is cut after any step ends as the one that was not; beside it what Keras' own callback makes of it."""

import tempfile
from pathlib import Path

import keras
import numpy as np

from tests.benchmarks.promises.picture import OURS, PLAIN, THEIRS, panels
from tests.callbacks.resumed_run import STEPS, CutAfter, train

CUTS = range(1, 3 * STEPS + 1)
EVERY = 3  # steps, that of `train`


class Losses(keras.callbacks.Callback):
    """Writes down the loss of each step, which is the mean of the epoch so far."""

    def __init__(self):
        super().__init__()
        self.points, self._epoch = [], [0]

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = [epoch]

    def on_train_batch_end(self, batch, logs=None):
        self.points.append((self._epoch[0] * STEPS + batch + 1, float(logs["loss"])))


def cut_and_go_on(cut, keras_own):
    """Return the losses after a cut, and the variables at the end; None for those if the run could not go on."""
    with tempfile.TemporaryDirectory() as place:
        folder = str(Path(place) / "run")

        def run(*callbacks):
            losses = Losses()
            if not keras_own:
                return losses, train(folder, *callbacks, callbacks=[losses])
            backup = keras.callbacks.BackupAndRestore(folder, save_freq=EVERY)
            return losses, train(None, *callbacks, callbacks=[losses, backup])

        run(CutAfter(cut))
        try:
            losses, (_, variables, _) = run()
        except (OSError, ValueError) as error:
            print(f"cut after {cut}: {type(error).__name__}: {error}"[:200], flush=True)
            return [], None
        return losses.points, variables


def gap(found, expected):
    """Return the largest difference of any variable at the end."""
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True) if one.size)


def draw(_):
    """Return the figure."""
    losses = Losses()
    _, variables, _ = train(None, callbacks=[losses])
    figure, (curve, ends) = panels("Training loss of the runs that went on", "Largest difference at the end")
    curve.plot(*zip(*losses.points, strict=True), color=PLAIN, linewidth=6, alpha=0.5, label="never cut")
    for keras_own, color, name in ((True, THEIRS, "Keras BackupAndRestore"), (False, OURS, "ExactResume")):
        gaps, seen = [], []
        for cut in CUTS:
            points, end = cut_and_go_on(cut, keras_own)
            gaps.append(np.nan if end is None else gap(end, variables))
            seen += points
        print(f"{name}: {sum(value == 0 for value in gaps)} of {len(gaps)} ends are the same in every bit", flush=True)
        curve.plot(*zip(*seen, strict=True), ".", color=color, markersize=4 if keras_own else 3, label=name)
        ends.plot(CUTS, gaps, "o", color=color, markersize=4, label=name)
    ends.set(xlabel="cut after step", ylabel="variables of model and optimizer", yscale="symlog")
    ends.set_yscale("symlog", linthresh=1e-7)
    curve.set(xlabel="step", ylabel="mean of the epoch so far")
    for axes in (curve, ends):
        axes.legend(fontsize=8)
    return figure
