"""What goes with the pictures of a batch: labels by class mode, weights, further inputs."""

import numpy as np
import tensorflow as tf


def class_targets(class_mode, labels, num_classes, dtype, weights=None):
    """Return `targets(images, indices)` for pictures in files.

    Args:
        class_mode: "categorical" for one-hot `(batch, num_classes)`, "binary" and "sparse" for `(batch,)`, both in
            `dtype`; "input" for the pictures themselves; "raw" for an array, "multi_output" for a list of arrays; None
            for pictures alone.
        labels: Label of each picture, or list of labels; the array or arrays of "raw" and "multi_output".
        num_classes: Number of classes, for "categorical".
        dtype: Type of labels.
        weights: Array of sample weights, or None.
    """
    values = _values(class_mode, labels, num_classes, dtype)
    weights = None if weights is None else tf.constant(np.asarray(weights, dtype))

    def targets(images, indices):
        if class_mode is None:
            return images
        chosen = images if class_mode == "input" else values(indices)
        return (images, chosen) if weights is None else (images, chosen, tf.gather(weights, indices))

    return targets


def array_targets(further_inputs, labels, weights):
    """Return `targets(images, indices)` for pictures in an array.

    Args:
        further_inputs: List of arrays that go into the model beside the pictures.
        labels: Array, or None.
        weights: Array, or None.
    """
    further_inputs = [tf.convert_to_tensor(array) for array in further_inputs]
    rest = [tf.convert_to_tensor(array) for array in (labels, weights) if array is not None]

    def targets(images, indices):
        inputs = (images, *(tf.gather(array, indices) for array in further_inputs)) if further_inputs else images
        found = (inputs, *(tf.gather(array, indices) for array in rest))
        # One tuple inside another: Keras reads a bare tuple as (inputs, labels).
        return found if rest or further_inputs else images

    return targets


def _values(class_mode, labels, num_classes, dtype):
    """Return the function from indices to labels."""
    if class_mode in (None, "input"):
        return None
    if class_mode == "multi_output":
        outputs = [tf.convert_to_tensor(output) for output in labels]
        return lambda indices: tuple(tf.gather(output, indices) for output in outputs)
    if class_mode == "categorical" and any(isinstance(label, list) for label in labels):
        marks = tf.constant(_marks(labels, num_classes))
        return lambda indices: tf.cast(tf.gather(marks, indices), dtype)
    kept = tf.convert_to_tensor(labels if class_mode == "raw" else np.asarray(labels, np.int32))
    if class_mode == "categorical":
        return lambda indices: tf.one_hot(tf.gather(kept, indices), num_classes, dtype=dtype)
    return lambda indices: tf.gather(kept, indices) if class_mode == "raw" else tf.cast(tf.gather(kept, indices), dtype)


def _marks(labels, num_classes):
    """Return uint8 `(pictures, num_classes)` with 1 for each class of a picture."""
    marks = np.zeros((len(labels), num_classes), np.uint8)
    for row, label in zip(marks, labels, strict=True):
        row[label] = 1
    return marks
