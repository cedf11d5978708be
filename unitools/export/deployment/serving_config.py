"""What TensorFlow Serving reads at its start: models, batches, monitoring, as text of protocol buffers."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from unitools.export.deployment.template_files import indented, read_template

BATCH_SIZE = 64
_ENQUEUED_BATCHES = 16
_BATCHING = "            - --enable_batching=true\n            - --batching_parameters_file=/config/batching.config"
_NO_BATCHING = (
    "            # An input of this model differs in size from request to request, and TensorFlow Serving refuses\n"
    "            # requests that differ within a batch.\n"
    "            - --enable_batching=false"
)


def serving_values(name: str, contracts: Mapping[str, Mapping[str, Any]], cpu: str) -> dict[str, str]:
    """Return what the templates of TensorFlow Serving are given.

    Args:
        name: Name of the deployment.
        contracts: Content of signature.json by model.
        cpu: CPUs of a copy, such as "2" or "500m".
    """
    threads = math.ceil(int(cpu[:-1]) / 1000 if cpu.endswith("m") else int(cpu))
    values = {
        "models_config": indented(models_config(contracts), 4),
        "batching_config": indented(batching_config(threads), 4),
        "monitoring_config": indented(monitoring_config(), 4),
    }
    content = [read_template("tf-serving", "kubernetes", "configmap.yaml"), *values.values()]
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()
    batches = all(can_batch(contract) for contract in contracts.values())
    return values | {"config": f"{name}-{digest[:8]}", "batching_options": _BATCHING if batches else _NO_BATCHING}


def can_batch(contract: Mapping[str, Any]) -> bool:
    """Return whether any two requests of a signature fit into one batch of TensorFlow Serving.

    It joins inputs along the first axis and pads nothing: the first axis must be free everywhere, the others of the
    inputs fixed.

    Args:
        contract: Content of signature.json.
    """
    inputs, outputs = (
        [tensor["shape"] for one in contract["signatures"].values() for tensor in one[side].values()]
        for side in ("inputs", "outputs")
    )
    rows = all(shape and shape[0] is None for shape in [*inputs, *outputs])
    return rows and not any(axis is None for shape in inputs for axis in shape[1:])


def models_config(names: Iterable[str]) -> str:
    """Return models.config: every model below /models, its newest version."""
    entries = [
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n    model_platform: "tensorflow"\n  }}\n'
        for name in names
    ]
    return f"model_config_list {{\n{''.join(entries)}}}\n"


def batching_config(threads: int) -> str:
    """Return the parameters of batches: no waiting, as many batches at a time as there are cores.

    A request may hold as many rows as may wait; larger ones than a batch are split, which is not the default.
    """
    return (
        f"max_batch_size {{ value: {BATCH_SIZE * _ENQUEUED_BATCHES} }}\n"
        "enable_large_batch_splitting { value: true }\n"
        f"max_execution_batch_size {{ value: {BATCH_SIZE} }}\n"
        "batch_timeout_micros { value: 0 }\n"
        f"max_enqueued_batches {{ value: {_ENQUEUED_BATCHES} }}\n"
        f"num_batch_threads {{ value: {threads} }}\n"
    )


def monitoring_config() -> str:
    """Return the configuration of Prometheus' metrics."""
    return 'prometheus_config {\n  enable: true\n  path: "/monitoring/prometheus/metrics"\n}\n'
