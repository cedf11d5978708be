"""Fetching by name: a time limit, and errors that say how to do without."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from unitools.backbones.download_error import DownloadError

_TIMEOUT = 30.0  # seconds without an answer; Keras sets none, and a firewall that drops packets would hang it
_NETWORK_TEXTS = re.compile("URL fetch failure|file hash does not match|connection|offline|resolve|timed? ?out", re.I)


@contextmanager
def downloading(purpose: str, instead: str, timeout: float = _TIMEOUT) -> Iterator[None]:
    """Turn the failures of a download into a `DownloadError`.

    Args:
        purpose: What needs the download, as the subject of a sentence.
        instead: The call that does without it.
        timeout: Seconds a connection may stay silent. A process-wide default that is set already is kept.
    """
    before = socket.getdefaulttimeout()
    try:
        if before is None:
            socket.setdefaulttimeout(timeout)
        yield
    except Exception as error:
        if not _is_network(error):
            raise
        raise DownloadError(
            f"{purpose} needs a download, which failed: {_one_line(error)}. Expected {_file_of(error)}. "
            f"Without a network, fetch it elsewhere and give its path: {instead}"
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def _is_network(error):
    """Say whether an error, or one that led to it, comes from the network. Keras raises bare `Exception`."""
    while error is not None:
        module = type(error).__module__.partition(".")[0]
        if isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)):
            return True
        if module in (
            "requests",
            "urllib",
            "urllib3",
            "httpx",
            "httpcore",
            "kagglehub",
            "kagglesdk",
            "huggingface_hub",
        ):
            return True
        if type(error) is Exception and _NETWORK_TEXTS.search(str(error)):
            return True
        # What keras-hub makes of any failure to fetch from Hugging Face.
        if "has no config.json" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _file_of(error):
    found = re.search(r"https?://[^\s'\"<>)]+", str(error))
    if found is None:
        return "the network or a cached copy"
    url = found[0].rstrip(":.,")
    return f"the file {url.rpartition('/')[2]} from {url}"


def _one_line(error):
    return " ".join(str(error).split())[:300] or type(error).__name__
