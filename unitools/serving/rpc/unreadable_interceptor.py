"""Bytes that are no message get a reason, as any other request that cannot be read."""

import grpc
from google.protobuf.message import DecodeError

_UNREADABLE = object()


class UnreadableInterceptor(grpc.ServerInterceptor):
    """Answers INVALID_ARGUMENT where gRPC itself would say INTERNAL, which is for faults of the server."""

    def intercept_service(self, continuation, handler_call_details):
        """Return the handler of a call with a reader that does not fail."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None

        def read(content):
            try:
                return handler.request_deserializer(content)
            except DecodeError:
                return _UNREADABLE

        def answer(request, context):
            if request is _UNREADABLE:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The request must be a message of this call.")
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(answer, read, handler.response_serializer)
