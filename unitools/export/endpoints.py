"""The functions behind the signatures."""

import keras
import tensorflow as tf

from unitools.export.signatures import input_structure


def prepare(preprocess, images):
    """Apply `preprocess`, a layer, a callable or None, as at inference."""
    if preprocess is None:
        return images
    return preprocess(images, training=False) if isinstance(preprocess, keras.layers.Layer) else preprocess(images)


def with_channel(tensor, model):
    """Return waveforms `(batch, samples)` as `(batch, samples, 1)` where the model takes that.

    Keras would add the axis by itself. But `predict`, called with two ranks, forgets the shape of its input, and fails.
    """
    shape = model.inputs[0].shape
    return tensor[..., tf.newaxis] if len(tensor.shape) == len(shape) - 1 and shape[-1] == 1 else tensor


def named_answers(outputs, names, labels, top_k=None):
    """Return {name: tensor}: floats as float32, and with labels the best one and its score, or the best k."""
    flat = [tf.convert_to_tensor(tensor) for tensor in keras.tree.flatten(outputs)]
    flat = [tf.cast(tensor, tf.float32) if tensor.dtype.is_floating else tensor for tensor in flat]
    answers = dict(zip(names, flat, strict=True))
    if labels is None:
        return answers
    scores = flat[0]
    if scores.shape[-1] == 1:  # one sigmoid unit: the probability of the second label
        scores = tf.concat([1.0 - scores, scores], axis=-1)
    label = tf.gather(tf.constant(labels), tf.argmax(scores, axis=-1))
    answers |= {"label": label, "score": tf.reduce_max(scores, axis=-1)}
    if top_k is not None:
        best, places = tf.math.top_k(scores, top_k)  # of equal ones the first, as argmax
        answers |= {"labels": tf.gather(tf.constant(labels), places), "scores": best}
    return answers


def array_endpoint(model, names, labels, top_k=None):
    """Return a function of the model's inputs in flattened order."""
    structure = input_structure(model)

    def serve(*tensors):
        # training=False: layers that are random by default must rest (Keras' Random* default to True).
        inputs = keras.tree.pack_sequence_as(structure, list(tensors))
        return named_answers(model(inputs, training=False), names, labels, top_k)

    return serve


def raw_endpoint(model, names, labels, preprocess, top_k=None):
    """Return a function of raw float32 images in [0, 255], or of waveforms in [-1, 1]."""
    answer = array_endpoint(model, names, labels, top_k)

    def serve(raw):
        count = tf.shape(raw)[0]
        prepared = with_channel(prepare(preprocess, _one_at_least(raw, count)), model)
        answers = answer(tf.cast(prepared, model.inputs[0].dtype))
        return {name: tensor[:count] for name, tensor in answers.items()}

    return serve


def _one_at_least(raw, count):
    # TensorFlow's convolution on a CPU returns the wrong shape for an empty batch.
    return tf.cond(count > 0, lambda: raw, lambda: tf.pad(raw, [(0, 1), *[(0, 0)] * (raw.shape.rank - 1)]))
