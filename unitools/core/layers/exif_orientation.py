"""Which way up a JPEG was taken, read from its header inside the graph."""

import tensorflow as tf

_HEAD = 2048
"""Bytes looked at. The orientation is one of the first entries of the first segment."""
_MOST_ENTRIES = 64
_ORIENTATION_TAG = 0x0112


def exif_orientation(encoded):
    """Return the EXIF orientation of a JPEG, 1 (upright) where it states none.

    Why: cameras and telephones store the picture as the sensor lies and note the rotation; neither TensorFlow's
    decoders nor Pillow's `open` apply it.

    Args:
        encoded: String tensor without axes, the bytes of a JPEG file.

    Returns:
        An int32 tensor without axes, 1 to 8.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.core.layers.exif_orientation import exif_orientation
    >>> int(exif_orientation(tf.io.encode_jpeg(tf.zeros((2, 3, 3), "uint8"))))
    1

    Source: Exif 2.32, section 4.5.4 (APP1) and 4.6.2 (IFD). The segment is looked for at the start of the file and
    after one JFIF segment, where both standards put it.
    """
    head = tf.cast(tf.io.decode_raw(tf.strings.substr(encoded, 0, _HEAD), tf.uint8, fixed_length=_HEAD), tf.int32)
    jfif = _short(head, 2, False) == 0xFFE0
    segment = tf.where(jfif, 4 + _short(head, 4, False), 2)
    has_exif = (_short(head, segment, False) == 0xFFE1) & (_short(head, segment + 4, False) == 0x4578)  # "Ex"
    tiff = segment + 10
    little = _short(head, tiff, False) == 0x4949  # "II": Intel byte order
    first_entry = tiff + _long(head, tiff + 4, little) + 2
    entries = first_entry + 12 * tf.range(_MOST_ENTRIES)
    is_entry = tf.range(_MOST_ENTRIES) < _short(head, first_entry - 2, little)
    is_orientation = has_exif & is_entry & (_short(head, entries, little) == _ORIENTATION_TAG)
    value = tf.reduce_max(tf.where(is_orientation, _short(head, entries + 8, little), 1))
    return tf.where(value > 8, 1, value)


def upright(image, orientation):
    """Turn and mirror `(height, width, channels)` so that a picture of that EXIF orientation stands upright.

    Args:
        image: Tensor of any dtype, `(height, width, channels)`.
        orientation: int32 tensor without axes, 1 to 8.

    Returns:
        The tensor; height and width change places for orientations 5 to 8.
    """

    def turn():
        turned = tf.cond(orientation >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
        turned = tf.cond(_among(orientation, (2, 3, 6, 7)), lambda: tf.reverse(turned, (1,)), lambda: turned)
        return tf.cond(_among(orientation, (3, 4, 7, 8)), lambda: tf.reverse(turned, (0,)), lambda: turned)

    return tf.cond(orientation > 1, turn, lambda: image)


def _among(value, choices):
    return tf.reduce_any(value == tf.constant(choices, value.dtype))


def _byte(head, at):
    return tf.gather(head, tf.clip_by_value(at, 0, _HEAD - 1))


def _short(head, at, little):
    first, second = _byte(head, at), _byte(head, at + 1)
    return tf.where(little, first + 256 * second, 256 * first + second)


def _long(head, at, little):
    first, second = _short(head, at, little), _short(head, at + 2, little)
    return tf.where(little, first + 65536 * second, 65536 * first + second)
