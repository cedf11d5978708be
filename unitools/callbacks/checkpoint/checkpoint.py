"""All that a run needs to go on."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError
from unitools.callbacks.checkpoint.manifest import read_manifest, write_manifest
from unitools.callbacks.checkpoint.tensor_file import load_arrays, save_arrays

_STATE = "state.json"


@dataclass
class Checkpoint:
    """A run between two steps.

    Args:
        epoch: Epoch of the step that comes next, from 0.
        step: The step of that epoch that comes next, from 0; the number of steps where only validation is left.
        arrays: Arrays by name, in groups that become a file each: "model", "optimizer", "metrics", "callbacks".
        state: What JSON can hold: states of callbacks, history, position in the data, random states, what run it is.
    """

    epoch: int
    step: int
    arrays: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the folder. Names in their order are the checkpoints in theirs."""
        return f"epoch-{self.epoch:05d}-step-{self.step:08d}"

    def write(self, folder: Path) -> None:
        """Fill an empty folder, the manifest last."""
        for group, arrays in self.arrays.items():
            save_arrays(folder / f"{group}.safetensors", arrays)
        (folder / _STATE).write_text(json.dumps(self.state), encoding="utf-8")
        write_manifest(folder, {"epoch": self.epoch, "step": self.step, "groups": list(self.arrays)})

    @classmethod
    def read(cls, folder: Path) -> "Checkpoint":
        """Return the checkpoint in a folder.

        Raises:
            CheckpointError: It is not whole. The text is the reason, to be put after the folder's name.
        """
        manifest = read_manifest(folder)
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            groups = {group: load_arrays(folder / f"{group}.safetensors") for group in manifest["groups"]}
            return cls(manifest["epoch"], manifest["step"], groups, state)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"its state cannot be read ({error})") from error
