"""Wrappers around layers of an existing model."""

from collections.abc import Callable, Sequence

import keras

from unitools.core.checks import fail
from unitools.core.name_patterns import as_patterns, fitting
from unitools.regularization.layer_call import check_graph, has_graph, layer_calls
from unitools.regularization.placement_report import PlacementReport
from unitools.regularization.rewired import in_place, rewired


def wrap_layers(
    model: keras.Model,
    wrapper: Callable[[keras.layers.Layer], keras.layers.Layer],
    layers: str | type | Sequence[str | type],
) -> keras.Model:
    """Return the model with some of its layers wrapped. Weights are shared with the old one.

    This places `Mixout`, `SpectralNormalization`, `WeightStandardization`, `MultiSampleDropout`, `LayerDrop`, and your
    own wrappers. Nested functional and sequential models are opened; a composite layer is wrapped as a whole. A wrapper
    takes the name of its layer, so that patterns of names go on to fit. A backbone of unitools comes back as one. The
    new model is not compiled. Weights files of the two models do not fit each other: wrap first, then `load_weights` of
    what the wrapped one saved.

    Args:
        model: A functional model, or a sequential one that has been built.
        wrapper: Function from a layer to its wrapper, such as the class, or
            `lambda layer: ut.regularization.Mixout(layer, 0.8)`.
        layers: Which ones: names, paths or patterns ("conv4_*"), or classes of layers (`keras.layers.Conv2D`).

    Returns:
        The new model. Its `placement_report` says what was wrapped.

    Raises:
        ValueError: A pattern or class fits no layer, or a layer is wrapped so already.
        TypeError: `model` is no Keras model, or `wrapper` gives no layer.

    Example:
    >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2, name="score")])
    >>> bounded = ut.regularization.wrap_layers(net, ut.regularization.SpectralNormalization, keras.layers.Dense)
    >>> len(bounded.placement_report.places), bounded.get_layer("score").layer is net.get_layer("score")
    (2, True)
    """
    calls = [call for call in layer_calls(check_graph(model)) if _can_be_wrapped(call.layer)]
    chosen = _chosen(layers, calls)
    made, changes = {}, {}
    for call in calls:
        if call.path in chosen:
            if id(call.layer) not in made:
                made[id(call.layer)] = _wrapped(wrapper, call.layer)
            changes[id(call.node)] = in_place(made[id(call.layer)])
    changed = rewired(model, changes)
    places = tuple(dict.fromkeys(call.path for call in calls if call.path in chosen))
    changed.placement_report = PlacementReport(type(next(iter(made.values()))).__name__, places)
    return changed


def _can_be_wrapped(layer):
    return isinstance(layer, keras.layers.Layer) and not has_graph(layer)


def _chosen(layers, calls):
    kinds = layers if isinstance(layers, (list, tuple)) else (layers,)
    patterns = as_patterns("layers", [item for item in kinds if not isinstance(item, type)])
    chosen = fitting("layers", patterns, [call.path for call in calls], "the path of a layer")
    for kind in kinds:
        if isinstance(kind, type):
            found = {call.path for call in calls if isinstance(call.layer, kind)}
            if not found:
                present = sorted({type(call.layer).__name__ for call in calls})
                fail("layers", kind.__name__, "a class that layers of the model have", f"It has {', '.join(present)}.")
            chosen |= found
    if not chosen:
        fail("layers", layers, "names, patterns or classes of layers")
    return chosen


def _wrapped(wrapper, layer):
    wrapped = wrapper(layer)
    if not isinstance(wrapped, keras.layers.Layer):
        raise TypeError(f"`wrapper` must return a Keras layer. Received {type(wrapped).__name__}. Give the class.")
    wrapped.name = layer.name
    return wrapped
