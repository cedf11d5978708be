"""Requests of JSON over connections that stay open."""

import http.client
import ssl
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from unitools.core.checks import fail
from unitools.core.optional import require
from unitools.serving.client.serving_error import ServingError

_BUSY = (429, 503)
_LONGEST_WAIT_S = 10.0


class HttpCaller:
    """Sends JSON and reads JSON; tries again where the server says that it is busy.

    Args:
        address: http:// or https:// and host, port, perhaps a path.
        api_key: Sent as X-API-Key, or None.
        certificate: PEM file of the authority that signed the server's certificate. None: the system's.
        timeout_s: Seconds to wait for an answer.
        retries: How many times to try again on 429 and 503, after the seconds that the server names.
    """

    def __init__(self, address: str, api_key: str | None, certificate: Any, timeout_s: float, retries: int):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            fail("address", address, "http://HOST:PORT or https://HOST:PORT", 'For gRPC give protocol="grpc".')
        self._where = (parts.hostname, parts.port)
        self._base = parts.path.rstrip("/")
        self._tls = ssl.create_default_context(cafile=certificate) if parts.scheme == "https" else None
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": api_key} if api_key else {})
        self._timeout_s, self._retries = timeout_s, retries
        self._json = require("orjson", "serve", "`Client`")
        self._own = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def call(self, method: str, path: str, content: Any = None) -> Any:
        """Return the JSON that the server answers with.

        Raises:
            ServingError: It answers with an error, or not at all.
        """
        body = None if content is None else self._json.dumps(content, option=self._json.OPT_SERIALIZE_NUMPY)
        for left in range(self._retries, -1, -1):
            status, answer, wait = self._once(method, self._base + path, body)
            if status not in _BUSY or not left:
                break
            time.sleep(wait)
        return self._read(status, answer)

    def close(self):
        """Close the connections of all threads."""
        while self._open:
            self._open.pop().close()
        self._own = threading.local()

    def _once(self, method, path, body):
        reused = getattr(self._own, "connection", None) is not None
        try:
            return self._ask(method, path, body)
        except (ConnectionError, http.client.HTTPException) as error:
            self._drop()
            if not reused:
                raise ServingError(0, f"No answer from {self._where[0]}:{self._where[1]}: {error!r}") from error
        except OSError as error:
            self._drop()
            raise ServingError(0, f"No answer from {self._where[0]}:{self._where[1]}: {error}") from error
        # A server may close a connection that was idle: what was sent on it then was not read.
        return self._once(method, path, body)

    def _ask(self, method, path, body):
        connection = self._connection()
        connection.request(method, path, body, self._headers)
        answer = connection.getresponse()
        content = answer.read()
        wait = answer.headers.get("Retry-After", "1")
        if answer.will_close:
            self._drop()
        return answer.status, content, min(float(wait) if wait.isdigit() else 1.0, _LONGEST_WAIT_S)

    def _connection(self):
        if getattr(self._own, "connection", None) is None:
            if self._tls:
                made = http.client.HTTPSConnection(*self._where, timeout=self._timeout_s, context=self._tls)
            else:
                made = http.client.HTTPConnection(*self._where, timeout=self._timeout_s)
            self._own.connection = made
            self._open.append(made)
        return self._own.connection

    def _drop(self):
        connection, self._own.connection = self._own.connection, None
        connection.close()
        if connection in self._open:
            self._open.remove(connection)

    def _read(self, status, answer):
        try:
            content = self._json.loads(answer) if answer else {}
        except self._json.JSONDecodeError:
            content = {"error": answer[:200].decode("utf-8", "replace")}
        if status >= 400:
            said = content.get("error") or content.get("detail") if isinstance(content, dict) else content
            raise ServingError(status, str(said or "no reason given"))
        return content
