"""One function a figure."""

import base64
import json
import shutil
import statistics
import time

import numpy as np
import tensorflow as tf

import unitools as ut
from tests.benchmarks.serving.load import results, run_load
from tests.benchmarks.serving.process import served

PROTOCOLS = ("tensorflow", "open-inference", "grpc")


def bodies(texts=None, pictures=None):
    """Return request bodies of TensorFlow Serving's row form, one instance each."""
    if texts is not None:
        return [json.dumps({"instances": [text]}) for text in texts]
    return [json.dumps({"instances": [{"b64": base64.b64encode(one).decode()}]}) for one in pictures]


def latencies(folder, name, key, inputs, rounds, calls):
    """Return {what: [ms]} of single requests and of calling the signature in this process, in turns."""
    direct = tf.saved_model.load(str(folder / name / "1")).signatures["serving_default"]
    found = {what: [] for what in ("signature", *PROTOCOLS)}
    with served(folder) as server:
        addresses = {"tensorflow": server.url, "open-inference": server.url, "grpc": server.grpc_address}
        clients = {kind: ut.serving.Client(address, protocol=kind) for kind, address in addresses.items()}
        asks = {
            kind: (lambda x, c=client: c.predict(name, {key: np.array([x], object)}))
            for kind, client in clients.items()
        }
        asks["signature"] = lambda x: {k: v.numpy() for k, v in direct(**{key: tf.constant([x])}).items()}
        for number in range(rounds + 1):
            for what, ask in asks.items():
                for place in range(calls):
                    begin = time.perf_counter()
                    ask(inputs[place % len(inputs)])
                    if number:
                        found[what].append(1000 * (time.perf_counter() - begin))
        for client in clients.values():
            client.close()
    return found


def throughput(folder, name, requests, clients, seconds, rounds):
    """Return {options: [requests/s]} with batches and one by one, in turns, and the failures."""
    kinds = {"batches": (), "one by one": ("--max-batch-size", "1")}
    found, failures = {kind: [] for kind in kinds}, []
    for number in range(rounds):
        for kind, options in kinds.items():
            with served(folder, *options) as server:
                path = f"/v1/models/{name}:predict"
                results(run_load(server.url, path, requests, clients, 3))  # not counted: first shapes
                load = results(run_load(server.url, path, requests, clients, seconds))
            found[kind].append(len(load["latencies"]) / load["seconds"])
            failures += load["failures"]
            print(f"  {number} {kind}: {found[kind][-1]:.0f}/s, p50 {statistics.median(load['latencies']):.1f} ms")
    return found, failures


def swaps(folder, name, requests, count=20):
    """Publish `count` versions, one after the other, under load; return requests answered and failures."""
    with served(folder) as server:
        path = f"/v1/models/{name}:predict"
        load = run_load(server.url, path, requests, 4, 3 * count + 10)
        client = ut.serving.Client(server.url)
        for version in range(2, 2 + count):
            aside = folder / f".{name}-{version}"
            shutil.copytree(folder / name / "1", aside)
            aside.rename(folder / name / str(version))
            _until_served(client, name, version)
            if version > 2:
                shutil.rmtree(folder / name / str(version - 1))
        done = results(load)
    shutil.rmtree(folder / name / str(1 + count))
    return len(done["latencies"]), done["failures"]


def _until_served(client, name, version, limit_s=30):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if client.metadata(name)["version"] == version:
            return
        time.sleep(0.05)
    raise TimeoutError(f"version {version} of {name} is not served after {limit_s} s")


def drain(folder, name, requests, times):
    """Stop a server under load by SIGTERM, `times` times; return answered requests, failures, seconds to the end."""
    answered, failures, seconds = 0, [], []
    for _ in range(times):
        with served(folder) as server:
            load = run_load(server.url, f"/v1/models/{name}:predict", requests, 8, 60, until_refused=True)
            time.sleep(4)
            begin = time.perf_counter()
            server.terminate()
            server.process.wait(60)
            seconds.append(time.perf_counter() - begin)
            done = results(load)
        answered += len(done["latencies"])
        failures += done["failures"]
    return answered, failures, seconds


def soak(folder, requests_by_name, minutes):
    """Return [(seconds, resident MiB)] every 5 s, requests answered, and failures."""
    with served(folder) as server:
        loads = [
            run_load(server.url, f"/v1/models/{name}:predict", requests, 4, 60 * minutes)
            for name, requests in requests_by_name.items()
        ]
        begin, samples = time.monotonic(), []
        while time.monotonic() - begin < 60 * minutes:
            time.sleep(5)
            samples.append((time.monotonic() - begin, server.resident_megabytes()))
        done = [results(load) for load in loads]
    return samples, sum(len(one["latencies"]) for one in done), [x for one in done for x in one["failures"]]
