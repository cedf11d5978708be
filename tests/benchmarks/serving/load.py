"""Clients that ask a server as fast as it answers. As a script: settings as JSON on stdin, results as JSON on stdout.

Plain sockets, since a client library would take more of the two cores than the server's own part of a request.
A client that is turned away because the server stops, before it has written a request or with an explicit refusal,
ends. A request that was written and got no answer, or another answer than 200, is a failure.
"""

import asyncio
import json
import subprocess
import sys
import time
from urllib.parse import urlsplit


def run_load(url, path, bodies, clients, seconds, *, until_refused=False):
    """Start the clients in a process of their own and return it; read the results by `results`.

    Args:
        url: `http://HOST:PORT` of the server.
        path: Path of the request.
        bodies: Bodies as text, taken in turns.
        clients: How many ask at once.
        seconds: How long.
        until_refused: End a client without counting it as a failure where the server takes no more connections.
    """
    settings = {"url": url, "path": path, "bodies": bodies, "clients": clients, "seconds": seconds}
    settings["until_refused"] = until_refused
    command = [sys.executable, "-m", "tests.benchmarks.serving.load"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(settings))
    process.stdin.close()
    process.stdin = None
    return process


def results(process):
    """Return {"seconds", "latencies" (answered requests, in ms), "failures" (reasons)} when the clients have ended."""
    text, _ = process.communicate()
    return json.loads(text)


async def _client(settings, requests, end, found):
    host, port = urlsplit(settings["url"]).hostname, urlsplit(settings["url"]).port
    reader = writer = None
    while time.perf_counter() < end:
        if writer is None:
            try:
                reader, writer = await asyncio.open_connection(host, port)
            except ConnectionError as error:
                if not settings["until_refused"]:
                    found["failures"].append(f"connecting: {error}")
                return
        begin = time.perf_counter()
        try:
            writer.write(next(requests))
            status, closes = await _answer(reader)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            found["failures"].append(f"no answer: {type(error).__name__}")
            writer.close()
            writer = None
            continue
        if status == 200:
            found["latencies"].append(1000 * (time.perf_counter() - begin))
        else:
            found["failures"].append(f"status {status}")
        if closes:
            writer.close()
            writer = None


async def _answer(reader):
    """Read one answer; return its status, and whether the server closes the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
    await reader.readexactly(int(length.partition(":")[2]))
    return int(head.split()[1]), "connection: close" in head


def _requests(path, bodies):
    encoded = []
    for body in bodies:
        content = body.encode()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        encoded.append(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    while True:
        yield from encoded


async def _run(settings):
    found = {"latencies": [], "failures": []}
    requests = _requests(settings["path"], settings["bodies"])
    begin = time.perf_counter()
    end = begin + settings["seconds"]
    await asyncio.gather(*(_client(settings, requests, end, found) for _ in range(settings["clients"])))
    return found | {"seconds": time.perf_counter() - begin}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(json.load(sys.stdin)))))
