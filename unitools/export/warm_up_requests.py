"""Requests that a server asks itself before it says that it is ready.

TensorFlow Serving reads them as a TFRecord of `tensorflow.serving.PredictionLog`. Its classes are in a package of the
extra `serve`; the four messages around a `TensorProto` are written here by their field numbers instead.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unitools.export.contract import read_contract
from unitools.export.examples import array_examples
from unitools.export.raw_input import contract_input
from unitools.export.signatures import input_specs, input_structure

RECORDS = "assets.extra/tf_serving_warmup_requests"
MAX_ROWS = 1024
"""Most rows of a request: a warm-up is for the sizes that a server runs, and each row lies in the export."""
# Field numbers of prediction_log.proto, predict.proto and model.proto; a map is a repeated message of key and value.
_PREDICT_LOG, _REQUEST, _MODEL_SPEC, _INPUTS, _SIGNATURE_NAME, _KEY, _VALUE = 6, 1, 1, 2, 3, 1, 2
_LENGTH_DELIMITED = 2


def write_warm_up(folder: Path, model: keras.Model, examples: Any, rows: int) -> None:
    """Write one request of one row and one of `rows` for each signature; nothing where `rows` is 0.

    Args:
        folder: An export with signature.json.
        model: The model it was written from.
        examples: As for `saved_model`. Rows repeat where there are fewer.
        rows: Rows of the larger request.
    """
    if not rows:
        return
    (folder / RECORDS).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / RECORDS)) as writer:
        for signature, inputs in _inputs(folder, model, examples, rows).items():
            for count in sorted({1, rows}):
                writer.write(_prediction_log(signature, {name: _rows(value, count) for name, value in inputs.items()}))


def _inputs(folder, model, examples, rows):
    """Return {signature: {input: array}}."""
    contract = read_contract(folder)
    signatures, raw = contract["signatures"], contract_input(contract)
    if raw is None:
        arrays = array_examples(examples, input_structure(model), input_specs(model))
        return {name: dict(zip(one["inputs"], arrays, strict=True)) for name, one in signatures.items()}
    first = None if examples is None else examples[:rows]
    decoded, encoded = raw.examples(first)
    given = {raw.array_name: decoded, raw.encoded_name: np.array(encoded, object)}
    return {name: {key: given[key] for key in one["inputs"]} for name, one in signatures.items()}


def _rows(array, count):
    return np.take(array, np.arange(count) % len(array), axis=0)


def _prediction_log(signature, inputs):
    """Return the bytes of a PredictionLog. The model's name is left out: a server gives it, by the folder."""
    request = _field(_MODEL_SPEC, _field(_SIGNATURE_NAME, signature.encode()))
    for name, array in inputs.items():
        tensor = tf.make_tensor_proto(array).SerializeToString()
        request += _field(_INPUTS, _field(_KEY, name.encode()) + _field(_VALUE, tensor))
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number, content):
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(len(content)) + content


def _varint(number):
    """Return seven bits a byte, the lowest first; the eighth says that more follow."""
    if number < 128:
        return bytes([number])
    return bytes([number & 127 | 128]) + _varint(number >> 7)
