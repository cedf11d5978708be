"""Keys, TLS, limits, metrics, the page, stopping, and the command."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

import unitools as ut
from unitools.cli import main

PROTOCOLS = ("tensorflow", "open-inference", "grpc")
KEY = "a-key-of-some-length"


@keras.saving.register_keras_serializable("tests")
class Slow(keras.layers.Layer):
    """Takes its time: a loop of as many turns as the input says."""

    def call(self, turns):
        import tensorflow as tf

        def turn(number, value):
            return number + 1, tf.linalg.matmul(value, value) / 64.0

        start = (tf.constant(0.0), tf.ones((64, 64)))
        _, value = tf.while_loop(lambda number, _: number < tf.reduce_max(turns), turn, start)
        return turns + 0.0 * value[0, 0]


@pytest.fixture(scope="module")
def slow_export(tmp_path_factory):
    """Return a folder with a model whose answer takes as long as its input says, and turns for about 0.3 s."""
    folder = tmp_path_factory.mktemp("slow")
    turns = keras.Input((1,), name="turns")
    model = keras.Model(turns, Slow()(turns))
    ut.export.saved_model(model, folder / "slow" / "1", "arrays", examples=np.ones((2, 1)), fresh_process=False)
    predictor = ut.serving.Predictor(folder / "slow" / "1")
    begin = time.perf_counter()
    predictor.predict({"turns": [[2000.0]]})
    return folder, 2000 * 0.3 / (time.perf_counter() - begin)


def started(folder, **options):
    settings = ut.serving.ServerSettings(**options)
    return ut.serving.Server(folder, port=0, grpc_port=0, settings=settings)


def client_of(server, protocol, **options):
    address = server.grpc_address if protocol == "grpc" else server.url
    return ut.serving.Client(address, protocol=protocol, retries=0, **options)


def get(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_a_key(exports):
    with started(exports, security=ut.serving.Security(api_key=KEY)) as server:
        for protocol in PROTOCOLS:
            with client_of(server, protocol, api_key=KEY) as client:
                assert client.predict("texts", {"texts": ["a"]})["label"].shape == (1,)
            for wrong in (None, "wrong"):
                with client_of(server, protocol, api_key=wrong) as client:
                    with pytest.raises(ut.serving.ServingError, match="API key") as refused:
                        client.predict("texts", {"texts": ["a"]})
                    assert refused.value.status == 401
        assert get(f"{server.url}/v1/models", Authorization=f"Bearer {KEY}")[0] == 200
        for path, status in (("/v1/models", 401), ("/metrics", 401), ("/", 401), ("/healthz", 200), ("/readyz", 200)):
            assert get(server.url + path)[0] == status
        assert KEY not in repr(ut.serving.Security(api_key=KEY))


def test_tls(exports, certificate):
    security = ut.serving.Security(None, *certificate)
    with started(exports, security=security) as server:
        assert server.url.startswith("https://")
        for protocol in PROTOCOLS:
            with client_of(server, protocol, certificate=certificate[0]) as client:
                assert client.predict("texts", {"texts": ["a"]})["label"].shape == (1,)
        with client_of(server, "tensorflow") as client, pytest.raises(ut.serving.ServingError, match="certificate"):
            client.predict("texts", {"texts": ["a"]})


def test_settings_that_cannot_be(tmp_path, certificate):
    (tmp_path / "file").write_text("no certificate")
    for make, reason in (
        (lambda: ut.serving.Security(api_key="short"), "16 ASCII characters"),
        (lambda: ut.serving.Security(certificate=certificate[0]), "given together"),
        (lambda: ut.serving.Security(None, tmp_path / "file", certificate[1]), "PEM file"),
        (lambda: ut.serving.Batching(max_batch_size=0), "max_batch_size"),
        (lambda: ut.serving.Limits(timeout_s=0), "timeout_s"),
        (lambda: ut.serving.ServerSettings(poll_s=0), "poll_s"),
        (lambda: ut.serving.Client("127.0.0.1:80"), "http://HOST:PORT"),
        (lambda: ut.serving.Client("http://127.0.0.1:80", protocol="grpc"), "HOST:PORT"),
        (lambda: ut.serving.Client("http://127.0.0.1:80", protocol="http"), "protocol"),
    ):
        with pytest.raises(ValueError, match=reason):
            make()


def test_a_port_that_is_taken(exports, server):
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OSError, match="Give another port"):
        ut.serving.Server(exports, port=port).start()
    taken = int(server.grpc_address.rpartition(":")[2])
    with pytest.raises(OSError, match="Give another port"):
        ut.serving.Server(exports, port=0, grpc_port=taken).start()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_full_queue_says_when_to_come_back(slow_export, protocol):
    folder, turns = slow_export
    with started(folder, batching=ut.serving.Batching(queue_limit=1)) as server:
        statuses = []

        def ask():
            with client_of(server, protocol) as client:
                try:
                    client.predict("slow", {"turns": np.full((1, 1), turns)})
                    statuses.append(200)
                except ut.serving.ServingError as error:
                    statuses.append(error.status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200, 503}


def test_retry_after(slow_export):
    folder, turns = slow_export
    with started(folder, batching=ut.serving.Batching(queue_limit=1)) as server:
        request = urllib.request.Request(
            f"{server.url}/v1/models/slow:predict", json.dumps({"instances": [[turns]]}).encode()
        )
        found = []

        def ask():
            try:
                urllib.request.urlopen(request).close()
            except urllib.error.HTTPError as error:
                with error:
                    found.append((error.code, error.headers["Retry-After"]))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found
        assert set(found) == {(503, "1")}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_time_is_up(slow_export, protocol):
    folder, turns = slow_export
    limits = ut.serving.Limits(timeout_s=0.1)
    with started(folder, limits=limits) as server, client_of(server, protocol) as client:
        with pytest.raises(ut.serving.ServingError, match="No answer within") as refused:
            client.predict("slow", {"turns": np.full((1, 1), 2 * turns)})
        assert refused.value.status == 504


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_caller_has_no_more_time(slow_export, protocol):
    folder, turns = slow_export
    with started(folder) as server, client_of(server, protocol, timeout_s=0.1) as client:
        with pytest.raises(ut.serving.ServingError) as refused:
            client.predict("slow", {"turns": np.full((1, 1), 2 * turns)})
        assert refused.value.status == (504 if protocol == "grpc" else 0)


def test_a_client_tries_again_where_the_server_is_busy(slow_export):
    folder, turns = slow_export
    with started(folder, batching=ut.serving.Batching(queue_limit=1)) as server:
        answers = []

        def ask(protocol):
            address = server.grpc_address if protocol == "grpc" else server.url
            with ut.serving.Client(address, protocol=protocol, retries=8) as client:
                answers.append(client.predict("slow", {"turns": np.full((1, 1), turns / 3)}))

        threads = [threading.Thread(target=ask, args=(protocol,)) for protocol in PROTOCOLS * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 6


def test_metrics_can_be_read(server):
    with client_of(server, "tensorflow") as client:
        client.predict("texts", {"texts": ["a"]})
        with pytest.raises(ut.serving.ServingError):
            client.predict("invented", {"texts": ["a"]})
    for path in ("/metrics", "/monitoring/prometheus/metrics"):
        families = {family.name: family for family in text_string_to_metric_families(get(server.url + path)[1])}
        samples = families["unitools_requests"].samples
        labels = [sample.labels for sample in samples]
        assert {"model": "texts", "protocol": "tensorflow", "status": "200"} in labels
        assert {"model": "", "protocol": "tensorflow", "status": "404"} in labels
        assert "invented" not in {label["model"] for label in labels}
        assert families["unitools_batch_rows"].samples


def sent(url, pieces):
    """Send pieces one after the other; return what comes back until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:  # closed while we were still sending
            return b""


