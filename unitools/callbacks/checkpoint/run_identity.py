"""Which run a checkpoint belongs to."""

from typing import Any

import keras

from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError
from unitools.callbacks.checkpoint.data_position import describe_data
from unitools.callbacks.checkpoint.optimizers import optimizers_of
from unitools.callbacks.checkpoint.variables import describe_variables
from unitools.callbacks.scaled_schedule import ScaledSchedule

KINDS = ("model", "optimizer", "data", "batch_size", "seed", "callbacks", "order")
"""What `allow` may name."""
_APART = ("batch_size", "seed")
_ADVICE = {
    "model": "Make the model as it was",
    "optimizer": "Compile as before",
    "data": "Give the same data",
    "batch_size": "Give the same batch size",
    "seed": "Give `batches` the same seed",
    "callbacks": "Give the callbacks of before",
}


class DifferentRunError(CheckpointError, ValueError):
    """A checkpoint belongs to a run with another model, optimizer, data, or other callbacks."""


def describe_run(model: keras.Model, data: Any, run: Any) -> dict[str, Any]:
    """Return what tells this run from others: model, optimizer, data, batch size and seed.

    Args:
        model: The model, compiled.
        data: The data, or what they were made of.
        run: What trains: its `batch_size` is that of arrays, its `accumulate_steps` are micro-batches a step.
    """
    found = describe_data(data)
    optimizer = [line for optimizer in optimizers_of(model) for line in _describe_optimizer(optimizer)]
    if run.accumulate_steps > 1:
        optimizer.append(f"accumulate_steps {run.accumulate_steps}")
    return {
        "model": describe_variables(model.variables),
        "optimizer": optimizer,
        "data": {name: value for name, value in found.items() if name not in _APART},
        "batch_size": found.get("batch_size", run.batch_size),
        "seed": found.get("seed"),
    }


def check_same_run(stored: dict[str, Any], current: dict[str, Any], allow: tuple[str, ...], where: str) -> list[str]:
    """Return the kinds that differ and are allowed to.

    Raises:
        DifferentRunError: Something else differs. The text names the first difference of each kind.
    """
    differences = {kind: _difference(stored[kind], current[kind]) for kind in current}
    differences = {kind: text for kind, text in differences.items() if text}
    refused = {kind: text for kind, text in differences.items() if kind not in allow}
    if refused:
        kinds = ", ".join(repr(kind) for kind in refused)
        advice = "; ".join(_ADVICE[kind] for kind in refused)
        raise DifferentRunError(
            f"{where} must hold a run of the same {', '.join(refused)}. "
            + " ".join(f"{kind}: {text}." for kind, text in refused.items())
            + f" {advice}; or give another folder to begin anew, or ExactResume(..., allow=({kinds},)) to go on all "
            "the same."
        )
    return list(differences)


def _describe_optimizer(optimizer):
    lines = [type(optimizer).__name__, *describe_variables(optimizer.variables)]
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.gradient_accumulation_steps:
        lines.append(f"gradient_accumulation_steps {inner.gradient_accumulation_steps}")
    rate = inner._learning_rate
    while isinstance(rate, ScaledSchedule):
        rate = rate.schedule  # what callbacks have put around it is their state
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        lines.append(f"learning_rate {type(rate).__name__} {keras.optimizers.schedules.serialize(rate)['config']}")
    return lines


def _difference(stored, current):
    if stored == current:
        return ""
    if isinstance(stored, list) and isinstance(current, list):
        return _list_difference(stored, current)
    if isinstance(stored, dict) and isinstance(current, dict):
        names = [name for name in {**stored, **current} if stored.get(name) != current.get(name)]
        return ", ".join(f"{name} was {stored.get(name)!r}, is {current.get(name)!r}" for name in names)
    return f"was {stored!r}, is {current!r}"


def _list_difference(stored, current):
    for left, right in zip(stored, current, strict=False):
        if left != right:
            return f"it was '{left}', is '{right}'"
    return f"it had {len(stored)} variables, has {len(current)}"
