"""The variables of a run, made before its first step; Keras makes some of them in it."""

from typing import Any

import keras

from unitools.callbacks.checkpoint.optimizers import build_optimizers


def build_state(model: keras.Model, run: Any) -> None:
    """Make the variables of a model and its optimizers that are not there yet.

    Args:
        model: The model, compiled.
        run: What trains it; its `batch_spec` is the type of a batch.
    """
    if not all(layer.built for layer in model._flatten_layers(include_self=False)):
        model._symbolic_build(data_batch=run.batch_spec)
    build_optimizers(model)


def build_metrics(model: keras.Model, run: Any) -> None:
    """Make the variables of the compiled metrics that are not there yet."""
    metrics = model._compile_metrics
    if metrics is not None and not metrics.built:
        model._symbolic_build(data_batch=run.batch_spec)
