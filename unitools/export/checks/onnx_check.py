"""Look at an ONNX file as a message, before a runtime opens it."""

import math
from collections.abc import Collection
from pathlib import Path

from google.protobuf.message import DecodeError

from unitools.core.optional import require
from unitools.export.unsafe_artefact_error import UnsafeArtefactError

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def check_onnx(file: Path, allow_ops: Collection[str] = ()) -> int:
    """Raise unless the file stands alone and holds operations of the standard; return the bytes that it declares.

    Args:
        file: model.onnx.
        allow_ops: Operations that are allowed besides, as DOMAIN.NAME.

    Raises:
        UnsafeArtefactError: It cannot be read, reads other files, or holds an operation of another domain.
    """
    onnx = require("onnx", "onnx", "Loading an ONNX export")
    try:
        model = onnx.load(str(file), load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise UnsafeArtefactError(f"{file} must be an ONNX file. It cannot be read: {error}") from error
    declared = 0
    for node, tensors in _nodes([model.graph, *model.functions]):
        name = f"{node.domain}.{node.op_type}" if node is not None else ""
        if node is not None and node.domain not in _DOMAINS and name not in allow_ops:
            raise UnsafeArtefactError(
                f"{file} must hold operations of the ONNX standard. It holds {name} (node {node.name!r}). If your "
                f"runtime has it, give allow_ops=({name!r},)."
            )
        for tensor in tensors:
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise UnsafeArtefactError(
                    f"{file} must hold all its numbers. {tensor.name!r} lies in another file, which may be any. "
                    "Export it as one file."
                )
            declared += _bytes_of(onnx, tensor)
    return declared


def _nodes(graphs):
    """Yield (node or None, tensors): each operation with its own, each graph with its constants; inner ones too."""
    waiting = list(graphs)
    while waiting:
        graph = waiting.pop()
        constants = getattr(graph, "initializer", ())
        sparse = getattr(graph, "sparse_initializer", ())
        yield None, [*constants, *(part for one in sparse for part in (one.values, one.indices))]
        for node in graph.node:
            tensors = []
            for attribute in node.attribute:
                tensors += [attribute.t, *attribute.tensors]
                for one in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    tensors += [one.values, one.indices]
                waiting += [attribute.g, *attribute.graphs]
            yield node, tensors


def _bytes_of(onnx, tensor):
    if not tensor.data_type:
        return 0
    try:
        size = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except KeyError as error:
        raise UnsafeArtefactError(f"{tensor.name!r} must be of a type of ONNX, not {tensor.data_type}.") from error
    return math.prod(max(side, 0) for side in tensor.dims) * size
