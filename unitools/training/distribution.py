"""Training in several replicas: `tf.distribute` strategies that work with Keras, and reasons why others do not.

Make strategy first, then model and `compile` under `strategy.scope()`, then train by `fit` or by `ut.training.Loop`.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.training.multi_worker_repair import repair_keras

_REFUSED = {
    "parameter_server": "tf.distribute.ParameterServerStrategy hangs in `fit` of Keras 3",
    "keras": "keras.distribution does nothing on the TensorFlow backend, and does not say so",
}


def strategy(kind: str, **options: Any) -> tf.distribute.Strategy:
    """Return a strategy by name, for settings that come from a file or a command line.

    Args:
        kind: "mirrored", "multi_worker" or "tpu".
        **options: Arguments of the function of that name.

    Raises:
        ValueError: `kind` is none of these. "parameter_server" and "keras" are refused, with the reason.

    Example:
    >>> import unitools as ut
    >>> ut.training.distribution.strategy("mirrored", devices=["CPU:0"]).num_replicas_in_sync
    1
    """
    makers = {"mirrored": mirrored, "multi_worker": multi_worker, "tpu": tpu}
    check_choice("kind", kind, makers, f"{_REFUSED[kind]}." if kind in _REFUSED else "")
    return makers[kind](**options)


def mirrored(devices: Sequence[str] | None = None) -> tf.distribute.MirroredStrategy:
    """Return a strategy for the devices of this machine: each has a copy of the model and a part of each batch.

    Args:
        devices: Names such as "GPU:0". Default None: all GPUs, or the CPU.

    Raises:
        ValueError: There is no such device, or it is named twice.

    Example:
    >>> import unitools as ut
    >>> ut.training.distribution.mirrored(["CPU:0"]).num_replicas_in_sync
    1
    """
    if devices is not None:
        there = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices()]
        names = [name.removeprefix("/").removeprefix("device:") for name in devices]
        if not names or len(set(names)) < len(names) or not set(names) <= set(there):
            fail("devices", devices, "different ones of " + ", ".join(there))
    return tf.distribute.MirroredStrategy(devices)


def multi_worker(
    addresses: Sequence[str] | None = None, index: int | None = None, *, timeout_s: float = 600.0
) -> tf.distribute.MultiWorkerMirroredStrategy:
    """Return a strategy for several machines, or processes: each trains on batches of its own, with one set of weights.

    Call it first in each process; it waits for the others. Give each worker its part of the data, and pass it on as it
    is: `local_batches(strategy, batches.shard(index, count))`. `fit`, `evaluate` and `Loop` then work as on one
    machine, with what Keras has wrong for several workers put right (it reduces batches, and scalars along an axis that
    they do not have). `predict` is each worker's own affair: call it on a copy of the model outside of the scope.

    A worker that dies is a `tf.errors.UnavailableError` on the others, within about ten seconds. Start all again; with
    `ut.callbacks.ExactResume` they go on, given a folder that all see, and `resume.data = batches` of each worker.

    Args:
        addresses: "host:port" of each worker, in the same order everywhere. Default None: from the environment
            variable TF_CONFIG.
        index: Which of them this process is, from 0.
        timeout_s: Seconds for which one exchange of gradients may last, > 0; an error after that. Default 600. It must
            outlast what one worker does while the others wait, such as tracing.

    Raises:
        ValueError: An address has no port or is there twice, or `index` is out of range.
        RuntimeError: TensorFlow has already run an operation in this process.

    Source:
        keras#20585, https://github.com/keras-team/keras/issues/20585
    """
    check_number("timeout_s", timeout_s, 0, open_low=True)
    resolver = _resolver(addresses, index)
    repair_keras()
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=timeout_s)
    return tf.distribute.MultiWorkerMirroredStrategy(resolver, options)


def local_batches(strategy: tf.distribute.Strategy, data: tf.data.Dataset) -> tf.distribute.DistributedDataset:
    """Return batches that a strategy takes as they are: each is one replica's, of this worker.

    Otherwise TensorFlow takes what it is given for the batches of all workers, and cuts them up.

    Args:
        strategy: The strategy.
        data: Batches of this worker alone, such as `batches.shard(index, count)`.

    Example:
    >>> import tensorflow as tf
    >>> import unitools as ut
    >>> strategy = ut.training.distribution.mirrored(["CPU:0"])
    >>> batches = ut.training.distribution.local_batches(strategy, tf.data.Dataset.range(4).batch(2))
    >>> [batch.numpy().tolist() for batch in batches]
    [[0, 1], [2, 3]]
    """
    return strategy.distribute_datasets_from_function(lambda context: data)


def tpu(address: str = "") -> tf.distribute.TPUStrategy:
    """Return a strategy for the cores of a TPU. Unverified: no test of unitools has run on one.

    Args:
        address: Name or gRPC address of the TPU; "" (default) or "local" for the one of this machine.
    """
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=address)
    if address not in ("", "local"):
        tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)


def check_supported(strategy: tf.distribute.Strategy) -> None:
    """Raise if a model would be trained under a strategy that does not work.

    Args:
        strategy: The model's strategy.

    Raises:
        ValueError: It is a ParameterServerStrategy, or a `keras.distribution` is set.
    """
    advice = "Use ut.training.distribution.mirrored() or multi_worker()."
    if isinstance(strategy, tf.distribute.ParameterServerStrategy):
        fail("strategy", type(strategy).__name__, "another one", f"{_REFUSED['parameter_server']}. {advice}")
    if keras.distribution.distribution() is not None:
        given = type(keras.distribution.distribution()).__name__
        fail("keras.distribution", given, "None", f"{_REFUSED['keras']}. {advice}")


def _resolver(addresses, index):
    if addresses is None:
        if not json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster"):
            fail("addresses", addresses, "given, or the cluster in the variable TF_CONFIG",
                 'Write addresses=["host-a:2222", "host-b:2222"], index=0.')  # fmt: skip
        return None
    ports = [str(address).rpartition(":")[2] for address in addresses]
    if isinstance(addresses, str) or len(set(addresses)) < len(ports) or not all(port.isdecimal() for port in ports):
        fail("addresses", addresses, 'a list of different "host:port", one for each worker')
    if not addresses:
        fail("addresses", addresses, "the addresses of one worker or more")
    check_integer("index", index, 0, len(addresses) - 1, advice="It says which of the addresses this process has.")
    cluster = tf.train.ClusterSpec({"worker": list(addresses)})
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        cluster, task_type="worker", task_id=index, rpc_layer="grpc"
    )
