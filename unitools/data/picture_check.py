"""Finding, before training, the files that training could not read."""

import os
import warnings

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from unitools.data.failure_reason import failure_reason
from unitools.data.picture_source import decode_file

MAX_PIXELS = 2**29 // 3
"""Largest picture that TensorFlow decodes: 2^29 values. Pillow, too, refuses more, as a decompression bomb."""
_READ_FORMATS = (
    "JPEG",
    "PNG",
    "GIF",
    "BMP",
    "WEBP",
    "MPO",
)  # MPO: JPEGs of some cameras, with a second picture appended
_AT_A_TIME = 64


def check_pictures(files, color_mode="rgb"):
    """Return what is wrong with each file that cannot be decoded, without raising.

    First the header is read, so that a file that declares an enormous picture is found without allocating it. Then the
    file is decoded by the very operation that training uses, in TensorFlow's threads.

    Args:
        files: Paths of the files.
        color_mode: "rgb", "grayscale" or "rgba".

    Returns:
        List of (file, reason), in the order of `files`.
    """
    reasons = {file: reason for file in files if (reason := _header_reason(file))}
    sound = [file for file in files if file not in reasons]
    for file in _undecodable(sound, color_mode):
        reason = failure_reason(decode_file, os.fsencode(file), color_mode)
        reasons[file] = f"its data are damaged or cut off: {reason or 'decoding failed once'}"
    return [(file, reasons[file]) for file in files if file in reasons]


def _header_reason(file):
    """Return what is wrong with a file by its size and header, or None."""
    try:
        if os.path.getsize(file) == 0:
            return "the file is empty"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of half the size that it refuses
            with Image.open(file) as picture:
                width, height = picture.size
                kind = picture.format
    except UnidentifiedImageError:
        return "its content is no picture, or one with a damaged header"
    except Image.DecompressionBombError:
        return f"its header declares more than {MAX_PIXELS:,} pixels"
    except OSError as error:
        return f"it cannot be opened: {error.strerror or error}"
    except (SyntaxError, ValueError) as error:  # what Pillow's readers raise on a malformed header
        return f"its header is damaged: {error}"
    if width * height > MAX_PIXELS:
        return f"its header declares {width:,} x {height:,} pixels, more than {MAX_PIXELS:,}"
    if kind not in _READ_FORMATS:
        return f"it is a {kind} picture, whatever its name says: convert it to JPEG or PNG"
    return None


def _undecodable(files, color_mode):
    """Return the files that TensorFlow fails to decode."""
    if not files:
        return []

    def decode(index, file):
        return index, tf.shape(decode_file(file, color_mode))

    names = tf.constant([os.fsencode(file) for file in files])
    decoded = tf.data.Dataset.from_tensor_slices((np.arange(len(files)), names))
    decoded = decoded.map(decode, num_parallel_calls=tf.data.AUTOTUNE).ignore_errors().batch(_AT_A_TIME)
    left = np.ones(len(files), bool)
    for indices, _ in decoded:
        left[indices.numpy()] = False
    return [files[index] for index in np.flatnonzero(left)]
