"""MLServer, in an environment of its own, serves the folders that we serve, and answers the same."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

import numpy as np
import pytest

import unitools as ut

MLSERVER = os.environ.get("UNITOOLS_MLSERVER", "")
pytestmark = pytest.mark.skipif(
    not MLSERVER, reason="UNITOOLS_MLSERVER is not set to the `mlserver` of an environment with unitools[serve]"
)
RUNTIME = "unitools.serving.mlserver_runtime.MlserverRuntime"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.fixture(scope="module")
def mlserver(exports, tmp_path_factory):
    """Address of an MLServer of all exports, whose folders stay as they are."""
    folder = tmp_path_factory.mktemp("mlserver") / "models"
    shutil.copytree(exports, folder)
    for model in folder.iterdir():
        newest = max(one.name for one in model.iterdir() if one.name.isdigit())
        settings = {"name": model.name, "implementation": RUNTIME}
        settings["parameters"] = {"uri": f"./{newest}", "version": newest}
        (model / "model-settings.json").write_text(json.dumps(settings))
    http, grpc, metrics = free_ports(3)
    ports = {"http_port": http, "grpc_port": grpc, "metrics_port": metrics, "host": "127.0.0.1"}
    (folder / "settings.json").write_text(json.dumps(ports | {"parallel_workers": 0}))
    log = (folder.parent / "log").open("w+")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen([MLSERVER, "start", str(folder)], stdout=log, stderr=log, env=environment)
    try:
        url = f"http://127.0.0.1:{http}"
        with ut.serving.Client(url, protocol="open-inference", retries=0) as client:
            _wait(client, sorted(model.name for model in folder.iterdir() if model.is_dir()), process, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()


def _wait(client, models, process, log, limit_s=120):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            if all(client.ready(model) for model in models):
                return
        except ut.serving.ServingError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.5)
    log.seek(0)
    raise AssertionError(log.read()[-3000:])


def test_it_answers_as_predict_and_as_our_server(mlserver, server, models, png):
    random = np.random.default_rng(11)
    given = {
        "pairs": {
            "numbers": random.normal(size=(3, 4)).astype(np.float32),
            "ids": random.integers(0, 5, (3, 2)).astype(np.int32),
        },
        "texts": {"texts": ["", "ä" * 30, "two words"]},
        "pictures": {"image_bytes": np.array([png(1), png(2)], object)},
    }
    there = ut.serving.Client(mlserver, protocol="open-inference", retries=0)
    here = ut.serving.Client(server.url, protocol="open-inference", retries=0)
    with there, here:
        for name, inputs in given.items():
            answers, ours = there.predict(name, inputs), here.predict(name, inputs)
            assert set(answers) == set(ours)
            for key, value in ours.items():
                assert answers[key].dtype == value.dtype
                if value.dtype == object:
                    assert answers[key].tolist() == value.tolist()
                else:
                    np.testing.assert_allclose(answers[key], value, rtol=0, atol=1e-6)
        expected = models["pairs"].predict(given["pairs"], verbose=0)
        answers = there.predict("pairs", given["pairs"])
        for key, value in expected.items():
            np.testing.assert_allclose(answers[key], value, rtol=0, atol=1e-6)
        images = np.zeros((1, 8, 8, 3), np.float32)
        named = there.predict("pictures", {"images": images}, signature="serving_images")["probabilities"]
        np.testing.assert_allclose(named, models["pictures"].predict(images, verbose=0), rtol=0, atol=1e-6)


def test_it_refuses_what_does_not_fit(mlserver):
    fine = {"numbers": np.zeros((1, 4), np.float32), "ids": np.zeros((1, 2), np.int32)}
    with ut.serving.Client(mlserver, protocol="open-inference", retries=0) as client:
        for inputs, options in (
            ({"numbers": fine["numbers"]}, {}),
            (fine | {"numbers": np.zeros((1, 5), np.float32)}, {}),
            (fine | {"numbers": np.full((1, 4), np.nan, np.float32)}, {}),
            (fine | {"ids": np.full((1, 2), 99, np.int32)}, {}),
            (fine, {"signature": "other"}),
        ):
            with pytest.raises(ut.serving.ServingError) as refused:
                client.predict("pairs", inputs, **options)
            assert 400 <= refused.value.status < 500, refused.value
        assert set(client.predict("pairs", fine)) == {"sums", "kinds"}
