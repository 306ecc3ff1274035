"""One opened import file: streamed, unpacked within bounds, reporting how far it is."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backend.config import Limits
from backend.errors import InputError
from backend.progress import Progress, Silent

GZIP_MAGIC = b"\x1f\x8b"
_ALWAYS_ALLOWED = 2**20  # bytes: a small file of blanks is no attack, whatever its ratio


class Damaged(Exception):
    """The compressed stream ends early or is corrupt; readers turn it into an `InputError` with the record's number."""


@dataclass(frozen=True)
class Source:
    """A file to import.

    Attributes
    ----------
    path : Path
        Where it lies.
    name : str
        What the person calls it; used in messages.
    """

    path: Path
    name: str
    limits: Limits = Limits()
    progress: Progress = Silent()

    @contextmanager
    def open(self) -> Iterator[_Stream]:
        """The file's bytes, unpacked when they are gzip."""
        with self.path.open("rb") as raw:
            packed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            yield _Stream(self, raw, gzip.GzipFile(fileobj=raw) if packed else raw, packed)

    def read(self) -> bytes:
        """All bytes at once, for formats that are small by nature.

        Raises
        ------
        InputError
            When the compressed data are cut short, damaged, or unpack to more than is allowed.
        """
        parts = []
        with self.open() as stream:
            try:
                while part := stream.read(2**18):
                    parts.append(part)
            except Damaged as error:
                raise InputError(f"'{self.name}' {error}.", "Download or export it again, then import the new file.") from error
        return b"".join(parts)

    def head(self, size: int = 2**16) -> bytes:
        """The first bytes, as many as can be unpacked: a damaged end does not hide what the file is."""
        parts: list[bytes] = []
        with self.open() as stream:
            try:
                while sum(map(len, parts)) < size and (part := stream.read(2**12)):
                    parts.append(part)
            except Damaged as error:
                if not parts:
                    raise InputError(f"'{self.name}' {error}.", "Download or export it again, then import the new file.") from error
        return b"".join(parts)[:size]


class _Stream(io.RawIOBase):
    """Counts what comes out, so that a small file cannot unpack without end."""

    def __init__(self, source: Source, raw: IO[bytes], data: Any, packed: bool) -> None:
        self._source, self._raw, self._data, self._packed = source, raw, data, packed
        self._size = source.path.stat().st_size
        self._most = source.limits.unpacked_bytes
        if packed:
            self._most = min(self._most, max(source.limits.unpacked_ratio * self._size, _ALWAYS_ALLOWED))
        self._count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        wanted = 2**18 if size is None or size < 0 else min(size, 2**18)
        self._source.progress.check()
        try:
            part: bytes = self._data.read(wanted)
        except EOFError as error:
            raise Damaged("is cut short: the compressed data end too early") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise Damaged("is damaged: the compressed data cannot be unpacked") from error
        self._count += len(part)
        if self._count > self._most:
            raise InputError(
                f"'{self._source.name}' unpacks to more than {self._most // 2**20:,} MB from {self._size:,} bytes; reading was stopped.",
                "A file like this is damaged or made to exhaust the computer. Export it again, in smaller parts.",
            )
        self._source.progress.update(self._raw.tell(), self._size, f"Reading {self._source.name}")
        return part
