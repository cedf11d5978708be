"""Building a Transformer encoder of the BERT family as a functional model."""

from dataclasses import replace

import keras

from unitools.backbones.encoder_block import EncoderBlock
from unitools.backbones.encoder_config import EncoderConfig
from unitools.backbones.text_embedding import TextEmbedding
from unitools.backbones.text_inputs import text_inputs


def build_encoder(config: EncoderConfig, *, segments: bool = False, name: str = "bert") -> keras.Model:
    """Return the encoder with random weights, its layers named and ordered from input to output.

    "embeddings", ("embeddings_projection",) "block_1" ... "block_n", and "pooler" where there is one.
    """
    inputs = text_inputs("segment_ids") if segments else text_inputs()
    sequence = TextEmbedding(
        config.vocabulary_size,
        config.embedding_units or config.units,
        max_positions=config.max_positions,
        num_segments=config.num_segments,
        dropout=config.dropout,
        epsilon=config.epsilon,
        name="embeddings",
    )(inputs)
    if config.projected:
        sequence = keras.layers.Dense(config.units, name="embeddings_projection")(sequence)
    for number in range(1, config.num_layers + 1):
        sequence = _block(config, f"block_{number}")(sequence)
    pooled = sequence[:, 0]
    if config.pooler:
        pooled = keras.layers.Dense(config.units, activation="tanh", name="pooler")(pooled)
    return keras.Model(inputs, {"sequence_output": sequence, "pooled_output": pooled}, name=name)


def with_dropout(config: EncoderConfig, rate: float | None) -> EncoderConfig:
    """Return the config with one rate for all its dropout, or as it is for None."""
    return config if rate is None else replace(config, dropout=rate, attention_dropout=rate)


def _block(config, name):
    return EncoderBlock(
        config.num_heads,
        config.feed_forward_units,
        activation=config.activation,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        epsilon=config.epsilon,
        name=name,
    )
