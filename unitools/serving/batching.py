"""How requests are put together."""

from dataclasses import dataclass

from unitools.core.checks import check_integer, check_number


@dataclass(frozen=True)
class Batching:
    """How many requests go through a model together.

    There is no clock by default: a request that finds the model idle runs at once, and those that come while it runs
    make the next batch. So one client waits for nothing, and many share the cost of a call.

    Args:
        max_batch_size: Largest number of rows of a batch that is put together, >= 1. A request with more rows runs
            alone. 1: one by one, with as many calls at a time as the machine has cores. Default 64.
        max_wait_ms: How long an idle model waits for more before it runs, in [0, 1000]. Default 0.
        queue_limit: Rows that may wait for one signature of a model, >= 1. Beyond it requests are turned away with
            status 503. Default 1024.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> from unitools.serving import Batching
    >>> Batching(max_batch_size=16).queue_limit
    1024
    """

    max_batch_size: int = 64
    max_wait_ms: float = 0.0
    queue_limit: int = 1024

    def __post_init__(self):
        check_integer("max_batch_size", self.max_batch_size, 1)
        check_number("max_wait_ms", self.max_wait_ms, 0, 1000)
        check_integer("queue_limit", self.queue_limit, 1)
