"""Several workers of one model: which of them writes."""

import keras


def is_chief(model: keras.Model) -> bool:
    """Return whether this process writes for all workers of a model: the first worker does, and a single process."""
    resolver = _resolver(model)
    return resolver is None or (resolver.task_type in (None, "chief", "worker") and resolver.task_id in (None, 0))


def is_alone(model: keras.Model) -> bool:
    """Return whether no other process trains the model with this one."""
    resolver = _resolver(model)
    if resolver is None:
        return True
    cluster = resolver.cluster_spec()
    return sum(cluster.num_tasks(job) for job in cluster.jobs) == 1


def _resolver(model):
    resolver = getattr(model.distribute_strategy, "cluster_resolver", None)
    return None if resolver is None or not resolver.cluster_spec().jobs else resolver
