"""Health, readiness, metrics, and the page."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from unitools.serving.request_error import RequestError
from unitools.serving.rest.documented import failures

router = APIRouter(tags=["Health, metrics, page"])
_PAGE = Path(__file__).with_name("page.html")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """Answer while the process lives."""
    return {"live": True}


@router.get("/readyz", responses=failures(503))
async def readyz(request: Request) -> dict[str, Any]:
    """Answer 200 while every model answers and the server is not about to stop."""
    if not request.app.state.ready():
        raise RequestError(503, "Not ready.", 1.0)
    return {"ready": True}


@router.get("/metrics", responses=failures(401), response_class=PlainTextResponse)
@router.get("/monitoring/prometheus/metrics", responses=failures(401), response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Tell counts and times, for Prometheus."""
    content, kind = request.app.state.metrics.page()
    return Response(content, headers={"content-type": kind})


@router.get("/v1/models", responses=failures(401))
async def models(request: Request) -> dict[str, Any]:
    """List the models and the versions that answer."""
    store = request.app.state.store
    return {"models": [{"name": name, "versions": _available(store, name)} for name in store.names()]}


def _available(store, name):
    return [str(state.number) for state in store.versions(name) if state.state == "AVAILABLE"]


@router.get("/", include_in_schema=False)
async def page() -> HTMLResponse:
    """Show the page to try a model by hand."""
    return HTMLResponse(_PAGE.read_text(encoding="utf-8"), headers={"content-security-policy": _POLICY})
