"""Text backbones from folders that Transformers wrote."""

from dataclasses import replace
from pathlib import Path

import keras

from unitools.backbones.encoder import build_encoder, with_dropout
from unitools.backbones.encoder_config import EncoderConfig, first_position, from_transformers
from unitools.backbones.encoder_weights import fill_from_file, tensor_names
from unitools.backbones.file_checks import check_file
from unitools.backbones.folder_files import folder_config, tokenizer_folder
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_request import TextRequest
from unitools.backbones.weights import load_weights
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.core.checks import fail

_WEIGHTS = "model.safetensors"


def load_encoder_folder(folder: Path, request: TextRequest) -> TextBackbone:
    """Return the encoder of a folder with `config.json` and `model.safetensors`. Opens no connection."""
    described = folder_config(folder)
    config = from_transformers(described, folder / "config.json")
    if request.pretrained:
        path = _weights_file(folder)
        # Models fine-tuned for tokens are stored without the pooler.
        config = replace(config, pooler=config.pooler and "pooler.dense.weight" in tensor_names(path, config.kind))
    model = build_requested(config, request)
    report = None
    if request.pretrained:
        first = first_position(described)
        report = fill_from_file(model, config, path, first=first, allow_partial=request.allow_partial)
    return finish_text(model, request, tokenizer_folder(folder), report)


def build_requested(config: EncoderConfig, request: TextRequest) -> keras.Model:
    """Return the encoder with random weights, with the dropout and inputs that were asked for."""
    if request.segments and config.num_segments < 2:
        fail("segments", True, f"False for {config.kind}", "It knows one segment only.")
    return build_encoder(with_dropout(config, request.dropout), segments=request.segments, name=config.kind)


def finish_text(model: keras.Model, request: TextRequest, tokenizer: Path | None, report=None) -> TextBackbone:
    """Return the model as a backbone, with the weights of a file of its own where that was asked for."""
    backbone = TextBackbone(model, tokenizer_folder=tokenizer)
    if not request.pretrained and request.weights is not None:
        report = load_weights(
            backbone, request.weights, allow_partial=request.allow_partial, sha256=_one_hash(request.sha256)
        )
    backbone.weights_report = report
    return backbone


def _one_hash(sha256):
    if sha256 is not None and not isinstance(sha256, str):
        fail("sha256", sha256, "64 hexadecimal digits for a weights file")
    return sha256


def _weights_file(folder):
    path = folder / _WEIGHTS
    if path.exists():
        return check_file(path)
    for other in ("pytorch_model.bin", "tf_model.h5", "model.safetensors.index.json"):
        if (folder / other).exists():
            raise WeightsFileError(
                f"{folder} holds {other}, expected {_WEIGHTS} in one piece. Convert it with Transformers: "
                "AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True, "
                'max_shard_size="10GB").'
            )
    raise WeightsFileError(f"No file {_WEIGHTS} in {folder}. Expected the weights. Use weights=None for random ones.")
