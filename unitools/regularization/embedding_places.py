"""Where adversarial steps push: what embeddings give out, or their tables."""

import contextlib
from types import SimpleNamespace

import keras
import tensorflow as tf

from unitools.core.checks import fail
from unitools.core.name_patterns import fitting
from unitools.regularization.extra_pass import extra_pass
from unitools.regularization.layer_call import has_graph, layer_calls
from unitools.regularization.output_probe import OutputProbe
from unitools.regularization.step_gradients import dense, norm, norm_by_example


def embedding_layers(model, patterns):
    """Return the layers that the patterns fit, or those that turn whole numbers into features, each once."""
    calls = [call for call in layer_calls(model) if isinstance(call.layer, keras.layers.Layer)]
    if patterns:
        chosen = fitting("layers", patterns, [call.path for call in calls], "a layer of the model")
        found = [call.layer for call in calls if call.path in chosen]
    else:
        found = [call.layer for call in calls if not has_graph(call.layer) and _embeds(call)]
    if not found:
        fail("layers", None, "the names of layers, for a model without embeddings of ids",
             "Name the layers whose outputs to perturb, see model.summary(expand_nested=True).")  # fmt: skip
    return list({id(layer): layer for layer in found}.values())


def _embeds(call):
    if isinstance(call.layer, keras.layers.Embedding):
        return True
    inputs, outputs = call.node.input_tensors, call.node.output_tensors
    return all(_is_whole(tensor) for tensor in inputs) and any("float" in str(tensor.dtype) for tensor in outputs)


def _is_whole(tensor):
    return "int" in str(tensor.dtype) or str(tensor.dtype) == "bool"


class _Outputs:
    """What the layers give out. Each example is pushed by itself."""

    def __init__(self, model, layers):
        self._layers, self._model = layers, model

    @contextlib.contextmanager
    def watched(self):
        with OutputProbe(self._layers) as probe:
            yield probe

    @contextlib.contextmanager
    def pushed(self, shifts, noise):
        with extra_pass(self._model, noise=noise), OutputProbe(self._layers, shifts) as probe:
            yield probe

    def slopes(self, probe, gradients):
        """Return the gradient with respect to each output in the order of the calls, zero where the loss has none."""
        if not probe.outputs:
            names = [layer.name for layer in self._layers]
            fail("layers", names, "layers that the model calls", "A compiled or quantized inner part hides them.")
        pairs = zip(probe.outputs, probe.gradients, strict=True)
        return [tf.zeros_like(output, "float32") if slope is None else dense(slope) for output, slope in pairs]

    lengths = staticmethod(lambda tensors: [norm_by_example(tensor) for tensor in tensors])


class _Tables:
    """The largest table of each layer. All are pushed together, once for the whole batch."""

    def __init__(self, model, layers):
        self._model = model
        self._tables = [_largest_table(layer) for layer in layers]

    @contextlib.contextmanager
    def watched(self):
        yield SimpleNamespace()

    @contextlib.contextmanager
    def pushed(self, shifts, noise):
        pairs = zip(self._tables, shifts, strict=True)
        weights = [(table, table.value + tf.cast(shift, table.dtype)) for table, shift in pairs]
        with extra_pass(self._model, weights=weights, noise=noise):
            yield SimpleNamespace()

    def slopes(self, probe, gradients):
        """Return the gradient with respect to each table, zero where the loss has none."""
        by_variable = {id(v): g for v, g in zip(self._model.trainable_weights, gradients, strict=True)}
        found = [by_variable[id(table)] for table in self._tables]
        pairs = zip(self._tables, found, strict=True)
        return [tf.zeros(table.shape) if slope is None else dense(slope) for table, slope in pairs]

    def lengths(self, tensors):
        return [norm(tensors)] * len(tensors)


def _largest_table(layer):
    tables = [weight for weight in layer.trainable_weights if len(weight.shape) == 2]
    if not tables:
        fail("layers", layer.name, 'layers with a trainable table for target="table"', 'Use target="output".')
    return max(tables, key=lambda table: table.shape[0])


PLACES = {"output": _Outputs, "table": _Tables}
