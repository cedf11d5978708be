"""The versions of one model: which are loaded, which failed, and how new ones replace old ones."""

import hashlib
import logging
import threading
from collections.abc import Callable

from unitools.serving.models.model_version import ModelVersion
from unitools.serving.models.served_model import ServedModel, version_folders
from unitools.serving.models.version_state import VersionState
from unitools.serving.request_error import RequestError

_LOG = logging.getLogger("unitools.serving")


class VersionSet:
    """The versions of one model, kept as its folder says.

    A new version is loaded and warmed up beside the old one, then takes its place; the old one answers what it was
    given before. A version that cannot be loaded leaves the old one in place, and is tried again when its folder
    changes. Where the folder is gone, what is loaded goes on answering.

    Args:
        model: Name, folder, and which versions to serve.
        load: Function from (number, folder) to a `ModelVersion`.
    """

    def __init__(self, model: ServedModel, load: Callable[..., ModelVersion]):
        self.model = model
        self._load = load
        self._lock = threading.Lock()
        self._loaded: dict[int, ModelVersion] = {}
        self._states: dict[int, VersionState] = {}
        self._refused: dict[int, str] = {}

    def states(self) -> list[VersionState]:
        """Return the states, newest version first."""
        with self._lock:
            return sorted(self._states.values(), key=lambda state: -state.number)

    def pick(self, number: int | None, label: str | None) -> ModelVersion:
        """Return a loaded version: the given one, that of a label, or the newest.

        Raises:
            RequestError: 404: it is not served.
        """
        if label is not None:
            if label not in self.model.labels:
                raise RequestError(404, f"Model {self.model.name!r} has no label {label!r}.")
            number = self.model.labels[label]
        with self._lock:
            if not self._loaded:
                raise RequestError(503, f"No version of model {self.model.name!r} is loaded. Try again.", 1.0)
            number = max(self._loaded) if number is None else number
            if number not in self._loaded:
                served = sorted(self._loaded)
                raise RequestError(404, f"Version {number} of model {self.model.name!r} is not served; {served} are.")
            return self._loaded[number]

    def refresh(self):
        """Look at the folder, load what is new, and let go what is no longer wanted."""
        present = version_folders(self.model.folder)
        wanted = self.model.wanted(list(present))
        for number in wanted:
            if number not in self._loaded:
                self._try(number, present[number])
        gone = [number for number in self._loaded if number not in wanted]
        if any(number in self._loaded for number in wanted):
            for number in gone:
                self._let_go(number)

    def close(self):
        """Answer what is owed, and let all versions go."""
        for number in list(self._loaded):
            self._let_go(number)

    def _try(self, number, folder):
        fingerprint = _fingerprint(folder)
        if self._refused.get(number) == fingerprint:
            return
        self._say(number, "LOADING")
        try:
            version = self._load(number, folder)
        except Exception as error:
            # Whatever is wrong with the folder: the server goes on with what it has, and says why.
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            _LOG.warning("version %s of %s is not served: %s", number, self.model.name, reason)
            self._refused[number] = fingerprint
            self._say(number, "END", reason)
            return
        self._refused.pop(number, None)
        with self._lock:
            self._loaded[number] = version
            self._states[number] = VersionState(number, "AVAILABLE")
        _LOG.info("version %s of %s is served", number, self.model.name)

    def _let_go(self, number):
        with self._lock:
            version = self._loaded.pop(number)
            self._states[number] = VersionState(number, "UNLOADING")
        version.close()
        self._say(number, "END")
        _LOG.info("version %s of %s is no longer served", number, self.model.name)

    def _say(self, number, state, error=""):
        with self._lock:
            self._states[number] = VersionState(number, state, error)


def _fingerprint(folder):
    """Return a text that changes when a file of the folder is written."""
    try:
        entries = sorted((str(path), path.stat()) for path in folder.rglob("*"))
    except OSError:  # it is being deleted
        return ""
    lines = (f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
