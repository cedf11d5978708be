"""From the bytes of a picture file to its pixels, the same way wherever a picture is read."""

import tensorflow as tf

from unitools.core.checks import check_choice
from unitools.core.layers.exif_orientation import exif_orientation, upright
from unitools.core.layers.rare_branch import rare_branch


def decode_image(encoded, channels=3):
    """Decode one JPEG, PNG, GIF or BMP into `(height, width, channels)` uint8, as Pillow's `convert` would.

    Why: training reads files and serving receives bytes; both must see the same pixels. Runs inside `tf.data` and
    inside a SavedModel.

    Rules: grey is expanded to three equal channels, colour becomes grey by ITU-R 601 luma; alpha is dropped, not
    composited; 16-bit PNG keeps its high byte; palettes are looked up; CMYK JPEG becomes RGB; of an animated GIF the
    first frame is taken; a JPEG is turned upright by its EXIF orientation.

    A WebP is decoded too where TensorFlow can. EXIF in other formats than JPEG, and bitmaps of fewer than 8 bits, are
    not read.

    Args:
        encoded: String tensor without axes, the bytes of one file.
        channels: 3 for RGB, 1 for grey. Default 3.

    Returns:
        A uint8 tensor `(height, width, channels)`; height and width are known only when it runs.

    Raises:
        ValueError: `channels` is neither 1 nor 3.
        tf.errors.InvalidArgumentError: When it runs: the bytes are empty, truncated or no such picture, or the header
            declares more than 2^29 values.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.core.layers.decode_image import decode_image
    >>> grey = tf.constant([[[0], [128], [255]]], tf.uint8)
    >>> decode_image(tf.io.encode_png(grey)).numpy()[0].tolist()
    [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    check_choice("channels", channels, (1, 3), "Use 3 for RGB, 1 for grey.")
    is_jpeg = tf.strings.substr(encoded, 0, 2) == b"\xff\xd8"
    image = tf.cond(is_jpeg, lambda: _decode_jpeg(encoded), lambda: _decode_other(encoded))
    image.set_shape((None, None, 3))
    return image if channels == 3 else _luma(image)


def _decode_jpeg(encoded):
    # The accurate transform is libjpeg's default, and Pillow's; TensorFlow's own default is the fast one.
    image = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
    # Most pictures carry no EXIF; looking for its name first spares them some forty small operations.
    has_exif = tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 32), r"\C*Exif\C*")
    return tf.cond(has_exif, lambda: _turned(image, encoded), lambda: image)


@rare_branch
def _turned(image, encoded):
    return upright(image, exif_orientation(encoded))


@rare_branch
def _decode_other(encoded):
    is_bitmap = tf.strings.substr(encoded, 0, 2) == b"BM"
    other = tf.io.decode_image
    return tf.cond(is_bitmap, lambda: _decode_bitmap(encoded), lambda: other(encoded, 3, expand_animations=False))


def _decode_bitmap(encoded):
    """Decode a BMP. TensorFlow hands palette indices over as if they were grey levels, so look them up."""
    image = tf.io.decode_bmp(encoded)
    return tf.cond(tf.shape(image)[-1] == 1, lambda: _looked_up(encoded, image[..., 0]), lambda: image[..., :3])


def _looked_up(encoded, indices):
    """Return the RGB values of palette indices; the entries, BGR0, follow a header whose length stands at byte 14."""
    header_length = tf.io.decode_raw(tf.strings.substr(encoded, 14, 4), tf.int32)[0]
    entries = tf.strings.substr(encoded, 14 + header_length, 4 * 256)
    palette = tf.reshape(tf.io.decode_raw(entries, tf.uint8, fixed_length=4 * 256), (256, 4))[:, 2::-1]
    return tf.gather(palette, tf.cast(indices, tf.int32))


def _luma(image):
    """Return grey by ITU-R 601 in 16-bit fixed point: Pillow's formula, which leaves equal channels as they are."""
    weights = tf.constant((19595, 38470, 7471), tf.int32)
    total = tf.reduce_sum(tf.cast(image, tf.int32) * weights, axis=-1, keepdims=True)
    return tf.cast((total + 0x8000) // 0x10000, tf.uint8)
