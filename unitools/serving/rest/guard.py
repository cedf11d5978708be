"""What every request passes: the key, the limits, the metrics, and an answer for every error."""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from unitools.serving.metrics import Metrics
from unitools.serving.request_error import RequestError
from unitools.serving.rest.body import json_answer
from unitools.serving.server_settings import ServerSettings

_LOG = logging.getLogger("unitools.serving")
_OPEN = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware around the application.

    Args:
        app: The application.
        settings: Key and limits.
        metrics: Where answers are counted.
        draining: Function that says whether the server is about to stop: then every answer closes its connection.
        models: Function that gives the names of the models, so that an invented name makes no new time series.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, metrics: Metrics, draining, models):
        self._app, self._settings, self._metrics = app, settings, metrics
        self._draining, self._models = draining, models
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send):
        """Admit a request, or say why not; count the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, started = time.perf_counter(), []

        async def answer(message):
            if message["type"] == "http.response.start":
                started.append(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._draining():
                    headers["connection"] = "close"
            await send(message)

        self._in_work += 1
        self._metrics.in_work.inc()
        try:
            self._admit(scope)
            await self._app(scope, self._limited(receive), answer)
        except RequestError as error:
            await refused(error)(scope, receive, answer)
        except Exception:
            _LOG.exception("a fault while answering %s", scope["path"])
            if started:
                raise
            await json_answer({"error": "A fault of the server. Its log says more."}, 500)(scope, receive, answer)
        finally:
            self._in_work -= 1
            self._metrics.in_work.dec()
            self._count(scope["path"], started, time.perf_counter() - begin)

    def _admit(self, scope):
        headers = Headers(scope=scope)
        if scope["path"] not in _OPEN and not self._settings.security.allows(sent_key(headers)):
            raise RequestError(401, "The API key is missing or wrong. Send it as X-API-Key or Authorization: Bearer.")
        if self._in_work > self._settings.limits.max_requests and scope["path"] not in _OPEN:
            raise RequestError(503, "Too many requests at a time. Try again later.", 1.0)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(415, "Compressed bodies are not taken. Send the body as it is.")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._settings.limits.max_body_bytes:
            raise self._too_large()

    def _too_large(self):
        return RequestError(413, f"The body must have at most {self._settings.limits.max_body_bytes} bytes.")

    def _limited(self, receive):
        """Return `receive` for bodies whose length no header says."""
        total = 0

        async def limited():
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._settings.limits.max_body_bytes:
                raise self._too_large()
            return message

        return limited

    def _count(self, path, started, seconds):
        parts = path.split("/")
        protocol = {"v1": "tensorflow", "v2": "open-inference"}.get(parts[1] if len(parts) > 1 else "", "other")
        name = parts[3].partition(":")[0] if len(parts) > 3 else ""
        name = name if name in self._models() else ""
        self._metrics.answered(name, protocol, started[0] if started else 499, seconds)


def sent_key(headers) -> str | None:
    """Return the key that a client sent, or None."""
    bearer = headers.get("authorization", "")
    return headers.get("x-api-key") or (bearer[7:] if bearer[:7].lower() == "bearer " else None)


def refused(error: RequestError):
    """Return the response that says why."""
    headers = {} if error.retry_after_s is None else {"retry-after": str(max(1, round(error.retry_after_s)))}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return json_answer({"error": error.message}, error.status, headers)
