"""When to save."""


class SaveClock:
    """Says when a checkpoint is due, so that training is never more than so many steps ahead of the disk.

    Why: a checkpoint is written while training goes on, and counts once it is written. The next one is begun as many
    steps early as the last one took; where that is not enough, training has to wait.

    Args:
        every: Steps that may be lost, >= 1.
        background: Whether training goes on while a checkpoint is written.
    """

    def __init__(self, every: int, background: bool = True):
        self._every = every
        self._since = 0  # steps since the last checkpoint was begun
        self._before = 0  # steps from the last one on the disk to the last one begun
        self._longest = every // 2 if background else 0
        self._lead = self._longest  # steps that writing takes

    def advance(self, steps: int, is_writing: bool) -> None:
        """Note that so many steps were made, and whether a checkpoint is still being written."""
        self._since += steps
        if self._before:
            self._lead = min(self._since, self._longest)
        if not is_writing:
            self._before = 0

    def is_due(self, steps: int) -> bool:
        """Return whether to begin a checkpoint now, as it is late after so many steps more."""
        return self._since + self._lead + steps > self._every

    def must_wait(self, steps: int) -> bool:
        """Return whether so many steps more would be too many, unless what is being written is on the disk before."""
        return bool(self._before) and self._before + self._since + steps > self._every

    def begin(self) -> None:
        """Note that a checkpoint is begun, those before being on the disk."""
        self._before, self._since = self._since, 0

    def written(self) -> None:
        """Note that all checkpoints are on the disk, after a wait."""
        self._before, self._lead = 0, self._longest
