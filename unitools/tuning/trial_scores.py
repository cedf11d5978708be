"""From what a build returns to scores."""

# Imports neither unitools.core nor Keras, as the process of a trial does.

import sys
from typing import Any

from unitools.tuning.trial import Trial


class UnknownObjectiveError(ValueError):
    """The scores of a trial hold no objective of that name."""


def trial_scores(result: Any, trial: Trial) -> dict[str, float]:
    """Return the scores of a trial: of the epoch at which the objective was best.

    Args:
        result: What `build` returned, or the History of `fit`: a number, a dict of scores, a History, or None for the
            best value that was reported.
        trial: The trial.

    Raises:
        UnknownObjectiveError: The objective is not among the scores.
        TypeError: The result is none of these.
    """
    if isinstance(getattr(result, "history", None), dict):
        return _best_epoch(result.history, trial)
    if isinstance(result, dict):
        _check(result, trial)
        return {name: float(value) for name, value in result.items() if _is_number(value)}
    if result is None and trial.best is not None:
        return {trial.objective: trial.best}
    if result is None or not _is_number(result):
        raise TypeError(
            "`build` must return a score, a dict of scores, the History of `fit`, or (model, arguments of fit), or "
            f"return None after trial.report(...). Received {result!r}. Return for instance model.fit(...)."
        )
    return {trial.objective: float(result)}


def fit(result: tuple, trial: Trial) -> Any:
    """Fit the model of (model, arguments of fit) with the trial's callbacks, and return the History."""
    model, arguments = result[0], dict(result[1])
    begin = 0
    if trial.source is not None and (trial.source / "last.weights.h5").is_file():
        _load(model, trial.source / "last.weights.h5")
        begin = trial.initial_epoch
    if trial.epochs is not None:
        arguments |= {"epochs": trial.epochs, "initial_epoch": begin}
    seed_keras(trial.seed)
    callbacks = [*(arguments.pop("callbacks", None) or ()), *trial.callbacks()]
    history = model.fit(**{"verbose": 2} | arguments, callbacks=callbacks)
    if trial.epochs is not None:
        model.save_weights(trial.folder / "last.weights.h5")
    return history


def evaluate(result: tuple, trial: Trial) -> dict[str, float]:
    """Evaluate the model of (model, arguments of fit) with the weights that the trial kept."""
    model, arguments = result
    if not trial.objective.startswith("val_") or "validation_data" not in arguments:
        raise TypeError(
            "To evaluate again, the objective must begin with 'val_' and `build` must return validation_data among the "
            f"arguments of fit. Received objective={trial.objective!r} and {sorted(arguments)}. Give verify(evaluate=)."
        )
    _load(model, trial.weights)
    data = arguments["validation_data"]
    options = {name: arguments[name] for name in ("batch_size",) if name in arguments}
    options |= {"steps": arguments.get("validation_steps"), "verbose": 0, "return_dict": True}
    if isinstance(data, (tuple, list)):
        names = ("x", "y", "sample_weight")[: len(data)]
        scores = model.evaluate(**dict(zip(names, data, strict=True)), **options)
    else:
        scores = model.evaluate(data, **options)
    return {f"val_{name}": value for name, value in scores.items()}


def is_model(result: Any) -> bool:
    """Return whether a build returned (model, arguments of fit)."""
    return isinstance(result, tuple) and len(result) == 2 and hasattr(result[0], "fit") and isinstance(result[1], dict)


def seed_keras(seed: int) -> None:
    """Seed Keras and TensorFlow, if the build has imported them."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)


def _load(model, path):
    """Load weights, and with them the state of the optimizer, which Keras skips in one that is not built."""
    if getattr(model, "optimizer", None) is not None:
        model.optimizer.build(model.trainable_variables)
    model.load_weights(path)


def _best_epoch(history, trial):
    _check(history, trial)
    values = history[trial.objective]
    order = [(value if trial.direction == "max" else -value, -epoch) for epoch, value in enumerate(values)]
    finite = [item for item in order if item[0] == item[0]]
    best = -max(finite)[1] if finite else 0
    return {name: float(column[best]) for name, column in history.items() if len(column) == len(values)}


def _check(scores, trial):
    if trial.objective not in scores:
        there = ", ".join(map(repr, scores)) or "of which there are none"
        raise UnknownObjectiveError(
            f"`objective` must be among the scores of the trial, {there}. Received objective={trial.objective!r}. "
            "Name one of them, or give fit validation_data for 'val_' scores."
        )


def _is_number(value):
    return not isinstance(value, (str, bytes)) and hasattr(value, "__float__") and getattr(value, "size", 1) == 1
