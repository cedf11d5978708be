"""What Prometheus reads."""

from unitools.core.optional import require

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters and histograms of one server, in a registry of their own.

    Attributes:
        requests: Count by model, protocol and status.
        seconds: Histogram of the time to an answer by model and protocol.
        rows: Histogram of the rows of a batch by model.
        in_work: Requests in work now.
    """

    def __init__(self):
        prometheus = require("prometheus_client", "serve", "A server's metrics")
        self.registry = prometheus.CollectorRegistry()
        own = {"namespace": "unitools", "registry": self.registry}
        by = ("model", "protocol")
        self.requests = prometheus.Counter("requests", "Requests by status.", (*by, "status"), **own)
        self.seconds = prometheus.Histogram("request_seconds", "Time to an answer.", by, buckets=_SECONDS, **own)
        self.rows = prometheus.Histogram("batch_rows", "Rows of a batch.", ("model",), buckets=_ROWS, **own)
        self.in_work = prometheus.Gauge("requests_in_work", "Requests in work now.", **own)

    def batch_ran(self, model: str, rows: int):
        """Note the rows of a batch."""
        self.rows.labels(model).observe(rows)

    def answered(self, model: str, protocol: str, status: int | str, seconds: float):
        """Note an answer, an error too."""
        self.requests.labels(model, protocol, str(status)).inc()
        self.seconds.labels(model, protocol).observe(seconds)

    def page(self) -> tuple[bytes, str]:
        """Return what a scrape gets: content and content type."""
        prometheus = require("prometheus_client", "serve", "A server's metrics")
        return prometheus.generate_latest(self.registry), prometheus.CONTENT_TYPE_LATEST
