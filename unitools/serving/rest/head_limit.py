"""A bound on the head of a request: uvicorn's fast parser keeps whatever comes until the head ends."""

MAX_HEAD_BYTES = 64 * 1024


def http_protocol():
    """Return what `uvicorn.Config(http=...)` takes: the fast protocol with a bound, or "h11", which has one."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ModuleNotFoundError:
        return "h11"

    class BoundedHead(HttpToolsProtocol):
        """Closes a connection whose request line and headers come to no end."""

        _in_head, _head_bytes = True, 0

        def data_received(self, data):
            if self._in_head:
                self._head_bytes += len(data)
            super().data_received(data)
            if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response(f"Request line and headers must have at most {MAX_HEAD_BYTES} bytes.")

        def on_headers_complete(self):
            self._in_head = False
            super().on_headers_complete()

        def on_message_complete(self):
            self._in_head, self._head_bytes = True, 0
            super().on_message_complete()

    return BoundedHead
