"""What models of token ids take of a tokenizer's result."""

from collections.abc import Mapping

import keras

from unitools.core.checks import fail

KNOWN = ("character_ids", "first_pieces", "padding_mask", "segment_ids", "token_ids")


def model_inputs(packed: Mapping, model: keras.Model) -> dict:
    """Return the inputs of the model by name. Keras would take them by their order, others among them too."""
    return {name: packed[name] for name in model.input}


def checked_text_model(model: keras.Model) -> keras.Model:
    """Return the model, or raise unless its inputs are a dict that a tokenizer can fill."""
    inputs = getattr(model, "input", None) if isinstance(model, keras.Model) else None
    if not isinstance(inputs, dict) or not set(inputs) <= set(KNOWN):
        found = sorted(inputs) if isinstance(inputs, dict) else model
        fail("model", found, f"a functional model with a dict of inputs among {KNOWN}",
             "Build it on a text backbone: keras.Model(base.input, ...).")  # fmt: skip
    return model
