"""The decoder against Pillow, format by format, and on real photographs."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from unitools.core.layers import decode_image

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (5, 7, 3), dtype=np.uint8)
ALPHA = np.dstack([COLOUR, COLOUR[..., :1]])
PICTURES = {
    "jpeg": (Image.fromarray(COLOUR), "JPEG"),
    "grey jpeg": (Image.fromarray(COLOUR[..., 0]), "JPEG"),
    "cmyk jpeg": (Image.fromarray(COLOUR).convert("CMYK"), "JPEG"),
    "png": (Image.fromarray(COLOUR), "PNG"),
    "alpha png": (Image.fromarray(ALPHA), "PNG"),
    "grey alpha png": (Image.fromarray(COLOUR[..., :2]), "PNG"),
    "palette png": (Image.fromarray(COLOUR).convert("P"), "PNG"),
    "one-bit png": (Image.fromarray(COLOUR).convert("1"), "PNG"),
    "gif": (Image.fromarray(COLOUR).convert("P"), "GIF"),
    "bmp": (Image.fromarray(COLOUR), "BMP"),
    "grey bmp": (Image.fromarray(COLOUR[..., 0]), "BMP"),
    "alpha bmp": (Image.fromarray(ALPHA), "BMP"),
    "palette bmp": (Image.fromarray(COLOUR).convert("P"), "BMP"),
}


def encode(picture, file_format, **options):
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def by_pillow(encoded, mode="RGB"):
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded)))
    pixels = np.asarray(picture.convert("RGB").convert(mode))
    return pixels.reshape(*pixels.shape[:2], -1)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (1, "L")])
def test_equals_pillow(name, channels, mode):
    encoded = encode(*PICTURES[name])
    np.testing.assert_array_equal(decode_image(encoded, channels), by_pillow(encoded, mode))


def test_sixteen_bit_png_keeps_the_high_byte():
    levels = RANDOM.integers(0, 65536, (5, 7)).astype(np.uint16)
    decoded = decode_image(encode(Image.fromarray(levels), "PNG")).numpy()
    np.testing.assert_array_equal(decoded, np.repeat((levels >> 8)[..., None], 3, axis=-1))


def test_animated_gif_gives_its_first_frame():
    first, second = (Image.fromarray(frame).convert("P") for frame in (COLOUR, 255 - COLOUR))
    encoded = encode(first, "GIF", save_all=True, append_images=[second])
    np.testing.assert_array_equal(decode_image(encoded), by_pillow(encoded))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("jfif_first", [True, False])
def test_exif_orientation_is_applied(orientation, jfif_first):
    exif = Image.Exif()
    exif[0x010F] = "maker"
    exif[0x0112] = orientation
    encoded = encode(Image.fromarray(COLOUR), "JPEG", exif=exif)
    if not jfif_first:
        encoded = encoded[:2] + encoded[20:]  # the JFIF segment takes bytes 2 to 19
        assert encoded[2:4] == b"\xff\xe1"
    np.testing.assert_array_equal(decode_image(encoded), by_pillow(encoded))


def test_big_endian_exif():
    header = b"\xff\xe1\x00\x22Exif\0\0MM\x00\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    plain = encode(Image.fromarray(COLOUR), "JPEG")
    encoded = plain[:2] + header + plain[2:]
    assert decode_image(encoded).shape == (7, 5, 3)
    np.testing.assert_array_equal(decode_image(encoded), by_pillow(encoded))


def test_real_photographs_equal_pillow(shared_data):
    files = sorted(shared_data("flower_photos").glob("val/*/*.jpg"))[::30]
    assert files
    for file in files:
        np.testing.assert_array_equal(decode_image(file.read_bytes()), by_pillow(file.read_bytes()))


def test_runs_inside_tf_data():
    encoded = [encode(*PICTURES[name]) for name in ("jpeg", "palette bmp", "gif")]
    pipeline = tf.data.Dataset.from_tensor_slices(encoded).map(decode_image)
    assert pipeline.element_spec.shape.as_list() == [None, None, 3]
    for one, decoded in zip(encoded, pipeline, strict=True):
        np.testing.assert_array_equal(decoded, by_pillow(one))


@pytest.mark.parametrize("encoded", [b"", b"x", b"a text file named .jpg", encode(*PICTURES["png"])[:40]])
def test_what_is_no_picture_is_an_error(encoded):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(encoded)


def test_truncated_photograph_is_an_error():
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(encode(Image.fromarray(COLOUR).resize((64, 64)), "JPEG")[:500])


def test_channels_are_one_or_three():
    with pytest.raises(ValueError, match=r"`channels` must be one of 1, 3. Received channels=2"):
        decode_image(b"", 2)
