"""Base models: pretrained networks from names, folders and files, with their pyramid and their preprocessing."""

from unitools.backbones.adopt import adopt
from unitools.backbones.backbone import Backbone
from unitools.backbones.bert import bert
from unitools.backbones.character_embedding import CharacterEmbedding
from unitools.backbones.download_error import DownloadError
from unitools.backbones.encoder_block import EncoderBlock
from unitools.backbones.load import load
from unitools.backbones.lstm import lstm
from unitools.backbones.preprocess import Preprocess
from unitools.backbones.preprocess_modes import preprocess_for
from unitools.backbones.resnet import resnet
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_embedding import TextEmbedding
from unitools.backbones.weights import load_weights, save_weights
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport
from unitools.backbones.word_embedding import WordEmbedding

__all__ = [
    "Backbone",
    "CharacterEmbedding",
    "DownloadError",
    "EncoderBlock",
    "Preprocess",
    "TextBackbone",
    "TextEmbedding",
    "WeightsFileError",
    "WeightsReport",
    "WordEmbedding",
    "adopt",
    "bert",
    "load",
    "load_weights",
    "lstm",
    "preprocess_for",
    "resnet",
    "save_weights",
]
