"""Ask the store without holding up other requests."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from unitools.serving.models.answer import Answer
from unitools.serving.request_error import RequestError

_LARGE = 64 * 1024


async def ask(request: Request, submit: Callable[[float], Any]) -> Answer:
    """Return the answer to what `submit` puts into the store's queue.

    Args:
        request: The request. Of a large body the numbers are read in a thread.
        submit: Function from the seconds that are left to the future of an `Answer`.

    Raises:
        RequestError: 504: it took too long.
    """
    seconds = request.app.state.settings.limits.timeout_s
    large = int(request.headers.get("content-length", _LARGE)) >= _LARGE
    future = await run_in_threadpool(submit, seconds) if large else submit(seconds)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError as error:
        raise RequestError(504, f"No answer within {seconds} s. Ask for fewer rows, or later.", 1.0) from error
