"""Bodies of requests and answers as JSON."""

import asyncio
import base64
import binascii
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from unitools.serving.request_error import RequestError, refuse

_DEPTH = 8


async def read_json(request: Request) -> dict[str, Any]:
    """Return the body, which must be a JSON object.

    Raises:
        RequestError: 400: it is none; 408: it comes too slowly; 415: it says that it is something else.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    # curl's -d says form data, which TensorFlow Serving takes for JSON too.
    if kind not in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        raise RequestError(415, f"The body must be application/json. Received {kind[:80]!r}.")
    try:
        async with asyncio.timeout(request.app.state.settings.limits.timeout_s):
            sent = await request.body()
    except TimeoutError as error:
        raise RequestError(408, "The body did not come in time. Send it at once.") from error
    try:
        content = orjson.loads(sent)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"The body must be JSON. {error}.") from error
    if not isinstance(content, dict):
        raise RequestError(400, 'The body must be a JSON object, such as {"instances": [...]}.')
    return content


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with `content`, in which arrays may stand for lists."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, headers, media_type="application/json")


def decoded(name: str, value: Any, depth: int = 0) -> Any:
    """Return nested lists of strings with every {"b64": ...} replaced by its bytes."""
    if isinstance(value, list):
        if depth > _DEPTH:
            refuse(name, "deep lists", f"lists of depth {_DEPTH} at most")
        return [decoded(name, item, depth + 1) for item in value]
    return from_base64(name, value["b64"]) if is_base64(value) else value


def is_base64(value: Any) -> bool:
    """Return whether this is JSON's way to write bytes."""
    return isinstance(value, dict) and set(value) == {"b64"}


def from_base64(name: str, text: Any) -> bytes:
    """Return the bytes that a base64 text stands for."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return refuse(name, text, "base64, of the standard alphabet with its padding")


def as_text(value: bytes) -> str | None:
    """Return bytes as text, or None where they are no UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def to_base64(value: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(value).decode("ascii")
