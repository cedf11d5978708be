"""Look at a SavedModel's graph as a message, before anything of it is loaded."""

import math
from collections.abc import Collection
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow import dtypes, errors
from tensorflow import train as tf_train
from tensorflow.core.protobuf import saved_model_pb2

from unitools.export.checks.safe_operations import SAFE, SAVER
from unitools.export.unsafe_artefact_error import UnsafeArtefactError

_STRING_BYTES = 16


def check_graph(folder: Path, allow_ops: Collection[str] = ()) -> int:
    """Raise unless all operations of saved_model.pb are allowed; return the bytes that it declares.

    Every honest SavedModel holds SaveV2 and RestoreV2, which write and read any file. They are allowed in functions
    that the saver alone reaches, and no signature or object does.

    Args:
        folder: Folder of the SavedModel.
        allow_ops: Names of operations that are allowed besides.

    Raises:
        UnsafeArtefactError: The file cannot be read, or holds another operation. The message names it and its function.
    """
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    except DecodeError as error:
        raise UnsafeArtefactError(f"{folder / 'saved_model.pb'} must be a SavedModel. It cannot be read.") from error
    allowed = SAFE | {"Placeholder", "NoOp", "Const"} | set(allow_ops)
    declared = 0
    for graph in saved.meta_graphs:
        functions = {one.signature.name: one.node_def for one in graph.graph_def.library.function}
        saver = {name.partition(":")[0] for name in _saver_names(graph)}
        own = [node for node in graph.graph_def.node if node.name not in saver]
        of_saver = [node for node in graph.graph_def.node if node.name in saver]
        free = _reached(own, functions) | set(_within(graph.object_graph_def.concrete_functions, functions))
        free = free | {name for one in free for name in _reached(functions[one], functions)}
        bound = _reached(of_saver, functions) - free
        _check("the graph", own, allowed, folder)
        _check("the saver", of_saver, allowed | SAVER, folder)
        for name, nodes in functions.items():
            _check(name, nodes, allowed | SAVER if name in bound else allowed, folder)
        declared += sum(_declared(node) for nodes in [graph.graph_def.node, *functions.values()] for node in nodes)
    return declared + _variable_bytes(folder)


def _saver_names(graph):
    saver = graph.saver_def
    return [saver.filename_tensor_name, saver.save_tensor_name, saver.restore_op_name]


def _within(names, functions):
    return [name for name in names if name in functions]


def _reached(nodes, functions):
    """Return the names of the functions that nodes call, directly or not."""
    reached, waiting = set(), list(nodes)
    while waiting:
        for value in waiting.pop().attr.values():
            called = [value.func.name, *(function.name for function in value.list.func)]
            for name in called:
                if name in functions and name not in reached:
                    reached.add(name)
                    waiting.extend(functions[name])
    return reached


def _check(where, nodes, allowed, folder):
    for node in nodes:
        if node.op not in allowed:
            raise UnsafeArtefactError(
                f"{folder} must hold operations that compute. The function {where} holds {node.op} (node "
                f"{node.name!r}). If you know what it does and where the file comes from, give "
                f"allow_ops=({node.op!r},)."
            )


def _declared(node):
    """Return the bytes that a constant says it has: one value may stand for all."""
    if node.op != "Const":
        return 0
    tensor = node.attr["value"].tensor
    return _bytes_of([dim.size for dim in tensor.tensor_shape.dim], tensor.dtype)


def _bytes_of(shape, dtype):
    size = dtypes.as_dtype(dtype).size if dtype else 0
    return math.prod(max(side, 0) for side in shape) * (size if size and size > 0 else _STRING_BYTES)


def _variable_bytes(folder):
    """Return the bytes of the variables, by the index of the checkpoint."""
    prefix = folder / "variables" / "variables"
    if not prefix.with_suffix(".index").is_file():
        return 0
    try:
        reader = tf_train.load_checkpoint(str(prefix))
        kinds = reader.get_variable_to_dtype_map()
        return sum(
            _bytes_of(shape, kinds[name].as_datatype_enum) for name, shape in reader.get_variable_to_shape_map().items()
        )
    except (errors.OpError, ValueError, RuntimeError) as error:
        raise UnsafeArtefactError(f"{prefix}.index must be a checkpoint's. It cannot be read: {error}") from error
