"""Hyper-parameters of a run, for TensorBoard's table of runs."""

import os
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api, api_pb2, summary

from unitools.core.checks import fail


def check_hyperparameters(name: str, value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the argument as a dict, or raise if it is no dict of numbers, texts and flags by name."""
    if value is None:
        return None
    kinds = (bool, int, float, str)
    named = isinstance(value, dict) and value
    if not named or not all(isinstance(key, str) and isinstance(one, kinds) for key, one in value.items()):
        fail(name, value, "a dict of numbers, texts or flags by name", 'Write for instance {"learning_rate": 1e-4}.')
    return dict(value)


def write_hyperparameters(writer: Any, values: dict[str, Any], log_dir: str) -> None:
    """Write what this run was set to, under the name of its folder."""
    with writer:
        api.hparams(values, trial_id=os.path.basename(os.path.abspath(log_dir)))


def write_columns(writer: Any, values: dict[str, Any], scores: Iterable[tuple[str, str]]) -> None:
    """Write which columns the table of runs has.

    Args:
        writer: Where to write, a context.
        values: The hyper-parameters.
        scores: Folder and tag of each score.
    """
    metrics = [api.Metric(tag, group=folder, display_name=f"{folder} {tag}") for folder, tag in scores]
    with writer:
        api.hparams_config(hparams=[api.HParam(name) for name in values], metrics=metrics)


def write_success(writer: Any) -> None:
    """Write that the run has ended well."""
    with writer:
        tf.summary.experimental.write_raw_pb(summary.session_end_pb(api_pb2.STATUS_SUCCESS).SerializeToString(), step=0)
