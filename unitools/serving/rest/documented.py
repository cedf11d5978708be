"""What the OpenAPI page says of bodies and errors."""

from unitools.serving.rest.failure import Failure

_REASONS = {
    400: "The request does not fit the model.",
    401: "The API key is missing or wrong.",
    404: "No such model, version, label or signature.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is not plain JSON.",
    500: "A fault of the server; its log says more.",
    503: "Too many requests, or the model is not ready. Retry-After says when to try again.",
    504: "No answer in time.",
}


def failures(*statuses):
    """Return FastAPI's `responses` for these statuses."""
    return {status: {"model": Failure, "description": _REASONS[status]} for status in statuses}


ASKING = failures(400, 401, 404, 408, 413, 415, 503, 504)
LOOKING = failures(400, 401, 404)


def body(properties, required=()):
    """Return FastAPI's `openapi_extra` for a JSON object."""
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


PREDICT = body(
    {
        "signature_name": {"type": "string", "description": "Default: serving_default"},
        "instances": {"type": "array", "items": {}, "description": "One entry a row"},
        "inputs": {"description": "One entry an input, with all rows"},
    }
)
TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string", "description": "BOOL, INT32, FP32, BYTES, ..."},
        "data": {"type": "array", "items": {}},
        "parameters": {"type": "object"},
    },
}
INFER = body(
    {
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "inputs": {"type": "array", "items": TENSOR},
        "outputs": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
    ("inputs",),
)
