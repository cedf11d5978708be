"""The shape of a Transformer encoder of the BERT family, and how configs describe it."""

from collections.abc import Mapping
from dataclasses import dataclass

from unitools.backbones.weights_file_error import WeightsFileError

# Names of Transformers for the activations of `EncoderBlock`.
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
_BERT_KEYS = {
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "units": "hidden_size",
    "feed_forward_units": "intermediate_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
}
_DISTILBERT_KEYS = {
    "num_layers": "n_layers",
    "num_heads": "n_heads",
    "units": "dim",
    "feed_forward_units": "hidden_dim",
    "activation": "activation",
    "dropout": "dropout",
    "attention_dropout": "attention_dropout",
}
# Transformers writes every value that a config holds, but older files leave out those that are the class's defaults.
_DEFAULTS = {
    "hidden_act": "gelu",
    "activation": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "layer_norm_eps": 1e-12,
    "type_vocab_size": 2,
    "max_position_embeddings": 512,
}
KINDS = ("bert", "distilbert", "roberta", "electra")


@dataclass(frozen=True)
class EncoderConfig:
    """What an encoder is made of. `kind` is one of "bert", "distilbert", "roberta", "electra"."""

    kind: str
    vocabulary_size: int
    num_layers: int
    num_heads: int
    units: int
    feed_forward_units: int
    max_positions: int = 512
    num_segments: int = 2
    embedding_units: int | None = None
    activation: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    epsilon: float = 1e-12
    pooler: bool = True

    @property
    def projected(self) -> bool:
        """Whether embeddings have another size than the blocks, as small ELECTRA models have."""
        return self.embedding_units not in (None, self.units)


def from_transformers(config: Mapping, source: object) -> EncoderConfig:
    """Return what a `config.json` of Transformers describes. `source` is its path, for messages."""
    kind = config.get("model_type")
    if kind not in KINDS:
        raise WeightsFileError(
            f"{source} describes a model of type {kind!r}, expected one of {', '.join(KINDS)}. Load others with their "
            "own library."
        )
    _refuse_variants(config, source)
    keys = _DISTILBERT_KEYS if kind == "distilbert" else _BERT_KEYS
    values = {name: _value(config, key, source) for name, key in keys.items()}
    if values["activation"] not in _ACTIVATIONS:
        raise WeightsFileError(
            f"{source}: the activation {values['activation']!r} is none of {', '.join(_ACTIVATIONS)}. Expected one."
        )
    values["activation"] = _ACTIVATIONS[values["activation"]]
    positions = _value(config, "max_position_embeddings", source)
    return EncoderConfig(
        kind,
        vocabulary_size=_value(config, "vocab_size", source),
        max_positions=positions - first_position(config),
        num_segments=0 if kind == "distilbert" else _value(config, "type_vocab_size", source),
        embedding_units=config.get("embedding_size") if kind == "electra" else None,
        epsilon=1e-12 if kind == "distilbert" else _value(config, "layer_norm_eps", source),
        pooler=kind in ("bert", "roberta"),
        **values,
    )


def first_position(config: Mapping) -> int:
    """Return the row of the position table where texts begin: RoBERTa counts from after its padding id."""
    return config.get("pad_token_id", 1) + 1 if config.get("model_type") == "roberta" else 0


def _value(config, key, source):
    value = config.get(key, _DEFAULTS.get(key))
    if value is None:
        raise WeightsFileError(f"{source} lacks {key!r}. Expected the config.json that Transformers wrote.")
    return value


def _refuse_variants(config, source):
    """Raise for options that change what the weights mean."""
    wanted = {"position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise WeightsFileError(
                f"{source} has {key}={config[key]!r}, expected {value!r}. This variant is not supported: use weights "
                "of an encoder with absolute positions."
            )
