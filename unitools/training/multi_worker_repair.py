"""What Keras' `fit` has wrong under MultiWorkerMirroredStrategy, put right (keras#20585)."""

import tensorflow as tf
from keras import tree
from keras.src.backend.tensorflow import trainer

from unitools.callbacks.checkpoint.batch_spec import spec_of_batch

_reduce_per_replica = trainer.reduce_per_replica
_maybe_symbolic_build = trainer.TensorFlowTrainer._maybe_symbolic_build


def repair_keras():
    """Replace two functions of Keras, for models under that strategy only. Calling it again changes nothing."""
    trainer.reduce_per_replica = _reduce_scalars
    trainer.TensorFlowTrainer._maybe_symbolic_build = _build_from_types


def _reduce_scalars(values, strategy, reduction):
    """Take the mean over replicas. Keras takes it along the first axis of each value too, and scores have none."""
    if not _has_workers(strategy) or reduction not in ("auto", "mean"):
        return _reduce_per_replica(values, strategy, reduction)
    return tree.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), values)


def _build_from_types(model, iterator=None, data_batch=None):
    """Build a model from the types of a batch. Keras draws one, and takes the mean of it over the workers."""
    if iterator is None or not _has_workers(model._distribute_strategy):
        _maybe_symbolic_build(model, iterator=iterator, data_batch=data_batch)
        return
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=spec_of_batch(iterator._distributed_dataset))


def _has_workers(strategy):
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
