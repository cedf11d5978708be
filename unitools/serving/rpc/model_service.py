"""ModelService of TensorFlow Serving.

Source: tensorflow_serving/apis/model_service.proto.
"""

from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from unitools.serving.request_error import RequestError
from unitools.serving.rpc.model_spec import model_of
from unitools.serving.rpc.service import Service


class ModelService(Service, model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the configuration cannot be changed by a call.

    Args: as of `Service`.
    """

    def GetModelStatus(self, request, context):
        """Tell where the versions of a model stand."""
        name = request.model_spec.name
        with self._answering(name, context):
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
        with self._answering("", context):
            raise RequestError(501, "Models are changed in the served folder, not by a call.")
