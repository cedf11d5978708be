"""A text file, decoded, with an error that names the line of bad bytes."""

from pathlib import Path

from unitools.core.checks import fail
from unitools.data.text.text_file_error import TextFileError


def read_text(path, encoding):
    """Return the text of a file, without a byte-order mark.

    Args:
        path: Path of the file.
        encoding: Name of a codec.

    Raises:
        FileNotFoundError, IsADirectoryError: There is no such file.
        TextFileError: The file is empty, or holds bytes that are not of that encoding.
        ValueError: There is no such encoding.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"`path` must be a text file. {str(path)!r} is a folder. Give one of its files.")
    if not path.exists():
        raise FileNotFoundError(f"`path` must be a text file. {str(path)!r} does not exist.")
    data = path.read_bytes()
    try:
        text = data.decode(encoding)
    except LookupError:
        fail("encoding", encoding, "the name of a codec", "Common ones are 'utf-8', 'latin-1' and 'utf-16'.")
    except UnicodeDecodeError as error:
        line = 1 + data[: error.start].decode(encoding, "replace").count("\n")
        reason = f"the bytes {data[error.start : error.end].hex(' ')} are not {encoding}"
        raise TextFileError(path, [(line, reason)], "Give `encoding`, or convert the file to UTF-8.") from error
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise TextFileError(path, [(0, "the file is empty")])
    return text


def split_lines(text):
    """Return the lines of a text.

    Not `str.splitlines`, which also splits at form feeds and at Unicode's separators; words may hold those.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")] if "\n" in text else text.split("\r")
    return lines if lines[-1] else lines[:-1]
