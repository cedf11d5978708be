"""Tags of a sequence that are chosen together."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_choice, check_integer, fail
from unitools.core.component import Component, register
from unitools.core.layers.linear_chain import FORBIDDEN, pass_through
from unitools.heads.token_tagger import TokenTagger


@register
class CRF(Component, keras.layers.Layer):
    """Scores sequences of tags: each tag at its position, and each step from a tag to the next.

    A linear-chain conditional random field on top of a `TokenTagger`. Train it with `ut.losses.CRFLoss`; its metrics
    are those of any tagger; `CRFDecoder` makes tags of its output.

    Why: a tagger chooses each tag by itself, and so makes sequences that no sentence has, such as I-PER after B-LOC.

    The output holds everything: the score of each step, with beginning, end and mask worked in. So loss, metrics and
    decoder are functions of one tensor, none holds another layer's weights, and a saved model needs nothing beside it.

    Args:
        num_tags: Number of tags, >= 2.
        transitions: "learned" (default): weights for each step from tag to tag, for beginning and for end, at first 0.
            "none": no weights, so that only `allowed` binds neighbours.
        allowed: Which step is allowed, as `ut.heads.allowed_transitions(tags)` gives it: rows of `num_tags + 1`
            booleans. Default None: every step. A label sequence that breaks it costs 10,000 a step.
        dropout: Share of the features that is dropped in training, in [0, 1). Default 0.1.
        seed: Seed of the dropout. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Features.
        training: Whether to drop out. Default False.
        mask: Booleans `(batch, time)`, True where a position belongs to the chain. Any pattern: padding, or all pieces
            of a word but its first. The others are skipped. Keras passes it on by itself.

    Input shape:
        `(batch, time, features)`.

    Output shape:
        `(batch, time, num_tags, num_tags)`: the score of going from tag i to tag j at this position. Float32.

    Raises:
        ValueError: An argument is out of range, or the number of features is not known.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> tags = ["O", "B-PER", "I-PER"]
    >>> crf = ut.heads.CRF(3, allowed=ut.heads.allowed_transitions(tags))
    >>> potentials = crf(numpy.ones((2, 7, 16), "float32"))
    >>> tuple(potentials.shape), tuple(ut.heads.CRFDecoder()(potentials)["tags"].shape)
    ((2, 7, 3, 3), (2, 1, 7))

    Source:
        Lafferty et al. 2001; on neural features Lample et al. 2016, https://arxiv.org/abs/1603.01360, section 2.2.
    """

    def __init__(
        self,
        num_tags: int,
        *,
        transitions: str = "learned",
        allowed: Sequence[Sequence[bool]] | None = None,
        dropout: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_tags = check_integer("num_tags", num_tags, 2)
        self.transitions = check_choice("transitions", transitions, ("learned", "none"))
        self.allowed = None if allowed is None else _square(allowed, self.num_tags + 1)
        self._tagger = TokenTagger(self.num_tags, dropout=dropout, seed=seed, dtype=self.dtype_policy, name="tagger")
        self.dropout, self.seed = self._tagger.dropout, self._tagger.seed
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        """Make the weights for features of this shape."""
        self._tagger.build(input_shape)
        if self.transitions == "learned":
            size = self.num_tags + 1
            self._weights = self.add_weight(shape=(size, size), initializer="zeros", autocast=False, name="transitions")

    def transition_scores(self, inputs: Any) -> Any:
        """Return the score of each step, `(num_tags + 1, num_tags + 1)`.

        The last row holds beginnings, the last column ends. Override it for transitions of your own; `allowed` is
        added to what it returns.
        """
        if self.transitions == "learned":
            return ops.convert_to_tensor(self._weights)
        return ops.zeros((self.num_tags + 1, self.num_tags + 1))

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return the score of each step at each position."""
        unary = ops.cast(self._tagger(inputs, training=training), "float32")[:, :, None, :]
        scores = ops.cast(self.transition_scores(inputs), "float32")
        if self.allowed is not None:
            scores = scores + ops.where(ops.convert_to_tensor(self.allowed), 0.0, FORBIDDEN)
        mask = ops.ones(ops.shape(inputs)[:2], "bool") if mask is None else ops.cast(mask, "bool")
        order = ops.cumsum(ops.cast(mask, "int32"), axis=1)
        first, last = (ops.equal(order, place)[:, :, None, None] for place in (1, order[:, -1:]))
        # Of all positions with the same number, the masked ones are overwritten below.
        potentials = unary + ops.where(first, scores[-1:, :-1], scores[:-1, :-1])
        potentials = potentials + ops.where(last, scores[:-1, -1], 0.0)
        return ops.where(mask[:, :, None, None], potentials, pass_through(self.num_tags))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the positions, unchanged."""
        return previous_mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the output for inputs of this shape."""
        return (*input_shape[:2], self.num_tags, self.num_tags)

    def compute_output_spec(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return shape and dtype of the output, which is float32 under mixed precision."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype="float32")


def _square(allowed, size):
    """Return rows of booleans, or raise unless there are `size` of them with `size` each."""
    rows = tuple(tuple(bool(cell) for cell in row) for row in allowed) if hasattr(allowed, "__len__") else ()
    if len(rows) != size or any(len(row) != size for row in rows):
        fail("allowed", allowed, f"{size} rows of {size} booleans, one more than tags",
             "ut.heads.allowed_transitions(tags) makes them.")  # fmt: skip
    return rows
