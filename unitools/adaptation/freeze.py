"""Freezing and unfreezing layers, batch norm statistics included."""

import math

import keras

from unitools.adaptation.freeze_report import FreezeReport
from unitools.adaptation.layer_order import containers, count_of_weighted, matches, ordered_layers
from unitools.core.checks import check_flag, fail


def freeze(model: keras.Model, until: str | int | None = None) -> FreezeReport:
    """Freeze the layers from the input up to a layer, that one included.

    A frozen layer's weights do not learn. A frozen batch norm also keeps its statistics and uses them, in training too:
    it runs as at inference. Other layers stay as they are. Works on a backbone inside a model as on one whose layers
    are the model's own. Nested functional and sequential models are opened; any other layer is frozen as a whole.

    Keras writes the flags of all these layers to a `.keras` file. Compile the model again afterwards.

    Args:
        model: The model.
        until: The last layer to freeze. A name or a path through nested models ("backbone/conv1"); the name of a nested
            model means its last layer. A pattern with `*`, `?` or `[`: the last layer it fits ("conv4_*"). A number n:
            the first n layers that have weights, or for n < 0 all but the last -n. Default None: all layers.

    Returns:
        What is frozen now, as a `FreezeReport`.

    Raises:
        ValueError: No layer fits `until`, or a name fits several.
        TypeError: `model` is no Keras model.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> base = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35)
    >>> model = keras.Model(base.input, ut.heads.Classifier(3)(base.output))
    >>> report = ut.adaptation.freeze(model, "block_12_*")
    >>> report.first_trainable
    'block_13_expand'
    """
    order = _order(model)
    if until is None:
        end = len(order)
    elif isinstance(until, str):
        end = matches("until", until, order)[-1] + 1
    else:
        weighted = count_of_weighted("until", until, order)
        chosen = weighted[:until]
        end = chosen[-1] + 1 if chosen else 0
    _set_flags(model, {layer: False for _, layer in order[:end]})
    return _report(model)


def unfreeze(model: keras.Model, since: str | int | None = None, *, batch_norm: bool = False) -> FreezeReport:
    """Let the layers from a layer to the output learn, that one included.

    Other layers stay as they are, so that calls with an earlier and earlier `since` unfreeze a net step by step. Batch
    norms stay as they are too by default: small batches give poor statistics, and a pretrained net suffers from them.

    Compile the model again afterwards.

    Args:
        model: The model.
        since: The first layer to unfreeze. A name or a path; the name of a nested model means its first layer. A
            pattern: the first layer it fits. A number n: the last n layers that have weights, or for n < 0 all but the
            first -n. Default None: all layers.
        batch_norm: Whether batch norms learn, and update their statistics, too. Default False: they stay as they are.

    Returns:
        What is frozen now, as a `FreezeReport`.

    Raises:
        ValueError: No layer fits `since`, or a name fits several.
        TypeError: `model` is no Keras model.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="a"), keras.layers.Dense(2, name="b")])
    >>> ut.adaptation.freeze(model).trainable_parameters, ut.adaptation.unfreeze(model, "b").trainable_parameters
    (0, 18)
    """
    check_flag("batch_norm", batch_norm)
    order = _order(model)
    if since is None:
        start = 0
    elif isinstance(since, str):
        start = matches("since", since, order)[0]
    else:
        weighted = count_of_weighted("since", since, order)
        chosen = weighted[-since:] if since else []
        start = chosen[0] if chosen else len(order)
    layers = [layer for _, layer in order[start:]]
    kept = {} if batch_norm else {norm: norm.trainable for layer in layers for norm in _batch_norms(layer)}
    _set_flags(model, dict.fromkeys(layers, True), kept)
    return _report(model)


def _order(model):
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received {type(model).__name__}. Give the model it is in.")
    if not model.built:
        fail("model", model.name, "built", "Call it on an input first: a layer without weights cannot be counted.")
    return ordered_layers(model)


def _set_flags(model, wanted, kept=()):
    """Set each wanted layer's flag, then those of `kept`, and leave the others as they are."""
    for container in containers(model):
        if not container.trainable:
            # A model's own flag hides its layers'. Say the same by the layers' flags; the setter would set those too.
            for _, layer in ordered_layers(container):
                layer.trainable = False
            container._trainable = True
    for layer, flag in (wanted | dict(kept)).items():
        layer.trainable = flag


def _batch_norms(layer):
    return [inner for inner in layer._flatten_layers() if isinstance(inner, keras.layers.BatchNormalization)]


def _report(model):
    weighted = [(path, layer) for path, layer in ordered_layers(model) if layer.weights]
    learning = [path for path, layer in weighted if layer.trainable_weights]
    trainable = sum(_size(weight) for weight in model.trainable_weights)
    return FreezeReport(
        frozen_layers=len(weighted) - len(learning),
        trainable_layers=len(learning),
        frozen_parameters=sum(_size(weight) for weight in model.weights) - trainable,
        trainable_parameters=trainable,
        frozen_batch_norms=sum(not norm.trainable for norm in _batch_norms(model)),
        first_trainable=learning[0] if learning else None,
    )


def _size(weight):
    return math.prod(weight.shape)
