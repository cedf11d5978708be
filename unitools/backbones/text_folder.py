"""Text backbones from folders, whoever wrote them."""

from pathlib import Path

from unitools.backbones.encoder_config import KINDS
from unitools.backbones.encoder_folder import load_encoder_folder
from unitools.backbones.encoder_hub import as_text_backbone, is_hub_encoder
from unitools.backbones.folder_files import check_folder, folder_config
from unitools.backbones.hub import build_hub_folder
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_request import TextRequest
from unitools.backbones.weights_file_error import WeightsFileError


def load_text_folder(folder: Path, request: TextRequest) -> TextBackbone:
    """Return the encoder of a folder of Transformers or keras-hub. Opens no connection."""
    check_folder(folder, request)
    config = folder_config(folder)
    if config.get("model_type") in KINDS:
        return load_encoder_folder(folder, request)
    if "registered_name" not in config:
        raise WeightsFileError(
            f"{folder / 'config.json'} describes a model of type {config.get('model_type')!r}, expected one of "
            f"{', '.join(KINDS)}, or a model of keras-hub. For networks of pictures use `unitools.backbones.load`."
        )
    model, _ = build_hub_folder(folder, load_weights=request.pretrained)
    if not is_hub_encoder(model):
        raise WeightsFileError(
            f"{folder} holds a {type(model).__name__}, expected BERT, DistilBERT, RoBERTa or ELECTRA of keras-hub. "
            "Use `unitools.backbones.load` for other networks."
        )
    return as_text_backbone(model, request, folder)
