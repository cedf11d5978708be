"""The HTTP application."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from unitools.core.version import VERSION
from unitools.serving.metrics import Metrics
from unitools.serving.models.model_store import ModelStore
from unitools.serving.request_error import RequestError
from unitools.serving.rest import health, open_inference, tensorflow_rest
from unitools.serving.rest.body import json_answer
from unitools.serving.rest.guard import Guard, refused
from unitools.serving.server_settings import ServerSettings


def application(
    store: ModelStore, settings: ServerSettings, metrics: Metrics, draining: Callable[[], bool] = lambda: False
) -> FastAPI:
    """Return the ASGI application that answers for a store.

    Args:
        store: The models.
        settings: Key and limits.
        metrics: Where answers are counted.
        draining: Function that says whether the server is about to stop.
    """
    app = FastAPI(title="unitools serving", version=VERSION, redoc_url=None)
    app.state.store, app.state.settings, app.state.metrics = store, settings, metrics
    app.state.ready = lambda: store.ready() and not draining()
    for part in (tensorflow_rest, open_inference, health):
        app.include_router(part.router)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_middleware(Guard, settings=settings, metrics=metrics, draining=draining, models=store.names)
    return app


async def _refused(_: Request, error: RequestError):
    return refused(error)


async def _invalid(_: Request, error: RequestValidationError):
    return json_answer({"error": "; ".join(one["msg"] for one in error.errors())}, 400)


async def _unknown(request: Request, error: HTTPException):
    message = f"There is no {request.method} {request.url.path[:200]}. Look at /docs."
    return json_answer({"error": message}, error.status_code, dict(error.headers or {}))
