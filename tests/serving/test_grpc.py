"""Calls of gRPC that cannot be answered, by TensorFlow Serving's own stubs; tensors against TensorFlow's."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from unitools.serving import RequestError
from unitools.serving.rpc.tensors import from_proto, to_proto

DTYPES = [
    *(tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.bool, tf.string),
    *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64),
]


def arrays(dtype):
    random = np.random.default_rng(1)
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0, 3), (1, 2, 1, 2)):
        values = random.integers(0, 100, shape)
        if dtype == tf.string:
            yield np.array([f"ä{value}".encode() for value in np.ravel(values)], object).reshape(shape)
        else:
            yield np.asarray(values).astype(dtype.as_numpy_dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_tensors_are_those_of_tensorflow(dtype):
    for array in arrays(dtype):
        for proto in (tf.make_tensor_proto(array, dtype, array.shape), to_proto(array)):
            read = from_proto("x", tensor_pb2.TensorProto.FromString(proto.SerializeToString()))
            np.testing.assert_array_equal(read, array)
            assert read.shape == array.shape
            assert tf.as_dtype(proto.dtype) == dtype
        np.testing.assert_array_equal(tf.make_ndarray(to_proto(array)), array)


@pytest.mark.parametrize("dtype", [tf.float32, tf.int64, tf.bool, tf.half, tf.bfloat16], ids=lambda dtype: dtype.name)
def test_values_in_their_own_fields(dtype):
    """make_tensor_proto packs bytes; other writers use the fields of values, and one value for all."""
    array = np.array([[1, 0, 1]]).astype(dtype.as_numpy_dtype)
    field = {"float32": "float_val", "int64": "int64_val", "bool": "bool_val"}.get(dtype.name, "half_val")
    values = array.view(np.uint16).ravel().tolist() if field == "half_val" else array.ravel().tolist()
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **{field: values})
    for side in array.shape:
        proto.tensor_shape.dim.add(size=side)
    np.testing.assert_array_equal(from_proto("x", proto), array)
    np.testing.assert_array_equal(from_proto("x", proto), tf.make_ndarray(proto))
    del getattr(proto, field)[1:]
    np.testing.assert_array_equal(from_proto("x", proto), np.full((1, 3), array[0, 0]))


def proto(dtype=types_pb2.DT_STRING, shape=(1,), **fields):
    made = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for side in shape:
        made.tensor_shape.dim.add(size=side)
    return made


UNKNOWN_RANK = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1])
UNKNOWN_RANK.tensor_shape.unknown_rank = True
BAD_TENSORS = [
    proto(),
    proto(types_pb2.DT_INVALID),
    proto(types_pb2.DT_COMPLEX64),
    proto(types_pb2.DT_RESOURCE),
    proto(types_pb2.DT_FLOAT, (10**6, 10**6), float_val=[1]),
    proto(types_pb2.DT_FLOAT, (2**62, 4), tensor_content=b"abcd"),
    proto(types_pb2.DT_FLOAT, (-1,), float_val=[1]),
    proto(types_pb2.DT_FLOAT, (3,), float_val=[1, 2]),
    proto(types_pb2.DT_FLOAT, (2,), tensor_content=b"abc"),
    proto(types_pb2.DT_FLOAT, (1,) * 40, float_val=[1]),
    proto(types_pb2.DT_STRING, (10**12,), string_val=[b"a"]),
    proto(types_pb2.DT_STRING, (0, 2**62, 2**62)),
    proto(types_pb2.DT_FLOAT, (0, 2**62, 2**62)),
    proto(types_pb2.DT_FLOAT, (0, 2**62, 2**62), float_val=[1]),
    UNKNOWN_RANK,
]


@pytest.mark.parametrize("given", BAD_TENSORS, ids=range(len(BAD_TENSORS)))
def test_tensors_that_are_none(given):
    with pytest.raises(RequestError, match="`x` must be") as refused:
        from_proto("x", given)
    assert refused.value.status == 400


@pytest.fixture(scope="module")
def stubs(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
            channel,
        )


def request(model="texts", inputs=None, **spec):
    made = predict_pb2.PredictRequest()
    made.model_spec.name = model
    for name, value in spec.items():
        if name == "version":
            made.model_spec.version.value = value
        else:
            setattr(made.model_spec, name, value)
    for name, value in (inputs or {}).items():
        made.inputs[name].CopyFrom(value if isinstance(value, tensor_pb2.TensorProto) else to_proto(value))
    return made


TEXT = {"texts": np.array([b"a"], object)}
PAIR = {"numbers": np.zeros((1, 4), np.float32), "ids": np.zeros((1, 2), np.int32)}
IMAGE = np.zeros((1, 8, 8, 3), np.float32)
BAD_CALLS = [
    (request("none", TEXT), "NOT_FOUND"),
    (request("", TEXT), "INVALID_ARGUMENT"),
    (request("../../etc", TEXT), "NOT_FOUND"),
    (request("texts", TEXT, version=9), "NOT_FOUND"),
    (request("texts", TEXT, version=-1), "INVALID_ARGUMENT"),
    (request("texts", TEXT, version_label="stable"), "NOT_FOUND"),
    (request("texts", TEXT, signature_name="none"), "NOT_FOUND"),
    (request("texts"), "INVALID_ARGUMENT"),
    (request("texts", {"wrong": TEXT["texts"]}), "INVALID_ARGUMENT"),
    (request("texts", TEXT | {"more": TEXT["texts"]}), "INVALID_ARGUMENT"),
    (request("texts", {"texts": np.zeros(1, np.float32)}), "INVALID_ARGUMENT"),
    (request("texts", {"texts": np.array([[b"a"]], object)}), "INVALID_ARGUMENT"),
    *((request("texts", {"texts": given}), "INVALID_ARGUMENT") for given in BAD_TENSORS),
    (request("pictures", {"image_bytes": np.array([b"no picture"], object)}), "INVALID_ARGUMENT"),
    (request("pictures", {"images": IMAGE[:, :7]}, signature_name="serving_images"), "INVALID_ARGUMENT"),
    (request("pictures", {"images": IMAGE + np.nan}, signature_name="serving_images"), "INVALID_ARGUMENT"),
    (request("pictures", {"images": IMAGE.astype(bool)}, signature_name="serving_images"), "INVALID_ARGUMENT"),
    (request("pairs", {"numbers": PAIR["numbers"]}), "INVALID_ARGUMENT"),
    (request("pairs", PAIR | {"ids": PAIR["numbers"]}), "INVALID_ARGUMENT"),
    (request("pairs", PAIR | {"ids": np.full((1, 2), 2**40)}), "INVALID_ARGUMENT"),
    (request("texts", {"texts": np.array([b"x" * 2**21], object)}), "RESOURCE_EXHAUSTED"),
]


def check_refused(call, code):
    with pytest.raises(grpc.RpcError) as refused:
        call()
    assert refused.value.code().name == code
    assert len(refused.value.details()) > 10
    for sign in ("Traceback", 'File "', ".py"):
        assert sign not in refused.value.details()


@pytest.mark.parametrize(("given", "code"), BAD_CALLS, ids=range(len(BAD_CALLS)))
def test_predictions_that_cannot_be_made(stubs, given, code):
    check_refused(lambda: stubs[0].Predict(given), code)


def test_outputs_are_filtered(stubs):
    given = request("texts", TEXT)
    given.output_filter.append("label")
    assert list(stubs[0].Predict(given).outputs) == ["label"]
    given.output_filter.append("none")
    check_refused(lambda: stubs[0].Predict(given), "INVALID_ARGUMENT")


@pytest.mark.parametrize("content", [b"\xff\xff\xff", b"\x0a\xff", b"no message"])
def test_bytes_that_are_no_message(stubs, content):
    call = stubs[2].unary_unary("/tensorflow.serving.PredictionService/Predict")
    check_refused(lambda: call(content), "INVALID_ARGUMENT")


def test_calls_that_are_not_offered(stubs):
    prediction, models, channel = stubs
    check_refused(lambda: prediction.Classify(classification_pb2.ClassificationRequest()), "UNIMPLEMENTED")
    check_refused(lambda: prediction.Regress(regression_pb2.RegressionRequest()), "UNIMPLEMENTED")
    check_refused(lambda: models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest()), "UNIMPLEMENTED")
    check_refused(lambda: channel.unary_unary("/no.Service/Call")(b""), "UNIMPLEMENTED")


def test_metadata_and_status(stubs):
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "pairs"
    answer = stubs[0].GetModelMetadata(asked)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    info = signatures.signature_def["serving_default"].inputs["ids"]
    assert (info.dtype, [dim.size for dim in info.tensor_shape.dim]) == (types_pb2.DT_INT32, [-1, 2])
    asked.metadata_field[:] = ["other"]
    check_refused(lambda: stubs[0].GetModelMetadata(asked), "INVALID_ARGUMENT")

    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "texts"
    (state,) = stubs[1].GetModelStatus(status).model_version_status
    assert (state.version, state.state) == (3, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    status.model_spec.version.value = 9
    check_refused(lambda: stubs[1].GetModelStatus(status), "NOT_FOUND")
