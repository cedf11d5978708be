"""ModelService of TensorFlow Serving.

Source: tensorflow_serving/apis/model_service.proto.
"""

from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from unitools.serving.request_error import RequestError
from unitools.serving.rpc.calls import answering
from unitools.serving.rpc.model_spec import model_of


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the configuration cannot be changed by a call.

    Args:
        store: The models.
        settings: `ServerSettings`.
        metrics: `Metrics`.
    """

    def __init__(self, store, settings, metrics):
        self._store, self._settings, self._metrics = store, settings, metrics

    def GetModelStatus(self, request, context):
        """Tell where the versions of a model stand."""
        name = request.model_spec.name
        known = name if name in self._store.names() else ""
        with answering(context, self._settings, self._metrics, known):
            _, version, _ = model_of(request.model_spec)
            response = get_model_status_pb2.GetModelStatusResponse()
            for state in self._store.versions(name):
                if version in (None, state.number):
                    one = response.model_version_status.add(version=state.number)
                    one.state = get_model_status_pb2.ModelVersionStatus.State.Value(state.state)
                    one.status.error_code = 2 if state.error else 0  # UNKNOWN, OK
                    one.status.error_message = state.error
            if not response.model_version_status:
                raise RequestError(404, f"Model {name!r} has no version {version}.")
            return response
        return None

    def HandleReloadConfigRequest(self, request, context):
        """Refuse."""
        with answering(context, self._settings, self._metrics, ""):
            raise RequestError(501, "Models are changed in the served folder, not by a call.")
