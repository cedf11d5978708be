"""keras-hub's encoders of the BERT family as ours: the same weights, fewer operations."""

from pathlib import Path

import keras
import numpy as np

from unitools.backbones.encoder_config import EncoderConfig
from unitools.backbones.encoder_folder import build_requested, finish_text
from unitools.backbones.encoder_tensors import encoder_parts
from unitools.backbones.encoder_weights import fill
from unitools.backbones.folder_files import tokenizer_folder
from unitools.backbones.hub import keras_hub
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_request import TextRequest

_DENSE = {"_feedforward_intermediate_dense": "intermediate.dense", "_feedforward_output_dense": "output.dense"}
_NORMS = {"_self_attention_layer_norm": "attention.output.LayerNorm", "_feedforward_layer_norm": "output.LayerNorm"}


def is_hub_encoder(model: keras.Model) -> bool:
    """Return whether the model is one of keras-hub's encoders that `as_text_backbone` takes."""
    return type(model).__module__.startswith("keras_hub.") and isinstance(model, tuple(_kinds()))


def as_text_backbone(model: keras.Model, request: TextRequest, folder: Path | None) -> TextBackbone:
    """Return a keras-hub encoder as a backbone of ours that gives its outputs, its form of GELU included."""
    config = _config(model)
    encoder = build_requested(config, request)
    report = None
    if request.pretrained:
        tensors = _tensors(model)
        shapes = {name: tuple(value.shape) for name, value in tensors.items()}
        parts = encoder_parts(encoder, config)
        report = fill(parts, shapes, tensors.__getitem__, folder or model.name, request.allow_partial)
    return finish_text(encoder, request, None if folder is None else tokenizer_folder(folder), report)


def _kinds():
    models = keras_hub().models
    return {
        models.BertBackbone: "bert",
        models.DistilBertBackbone: "distilbert",
        models.RobertaBackbone: "roberta",
        models.ElectraBackbone: "electra",
    }


def _config(model):
    settings = model.get_config()
    kind = next(name for cls, name in _kinds().items() if isinstance(model, cls))
    paired = kind in ("bert", "electra")
    return EncoderConfig(
        # The tensors of every kind are handed over under BERT's names.
        "bert" if kind == "distilbert" else kind,
        vocabulary_size=settings["vocab_size" if kind == "electra" else "vocabulary_size"],
        num_layers=settings["num_layers"],
        num_heads=settings["num_heads"],
        units=settings["hidden_dim"],
        feed_forward_units=settings["intermediate_dim"],
        max_positions=settings["max_sequence_length"],
        num_segments=settings["num_segments"] if paired else 0,
        embedding_units=settings.get("embedding_dim"),
        # As keras-hub builds them; its configs do not state it.
        activation="gelu_tanh" if paired else "gelu",
        dropout=settings["dropout"],
        attention_dropout=settings["dropout"],
        epsilon=1e-5 if kind == "roberta" else 1e-12,
        pooler=paired,
    )


def _tensors(model):
    """Return the model's weights under BERT's names in Transformers, in PyTorch's layout."""
    found = _embedding_tensors(model)
    for number, layer in enumerate(model.transformer_layers):
        found |= _block_tensors(layer, f"encoder.layer.{number}")
    if hasattr(model, "pooled_dense"):
        found |= _dense("pooler.dense", model.pooled_dense)
    return found


def _embedding_tensors(model):
    positions = getattr(model, "position_embedding", None) or model.embeddings.position_embedding
    found = {
        "embeddings.word_embeddings.weight": np.asarray(model.token_embedding.embeddings),
        "embeddings.position_embeddings.weight": np.asarray(positions.position_embeddings),
    } | _norm("embeddings.LayerNorm", model.embeddings_layer_norm)
    if hasattr(model, "segment_embedding"):
        found["embeddings.token_type_embeddings.weight"] = np.asarray(model.segment_embedding.embeddings)
    if hasattr(model, "embeddings_projection"):
        found |= _dense("embeddings_project", model.embeddings_projection)
    return found


def _block_tensors(layer, name):
    attention, found = layer._self_attention_layer, {}
    for part in ("query", "key", "value"):
        found |= _dense(f"{name}.attention.self.{part}", getattr(attention, f"{part}_dense"))
    found |= _dense(f"{name}.attention.output.dense", attention.output_dense, inputs=2)
    for attribute, title in _DENSE.items():
        found |= _dense(f"{name}.{title}", getattr(layer, attribute))
    for attribute, title in _NORMS.items():
        found |= _norm(f"{name}.{title}", getattr(layer, attribute))
    return found


def _dense(name, layer, inputs=1):
    """Return kernel and bias of a dense layer, its first `inputs` axes taken together, and the others too."""
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    rows = int(np.prod(kernel.shape[:inputs]))
    return {f"{name}.weight": kernel.reshape(rows, -1).T, f"{name}.bias": bias.reshape(-1)}


def _norm(name, layer):
    return {f"{name}.weight": np.asarray(layer.gamma), f"{name}.bias": np.asarray(layer.beta)}
