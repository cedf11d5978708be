"""The inputs that every text backbone has."""

import keras


def text_inputs(*others: str) -> dict:
    """Return the inputs `token_ids` and `padding_mask`, `(batch, time)` both open, and other ids by name."""
    ids = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", *others)}
    return ids | {"padding_mask": keras.Input((None,), dtype="bool", name="padding_mask")}
