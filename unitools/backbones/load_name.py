"""Backbones by name: known architectures, and presets of keras-hub."""

from pathlib import Path

from unitools.backbones.backbone import Backbone
from unitools.backbones.encoder_hub import as_text_backbone, is_hub_encoder
from unitools.backbones.finish import build_and_fill, fill_from, finish
from unitools.backbones.hub import build_hub_preset, hub_preset_names, hub_pyramid, is_hub_address
from unitools.backbones.named_architecture import NamedArchitecture
from unitools.backbones.request import Request
from unitools.backbones.small_resnets import SMALL_PRESETS, SMALL_RESNETS
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_request import text_request
from unitools.core.checks import fail


def load_name(name: str, request: Request) -> Backbone:
    """Return a known architecture with the weights that were asked for."""
    architecture = NamedArchitecture(name, include_top=request.include_top, num_classes=request.num_classes)
    if request.pretrained:
        return _pretrained(architecture, request)
    if request.weights is not None and not Path(request.weights).is_file() and _is_preset(request.weights):
        return _preset_for(architecture, str(request.weights), request)
    if request.weights is None:
        model, report = architecture.build(request.input_shape), None
    else:
        model, report = build_and_fill(architecture, request, fill_from(request.weights, request))
    return _finish(model, architecture, request, report)


def load_preset(name: str, request: Request) -> Backbone | TextBackbone:
    """Return a keras-hub preset. Files in the cache are used; others are fetched."""
    _refuse_for_download(request, name)
    if request.include_top:
        fail("include_top", True, f"False for {name!r}", "Use keras_hub.models.ImageClassifier.from_preset.")
    model, preprocess = build_hub_preset(name, load_weights=request.pretrained)
    if is_hub_encoder(model):
        return as_text_backbone(model, text_request(request), None)
    report = (
        None
        if request.pretrained or request.weights is None
        else fill_from(request.weights, request)(model, request.allow_partial)
    )
    return finish(model, request, preprocess=preprocess, pyramid=hub_pyramid(model), report=report)


def _pretrained(architecture, request):
    _refuse_for_download(request, architecture.name)
    if architecture.name in SMALL_RESNETS:
        return _preset_for(architecture, SMALL_PRESETS.get(architecture.name), request)
    # Keras takes its ImageNet weights with 3 channels only, and with the classifier at one size only.
    shape = request.input_shape
    shape = None if shape is None or architecture.include_top else (*shape[:2], 3)
    return _finish(architecture.build(shape, weights="imagenet"), architecture, request, None)


def _preset_for(architecture, preset, request):
    """Return a keras-hub preset that must be the named residual network."""
    if preset is None:
        advice = 'Nobody has published any. Pass weights=None, or weights="path/to/file".'
        fail("weights", request.weights, f"weights that exist for {architecture.name}", advice)
    backbone = load_preset(preset, request)
    depth = architecture.name.removeprefix("resnet").removesuffix("v2")
    if depth not in preset or ("v2" in architecture.name) != ("v2" in preset):
        fail("weights", preset, f"weights of {architecture.name}", f'For this preset call load("{preset}").')
    return backbone


def _refuse_for_download(request, name):
    if request.pretrained and request.sha256 is not None:
        advice = "Keras and keras-hub check what they fetch. To check a file yourself, give its path."
        fail("sha256", request.sha256, f"None for {name!r} by name", advice)


def _is_preset(weights):
    text = str(weights)
    if is_hub_address(text):
        return True
    return "/" not in text and "." not in text and text in hub_preset_names()


def _finish(model, architecture, request, report):
    return finish(
        model,
        request,
        preprocess=architecture.preprocess,
        pyramid=architecture.pyramid(model),
        recipe=architecture.recipe,
        report=report,
    )
