"""Backbones from single files."""

from pathlib import Path

import keras

from unitools.backbones.backbone import Backbone
from unitools.backbones.file_checks import check_file, weights_format
from unitools.backbones.finish import build_and_fill, fill_from, finish
from unitools.backbones.h5_format import check_archive
from unitools.backbones.named_architecture import NamedArchitecture
from unitools.backbones.request import Request
from unitools.backbones.timm_architecture import TimmArchitecture
from unitools.backbones.weights import read_recipe
from unitools.backbones.weights_file_error import WeightsFileError


def load_file(path: Path, request: Request) -> Backbone:
    """Return the backbone that a file holds: a `.keras` model, or weights with a recipe."""
    check_file(path, request.sha256 if request.pretrained else None)
    if weights_format(path) == ".keras":
        return _load_keras(path, request)
    recipe = read_recipe(path)
    if recipe is None:
        raise WeightsFileError(
            f"{path} holds weights, and does not say of which architecture. Expected a file that "
            "`unitools.backbones.save_weights` wrote for a backbone loaded by name, or a .keras file. "
            f'Name the architecture: load("resnet50", weights="{path}").'
        )
    return _load_recipe(path, recipe, request)


def _load_keras(path, request):
    check_archive(path)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise WeightsFileError(
            f"{path} cannot be loaded: {error} Expected a model saved by Keras 3 whose classes are all imported."
        ) from error
    known = model if isinstance(model, Backbone) else None
    report = None
    if request.weights is None:
        model = keras.models.clone_model(model)
    elif not request.pretrained:
        report = fill_from(request.weights, request)(model, request.allow_partial)
    return finish(
        known.model if known else model,
        request,
        preprocess=known.preprocess if known else None,
        pyramid=known.pyramid if known else None,
        recipe=known.recipe if known else None,
        report=report,
    )


def _load_recipe(path, recipe, request):
    architecture = _architecture(path, recipe)
    shape = tuple(recipe["input_shape"]) if "input_shape" in recipe else None
    if request.input_shape is None:
        request = Request(**(vars(request) | {"input_shape": shape}))
    if request.weights is None:
        model, report = architecture.build(request.input_shape), None
    else:
        source = path if request.pretrained else request.weights
        model, report = build_and_fill(architecture, request, fill_from(source, request))
    return finish(
        model,
        request,
        preprocess=architecture.preprocess,
        pyramid=architecture.pyramid(model),
        recipe=architecture.recipe,
        report=report,
    )


def _architecture(path, recipe):
    try:
        if "timm" in recipe:
            options = {key: recipe[key] for key in ("include_top", "batch_norm_epsilon")}
            return TimmArchitecture(recipe["timm"], **options)
        options = {key: recipe[key] for key in ("include_top", "num_classes")}
        return NamedArchitecture(recipe["name"], **options)
    except KeyError as error:
        raise WeightsFileError(f"{path}: its recipe {recipe} lacks {error}. Save the weights again.") from error
