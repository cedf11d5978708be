"""How many pixels a picture file declares, read from its headers without decoding it."""

import struct

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset([0x01, *range(0xD0, 0xD9)])


def declared_pixels(content: bytes) -> int:
    """Return width times height, over all frames of a GIF; 0 where this is no PNG, JPEG, GIF or WebP, or is cut off.

    Why: a file of some kilobytes can declare gigabytes, and a decoder sets them aside before it has read the data. A
    BMP is left out: its data are as large as its pixels.

    Args:
        content: The bytes of a file, or of anything else.
    """
    for sign, read in _READERS.items():
        if content.startswith(sign):
            try:
                return read(content)
            except (struct.error, IndexError):
                return 0
    return 0


def _png(content):
    width, height = struct.unpack_from(">II", content, 16)
    return width * height


def _jpeg(content):
    place = 2
    while True:
        # As libjpeg does: whatever stands between two markers is passed over.
        place = content.find(b"\xff", place)
        if place < 0:
            return 0
        while content[place] == 0xFF:
            place += 1
        marker = content[place]
        place += 1
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", content, place + 3)
            return width * height
        if marker and marker not in _ALONE:
            place += struct.unpack_from(">H", content, place)[0]


def _gif(content):
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    pixels, place = width * height, 13 + _table(flags)
    try:
        while True:
            kind = content[place]
            if kind == 0x2C:
                width, height, flags = struct.unpack_from("<HHB", content, place + 5)
                pixels += width * height
                place += 11 + _table(flags)
            elif kind == 0x21:
                place += 2
            else:
                return pixels
            while content[place]:
                place += 1 + content[place]
            place += 1
    except (struct.error, IndexError):  # cut off: what was seen counts
        return pixels


def _table(flags):
    """Return the bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp(content):
    kind = content[12:16]
    if kind == b"VP8X" and len(content) >= 30:
        return (int.from_bytes(content[24:27], "little") + 1) * (int.from_bytes(content[27:30], "little") + 1)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return (width & 0x3FFF) * (height & 0x3FFF)
    return 0


_READERS = {b"\x89PNG\r\n\x1a\n": _png, b"\xff\xd8": _jpeg, b"GIF87a": _gif, b"GIF89a": _gif, b"RIFF": _webp}
