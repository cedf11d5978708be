"""A functional model of text with documented outputs."""

from pathlib import Path
from typing import Any

import keras

from unitools.core.checks import fail
from unitools.core.component import Component, register

OUTPUTS = ("sequence_output", "pooled_output")
INPUTS = ("token_ids", "padding_mask")


@register
class TextBackbone(Component, keras.Model):
    """A functional model with the inputs and outputs that every text backbone of unitools has.

    `unitools.backbones.bert` and `lstm` make these, so that one line swaps one for the other. The layers are the
    model's own, and the result is an ordinary functional `keras.Model`. Heads that take a mask get the padding's from
    `sequence_output` by themselves.

    Attributes:
        sequence_output: Tensor `(batch, time, features)`, one vector a token.
        pooled_output: Tensor `(batch, features)`, one vector a text.
        weights_report: What the loaded weights file held, or None.

    Args:
        model: Functional model whose inputs are a dict with `token_ids` and `padding_mask` (and others), and whose
            outputs are a dict with `sequence_output` and `pooled_output`. Its layers are shared, not copied.
        tokenizer_folder: Folder with the files of the tokenizer that belongs to the weights. Default None: not known.
        **kwargs: `name`, `trainable`.

    Call arguments:
        inputs: The dict that `model` takes.
        training: Whether layers like Dropout are in training mode.

    Input shape:
        `(batch, time)` for ids and mask.

    Output shape:
        `{"sequence_output": (batch, time, features), "pooled_output": (batch, features)}`.

    Raises:
        ValueError: `model` is not functional, or lacks one of these inputs or outputs.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> base = ut.backbones.lstm(vocabulary_size=100, embedding_size=8, units=4)
    >>> tags = keras.layers.Dense(9)(base.sequence_output)
    >>> keras.Model(base.input, tags).output_shape
    (None, None, 9)

    Source:
        The names are those of keras-hub's backbones.
    """

    def __init__(self, model: keras.Model, *, tokenizer_folder: str | Path | None = None, **kwargs: Any):
        if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
            fail("model", model, "a functional keras.Model")
        inputs, outputs = _named(model, "input", INPUTS), _named(model, "output", OUTPUTS)
        kwargs.setdefault("name", model.name)
        kwargs.pop("dtype", None)  # a functional model has no policy of its own; its layers have theirs
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        # Kept for the config only. Tracked, it would hold every layer a second time.
        self.__dict__["model"] = model
        self.tokenizer_folder = None if tokenizer_folder is None else str(tokenizer_folder)
        self.weights_report = None

    @property
    def sequence_output(self) -> Any:
        """One vector a token."""
        return self.output["sequence_output"]

    @property
    def pooled_output(self) -> Any:
        """One vector a text."""
        return self.output["pooled_output"]

    def with_model(self, model: keras.Model) -> "TextBackbone":
        """Return a backbone like this one around another functional model."""
        changed = type(self)(model, tokenizer_folder=self.tokenizer_folder)
        changed.weights_report = self.weights_report
        return changed


def _named(model, side, names):
    structure = getattr(model, f"_{side}s_struct", None)
    if not isinstance(structure, dict) or not set(names) <= set(structure):
        found = sorted(structure) if isinstance(structure, dict) else type(structure).__name__
        fail("model", model, f"a model with a dict of {side}s that holds {' and '.join(names)}", f"It has {found}.")
    return structure
