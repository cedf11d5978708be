"""Which worker writes."""

import keras


def is_chief(model: keras.Model) -> bool:
    """Return whether this process writes for all workers of a model: the first worker does, and a single process."""
    resolver = getattr(model.distribute_strategy, "cluster_resolver", None)
    if resolver is None or not resolver.cluster_spec().jobs:
        return True
    return resolver.task_type in (None, "chief", "worker") and resolver.task_id in (None, 0)
