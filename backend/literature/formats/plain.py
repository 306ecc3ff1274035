"""Bytes of a text file to characters: encodings, byte order marks, line ends."""

from __future__ import annotations

from backend.errors import InputError
from backend.literature.formats.compose import strip_controls
from backend.literature.formats.source import Source


def decode(data: bytes) -> str | None:
    """Text of `data` (UTF-8, UTF-16 with or without mark, else Latin-1/Windows-1252), None when it is no text at all."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    for encoding, zeros in (("utf-16-le", data[1:512:2]), ("utf-16-be", data[:512:2])):
        if len(zeros) > 4 and zeros.count(0) > 0.7 * len(zeros):
            return data.decode(encoding, "replace")
    strange = sum(byte < 9 or 13 < byte < 28 for byte in data[:4096])
    if strange > 0.05 * len(data[:4096]):
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8-sig")
        return data.decode("cp1252", "replace")


def read_text(source: Source) -> str:
    """All text of a file, line ends ``\\n``, without control characters.

    Raises
    ------
    InputError
        When the file holds no text.
    """
    text = decode(source.read())
    if text is None:
        raise InputError(f"'{source.name}' does not hold text.", "Check that it is the file you meant.")
    return strip_controls(text)
