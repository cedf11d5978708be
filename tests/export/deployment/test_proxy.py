"""The proxy that stands before TensorFlow Serving: nginx itself, with the bundle's configuration, before our server."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import yaml

import unitools as ut

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")
PORTS = ("8080", "8081", "9090")
FIRST, SECOND = (subprocess.check_output(["openssl", "rand", "-hex", "32"], text=True).strip() for _ in range(2))


def secret(bundle, key):
    """Return what the runbook's command puts into keys.conf, by the shell itself."""
    (line,) = [one for one in (bundle / "RUNBOOK.md").read_text().splitlines() if "create secret" in one]
    literal = line.split("--from-literal=keys.conf=")[1]
    return subprocess.check_output(["sh", "-c", f"KEY={key}; printf %s {literal}"], text=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def proxy(bundles, tmp_path_factory):
    """{port of the configuration: port here}, of nginx before a server of ours."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "keys.conf").write_text("\n".join(secret(bundles["tf-serving"], key) for key in (FIRST, SECOND)))
    config = yaml.safe_load((bundles["tf-serving"] / "kubernetes" / "configmap.yaml").read_text())["data"]["nginx.conf"]
    with ut.serving.Server(bundles["tf-serving"] / "models", port=0, grpc_port=0) as server:
        ports = {port: free_port() for port in PORTS}
        for port, here in ports.items():
            config = config.replace(f"listen {port}", f"listen 127.0.0.1:{here}")
        config = config.replace("http://127.0.0.1:8501", server.url).replace("127.0.0.1:8500", server.grpc_address)
        config = config.replace("/tmp/", f"{folder}/").replace("/etc/nginx/keys", str(folder))
        (folder / "nginx.conf").write_text(config)
        process = subprocess.Popen(
            [NGINX, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"], stderr=subprocess.PIPE, text=True
        )
        try:
            _wait(ports["8080"], process)
            yield ports
        finally:
            process.terminate()
            process.communicate(timeout=10)


def _wait(port, process):
    for _ in range(100):
        assert process.poll() is None, process.stderr.read()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def status(port, path, key=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"X-API-Key": key} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_rest_wants_a_key(proxy, iris):
    port = proxy["8080"]
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    for key in (FIRST, SECOND):
        with ut.serving.Client(f"http://127.0.0.1:{port}", api_key=key) as client:
            answers = client.predict("iris", {"features": rows})
        np.testing.assert_allclose(answers["probabilities"], iris[1].predict(rows, verbose=0), atol=1e-6)
    for key in (None, "another", FIRST[:-1], "1", "default", "include"):
        assert status(port, "/v1/models/iris", key) == 401
    assert status(port, "/v1/models/iris", FIRST) == 200
    assert status(port, "/healthz") == 200
    for path in ("/", "/metrics", "/monitoring/prometheus/metrics", "/v1x", "/docs", "/v2/health/live"):
        assert status(port, path, FIRST) == 404
    assert status(port, "/v1/../monitoring/prometheus/metrics", FIRST) == 404


def test_grpc_wants_a_key(proxy, iris):
    address = f"127.0.0.1:{proxy['8081']}"
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    with ut.serving.Client(address, protocol="grpc", api_key=SECOND) as client:
        answers = client.predict("iris", {"features": rows})
    np.testing.assert_allclose(answers["probabilities"], iris[1].predict(rows, verbose=0), atol=1e-6)
    for key in (None, "wrong"):
        with ut.serving.Client(address, protocol="grpc", api_key=key) as client:
            with pytest.raises(ut.serving.ServingError) as error:
                client.predict("iris", {"features": rows})
            assert error.value.status == 401


def test_metrics_have_a_port_of_their_own(proxy):
    assert status(proxy["9090"], "/monitoring/prometheus/metrics") == 200
    assert status(proxy["9090"], "/v1/models/iris") == 404
