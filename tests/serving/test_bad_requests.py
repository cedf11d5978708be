"""Requests that cannot be answered get a 4xx with a reason, and never a trace."""

import base64
import gzip
import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

OK_TEXT = {"instances": ["a"]}
TENSOR = {"name": "texts", "shape": [1], "datatype": "BYTES", "data": ["a"]}
NUMBERS = {"name": "numbers", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 0]}
IDS = {"name": "ids", "shape": [1, 2], "datatype": "INT32", "data": [0, 0]}


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


V1 = [
    ("texts", b""),
    ("texts", b"{"),
    ("texts", b"[1, 2]"),
    ("texts", b"null"),
    ("texts", b"\xff\xfe"),
    ("texts", b'{"instances": ["\xff"]}'),
    ("texts", b'{"instances": ["\\ud800"]}'),
    ("texts", b'{"instances": [NaN]}'),
    ("texts", b"[" * 100_000),
    ("texts", b'{"instances": ' + b"[" * 500 + b"]" * 500 + b"}"),
    ("texts", b'{"instances": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}"),
    ("texts", {}),
    ("texts", {"instances": []}),
    ("texts", {"instances": "a"}),
    ("texts", {"instances": None}),
    ("texts", {"instances": {"texts": "a"}}),
    ("texts", {"instances": ["a"], "inputs": ["a"]}),
    ("texts", {"instances": ["a"], "extra": 1}),
    ("texts", {"instances": [1]}),
    ("texts", {"instances": [None]}),
    ("texts", {"instances": [True]}),
    ("texts", {"instances": [["a"]]}),
    ("texts", {"instances": ["a", ["b"]]}),
    ("texts", {"instances": [{"texts": "a"}, "b"]}),
    ("texts", {"instances": [{"wrong": "a"}]}),
    ("texts", {"instances": [{"texts": "a", "wrong": "a"}]}),
    ("texts", {"instances": [{}]}),
    ("texts", {"inputs": {"wrong": ["a"]}}),
    ("texts", {"inputs": "a"}),
    ("texts", {"inputs": 1e999}),
    ("texts", OK_TEXT | {"signature_name": 1}),
    ("texts", OK_TEXT | {"signature_name": "none"}),
    ("texts", {"instances": ["a" * 2**20]}),
    ("pictures", {"instances": [b64(b"no picture")]}),
    ("pictures", {"instances": [b64(b"")]}),
    ("pictures", {"instances": [{"b64": "not base64!"}]}),
    ("pictures", {"instances": [{"b64": 3}]}),
    ("pictures", {"instances": [{"b64": "YQ"}]}),
    ("pictures", {"instances": ["text"]}),
    ("pictures", {"instances": [b64(b"\x89PNG\r\n\x1a\n" + bytes(40))]}),
    ("pictures", {"instances": [b64(b"\xff\xd8\xff\xe0" + bytes(40))]}),
    ("pictures", {"instances": [[0.0]], "signature_name": "serving_images"}),
    ("pictures", {"instances": [[[[0.0] * 3] * 8] * 7], "signature_name": "serving_images"}),
    ("pairs", {"instances": [[1, 2]]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, 4]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3], "ids": [0, 1]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, "4"], "ids": [0, 1]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, None], "ids": [0, 1]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, 1e300], "ids": [0, 1]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, 4], "ids": [0.5, 1]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, 4], "ids": [2**40, 1]}]}),
    ("pairs", {"instances": [{"numbers": [1, 2, 3, 4], "ids": [10**30, 1]}]}),
    ("pairs", {"inputs": {"numbers": [[1, 2, 3, 4]], "ids": [[0, 1], [0, 1]]}}),
    ("pairs", {"inputs": {"numbers": [[1, 2], [3]], "ids": [[0, 1]]}}),
    ("pairs", {"inputs": [[1, 2, 3, 4]]}),
    ("pairs", {"inputs": {"numbers": [[1, 2, 3, 4]], "ids": [[9, 0]]}}),
    ("pairs", b'{"inputs": {"ids": [[0, 0]], "numbers": ' + b"[" * 1020 + b"1" + b"]" * 1020 + b"}}"),
    ("pairs", b'{"inputs": {"ids": [[0, 0]], "numbers": ' + b'{"a":' * 1020 + b"1" + b"}" * 1020 + b"}}"),
]
V2 = [
    ("texts", {}),
    ("texts", {"inputs": []}),
    ("texts", {"inputs": {}}),
    ("texts", {"inputs": ["a"]}),
    ("texts", {"inputs": [TENSOR, TENSOR]}),
    ("texts", {"inputs": [TENSOR], "parameters": 1}),
    ("texts", {"inputs": [TENSOR], "parameters": {"signature_name": 1}}),
    ("texts", {"inputs": [TENSOR], "id": 7}),
    ("texts", {"inputs": [TENSOR], "outputs": [{"name": "none"}]}),
    ("texts", {"inputs": [TENSOR], "outputs": "label"}),
    ("texts", {"inputs": [TENSOR | {"name": "x"}]}),
    ("texts", {"inputs": [TENSOR | {"name": 1}]}),
    ("texts", {"inputs": [TENSOR | {"shape": [10**12]}]}),
    ("texts", {"inputs": [TENSOR | {"shape": [-1]}]}),
    ("texts", {"inputs": [TENSOR | {"shape": [True]}]}),
    ("texts", {"inputs": [TENSOR | {"shape": [1.5]}]}),
    ("texts", {"inputs": [TENSOR | {"shape": [1] * 40}]}),
    ("texts", {"inputs": [TENSOR | {"shape": None}]}),
    ("texts", {"inputs": [TENSOR | {"datatype": "STRING"}]}),
    ("texts", {"inputs": [TENSOR | {"datatype": ["BYTES"]}]}),
    ("texts", {"inputs": [TENSOR | {"datatype": "FP32"}]}),
    ("texts", {"inputs": [TENSOR | {"data": None}]}),
    ("texts", {"inputs": [TENSOR | {"data": [1]}]}),
    ("texts", {"inputs": [TENSOR | {"parameters": {"content_type": "base64"}, "data": ["?"]}]}),
    ("pairs", {"inputs": [NUMBERS]}),
    ("pairs", {"inputs": [NUMBERS | {"data": [0, 0, 0, "x"]}, IDS]}),
    ("pairs", {"inputs": [NUMBERS | {"data": [[0, 0], [0]], "shape": [1, 3]}, IDS]}),
    ("pairs", {"inputs": [NUMBERS | {"datatype": "BYTES"}, IDS]}),
    ("pairs", {"inputs": [NUMBERS | {"shape": [2, 2]}, IDS]}),
    ("pairs", {"inputs": [NUMBERS | {"shape": [0, 2**63 - 1, 2**63 - 1], "data": []}, IDS]}),
    ("pairs", {"inputs": [NUMBERS | {"shape": [0, 2**64 - 1], "data": []}, IDS]}),
    ("pairs", {"inputs": [NUMBERS | {"shape": [0] * 32, "data": []}, IDS]}),
    ("pairs", {"inputs": [NUMBERS, IDS | {"data": [0.5, 1]}]}),
]
ADDRESSES = [
    ("GET", "/v1/models/none", 404),
    ("GET", "/v1/models/none/metadata", 404),
    ("GET", "/v1/models/texts/versions/x", 400),
    ("GET", "/v1/models/texts/versions/-1", 400),
    ("GET", "/v1/models/texts/versions/99999999999999999999999", 400),
    ("GET", "/v1/models/texts/versions/9", 404),
    ("GET", "/v1/models/texts/versions/9/metadata", 404),
    ("POST", "/v1/models/none:predict", 404),
    ("POST", "/v1/models/texts/versions/9:predict", 404),
    ("POST", "/v1/models/texts/labels/stable:predict", 404),
    ("POST", "/v1/models/..%2f..%2fetc:predict", 404),
    ("POST", "/v1/models/../../etc/passwd:predict", 404),
    ("POST", "/v1/models/%00:predict", 404),
    ("POST", "/v1/models/texts:classify", 405),
    ("POST", "/v1/models/texts", 405),
    ("GET", "/v1/models/texts:predict", 404),
    ("DELETE", "/v1/models/texts", 405),
    ("GET", "/v2/models/none", 404),
    ("GET", "/v2/models/none/ready", 404),
    ("POST", "/v2/models/none/infer", 404),
    ("POST", "/v2/models/texts/versions/9/infer", 404),
    ("GET", "/etc/passwd", 404),
    ("PUT", "/", 405),
]


