"""A file's bytes as text that can be scanned: unpacked within bounds, byte order and line ends made one, and all of it told."""

from __future__ import annotations

import codecs
import mmap
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from backend.config import Limits
from backend.errors import InputError, StorageError
from backend.sequences.formats.scan import BLOCK

GZIP = b"\x1f\x8b"
_PIECE = 1 << 20
_ALWAYS_ALLOWED = 1 << 20  # bytes: a small file of one letter is no attack, whatever its ratio
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Unpacked:
    """Bytes of a file.

    Attributes
    ----------
    buffer : numpy.ndarray
        uint8; of a large file a view of the disk, not a copy in memory.
    notes : tuple of str
        What had to be done to get at it.
    cut : bool
        True when the packed data end early, so that the last record is not whole.
    """

    buffer: np.ndarray
    notes: tuple[str, ...] = ()
    cut: bool = False

    def head(self, size: int = 1 << 16) -> bytes:
        return self.buffer[:size].tobytes()


def unpack(path: Path, name: str, limits: Limits) -> Unpacked:
    """Open a file, unpacking gzip.

    Raises
    ------
    InputError
        When it cannot be opened, is damaged, or unpacks to more than is allowed.
    """
    try:
        if path.is_dir():
            raise InputError(f"'{name}' is a folder, not a sequence file.", "Choose a file in it.")
        size = path.stat().st_size
        if size > limits.upload_bytes:
            raise InputError(
                f"'{name}' has {size / 1e6:,.0f} MB; at most {limits.upload_bytes / 1e6:,.0f} MB are read.", "Split it into parts."
            )
        with path.open("rb") as file:
            if file.read(2) != GZIP:
                return Unpacked(_mapped(file, size))
            file.seek(0)
            return _gunzip(file, name, size, limits)
    except OSError as error:
        raise InputError(f"'{name}' cannot be read: {error.strerror or error}.", "Check the path and your right to read it.") from error


def as_text(raw: Unpacked) -> Unpacked:
    """The same as UTF-8 with line feeds: byte order marks, UTF-16 and carriage returns are told as notes."""
    buffer, notes = raw.buffer, list(raw.notes)
    head = raw.head(4096)
    coding = next((coding for mark, coding in _BOMS if head.startswith(mark)), None) or _unmarked(head)
    if coding:
        text = buffer.tobytes().decode(coding, "replace").removeprefix("\ufeff")
        buffer = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
        notes.append(f"The text is written in {coding.upper().replace('-LE', '').replace('-BE', '')} and was read as such.")
    elif head.startswith(codecs.BOM_UTF8):
        buffer = buffer[3:]
        notes.append("A byte order mark at the very beginning was left out.")
    lone = _lone_returns(buffer)
    if lone:
        buffer = _with_line_feeds(buffer)
        ends = "line ends" if lone == 1 else "lines end"
        notes.append(f"{lone:,} {ends} in a carriage return alone, as on old Macintosh computers; read as line ends.")
    return Unpacked(buffer, tuple(notes), raw.cut)


def _mapped(file: IO[bytes], size: int) -> np.ndarray:
    if size <= _PIECE:
        file.seek(0)
        return np.frombuffer(file.read(), dtype=np.uint8)
    return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)


def _gunzip(file: IO[bytes], name: str, size: int, limits: Limits) -> Unpacked:
    most = min(limits.unpacked_bytes, max(limits.unpacked_ratio * size, _ALWAYS_ALLOWED))
    notes, cut, total = ["The file is packed with gzip; it was unpacked."], False, 0
    try:
        out = tempfile.TemporaryFile()  # noqa: SIM115 - the map of it lives on
        engine = zlib.decompressobj(wbits=31)
        pending = file.read(_PIECE)
        while True:
            if engine.eof:
                rest = engine.unused_data.lstrip(b"\0") or _next_data(file)
                if not rest:
                    break
                if len(rest) < 2:
                    rest += file.read(_PIECE)
                if not rest.startswith(GZIP):
                    notes.append("Bytes after the end of the packed data are no gzip; they were not read.")
                    break
                engine, pending = zlib.decompressobj(wbits=31), rest
            piece = engine.decompress(engine.unconsumed_tail or pending, _PIECE)
            total += len(piece)
            if total > most:
                raise InputError(
                    f"'{name}' unpacks to more than {most / 1e6:,.0f} MB from {size / 1e6:,.3g} MB; reading was stopped.",
                    "A file like this is damaged or made to exhaust the computer. Pack it again, in smaller parts.",
                )
            out.write(piece)
            if not engine.eof and not engine.unconsumed_tail:
                pending = file.read(_PIECE)
                if not pending:
                    cut = True
                    break
        out.flush()
        buffer = _mapped(out, total) if total else np.zeros(0, dtype=np.uint8)
        out.close()
    except zlib.error as error:
        raise InputError(
            f"'{name}' is damaged: its packed data cannot be unpacked beyond {total / 1e6:,.3g} MB.", "Copy or download it again."
        ) from error
    except OSError as error:
        raise StorageError(
            f"'{name}' could not be unpacked: {error.strerror}.", f"Free some space in {tempfile.gettempdir()}, then try again."
        ) from error
    if cut:
        notes.append("The packed data end too early: the file was cut short, and its last record is not whole.")
    return Unpacked(buffer, tuple(notes), cut)


def _next_data(file: IO[bytes]) -> bytes:
    """What follows the padding of zeros after a packed part."""
    while piece := file.read(_PIECE):
        if piece := piece.lstrip(b"\0"):
            return piece
    return b""


def _unmarked(head: bytes) -> str | None:
    """UTF-16 without its mark: every second byte of plain letters is zero."""
    if len(head) < 4 or head.count(0) < len(head) // 3:
        return None
    even, odd = head[0::2], head[1::2]
    if odd.count(0) > 0.9 * len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.9 * len(even) and not odd.count(0) else None


def _lone_returns(buffer: np.ndarray) -> int:
    count = 0
    for at in range(0, len(buffer), BLOCK):
        part = buffer[at : at + BLOCK + 1]
        returns = part[: min(BLOCK, len(buffer) - at)] == 13
        if returns.any():
            followed = np.zeros(len(returns), dtype=bool)
            following = part[1:] == 10
            followed[: len(following)] = following[: len(followed)]
            count += int(np.count_nonzero(returns & ~followed))
    return count


def _with_line_feeds(buffer: np.ndarray) -> np.ndarray:
    changed = buffer.copy()
    lone = changed == 13
    lone[:-1] &= changed[1:] != 10
    changed[lone] = 10
    return changed


def to_file(raw: Unpacked, suffix: str) -> Path:
    """The bytes as a file with a name, for readers that want one; the caller removes it."""
    handle, path = tempfile.mkstemp(suffix=suffix)
    with os.fdopen(handle, "wb") as out:
        out.write(raw.buffer.data)
    return Path(path)
