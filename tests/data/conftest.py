"""Picture files of every good and bad kind, made on the fly."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image


def photo(height=24, width=32, seed=0):
    """Return a smooth colour picture, uint8: JPEG keeps it well."""
    random = np.random.default_rng(seed)
    corners = random.uniform(20, 235, (2, 2, 3))
    rows, columns = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    top = corners[0, 0] * (1 - columns) + corners[0, 1] * columns
    bottom = corners[1, 0] * (1 - columns) + corners[1, 1] * columns
    return (top * (1 - rows) + bottom * rows).astype(np.uint8)


def bomb_png(width=60_000, height=60_000):
    """Return a PNG whose header declares a picture that its data do not hold."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bomb_jpeg(jpeg, width=60_000, height=60_000):
    """Return a JPEG's bytes with other sizes in its frame header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def bomb_gif(gif, width=60_000, height=60_000):
    """Return a GIF's bytes with other sizes in its screen and image descriptors."""
    at = gif.index(b"\x2c", 13 + 3 * 2 ** ((gif[10] & 7) + 1)) + 5
    size = struct.pack("<HH", width, height)
    return gif[:6] + size + gif[10:at] + size + gif[at + 4 :]


def bomb_bmp(bmp, width=60_000, height=60_000):
    """Return a BMP's bytes with other sizes in its header."""
    return bmp[:18] + struct.pack("<ii", width, height) + bmp[26:]


@pytest.fixture
def class_folders(tmp_path):
    """Return a folder with classes `one` and `two` of four JPEGs each."""
    for label, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.fromarray(photo(seed=10 * label + number)).save(tmp_path / name / f"{number}.jpg", quality=95)
    return tmp_path