def test_a_body_that_does_not_come(exports):
    head = b"POST /v1/models/texts:predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{"
    with started(exports, limits=ut.serving.Limits(timeout_s=0.3)) as server:
        assert sent(server.url, [head]).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX-Long: "])
def test_a_head_without_end(server, start):
    taken = []

    def pieces():
        yield start
        while len(taken) < 4000:  # 256 MB, if nobody stops it
            taken.append(1)
            yield b"a" * 65536

    answer = sent(server.url, pieces())
    assert answer[:13] in (b"", b"HTTP/1.1 400 ")
    assert len(taken) < 400
    assert get(server.url + "/healthz")[0] == 200


def test_the_page(server):
    status, text, headers = get(server.url)
    assert status == 200
    assert "Try a model" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for outside in ("http://", "https://", "//cdn"):
        assert outside not in text


def test_health(server):
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/v2/models/texts/ready", "/v2"):
        assert get(server.url + path)[0] == 200


def test_answers_are_not_held_back(exports):
    """Head and body of an answer are two packets: with Nagle's algorithm the second waits for an acknowledgement."""
    with started(exports) as server, socket.create_connection(server.url.removeprefix("http://").split(":")) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        (connection,) = server._http._server.server_state.connections
        taken = connection.transport.get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_stopping_answers_what_is_owed(slow_export):
    folder, turns = slow_export
    answers, connected = [], threading.Barrier(1 + len(PROTOCOLS))

    def ask(protocol):
        with client_of(server, protocol) as client:
            assert client.ready("slow")
            connected.wait(20)
            answers.append(client.predict("slow", {"turns": np.full((1, 1), 5 * turns)}))

    server = started(folder, batching=ut.serving.Batching(max_batch_size=2)).start()
    threads = [threading.Thread(target=ask, args=(protocol,)) for protocol in PROTOCOLS]
    for thread in threads:
        thread.start()
    connected.wait(20)
    time.sleep(0.5)
    url = server.url
    server.stop()
    for thread in threads:
        thread.join()
    assert len(answers) == 3
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz")
    server.stop()  # a second time does nothing
    with pytest.raises(RuntimeError, match="Make another `Server`"):
        server.start()


