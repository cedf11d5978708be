"""Backbones from folders: timm's format, keras-hub's and Transformers'."""

import json
from pathlib import Path

from unitools.backbones.backbone import Backbone
from unitools.backbones.file_checks import check_file, check_sha256
from unitools.backbones.finish import build_and_fill, fill_from, finish
from unitools.backbones.hub import build_hub_folder, hub_pyramid
from unitools.backbones.request import Request
from unitools.backbones.timm_architecture import TimmArchitecture
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.core.checks import fail

_TIMM_WEIGHTS = "model.safetensors"
_WEIGHTS = ("model.weights.h5", _TIMM_WEIGHTS)


def load_folder(folder: Path, request: Request) -> Backbone:
    """Return the backbone a folder describes. Opens no connection."""
    _check_files(folder, request)
    config = _config(folder)
    if "architecture" in config and "registered_name" not in config and "model_type" not in config:
        return _load_timm(folder, config, request)
    if request.include_top:
        fail("include_top", True, f"False for {folder}", "Use keras_hub.models.ImageClassifier.from_preset.")
    try:
        model, preprocess = build_hub_folder(folder, load_weights=request.pretrained)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsFileError(
            f"{folder} cannot be read: {error} Expected a folder that keras-hub reads, of its own, Transformers' or "
            "timm's format, with whole files."
        ) from error
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


def _config(folder):
    path = check_file(folder / "config.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsFileError(f"{path} is no JSON: {error}. Expected the description of a model.") from error
    if not isinstance(config, dict):
        raise WeightsFileError(f"{path} holds {type(config).__name__}, expected the description of a model.")
    return config


def _check_files(folder, request):
    """Check the hashes of the folder's files, and that the weights are not a pointer or a web page."""
    present = [folder / name for name in _WEIGHTS if (folder / name).exists()]
    for path in present:
        check_file(path)
    if request.sha256 is None or not request.pretrained:
        return
    hashes = request.sha256
    if isinstance(hashes, str):
        if len(present) != 1:
            fail(
                "sha256", hashes, f"a mapping from file name to hash for {folder}", "It has not just one weights file."
            )
        hashes = {present[0].name: hashes}
    for name, digest in hashes.items():
        if not (folder / name).is_file():
            raise WeightsFileError(f"No file {name} in {folder}, for which `sha256` gives a hash. Check its name.")
        check_sha256(folder / name, digest)
