"""First calls before a version is asked: they cost more than all later ones."""

import contextlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from unitools.serving.dtypes import numpy_dtype
from unitools.serving.models.predictor import DEFAULT_SIGNATURE, Predictor
from unitools.serving.request_error import RequestError

RECORDS = "assets.extra/tf_serving_warmup_requests"
_MADE_ROWS = (1, 8)
_MADE_SIDE = 8


def warm_up(predictor: Predictor) -> int:
    """Call the signatures on the recorded requests, or else on zeros where they take numbers.

    Returns:
        How many calls were made.
    """
    file = predictor.path / RECORDS
    calls = list(_recorded(file)) if file.is_file() else []
    calls = calls or [call for name in predictor.signatures for call in _made(predictor, name)]
    for signature, inputs in calls:
        # An input that we made up, or that does not fit, is no reason to refuse the version: whoever sends it is told.
        with contextlib.suppress(RequestError, tf.errors.OpError):
            predictor.predict(inputs, signature)
    return len(calls)


def _recorded(file: Path):
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ModuleNotFoundError:  # of the extra `serve`; zeros do instead
        return
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        yield request.model_spec.signature_name or DEFAULT_SIGNATURE, inputs


def _made(predictor, signature):
    specs = predictor.inputs(signature)
    if any(tensor.is_string for tensor in specs.values()):
        return
    for rows in _MADE_ROWS:
        yield (
            signature,
            {
                name: np.zeros([rows, *(side or _MADE_SIDE for side in tensor.shape[1:])], numpy_dtype(tensor.dtype))
                for name, tensor in specs.items()
            },
        )
