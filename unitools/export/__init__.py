"""Exports that are compared with the model before they appear."""

from unitools.export.artefact import Artefact
from unitools.export.audio_bytes import waveforms_from_bytes
from unitools.export.conversion_error import ConversionError
from unitools.export.deployment.bundle import bundle
from unitools.export.image_bytes import images_from_bytes
from unitools.export.keras_file import keras_file
from unitools.export.litert import litert
from unitools.export.model_card import ModelCard
from unitools.export.next_version import next_version
from unitools.export.onnx import onnx
from unitools.export.openvino import openvino
from unitools.export.quantization_report import QuantizationReport
from unitools.export.quantize import quantize
from unitools.export.quantized_variant import QuantizedVariant
from unitools.export.safe_load import load
from unitools.export.saved_model import saved_model
from unitools.export.unsafe_artefact_error import UnsafeArtefactError
from unitools.export.verification_error import VerificationError
from unitools.export.verification_report import VerificationReport
from unitools.export.verify import verify

__all__ = [
    "Artefact",
    "ConversionError",
    "ModelCard",
    "QuantizationReport",
    "QuantizedVariant",
    "UnsafeArtefactError",
    "VerificationError",
    "VerificationReport",
    "bundle",
    "images_from_bytes",
    "keras_file",
    "litert",
    "load",
    "onnx",
    "openvino",
    "next_version",
    "quantize",
    "saved_model",
    "verify",
    "waveforms_from_bytes",
]
