"""Promises of augmenters: `augment(batch, seeds)` is a pure function that keeps what it was not asked to change."""

import numpy as np
import tensorflow as tf

from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_augmenter
from unitools.testing.tensors import as_arrays, as_tensors, batch_size, dtype_name, expect, expect_equal, take

# One grey level of 255 between two ways to compile a resampling, in at most this share of the values.
_ROUNDED_SHARE = 0.02
_BOX_SLACK = 1.5  # pixels by which a resampled mask may stand out of its box


def as_batch(inputs):
    """Return the inputs as a batch by the schema of pictures."""
    return dict(inputs) if isinstance(inputs, dict) else {"images": inputs}


def seeds_for(batch, first=0):
    """Return one seed pair an example."""
    count = batch_size(batch)
    return np.stack([np.full(count, 11), np.arange(first, first + count)], axis=1).astype("int32")


def _case(specimen, **changes):
    component, batch = specimen.build(**changes), as_batch(specimen.inputs())
    return component, batch, seeds_for(batch)


@promise(is_augmenter)
def identity_when_switched_off(specimen):
    """With the arguments that switch it off, an augmenter changes nothing."""
    expect(specimen.identity is not None, "`identity` is missing: give the arguments that switch the augmenter off")
    component, batch, seeds = _case(specimen, **specimen.identity)
    expect_equal(batch, component.augment(as_tensors(batch), tf.constant(seeds)), f"with {specimen.identity}")


@promise(is_augmenter)
def input_is_not_written(specimen):
    """The dictionary and the tensors handed in are the same afterwards."""
    component, batch, seeds = _case(specimen)
    before = {key: np.array(value) for key, value in batch.items()}
    batch = as_tensors(batch)
    component.augment(batch, tf.constant(seeds))
    expect(set(before) == set(batch), f"keys of the batch handed in: {sorted(batch)}, before {sorted(before)}")
    expect_equal(before, batch, "the batch handed in, after the call")


@promise(is_augmenter)
def dtype_and_range_are_kept(specimen):
    """Every part of the batch keeps its dtype, and the images their range, for uint8 and float32 images."""
    component, batch, seeds = _case(specimen)
    expect("images" in batch, "`inputs` must return images, or a dict with the key 'images'")
    for dtype in ("uint8", "float32"):
        given = batch | {"images": _pixels(batch["images"], dtype)}
        outputs = component.augment(as_tensors(given), tf.constant(seeds))
        expect(set(outputs) == set(given), f"keys {sorted(outputs)}, expected {sorted(given)}")
        for key, value in given.items():
            left, right = dtype_name(outputs[key]), dtype_name(value)
            expect(left == right, f"`{key}` came in as {right} and left as {left}")
        images = np.asarray(outputs["images"], "float64")
        low, high = images.min(), images.max()
        expect(low >= -0.01 and high <= 255.01, f"{dtype} images from 0 to 255 came out from {low:.6g} to {high:.6g}")


def _pixels(images, dtype):
    images = np.asarray(images, "float64")
    low, high = images.min(), images.max()
    return np.round((images - low) / max(high - low, 1e-6) * 255).astype(dtype)


@promise(is_augmenter)
def same_seeds_same_result(specimen):
    """The seeds alone decide: the same ones give the same result, others another one."""
    component, batch, seeds = _case(specimen)
    batch = as_tensors(batch)
    expected = as_arrays(component.augment(batch, tf.constant(seeds)))
    expect_equal(expected, specimen.build().augment(batch, tf.constant(seeds)), "the same seeds again")
    others = [as_arrays(component.augment(batch, tf.constant(seeds_for(batch, 100 * k)))) for k in range(1, 6)]
    changed = [not np.array_equal(expected[key], other[key]) for other in others for key in expected]
    expect(any(changed), "five other sets of seeds gave the same result")


@promise(is_augmenter)
def order_does_not_matter(specimen):
    """A batch in another order, its seeds with it, gives the results in that order."""
    component, batch, seeds = _case(specimen)
    order = np.roll(np.arange(len(seeds))[::-1], 1)
    expected = take(as_arrays(component.augment(as_tensors(batch), tf.constant(seeds))), order)
    actual = component.augment(as_tensors(take(batch, order)), tf.constant(seeds[order]))
    expect_equal(expected, actual, "the batch in another order")


