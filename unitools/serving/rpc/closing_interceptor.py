"""Calls that come while the server ends are told so, before gRPC would cut them off."""

import time

import grpc

from unitools.serving.rpc.calls import RETRY_AFTER

_QUIET_S = 0.2
_LONGEST_S = 1.0


class ClosingInterceptor(grpc.ServerInterceptor):
    """Answers UNAVAILABLE once the server ends; such a call was not begun and may be sent elsewhere.

    Why: gRPC itself cancels a call that is on its way while the server stops, which the client cannot tell from a
    call that failed.
    """

    def __init__(self):
        self._closing, self._last_refused = False, 0.0
        self._refusal = grpc.unary_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation, handler_call_details):
        """Return the handler of a call, or the refusal."""
        if not self._closing:
            return continuation(handler_call_details)
        self._last_refused = time.monotonic()
        return self._refusal

    def close(self) -> None:
        """Refuse from now on, and wait until no call has come for 0.2 s, at most 1 s."""
        begin = time.monotonic()
        self._closing, self._last_refused = True, begin
        while time.monotonic() < min(self._last_refused + _QUIET_S, begin + _LONGEST_S):
            time.sleep(_QUIET_S / 5)


def _refuse(_, context):
    context.set_trailing_metadata(((RETRY_AFTER, "1"),))
    context.abort(grpc.StatusCode.UNAVAILABLE, "The server is in shutdown. Ask another one.")