def test_the_command_serves_and_drains(exports):
    """Ready, asked by three protocols, then SIGTERM with requests in flight: none is lost."""
    command = [sys.executable, "-m", "unitools", "serve", str(exports), "--port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        names, _, addresses = line.strip().partition(": ")
        url, grpc_address = addresses.split(", gRPC at ")
        assert names == "pairs, pictures, texts"
        lost, answered, refused = [], [], threading.Event()

        def ask(protocol):
            address = grpc_address if protocol == "grpc" else url
            with ut.serving.Client(address, protocol=protocol, retries=0) as client:
                while not refused.is_set():
                    try:
                        answered.append(client.predict("texts", {"texts": ["a", "b" * 50]})["label"].tolist())
                    except ut.serving.ServingError as error:
                        # Whoever comes after the ports are closed is told so by the system.
                        if "refused" not in str(error).lower() and "shutdown" not in str(error).lower():
                            lost.append(error)
                        return

        threads = [threading.Thread(target=ask, args=(protocol,)) for protocol in PROTOCOLS]
        for thread in threads:
            thread.start()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        refused.set()
        for thread in threads:
            thread.join()
        assert [str(error) for error in lost] == []
        assert len(answered) > 30
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    for arguments, reason in (
        ([str(tmp_path)], "NAME/VERSION/saved_model.pb"),
        ([str(tmp_path), "--api-key-file", str(tmp_path / "absent")], "absent"),
        ([str(tmp_path), "--tls-certificate", str(tmp_path / "absent")], "private_key"),
        ([str(tmp_path), "--max-wait-ms", "5000"], "max_wait_ms"),
    ):
        assert main(["serve", *arguments]) == 2
        assert reason in capsys.readouterr().err
