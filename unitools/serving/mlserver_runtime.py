"""A runtime of MLServer, which needs that package: `pip install mlserver`. Nothing else of unitools imports it."""

import asyncio

from mlserver import MLModel
from mlserver.errors import MLServerError
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor, RequestInput, ResponseOutput
from mlserver.utils import get_model_uri

from unitools.serving.dtypes import OPEN_INFERENCE
from unitools.serving.models.predictor import Predictor
from unitools.serving.models.warm_up import warm_up
from unitools.serving.request_error import RequestError
from unitools.serving.rest.inference_tensors import read_tensor, written_tensor


class MlserverRuntime(MLModel):
    """Serves an export of `ut.export.saved_model` from MLServer, with the checks and answers of `Server`.

    Name it in model-settings.json: `{"name": "flowers", "implementation":
    "unitools.serving.mlserver_runtime.MlserverRuntime", "parameters": {"uri": "./1", "version": "1"}}`.
    `parameters.signature_name` of a request chooses a signature.

    Raises:
        ValueError: `ut.export.load` refuses the folder.
    """

    async def load(self) -> bool:
        """Check and load the export, and make its first calls."""
        folder = await get_model_uri(self._settings)
        self._predictor = await asyncio.to_thread(Predictor, folder)
        await asyncio.to_thread(warm_up, self._predictor)
        self.inputs = [_described(tensor) for tensor in self._predictor.inputs().values()]
        self.outputs = [_described(tensor) for tensor in self._predictor.outputs().values()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request of the Open Inference Protocol.

        Args:
            payload: The request.
        """
        signature = getattr(payload.parameters, "signature_name", None)
        try:
            inputs = dict(read_tensor(_plain(one)) for one in payload.inputs)
            answers = await asyncio.to_thread(self._predictor.predict, inputs, signature)
        except RequestError as error:
            raise MLServerError(error.message, error.status) from error
        wanted = [one.name for one in payload.outputs or ()] or list(answers)
        missing = [name for name in wanted if name not in answers]
        if missing:
            raise MLServerError(f"`outputs` must be names of {sorted(answers)}. Received {missing}.", 400)
        outputs = [_output(name, answers[name]) for name in wanted]
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs)


def _plain(tensor: RequestInput):
    parameters = tensor.parameters.model_dump() if tensor.parameters else None
    head = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype, "parameters": parameters}
    return head | {"data": tensor.data.root}


def _output(name, array):
    content = written_tensor(name, array)
    data = content["data"]
    return ResponseOutput(**content | {"data": data if isinstance(data, list) else data.tolist()})


def _described(tensor):
    shape = [-1 if side is None else side for side in tensor.shape]
    return MetadataTensor(name=tensor.name, datatype=OPEN_INFERENCE[tensor.dtype], shape=shape)