@promise(is_augmenter)
def works_in_tf_data(specimen):
    """Inside `tf.data.Dataset.map`, an augmenter gives its eager result."""
    component, batch, seeds = _case(specimen)
    expected = component.augment(as_tensors(batch), tf.constant(seeds))
    data = tf.data.Dataset.from_tensor_slices((batch, seeds)).batch(len(seeds)).map(component.augment)
    expect_alike(expected, next(iter(data)), "inside tf.data")


@promise(is_augmenter)
def augments_under_xla(specimen):
    """XLA compiles `augment`, and gives its eager result."""
    component, batch, seeds = _case(specimen)
    batch, seeds = as_tensors(batch), tf.constant(seeds)
    expected = component.augment(batch, seeds)
    expect_alike(expected, tf.function(component.augment, jit_compile=True)(batch, seeds), "under XLA")


def expect_alike(expected, actual, what):
    """Raise an AssertionError unless both batches agree up to one grey level in a few places."""
    expected, actual = as_arrays(expected), as_arrays(actual)
    images, others = expected.pop("images"), actual.pop("images")
    expect_equal(expected, actual, what)
    expect(images.shape == others.shape, f"images {what}: shape {others.shape}, expected {images.shape}")
    gap = np.abs(images.astype("float64") - others.astype("float64"))
    share = float(np.mean(gap > 0.05))
    expect(share <= _ROUNDED_SHARE, f"images {what}: {share:.1%} of the values differ, by up to {gap.max():.4g}")


def moving_batch(count=16, size=32):
    """Return pictures with one bright rectangle off the centre each, and its mask and box."""
    rows, columns = np.mgrid[:size, :size]
    boxes = np.array([[4, 6, 12 + k % 3, 18 + k % 2] for k in range(count)], "float32")
    inside = [(columns >= x1) & (columns < x2) & (rows >= y1) & (rows < y2) for x1, y1, x2, y2 in boxes]
    masks = np.stack(inside).astype("uint8")
    images = np.repeat(masks[..., None] * 200 + 20, 3, axis=-1).astype("uint8")
    return {
        "images": images,
        "masks": masks[..., None],
        "boxes": boxes[:, None],
        "box_labels": np.ones((count, 1), "int32"),
    }


def _moves(*keys):
    """Return whether a specimen is an augmenter of pictures with these targets."""
    return lambda specimen: is_augmenter(specimen) and set(keys) <= set(as_batch(specimen.inputs()))


@promise(_moves("boxes", "masks"))
def boxes_move_with_masks(specimen):
    """A box still holds the object that the mask shows."""
    batch = moving_batch()
    given = {key: batch[key] for key in as_batch(specimen.inputs()) if key in batch}
    outputs = as_arrays(specimen.build().augment(as_tensors(given), tf.constant(seeds_for(given))))
    for row, (box, mask) in enumerate(zip(outputs["boxes"][:, 0], outputs["masks"][..., 0], strict=True)):
        ys, xs = np.nonzero(mask == 1)
        if not len(xs):
            continue
        held = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        outside = np.maximum(box - held, 0)[:2].max(), np.maximum(held - box, 0)[2:].max()
        expect(max(outside) <= _BOX_SLACK, f"example {row}: the mask fills {held.tolist()}, the box is {box.tolist()}")


@promise(_moves("masks"))
def masks_move_with_pictures(specimen):
    """Where the picture goes, its mask goes."""
    batch = moving_batch()
    given = {key: batch[key] for key in specimen.inputs() if key in batch}
    outputs = as_arrays(specimen.build().augment(as_tensors(given), tf.constant(seeds_for(given))))
    scores = [_correlation(image, mask) for image, mask in zip(outputs["images"], outputs["masks"], strict=True)]
    expect(
        np.quantile(scores, 0.25) > 0.5,
        f"correlation of picture and mask after augmenting: {np.round(scores, 2).tolist()}",
    )


def _correlation(image, mask):
    """Return how well the mask follows the picture. Negative pictures count, and empty masks are perfect."""
    values, inside = image.astype("float64").mean(axis=-1).ravel(), mask.astype("float64").ravel()
    if inside.std() == 0:
        return 1.0
    return 0.0 if values.std() == 0 else float(abs(np.corrcoef(values, inside)[0, 1]))
