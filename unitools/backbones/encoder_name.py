"""Text backbones by name: presets of keras-hub, and addresses of the Hugging Face hub."""

import importlib
import json
from difflib import get_close_matches
from pathlib import Path

from unitools.backbones.downloads import downloading
from unitools.backbones.encoder_config import KINDS
from unitools.backbones.encoder_folder import load_encoder_folder
from unitools.backbones.encoder_hub import as_text_backbone, is_hub_encoder
from unitools.backbones.hub import build_hub_preset, hub_preset_names, is_hub_address
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_request import TextRequest
from unitools.core.checks import fail

_HUGGING_FACE = "hf://"
_TOKENIZER_FILES = ("vocab.txt", "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json")


def load_encoder_name(name: str, request: TextRequest) -> TextBackbone:
    """Return the encoder of a preset or address. Files in the cache are used; others are fetched."""
    if not is_hub_address(name) and name not in hub_preset_names():
        near = get_close_matches(name, hub_preset_names(), n=4, cutoff=0.5)
        fail("source", name, "a preset of keras-hub, an address, or a folder",
             f"Near names: {', '.join(near) or 'none'}. For a model of the Hugging Face hub write "
             f'"{_HUGGING_FACE}owner/model".')  # fmt: skip
    folder = hugging_face_folder(name, weights=request.pretrained)
    if folder is not None:
        return load_encoder_folder(folder, request)
    model, _ = build_hub_preset(name, load_weights=request.pretrained)
    if not is_hub_encoder(model):
        fail("source", name, f"a model of the kinds {', '.join(KINDS)}", f"It is a {type(model).__name__}.")
    return as_text_backbone(model, request, None)


def hugging_face_folder(name: str, *, weights: bool) -> Path | None:
    """Return the cached folder of an address in Transformers' format, fetched where needed; else None.

    keras-hub could read some of these, but gives BERT the tanh form of GELU.
    """
    if not name.startswith(_HUGGING_FACE):
        return None
    hub = importlib.import_module("huggingface_hub")  # keras-hub needs it for such an address too
    repository = name.removeprefix(_HUGGING_FACE)
    with downloading(f"The model {name!r}", 'bert("path/to/folder") with config.json and model.safetensors'):
        described = json.loads(Path(hub.hf_hub_download(repository, "config.json")).read_text(encoding="utf-8"))
        if described.get("model_type") not in KINDS:
            return None
        wanted = ["config.json", *_TOKENIZER_FILES, *(["model.safetensors"] if weights else [])]
        return Path(hub.snapshot_download(repository, allow_patterns=wanted))
