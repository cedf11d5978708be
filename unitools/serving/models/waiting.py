"""A request in the queue of a batcher."""

from concurrent.futures import Future
from dataclasses import dataclass, field


@dataclass
class Waiting:
    """A request in the queue: its arrays, its rows, when nobody waits any more, and where the outputs go."""

    arrays: dict
    rows: int
    deadline: float | None
    future: Future = field(default_factory=Future)

    @property
    def shapes(self):
        """What requests of one batch have in common; None where this one must run alone.

        Rows can be told apart afterwards only where every input brings the same number of them, at least one.
        """
        if {len(array) for array in self.arrays.values()} != {self.rows}:
            return None
        return {name: array.shape[1:] for name, array in self.arrays.items()}
