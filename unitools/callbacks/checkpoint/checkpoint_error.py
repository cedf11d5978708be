"""Errors of checkpoints."""


class CheckpointError(RuntimeError):
    """A folder of checkpoints cannot be used, or one checkpoint cannot be read."""


class CheckpointVersionError(CheckpointError):
    """A checkpoint was written by a newer version of unitools."""


class DifferentRunError(CheckpointError, ValueError):
    """A checkpoint belongs to a run with another model, optimizer, data, or other callbacks."""
