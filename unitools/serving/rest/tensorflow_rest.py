"""TensorFlow Serving's REST API, version 1.

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

from typing import Any

from fastapi import APIRouter, Request

from unitools.serving.dtypes import TENSORFLOW
from unitools.serving.request_error import RequestError
from unitools.serving.rest.asking import ask
from unitools.serving.rest.body import json_answer, read_json
from unitools.serving.rest.documented import ASKING, LOOKING, PREDICT
from unitools.serving.rest.numbers import version_number
from unitools.serving.rest.rows_and_columns import answer_of, read_request

router = APIRouter(tags=["TensorFlow Serving REST v1"])


@router.post("/v1/models/{model}:predict", responses=ASKING, openapi_extra=PREDICT)
async def predict(model: str, request: Request) -> dict[str, Any]:
    """Ask the newest version of a model."""
    return await _predict(request, model)


@router.post("/v1/models/{model}/versions/{version}:predict", responses=ASKING, openapi_extra=PREDICT)
async def predict_by_version(model: str, version: str, request: Request) -> dict[str, Any]:
    """Ask one version of a model."""
    return await _predict(request, model, version=version_number(version))


@router.post("/v1/models/{model}/labels/{label}:predict", responses=ASKING, openapi_extra=PREDICT)
async def predict_by_label(model: str, label: str, request: Request) -> dict[str, Any]:
    """Ask the version of a model that has a label."""
    return await _predict(request, model, label=label)


@router.get("/v1/models/{model}", responses=LOOKING)
async def status(model: str, request: Request) -> dict[str, Any]:
    """Tell where the versions of a model stand."""
    return _status(request.app.state.store.versions(model))


@router.get("/v1/models/{model}/versions/{version}", responses=LOOKING)
async def status_by_version(model: str, version: str, request: Request) -> dict[str, Any]:
    """Tell where one version of a model stands."""
    number = version_number(version)
    states = [state for state in request.app.state.store.versions(model) if state.number == number]
    if not states:
        raise RequestError(404, f"Model {model!r} has no version {number}.")
    return _status(states)


@router.get("/v1/models/{model}/metadata", responses=LOOKING)
async def metadata(model: str, request: Request) -> dict[str, Any]:
    """Tell the signatures of the newest version of a model."""
    return _metadata(model, *request.app.state.store.describe(model))


@router.get("/v1/models/{model}/versions/{version}/metadata", responses=LOOKING)
async def metadata_by_version(model: str, version: str, request: Request) -> dict[str, Any]:
    """Tell the signatures of one version of a model."""
    return _metadata(model, *request.app.state.store.describe(model, version_number(version)))


async def _predict(request, model, version=None, label=None):
    content = await read_json(request)
    signature = content.get("signature_name")
    if signature is not None and not isinstance(signature, str):
        raise RequestError(400, "`signature_name` must be a string.")
    store = request.app.state.store
    specs = store.describe(model, version, label)[1].inputs(signature)

    form = []

    def submit(seconds):
        inputs, rows = read_request(content, specs)
        form.append(rows)
        options = {"version": version, "label": label, "signature": signature, "deadline_s": seconds}
        return store.submit(model, inputs, **options)

    answer = await ask(request, submit)
    return json_answer(answer_of(answer.outputs, form[0]))


def _status(states):
    return {
        "model_version_status": [
            {
                "version": str(state.number),
                "state": state.state,
                "status": {"error_code": "UNKNOWN" if state.error else "OK", "error_message": state.error},
            }
            for state in states
        ]
    }


def _metadata(model, number, predictor):
    signatures = {
        name: {
            "inputs": {key: _tensor_info(one) for key, one in predictor.inputs(name).items()},
            "outputs": {key: _tensor_info(one) for key, one in predictor.outputs(name).items()},
            "method_name": "tensorflow/serving/predict",
        }
        for name in predictor.signatures
    }
    return {
        "model_spec": {"name": model, "signature_name": "", "version": str(number)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def _tensor_info(tensor):
    sizes = [{"size": str(-1 if side is None else side), "name": ""} for side in tensor.shape]
    dtype = TENSORFLOW.get(tensor.dtype, f"DT_{tensor.dtype.upper()}")
    return {"dtype": dtype, "tensor_shape": {"dim": sizes, "unknown_rank": False}, "name": tensor.name}
