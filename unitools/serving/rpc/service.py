"""What the services of gRPC have in common."""

from unitools.serving.rpc.calls import answering


class Service:
    """Answers for the models of a store.

    Args:
        store: The models.
        settings: `ServerSettings`.
        metrics: `Metrics`.
    """

    def __init__(self, store, settings, metrics):
        self._store, self._settings, self._metrics = store, settings, metrics

    def _answering(self, name, context):
        """Return the frame of a call; a name that is not served makes no new time series."""
        return answering(context, self._settings, self._metrics, name if name in self._store.names() else "")
