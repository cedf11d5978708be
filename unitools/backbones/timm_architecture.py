"""Networks in timm's format: a config with an architecture name, and tensors with timm's names."""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from unitools.backbones.hub import hub_pyramid, keras_hub
from unitools.backbones.partial import require_complete
from unitools.backbones.preprocess import Preprocess
from unitools.backbones.preprocess_modes import preprocess_for
from unitools.backbones.timm_weights import TimmWeights
from unitools.backbones.top import with_classifier
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport
from unitools.core.checks import fail

# Networks whose classifier is more than pooling and one dense layer, or sits elsewhere.
_OTHER_TOPS = ("mobilenet", "hgnet", "vgg")
_TENSORFLOW_EPSILON = 1e-3  # PyTorch's, and keras-hub's for these networks, is 1e-5


class TimmArchitecture:
    """A network described by a timm config, built by keras-hub.

    Args:
        config: What `config.json` holds.
        include_top: Whether to put the classifier on top.
        batch_norm_epsilon: Epsilon of the BatchNorm layers, or None to take `epsilon_for(config)`.
    """

    def __init__(self, config: Mapping, *, include_top: bool = False, batch_norm_epsilon: float | None = None):
        self.config = dict(config)
        self.include_top = include_top
        self.name = self.config.get("architecture")
        self._epsilon = epsilon_for(config) if batch_norm_epsilon is None else batch_norm_epsilon
        self._converter = _converter(self.name, self.config)
        self._backbone = None
        if include_top and self.name.startswith(_OTHER_TOPS):
            advice = f"Use keras_hub.models.ImageClassifier.from_preset for {self.name}."
            fail("include_top", True, "False for this architecture, whose classifier is not one dense layer", advice)

    @property
    def recipe(self) -> dict:
        """How to build it again."""
        return {"timm": self.config, "include_top": self.include_top, "batch_norm_epsilon": self._epsilon}

    @property
    def preprocess(self) -> Preprocess:
        """The preprocessing that the config states."""
        return timm_preprocess(self.config)

    def build(self, input_shape: tuple | None) -> keras.Model:
        """Return the network with random weights."""
        arguments = self._converter.convert_backbone_config(self.config)
        accepted = inspect.signature(self._converter.backbone_cls).parameters
        if input_shape is not None:
            arguments["image_shape" if "image_shape" in accepted else "input_shape"] = input_shape
        if self._epsilon is not None:
            if "batch_norm_epsilon" not in accepted:
                fail("batch_norm_epsilon", self._epsilon, f"None for {self.name}, which does not take it")
            arguments["batch_norm_epsilon"] = self._epsilon
        self._backbone = self._converter.backbone_cls(**arguments)
        model = keras.Model(self._backbone.input, self._backbone.output, name=self.name)
        return with_classifier(model, self.config.get("num_classes", 1000)) if self.include_top else model

    def pyramid(self, model: keras.Model) -> tuple[tuple[int, str], ...] | None:
        """Return the feature pyramid that keras-hub states, for the network built last."""
        return hub_pyramid(self._backbone)

    def load_timm_weights(self, model: keras.Model, path: Path, allow_partial: bool) -> WeightsReport:
        """Set the weights of the network built last from a `.safetensors` file with timm's tensor names."""
        classifier = self.config.get("pretrained_cfg", {}).get("classifier", "classifier")
        weights = TimmWeights(path, skip=None if self.include_top else classifier)
        try:
            self._converter.convert_weights(self._backbone, weights, self.config)
        except (KeyError, IndexError) as error:
            raise WeightsFileError(
                f"{path} does not hold the tensors of {self.name}: {error}. Expected timm's names."
            ) from error
        if self.include_top:
            dense = model.layers[-1]
            weights.port_weight(dense.kernel, f"{classifier}.weight", lambda value, _: value.reshape(value.shape[:2]).T)
            weights.port_weight(dense.bias, f"{classifier}.bias")
        report = require_complete(weights.report(), allow_partial)
        weights.assign()
        return report


def timm_preprocess(config: Mapping) -> Preprocess:
    """Return the preprocessing that a timm config states, or ImageNet's if it states none."""
    pretrained = config.get("pretrained_cfg", {})
    if "mean" not in pretrained or "std" not in pretrained:
        return preprocess_for("torch")
    if _is_tensorflow_lite(config):
        return preprocess_for("tf_lite")
    mean, std = (tuple(255.0 * value for value in pretrained[key]) for key in ("mean", "std"))
    return Preprocess(mean, std, name="preprocess")


def epsilon_for(config: Mapping) -> float | None:
    """Return the batch-norm epsilon of EfficientNet weights, or None for keras-hub's default.

    A timm config seldom states it, and with the wrong one accuracy drops without an error. It is, in this order: what
    the config states (`model_args.bn_eps`); 1e-3 where the pixel range is the one of TensorFlow's EfficientNet-Lite,
    (x - 127) / 128, which only weights trained in TensorFlow have; else keras-hub's 1e-5, PyTorch's.
    """
    stated = config.get("model_args", {}).get("bn_eps")
    if stated is not None:
        return float(stated)
    if config.get("architecture", "").startswith("efficientnet") and _is_tensorflow_lite(config):
        return _TENSORFLOW_EPSILON
    return None


def _is_tensorflow_lite(config):
    pretrained = config.get("pretrained_cfg", {})
    mean, std = (np.asarray(pretrained.get(key, 0.0)) for key in ("mean", "std"))
    # Configs round 127/255 and 128/255 to three digits.
    return bool(np.all(np.abs(mean - 127 / 255) < 5e-4) and np.all(np.abs(std - 128 / 255) < 5e-4))


def _converter(architecture, config):
    keras_hub()
    # Only the loader knows which converter belongs to which architecture, and it is not public.
    loader = importlib.import_module("keras_hub.src.utils.timm.preset_loader").TimmPresetLoader
    try:
        return loader("", dict(config)).converter
    except (ValueError, AttributeError) as error:
        return fail("architecture", architecture, "one that keras-hub converts from timm", str(error))
