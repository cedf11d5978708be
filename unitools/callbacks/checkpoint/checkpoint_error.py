"""What is wrong with a folder of checkpoints."""


class CheckpointError(RuntimeError):
    """A folder of checkpoints cannot be used, or one checkpoint cannot be read."""
