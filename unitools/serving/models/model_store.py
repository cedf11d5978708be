"""All models that a server answers for."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from unitools.serving.batching import Batching
from unitools.serving.models.answer import Answer
from unitools.serving.models.model_version import ModelVersion
from unitools.serving.models.predictor import DEFAULT_SIGNATURE, Predictor
from unitools.serving.models.served_model import ServedModel, find_models
from unitools.serving.models.version_set import VersionSet
from unitools.serving.models.version_state import VersionState
from unitools.serving.request_error import RequestError

_LOG = logging.getLogger("unitools.serving")
_TRIES = 10


class ModelStore:
    """Holds the models of a folder, follows what changes in it, and answers for them without any port.

    Args:
        models: The folder, as TensorFlow Serving lays it out, or a list of `ServedModel`. In a folder of models, those
            that appear later are served too.
        batching: How requests are put together. Default: `Batching()`.
        require_manifest: Refuse versions without manifest.json. Default True.
        poll_s: Seconds between two looks at the folders. Default 1.
        observe: Called with (model, rows) for each batch that ran. Default: nothing.

    Raises:
        ValueError: There is no model.
    """

    def __init__(
        self,
        models: str | Path | Sequence[ServedModel],
        batching: Batching | None = None,
        *,
        require_manifest: bool = True,
        poll_s: float = 1.0,
        observe: Callable[[str, int], Any] = lambda model, rows: None,
    ):
        self._folder = None if isinstance(models, (list, tuple)) else Path(models)
        self._batching, self._require_manifest = batching or Batching(), require_manifest
        self._poll_s, self._observe = poll_s, observe
        self._sets: dict[str, VersionSet] = {}
        for model in find_models(self._folder) if self._folder else models:
            self._add(model)
        # A model that comes later and is broken, or still being copied, must not take the others out of service.
        self._required = self.names()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self):
        """Load all models, then follow their folders.

        Raises:
            ValueError: Not one version of a model can be loaded. The message says why.
        """
        for versions in self._sets.values():
            versions.refresh()
            if not self._ready(versions):
                reasons = "; ".join(f"{state.number}: {state.error}" for state in versions.states()) or "no version"
                self.close()
                raise ValueError(f"No version of model {versions.model.name!r} can be served. {reasons}")
        self._watcher.start()

    def close(self):
        """Answer what is owed, and let all models go."""
        self._ended.set()
        if self._watcher.is_alive():
            self._watcher.join()
        for versions in self._sets.values():
            versions.close()

    def names(self) -> list[str]:
        """Return the names of the models."""
        return sorted(self._sets)

    def versions(self, name: str) -> list[VersionState]:
        """Return the states of a model's versions, newest first."""
        return self._set(name).states()

    def ready(self, name: str | None = None) -> bool:
        """Return whether a model, or every model there was at the start, has a version that answers."""
        return all(self._ready(self._set(one)) for one in ([name] if name else self._required))

    def describe(self, name: str, version: int | None = None, label: str | None = None) -> tuple[int, Predictor]:
        """Return the number and the predictor of a version: the given one, that of a label, or the newest."""
        picked = self._set(name).pick(version, label)
        return picked.number, picked.predictor

    def submit(
        self,
        name: str,
        inputs: Mapping[str, Any],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        deadline_s: float | None = None,
    ) -> "Future[Answer]":
        """Check a request and queue it; return the future of the answer.

        Args:
            name: Name of the model.
            inputs: Arrays or nested lists by the name of the input.
            version: Number of the version. Default None: the newest, or that of `label`.
            label: Label of a version.
            signature: Name of the signature. Default None: `serving_default`.
            deadline_s: Seconds from now after which nobody waits. Default None: never.

        Raises:
            RequestError: The request does not fit, or the queue is full.
        """
        if version is not None and label is not None:
            raise RequestError(400, "Give a version or a label, not both.")
        deadline = None if deadline_s is None else time.monotonic() + deadline_s
        for _ in range(_TRIES):
            picked = self._set(name).pick(version, label)
            arrays = picked.predictor.check(inputs, signature)
            outputs = picked.submit(arrays, signature, deadline)
            if outputs is not None:
                return _answered(outputs, picked.number, signature or DEFAULT_SIGNATURE)
        raise RequestError(503, f"The versions of model {name!r} change too fast. Try again.", 1.0)

    def _set(self, name):
        if name not in self._sets:
            raise RequestError(404, f"There is no model {name!r}. Served are {self.names()}.")
        return self._sets[name]

    def _add(self, model):
        def load(number, folder):
            return ModelVersion(
                number, folder, self._batching, self._require_manifest, lambda rows: self._observe(model.name, rows)
            )

        self._sets[model.name] = VersionSet(model, load)

    @staticmethod
    def _ready(versions):
        return any(state.state == "AVAILABLE" for state in versions.states())

    def _watch(self):
        while not self._ended.wait(self._poll_s):
            try:
                for model in find_models(self._folder) if self._folder and self._folder.is_dir() else []:
                    if model.name not in self._sets:
                        self._add(model)
            except (ValueError, OSError) as error:  # the folder is being written or deleted: look again later
                _LOG.debug("%s", error)
            for versions in list(self._sets.values()):
                versions.refresh()


def _answered(outputs, number, signature):
    """Return a future of the `Answer` that ends with the future of its outputs."""
    answer: Future[Answer] = Future()
    answer.set_running_or_notify_cancel()

    def settle(done):
        error = done.exception()
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(Answer(done.result(), number, signature))

    outputs.add_done_callback(settle)
    return answer
