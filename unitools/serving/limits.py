"""What a request may cost."""

from dataclasses import dataclass

from unitools.core.checks import check_integer, check_number


@dataclass(frozen=True)
class Limits:
    """What is taken of a single client, and of all together.

    Args:
        max_body_bytes: Largest body of a request, and largest message of gRPC. Default 32 MiB.
        max_requests: Requests in work at a time; more are turned away with 503. Default 1024.
        timeout_s: Seconds after which a request is given up with 504. Default 30.
        drain_s: Seconds that a stopping server waits for what it still owes. Default 20.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> from unitools.serving import Limits
    >>> Limits(timeout_s=5).max_requests
    1024
    """

    max_body_bytes: int = 32 * 2**20
    max_requests: int = 1024
    timeout_s: float = 30.0
    drain_s: float = 20.0

    def __post_init__(self):
        check_integer("max_body_bytes", self.max_body_bytes, 1024)
        check_integer("max_requests", self.max_requests, 1)
        check_number("timeout_s", self.timeout_s, 0, 3600, open_low=True)
        check_number("drain_s", self.drain_s, 0, 3600)
