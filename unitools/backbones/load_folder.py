"""Backbones from folders: timm's format, keras-hub's and Transformers'."""

from pathlib import Path

from unitools.backbones.backbone import Backbone
from unitools.backbones.encoder_config import KINDS
from unitools.backbones.encoder_folder import load_encoder_folder
from unitools.backbones.encoder_hub import as_text_backbone, is_hub_encoder
from unitools.backbones.file_checks import check_file
from unitools.backbones.finish import build_and_fill, fill_from, finish
from unitools.backbones.folder_files import check_folder, folder_config
from unitools.backbones.hub import build_hub_folder, hub_pyramid
from unitools.backbones.request import Request
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_request import text_request
from unitools.backbones.timm_architecture import TimmArchitecture
from unitools.core.checks import fail

_TIMM_WEIGHTS = "model.safetensors"


def load_folder(folder: Path, request: Request) -> Backbone | TextBackbone:
    """Return the backbone a folder describes. Opens no connection."""
    check_folder(folder, request)
    config = folder_config(folder)
    if config.get("model_type") in KINDS:
        return load_encoder_folder(folder, text_request(request))
    if "architecture" in config and "registered_name" not in config and "model_type" not in config:
        return _load_timm(folder, config, request)
    if request.include_top:
        fail("include_top", True, f"False for {folder}", "Use keras_hub.models.ImageClassifier.from_preset.")
    model, preprocess = build_hub_folder(folder, load_weights=request.pretrained)
    if is_hub_encoder(model):
        return as_text_backbone(model, text_request(request), folder)
    report = None
    if not request.pretrained and request.weights is not None:
        report = fill_from(request.weights, request)(model, request.allow_partial)
    return finish(model, request, preprocess=preprocess, pyramid=hub_pyramid(model), report=report)


def _load_timm(folder, config, request):
    architecture = TimmArchitecture(
        config, include_top=request.include_top, batch_norm_epsilon=request.batch_norm_epsilon
    )
    if request.weights is None:
        model, report = architecture.build(request.input_shape), None
    elif request.pretrained:
        path = check_file(folder / _TIMM_WEIGHTS)
        model, report = build_and_fill(
            architecture, request, lambda made, partial: architecture.load_timm_weights(made, path, partial)
        )
    else:
        model, report = build_and_fill(architecture, request, fill_from(request.weights, request))
    return finish(
        model,
        request,
        preprocess=architecture.preprocess,
        pyramid=architecture.pyramid(model),
        recipe=architecture.recipe,
        report=report,
    )
