"""The Open Inference Protocol, version 2, over REST.

Source: https://github.com/kserve/open-inference-protocol, inference_rest.md. Beyond it: `parameters.signature_name`
chooses a signature, and `parameters.content_type` "base64" of a tensor of BYTES says that its data are base64.
"""

from typing import Any

from fastapi import APIRouter, Request

from unitools.core.version import VERSION
from unitools.serving.dtypes import OPEN_INFERENCE
from unitools.serving.request_error import RequestError, refuse
from unitools.serving.rest.asking import ask
from unitools.serving.rest.body import json_answer, read_json
from unitools.serving.rest.documented import ASKING, INFER, LOOKING, failures
from unitools.serving.rest.inference_tensors import read_tensor, written_tensor
from unitools.serving.rest.numbers import version_number

router = APIRouter(tags=["Open Inference Protocol v2"])


@router.get("/v2", responses=failures(401))
async def server() -> dict[str, Any]:
    """Tell what this server is."""
    return {"name": "unitools", "version": VERSION, "extensions": []}


@router.get("/v2/health/live")
async def live() -> dict[str, Any]:
    """Answer while the process lives."""
    return {"live": True}


@router.get("/v2/health/ready", responses=failures(503))
async def ready(request: Request) -> dict[str, Any]:
    """Answer 200 while every model answers and the server is not about to stop."""
    if not request.app.state.ready():
        raise RequestError(503, "Not ready.", 1.0)
    return {"ready": True}


@router.get("/v2/models/{model}", responses=LOOKING)
async def metadata(model: str, request: Request) -> dict[str, Any]:
    """Tell inputs and outputs of the newest version of a model."""
    return _metadata(request, model)


@router.get("/v2/models/{model}/versions/{version}", responses=LOOKING)
async def metadata_by_version(model: str, version: str, request: Request) -> dict[str, Any]:
    """Tell inputs and outputs of one version of a model."""
    return _metadata(request, model, version_number(version))


@router.get("/v2/models/{model}/ready", responses=LOOKING | failures(503))
async def model_ready(model: str, request: Request) -> dict[str, Any]:
    """Answer 200 while a version of a model answers."""
    return _model_ready(request, model)


@router.get("/v2/models/{model}/versions/{version}/ready", responses=LOOKING | failures(503))
async def version_ready(model: str, version: str, request: Request) -> dict[str, Any]:
    """Answer 200 while one version of a model answers."""
    return _model_ready(request, model, version_number(version))


@router.post("/v2/models/{model}/infer", responses=ASKING, openapi_extra=INFER)
async def infer(model: str, request: Request) -> dict[str, Any]:
    """Ask the newest version of a model."""
    return await _infer(request, model)


@router.post("/v2/models/{model}/versions/{version}/infer", responses=ASKING, openapi_extra=INFER)
async def infer_by_version(model: str, version: str, request: Request) -> dict[str, Any]:
    """Ask one version of a model."""
    return await _infer(request, model, version_number(version))


def _model_ready(request, model, version=None):
    number, _ = request.app.state.store.describe(model, version)
    return {"name": model, "version": str(number), "ready": True}


def _metadata(request, model, version=None):
    store = request.app.state.store
    _, predictor = store.describe(model, version)
    numbers = sorted(state.number for state in store.versions(model) if state.state == "AVAILABLE")
    return {
        "name": model,
        "versions": [str(number) for number in numbers],
        "platform": "tensorflow_savedmodel",
        "inputs": [_described(tensor) for tensor in predictor.inputs().values()],
        "outputs": [_described(tensor) for tensor in predictor.outputs().values()],
        "parameters": {"signatures": list(predictor.signatures)},
    }


def _described(tensor):
    shape = [-1 if side is None else side for side in tensor.shape]
    return {"name": tensor.name, "datatype": OPEN_INFERENCE.get(tensor.dtype, tensor.dtype.upper()), "shape": shape}


async def _infer(request, model, version=None):
    if "inference-header-content-length" in request.headers:
        raise RequestError(415, "Binary tensors are not taken. Send the data as JSON, or ask over gRPC.")
    content = await read_json(request)
    signature = _parameters(content).get("signature_name")
    if signature is not None and not isinstance(signature, str):
        raise RequestError(400, "`parameters.signature_name` must be a string.")
    if not isinstance(content.get("id", ""), str):
        refuse("id", content["id"], "a string")
    store = request.app.state.store
    predictor = store.describe(model, version)[1]
    wanted = _wanted(content, predictor.outputs(signature))
    given = content.get("inputs")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        refuse("inputs", given, "a list of objects with name, shape, datatype and data")

    def submit(seconds):
        inputs = dict(read_tensor(one) for one in given)
        if len(inputs) != len(given):
            refuse("inputs", [one.get("name") for one in given], "of distinct names")
        return store.submit(model, inputs, version=version, signature=signature, deadline_s=seconds)

    answer = await ask(request, submit)
    outputs = [written_tensor(name, answer.outputs[name]) for name in wanted]
    head = {"model_name": model, "model_version": str(answer.version)}
    return json_answer(head | ({"id": content["id"]} if "id" in content else {}) | {"outputs": outputs})


def _parameters(content):
    parameters = content.get("parameters") or {}
    if not isinstance(parameters, dict):
        refuse("parameters", parameters, "an object")
    return parameters


def _wanted(content, outputs):
    asked = content.get("outputs")
    if asked is None:
        return list(outputs)
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        refuse("outputs", asked, 'a list of objects {"name": ...}')
    names = [one.get("name") for one in asked]
    if any(name not in outputs for name in names if isinstance(name, str)) or not all(
        isinstance(name, str) for name in names
    ):
        refuse("outputs", names, f"names of {sorted(outputs)}")
    return names or list(outputs)
