"""What every call passes: the key, the status of a reason, the metrics."""

import contextlib
import logging
import time

import grpc

from unitools.serving.request_error import RequestError

_LOG = logging.getLogger("unitools.serving")
RETRY_AFTER = "retry-after"
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


@contextlib.contextmanager
def answering(context: grpc.ServicerContext, settings, metrics, model: str):
    """Run a call: check the key, and turn errors into gRPC's status codes.

    Args:
        context: The call.
        settings: `ServerSettings`.
        metrics: `Metrics`.
        model: Name of the model, "" for one that is not served.
    """
    begin, status = time.perf_counter(), 200
    try:
        if not settings.security.allows(_sent_key(context)):
            raise RequestError(401, "The API key is missing or wrong. Send it as x-api-key or authorization: Bearer.")
        yield
    except RequestError as error:
        status = error.status
        if error.retry_after_s is not None:
            context.set_trailing_metadata(((RETRY_AFTER, str(max(1, round(error.retry_after_s)))),))
        context.abort(CODES.get(error.status, grpc.StatusCode.UNKNOWN), error.message)
    except Exception:
        status = 500
        _LOG.exception("a fault while answering over gRPC")
        context.abort(grpc.StatusCode.INTERNAL, "A fault of the server. Its log says more.")
    finally:
        metrics.answered(model, "grpc", status, time.perf_counter() - begin)


def _sent_key(context):
    sent = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
    bearer = sent.get("authorization", "")
    return sent.get("x-api-key") or (bearer[7:] if bearer[:7].lower() == "bearer " else None)