def ask(server, method, path, body=None, headers=None):
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def check_refused(status, text, expected=None):
    assert 400 <= status < 500, text
    assert expected is None or status == expected, text
    reason = json.loads(text)["error"]
    assert len(reason) > 10
    for sign in ("Traceback", 'File "', ".py", "node ", "stack trace"):
        assert sign not in reason


@pytest.mark.parametrize(("model", "body"), V1, ids=range(len(V1)))
def test_tensorflow_serving(server, model, body):
    content = body if isinstance(body, bytes) else json.dumps(body)
    check_refused(*ask(server, "POST", f"/v1/models/{model}:predict", content)[:2])


@pytest.mark.parametrize(("model", "body"), V2, ids=range(len(V2)))
def test_open_inference(server, model, body):
    check_refused(*ask(server, "POST", f"/v2/models/{model}/infer", json.dumps(body))[:2])


@pytest.mark.parametrize(("method", "path", "status"), ADDRESSES)
def test_addresses(server, method, path, status):
    check_refused(*ask(server, method, path, json.dumps(OK_TEXT) if method == "POST" else None)[:2], status)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "image/png"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Inference-Header-Content-Length": "10"}, 415),
    ],
)
def test_headers(server, headers, status):
    body = gzip.compress(bytes(50 * 2**20)) if headers.get("Content-Encoding") == "gzip" else json.dumps(OK_TEXT)
    path = "/v2/models/texts/infer" if "Inference-Header-Content-Length" in headers else "/v1/models/texts:predict"
    check_refused(*ask(server, "POST", path, body, headers)[:2], status)


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large(server, declared):
    """By the length that it declares, before it is sent, or by what has come."""
    size = 2**20 + 1
    head = "POST /v1/models/texts:predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    if declared:
        content = f"{head}Content-Length: {size}\r\n\r\n".encode()
    else:
        content = f"{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode() + b"x" * size
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(content)
        head, _, text = b"".join(iter(lambda: connection.recv(65536), b"")).decode().partition("\r\n\r\n")
    check_refused(int(head.split()[1]), text, 413)


def test_what_is_fine_is_answered_in_between(server):
    for body in (b"{", json.dumps(OK_TEXT), b"[1]", json.dumps(OK_TEXT)):
        status = ask(server, "POST", "/v1/models/texts:predict", body)[0]
        assert status == (200 if b"instances" in (body.encode() if isinstance(body, str) else body) else 400)


def test_a_bad_row_fails_alone(server, png):
    """Requests that run together do not share their errors."""
    from concurrent.futures import ThreadPoolExecutor

    good, bad = ({"instances": [b64(content)]} for content in (png(1), b"no picture"))
    with ThreadPoolExecutor(16) as pool:
        bodies = [json.dumps(bad if number % 4 == 0 else good) for number in range(64)]
        found = list(pool.map(lambda body: ask(server, "POST", "/v1/models/pictures:predict", body)[0], bodies))
    assert found == [400 if number % 4 == 0 else 200 for number in range(64)]
