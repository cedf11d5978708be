"""What a picture declares, against what Pillow reads."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, features

import unitools as ut
from unitools.serving.models.arrays import MAX_PIXELS
from unitools.serving.models.picture_pixels import declared_pixels

FORMATS = [
    ("PNG", {}),
    ("GIF", {}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "comment": b"\xff\xc0 no frame", "dpi": (72, 72)}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"lossless": False}),
    ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
]


def written(kind, size=(37, 23), **options):
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "options"), FORMATS, ids=range(len(FORMATS)))
def test_sizes(kind, options):
    if kind == "WEBP" and not features.check("webp"):
        pytest.skip("this Pillow writes no WebP")
    factor = 2 if kind == "GIF" else 1  # the canvas, and its one frame
    assert declared_pixels(written(kind, **options)) == factor * 37 * 23


@pytest.mark.parametrize(("kind", "options"), FORMATS, ids=range(len(FORMATS)))
def test_files_that_are_cut_off_anywhere(kind, options):
    if kind == "WEBP" and not features.check("webp"):
        pytest.skip("this Pillow writes no WebP")
    content = written(kind, **options)
    for end in range(min(len(content), 1200)):
        assert declared_pixels(content[:end]) in (0, 37 * 23, 2 * 37 * 23)


def test_other_bytes():
    random = np.random.default_rng(2)
    for start in (b"", b"text", b"\xff\xd8", b"GIF89a", b"RIFF", b"\x89PNG\r\n\x1a\n"):
        for _ in range(50):
            assert declared_pixels(start + random.bytes(200)) >= 0


def test_all_frames_of_a_gif_count():
    frames = [Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30), np.uint8)) for seed in range(5)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], optimize=False)
    with Image.open(io.BytesIO(stream.getvalue())) as read:
        assert read.n_frames == 5
    assert declared_pixels(stream.getvalue()) == 6 * 600


def bombs():
    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    yield b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + bytes(4)
    yield b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 20000, 20000) + b"\x03"
    yield b"\xff\xd8 garbage \xff\xff\xc2\x00\x11\x08" + struct.pack(">HH", 20000, 20000) + b"\x03"
    yield b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"\x2c" + struct.pack("<HHHHB", 0, 0, 20000, 20000, 0)
    yield b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 16000 | 16000 << 14)


@pytest.mark.parametrize("content", list(bombs()), ids=["png", "jpeg", "jpeg with garbage", "gif frame", "webp"])
def test_bombs_are_refused(exports, content):
    assert declared_pixels(content) > MAX_PIXELS
    with pytest.raises(ut.serving.RequestError, match="pixels") as refused:
        ut.serving.Predictor(exports / "pictures" / "1").predict({"image_bytes": [content]})
    assert refused.value.status == 400
