"""Shapes and types of a batch, distributed or not."""

from typing import Any

import keras


def spec_of_batch(data: Any) -> tuple:
    """Return the shapes and types of a batch in one replica, as a tuple.

    Args:
        data: A `tf.data.Dataset`, or a distributed one.
    """
    spec = data.element_spec
    spec = tuple(spec) if isinstance(spec, (tuple, list)) else (spec,)
    return keras.tree.map_structure(lambda each: getattr(each, "_value_specs", (each,))[0], spec)
