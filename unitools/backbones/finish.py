"""The last steps of every load: the input shape, and what a backbone knows of itself."""

import keras

from unitools.backbones.adopt import adopt
from unitools.backbones.backbone import Backbone
from unitools.backbones.preprocess import Preprocess
from unitools.backbones.request import Request
from unitools.backbones.stem import channel_values, with_input_shape
from unitools.backbones.weights import load_weights
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport


def finish(
    model: keras.Model,
    request: Request,
    *,
    preprocess: keras.layers.Layer | None,
    pyramid=None,
    recipe: dict | None = None,
    report: WeightsReport | None = None,
) -> Backbone:
    """Return the loaded model as a backbone with the input shape that was asked for."""
    own = request.preprocess if preprocess is None else preprocess
    wanted = request.input_shape
    if wanted is not None and tuple(model.inputs[0].shape[1:]) != wanted:
        model = with_input_shape(model, wanted, bgr=takes_bgr(own))
    layer = own if request.preprocess is None else request.preprocess
    if request.preprocess is None:
        layer = for_channels(layer, model.inputs[0].shape[-1])
    if recipe is not None:
        recipe = recipe | {"input_shape": list(model.inputs[0].shape[1:])}
    backbone = adopt(model, preprocess=layer, pyramid=pyramid, recipe=recipe)
    backbone.weights_report = report
    return backbone


def build_and_fill(architecture, request: Request, fill) -> tuple[keras.Model, WeightsReport]:
    """Return a built architecture whose weights `fill(model, allow_partial)` has set.

    A file for another channel count than 3 is tried as it is. If it does not fit, it holds 3 channels, and `finish`
    adapts the first layer.
    """
    shape = request.input_shape
    if shape is not None and shape[2] != 3:
        model = architecture.build(shape)
        try:
            return model, fill(model, False)
        except WeightsFileError:
            shape = (*shape[:2], 3)
    model = architecture.build(shape)
    return model, fill(model, request.allow_partial)


def fill_from(path, request: Request):
    """Return the function that sets a model's weights from a weights file."""
    return lambda model, allow_partial: load_weights(model, path, allow_partial=allow_partial, sha256=request.sha256)


def takes_bgr(preprocess: keras.layers.Layer | None) -> bool:
    """Return whether the network behind this preprocessing takes its channels as BGR."""
    return isinstance(preprocess, Preprocess) and preprocess.channel_order == "bgr"


def for_channels(preprocess: keras.layers.Layer | None, channels: int | None) -> keras.layers.Layer | None:
    """Return the preprocessing for another channel count: the constants of the channels that each stands for."""
    if not isinstance(preprocess, Preprocess) or channels in (None, 3):
        return preprocess
    direction = -1 if takes_bgr(preprocess) else 1
    constants = [
        channel_values(value[::direction], channels) if isinstance(value, tuple) and len(value) == 3 else value
        for value in (preprocess.mean, preprocess.std)
    ]
    return Preprocess(*constants, name="preprocess")
