"""PredictionService of TensorFlow Serving.

Source: tensorflow_serving/apis/prediction_service.proto.
"""

from concurrent.futures import TimeoutError as OutOfTime

from tensorflow.core.framework import tensor_shape_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from unitools.serving.dtypes import TENSORFLOW
from unitools.serving.request_error import RequestError
from unitools.serving.rpc.model_spec import model_of
from unitools.serving.rpc.service import Service
from unitools.serving.rpc.tensors import from_proto, to_proto

_INSTEAD = "Call Predict, with the inputs that GetModelMetadata names."


class PredictionService(Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the calls that take tf.Example are not there.

    Args: as of `Service`.
    """

    def Predict(self, request, context):
        """Answer for the inputs of a request."""
        with self._answering(request.model_spec.name, context):
            name, version, label = model_of(request.model_spec)
            inputs = {key: from_proto(key, proto) for key, proto in request.inputs.items()}
            signature = request.model_spec.signature_name or None
            limit = self._settings.limits.timeout_s
            left = context.time_remaining()
            seconds = limit if left is None else min(left, limit)
            options = {"version": version, "label": label, "signature": signature, "deadline_s": seconds}
            wanted = self._wanted(request, options)
            future = self._store.submit(name, inputs, **options)
            try:
                answer = future.result(seconds)
            except (OutOfTime, TimeoutError) as error:
                raise RequestError(504, f"No answer within {seconds:.3g} s.", 1.0) from error
            return _predict_response(name, answer, wanted)
        return None

    def GetModelMetadata(self, request, context):
        """Tell the signatures of a model."""
        with self._answering(request.model_spec.name, context):
            if list(request.metadata_field) != ["signature_def"]:
                raise RequestError(400, f'`metadata_field` must be ["signature_def"], not {[*request.metadata_field]}.')
            name, version, label = model_of(request.model_spec)
            number, predictor = self._store.describe(name, version, label)
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name, response.model_spec.version.value = name, number
            response.metadata["signature_def"].Pack(_signature_map(predictor))
            return response
        return None

    def Classify(self, request, context):
        """Refuse."""
        with self._answering(request.model_spec.name, context):
            raise RequestError(501, f"Classify is not offered. {_INSTEAD}")

    def Regress(self, request, context):
        """Refuse."""
        with self._answering(request.model_spec.name, context):
            raise RequestError(501, f"Regress is not offered. {_INSTEAD}")

    def MultiInference(self, request, context):
        """Refuse."""
        with self._answering("", context):
            raise RequestError(501, f"MultiInference is not offered. {_INSTEAD}")

    def _wanted(self, request, options):
        """Return the names of the outputs that are asked for."""
        wanted = list(request.output_filter)
        if wanted:
            place = {"version": options["version"], "label": options["label"]}
            known = self._store.describe(request.model_spec.name, **place)[1].outputs(options["signature"])
            unknown = sorted(set(wanted) - set(known))
            if unknown:
                raise RequestError(400, f"`output_filter` must name outputs of {sorted(known)}. Received {unknown}.")
        return wanted


def _predict_response(name, answer, wanted):
    response = predict_pb2.PredictResponse()
    response.model_spec.name, response.model_spec.version.value = name, answer.version
    response.model_spec.signature_name = answer.signature
    for key in wanted or answer.outputs:
        response.outputs[key].CopyFrom(to_proto(answer.outputs[key]))
    return response


def _signature_map(predictor):
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name in predictor.signatures:
        one = signatures.signature_def[name]
        one.method_name = "tensorflow/serving/predict"
        for side, specs in ((one.inputs, predictor.inputs(name)), (one.outputs, predictor.outputs(name))):
            for key, tensor in specs.items():
                side[key].CopyFrom(_tensor_info(tensor))
    return signatures


def _tensor_info(tensor):
    dtype = types_pb2.DataType.Value(TENSORFLOW.get(tensor.dtype, f"DT_{tensor.dtype.upper()}"))
    dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=-1 if side is None else side) for side in tensor.shape]
    shape = tensor_shape_pb2.TensorShapeProto(dim=dims)
    return meta_graph_pb2.TensorInfo(name=tensor.name, dtype=dtype, tensor_shape=shape)
