"""Base models: pretrained networks from names, folders and files, with their pyramid and their preprocessing."""

from unitools.backbones.adopt import adopt
from unitools.backbones.backbone import Backbone
from unitools.backbones.download_error import DownloadError
from unitools.backbones.load import load
from unitools.backbones.preprocess import Preprocess
from unitools.backbones.preprocess_modes import preprocess_for
from unitools.backbones.resnet import resnet
from unitools.backbones.weights import load_weights, save_weights
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport

__all__ = [
    "Backbone",
    "DownloadError",
    "Preprocess",
    "WeightsFileError",
    "WeightsReport",
    "adopt",
    "load",
    "load_weights",
    "preprocess_for",
    "resnet",
    "save_weights",
]
