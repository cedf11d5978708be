"""Which tensors of a Transformers file make up each variable of an encoder."""

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from unitools.backbones.encoder_config import EncoderConfig
from unitools.backbones.encoder_part import EncoderPart

_BERT_BLOCK = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward_hidden": "intermediate.dense",
    "feed_forward_output": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
_DISTILBERT_BLOCK = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "attention_output": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "feed_forward_hidden": "ffn.lin1",
    "feed_forward_output": "ffn.lin2",
    "feed_forward_norm": "output_layer_norm",
}


def encoder_parts(model: keras.Model, config: EncoderConfig, first: int = 0) -> list[EncoderPart]:
    """Return the parts of an encoder that `build_encoder` made, under Transformers' names without prefix.

    Args:
        model: The encoder.
        config: What it was built from.
        first: Rows of the file's position table that stand before the first position.
    """
    parts = list(_embedding_parts(model, config, first))
    names = _DISTILBERT_BLOCK if config.kind == "distilbert" else _BERT_BLOCK
    stack = "transformer.layer" if config.kind == "distilbert" else "encoder.layer"
    for number in range(config.num_layers):
        block = model.get_layer(f"block_{number + 1}")
        parts += _block_parts(block, {key: f"{stack}.{number}.{name}" for key, name in names.items()})
    if config.pooler:
        parts += _dense_parts(model.get_layer("pooler"), ("pooler.dense",))
    return parts


def _embedding_parts(model, config, first) -> Iterator[EncoderPart]:
    tables = {"tokens": "word_embeddings", "positions": "position_embeddings", "segments": "token_type_embeddings"}
    layer = model.get_layer("embeddings")
    variables = {variable.name: variable for variable in layer.weights}
    for name, title in tables.items():
        if name in variables:
            rows, units = variables[name].shape
            skip = first if name == "positions" else 0
            tensor = (f"embeddings.{title}.weight",)
            yield EncoderPart(variables[name], tensor, (rows + skip, units), lambda value, skip=skip: value[skip:])
    yield from _norm_parts(variables, "embeddings.LayerNorm")
    if config.projected:
        yield from _dense_parts(model.get_layer("embeddings_projection"), ("embeddings_project",))


def _block_parts(block, names) -> Iterator[EncoderPart]:
    children = {layer.name: layer for layer in block._flatten_layers(include_self=False)}
    yield from _dense_parts(children["attention_query_key_value"], (names["query"], names["key"], names["value"]))
    for name in ("attention_output", "feed_forward_hidden", "feed_forward_output"):
        yield from _dense_parts(children[name], (names[name],))
    for name in ("attention_norm", "feed_forward_norm"):
        yield from _norm_parts({variable.name: variable for variable in children[name].weights}, names[name])


def _dense_parts(layer, names) -> Iterator[EncoderPart]:
    inputs, outputs = layer.kernel.shape
    outputs = outputs // len(names)
    # PyTorch keeps the matrices of its linear layers with the outputs first.
    yield EncoderPart(layer.kernel, tuple(f"{name}.weight" for name in names), (outputs, inputs), np.transpose)
    yield EncoderPart(layer.bias, tuple(f"{name}.bias" for name in names), (outputs,), np.asarray)


def _norm_parts(variables: Mapping, name) -> Iterator[EncoderPart]:
    for variable, ending in (("gamma", "weight"), ("beta", "bias")):
        shape = tuple(variables[variable].shape)
        yield EncoderPart(variables[variable], (f"{name}.{ending}",), shape, np.asarray)
