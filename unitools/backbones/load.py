"""The one front door: a backbone from a name, a folder or a file."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import keras

from unitools.backbones.backbone import Backbone
from unitools.backbones.file_checks import WEIGHTS_SUFFIXES
from unitools.backbones.hub import hub_preset_names, is_hub_address
from unitools.backbones.load_file import load_file
from unitools.backbones.load_folder import load_folder
from unitools.backbones.load_name import load_name, load_preset
from unitools.backbones.named_architecture import architecture_name, architecture_names
from unitools.backbones.request import Request
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.core.checks import fail


def load(
    source: str | Path,
    weights: str | Path | None = "pretrained",
    *,
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = False,
    num_classes: int = 1000,
    preprocess: str | keras.layers.Layer | None = None,
    batch_norm_epsilon: float | None = None,
    allow_partial: bool = False,
    sha256: str | Mapping[str, str] | None = None,
) -> Backbone | TextBackbone:
    """Return a backbone from a name, a folder or a file.

    A path never opens a connection. A name does, unless `weights` is None or a path, or the cache has the files.

    Args:
        source: One of
            - a name of keras.applications ("resnet50", "EfficientNetB0", "mobilenet_v2"), or "resnet18", "resnet34"
              and their "v2";
            - a preset or address of keras-hub ("resnet_18_imagenet", "hf://timm/...");
            - a folder in the format of timm (`config.json`, `model.safetensors`), keras-hub or Transformers;
            - a `.keras` file, or a `.weights.h5` or `.safetensors` file that `save_weights` wrote for a backbone that
              was loaded by name or from a timm folder.
            A `Path`, and a string with a separator or such an ending, is a path; so is the name of a folder that is no
            known architecture.
        weights: `"pretrained"` for those that belong to the name, folder or file (`"imagenet"` means the same), None
            for random ones, or the path of a weights file. Defaults to `"pretrained"`.
        input_shape: (height, width, channels), height and width may be None. Defaults to the model's own. Where it
            differs, the weights are kept and the first layer is adapted: see Channels below.
        include_top: Whether the ImageNet classifier is on top. Defaults to False.
        num_classes: Classes of that classifier, where it is built by name. Defaults to 1000.
        preprocess: The preprocessing of the weights, where you know better: a layer, or a name of `preprocess_for`.
            Defaults to None, the published one.
        batch_norm_epsilon: Epsilon of the BatchNorm layers of a timm EfficientNet. Defaults to None: what the folder
            says or implies, see `epsilon_for`.
        allow_partial: Whether to load what matches if not everything does. Defaults to False.
        sha256: Hash of the weights file in hexadecimal, or for a folder a mapping from file name to hash. Defaults to
            None, unchecked.

    Channels: with N >= 3 channels, channel c takes the weights of channel c modulo 3, divided by the number of channels
    that share them; with fewer, the weights of the channels are summed. A picture with the same value in every channel
    gives the first layer's response as before. Networks that take BGR are turned round, so channel 0 stands for red.

    Returns:
        A `Backbone`: a functional model with `pyramid_outputs` and `preprocess`, and in `weights_report` what a file
        held. For BERT and its kin a `TextBackbone`, as `bert` gives it.

    Raises:
        ValueError: The name is not known, or an argument does not fit.
        WeightsFileError: A file is missing, damaged, has another hash, or matches in part only.
        DownloadError: A name needs the network, and it failed.

    Example:
    >>> import numpy as np
    >>> import unitools as ut
    >>> backbone = ut.backbones.load("mobilenet_v2", weights=None, input_shape=(96, 96, 3))
    >>> pixels = np.zeros((1, 96, 96, 3), "uint8")
    >>> backbone(backbone.preprocess(pixels)).shape
    TensorShape([1, 3, 3, 1280])
    """
    request = Request(
        weights, input_shape, include_top, num_classes, preprocess, batch_norm_epsilon, allow_partial, sha256
    ).checked()
    path = _as_path(source)
    if path is not None and path.is_dir():
        return load_folder(path, request)
    if path is not None:
        return load_file(path, request)
    name = architecture_name(source)
    if name is not None:
        return load_name(name, request)
    if is_hub_address(source) or source in hub_preset_names():
        return load_preset(source, request)
    near = get_close_matches(source, (*architecture_names(), *hub_preset_names()), n=4, cutoff=0.5)
    return fail("source", source, "a known name, a folder or a file", f"Near names: {', '.join(near) or 'none'}.")


def _as_path(source):
    """Return the source as a path, or None if it is a name."""
    if not isinstance(source, (str, Path)) or not str(source):
        fail("source", source, "a name, or the path of a folder or file")
    text, path = str(source), Path(source)
    if isinstance(source, str) and is_hub_address(text):
        return None
    looks_like_path = isinstance(source, Path) or "/" in text or "\\" in text or text.lower().endswith(WEIGHTS_SUFFIXES)
    if not looks_like_path:
        return path if architecture_name(text) is None and path.is_dir() else None
    if not path.exists():
        raise WeightsFileError(
            f"No file or folder at {path}. Expected a weights file or a model's folder. Check the path."
        )
    return path
