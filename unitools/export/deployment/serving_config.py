"""What TensorFlow Serving reads at its start: models, batches, monitoring, as text of protocol buffers."""

from collections.abc import Iterable

BATCH_SIZE = 64
_ENQUEUED_BATCHES = 16


def models_config(names: Iterable[str]) -> str:
    """Return models.config: every model below /models, its newest version."""
    entries = [
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n    model_platform: "tensorflow"\n  }}\n'
        for name in names
    ]
    return f"model_config_list {{\n{''.join(entries)}}}\n"


def batching_config(threads: int) -> str:
    """Return the parameters of batches: no waiting, as many batches at a time as there are cores."""
    return (
        f"max_batch_size {{ value: {BATCH_SIZE} }}\n"
        "batch_timeout_micros { value: 0 }\n"
        f"max_enqueued_batches {{ value: {_ENQUEUED_BATCHES} }}\n"
        f"num_batch_threads {{ value: {threads} }}\n"
    )


def monitoring_config() -> str:
    """Return the configuration of Prometheus' metrics."""
    return 'prometheus_config {\n  enable: true\n  path: "/monitoring/prometheus/metrics"\n}\n'
