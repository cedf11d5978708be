"""The calls of a model's layers, nested models opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from unitools.core.checks import fail
from unitools.core.layers.call_graph import nodes_in_order


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer or an operation in a model's graph.

    Args:
        path: Names of the nested models on the way and of the layer, joined by "/".
        node: The call, as Keras keeps it.
        graph: The model whose graph it is in: the model itself, or a nested one.
    """

    path: str
    node: Any
    graph: keras.Model

    @property
    def layer(self) -> Any:
        """The layer or operation that is called."""
        return self.node.operation


def has_graph(layer: Any) -> bool:
    """Return whether this is a functional model, or a sequential one that has been built."""
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def check_graph(model: Any) -> keras.Model:
    """Return the model, or raise if it has no graph that could be changed."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received {type(model).__name__}. Give the model it is in.")
    if not has_graph(model):
        advice = "A subclassed model has no graph: wrap the layers where it makes them."
        fail("model", model.name, "functional, or sequential and built", advice)
    if type(model).train_step is not keras.Model.train_step:
        advice = f"The new model would lose that of {type(model).__name__}: change the model before."
        fail("model", model.name, "a model with Keras' train step", advice)
    return model


def layer_calls(model: keras.Model) -> list[LayerCall]:
    """Return the calls of the model from input to output, those inside nested models after the nested model's own."""
    return list({id(call.node): call for call in _walk(model, "")}.values())


def _walk(model, prefix) -> Iterator[LayerCall]:
    for node in nodes_in_order(model):
        if not node.is_input:
            path = f"{prefix}{node.operation.name}"
            yield LayerCall(path, node, model)
            if has_graph(node.operation):
                yield from _walk(node.operation, f"{path}/")
