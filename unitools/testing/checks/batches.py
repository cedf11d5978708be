"""Promises about batches: neither the neighbours nor the padding of an example change its result."""

import keras
import numpy as np

from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_layer, takes_mask
from unitools.testing.tensors import as_arrays, as_tensors, batch_size, caller, expect, expect_equal, take


@promise(is_layer)
def example_alone_equals_in_batch(specimen):
    """At inference, an example gets the same result alone as in a batch."""
    call, inputs = caller(specimen.build()), specimen.inputs()
    expect(batch_size(inputs) > 1, "`inputs` must return a batch of two examples or more")
    together = as_arrays(call(as_tensors(inputs)))
    for row in range(min(3, batch_size(inputs))):
        alone = call(as_tensors(take(inputs, slice(row, row + 1))))
        expect_equal(take(together, slice(row, row + 1)), alone, f"example {row} alone")


@promise(takes_mask)
def padding_changes_nothing(specimen):
    """What stands in masked positions changes no result elsewhere."""
    component, inputs = specimen.build(), specimen.inputs()
    mask = _half_mask(inputs)
    first = _call_masked(component, inputs, mask)
    second = _call_masked(component, _with_other_padding(inputs, mask), mask)
    outside = [keras.tree.map_structure(lambda leaf: _outside_padding(leaf, mask), each) for each in (first, second)]
    expect_equal(*outside, "with other values in the padding")


def _half_mask(inputs):
    """Return a mask with the second half of the last axis of positions padded."""
    shape = inputs["padding_mask"].shape if isinstance(inputs, dict) else inputs.shape[:-1]
    mask = np.ones(shape, "bool")
    mask[..., shape[-1] // 2 :] = False
    return mask


def _call_masked(component, inputs, mask):
    if not isinstance(inputs, dict):
        return as_arrays(component(as_tensors(inputs), mask=mask))
    given = inputs | {"padding_mask": mask.astype(inputs["padding_mask"].dtype)}
    return as_arrays(component(as_tensors(given)))


def _with_other_padding(inputs, mask):
    """Return the inputs with the padding of each example replaced by that of its neighbour."""
    if isinstance(inputs, dict):
        return {key: _with_other_padding(leaf, mask) if key != "padding_mask" else leaf for key, leaf in inputs.items()}
    if inputs.shape[: mask.ndim] != mask.shape:
        return inputs
    kept = mask.reshape(mask.shape + (1,) * (inputs.ndim - mask.ndim))
    return np.where(kept, inputs, np.flip(np.roll(inputs, 1, axis=0), axis=mask.ndim - 1)).astype(inputs.dtype)


def _outside_padding(leaf, mask):
    return leaf[mask] if leaf.shape[: mask.ndim] == mask.shape else leaf
