"""Which inputs a batch of encoded texts gives to a model."""

from collections.abc import Iterable

import tensorflow as tf

from unitools.core.checks import fail
from unitools.data.text.token_table import IGNORED

PADDING_MASK, FIRST_PIECES = "padding_mask", "first_pieces"


def chosen_inputs(inputs: Iterable[str] | None, table) -> tuple[str, ...]:
    """Return the names of a batch's inputs, in order.

    By default those that the model of a single text takes: a Keras model takes what it is given by its order, so that
    an input too many would be taken for another one.

    Args:
        inputs: Names of the inputs of a model, or None.
        table: The `TokenTable`.

    Raises:
        ValueError: The table does not hold one of them.
    """
    held = {*table.values, PADDING_MASK, *([FIRST_PIECES] if table.by_token else [])}
    if inputs is None:
        left_out = {FIRST_PIECES} if table.has_pairs else {FIRST_PIECES, "segment_ids"}
        return tuple(sorted(held - left_out))
    names = tuple(inputs) if not isinstance(inputs, str) else (inputs,)
    if not names or not set(names) <= held:
        fail("inputs", names, f"names among {sorted(held)}", "Give the names of the model's inputs: model.input.")
    return names


def select_inputs(batch: dict, labels: tf.Tensor | None, names: tuple[str, ...]) -> dict:
    """Return the inputs by name. A word begins where a label stands."""
    return {name: labels != IGNORED if name == FIRST_PIECES else batch[name] for name in names}
