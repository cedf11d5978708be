"""All settings of a server."""

from dataclasses import dataclass, field

from unitools.core.checks import check_flag, check_number
from unitools.serving.batching import Batching
from unitools.serving.limits import Limits
from unitools.serving.security import Security


@dataclass(frozen=True)
class ServerSettings:
    """How a server works.

    Args:
        batching: How requests are put together.
        limits: What a request may cost.
        security: Who may ask.
        require_manifest: Refuse versions without manifest.json. Default True. False serves SavedModels of others.
        poll_s: Seconds between two looks at the folder for new versions, in (0, 3600]. Default 1.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> from unitools.serving import Batching, ServerSettings
    >>> ServerSettings(Batching(max_batch_size=8)).limits.timeout_s
    30.0
    """

    batching: Batching = field(default_factory=Batching)
    limits: Limits = field(default_factory=Limits)
    security: Security = field(default_factory=Security)
    require_manifest: bool = True
    poll_s: float = 1.0

    def __post_init__(self):
        check_flag("require_manifest", self.require_manifest)
        check_number("poll_s", self.poll_s, 0, 3600, open_low=True)
