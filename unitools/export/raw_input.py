"""What an export takes before any preprocessing: pictures, waveforms, or neither."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import fail
from unitools.export.contract import image_shape
from unitools.export.raw_images import RawImages
from unitools.export.raw_waveforms import RawWaveforms

ARRAYS = "arrays"
KINDS = {name: kind for kind in (RawImages, RawWaveforms) for name in (kind.array_name, kind.encoded_name)}
CHOICES = (*KINDS, ARRAYS)


def raw_input(model, inputs, preprocess, image_size, sample_rate_hz, num_samples):
    """Return the raw input of a model for one of `CHOICES`, or None for arrays.

    Raises:
        ValueError: An argument does not belong to `inputs`, or does not fit the model.
    """
    kind = KINDS.get(inputs)
    if kind is None and preprocess is not None:
        fail("preprocess", preprocess, f'left out with inputs="{inputs}"', "Put it into the model.")
    if kind is not RawImages:
        _leave_out(inputs, image_size=image_size)
    if kind is not RawWaveforms:
        _leave_out(inputs, sample_rate_hz=sample_rate_hz, num_samples=num_samples)
    if kind is None:
        return None
    if kind is RawImages:
        raw = RawImages.of_model(model, image_size)
    else:
        raw = RawWaveforms.of_model(model, sample_rate_hz, num_samples, preprocess is not None)
    if inputs == raw.encoded_name:
        raw.check_decodable()
    return raw


def contract_input(contract: dict[str, Any]) -> RawImages | RawWaveforms | None:
    """Return the raw input that an export takes by its signature.json, or None for arrays."""
    shape = image_shape(contract)
    if shape is not None:
        return RawImages(tf.TensorSpec(shape, tf.float32, RawImages.array_name))
    heard = contract["signatures"].get(f"serving_{RawWaveforms.array_name}")
    if heard is None:
        return None
    shape = heard["inputs"][RawWaveforms.array_name]["shape"]
    return RawWaveforms(tf.TensorSpec(shape, tf.float32, RawWaveforms.array_name), contract.get("sample_rate_hz"))


def _leave_out(inputs, **given):
    for name, value in given.items():
        if value is not None:
            fail(name, value, f'left out with inputs="{inputs}"')
