"""Files that a person gave: kept once under their digest, so that a run can be computed again from the very same bytes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backend.config import Config
from backend.errors import InputError, StorageError


@dataclass(frozen=True)
class Kept:
    """A kept file: its SHA-256 in hexadecimal, the name that the person's file had, bytes, and where it lies."""

    sha256: str
    name: str
    bytes: int
    path: Path


class Files:
    """The folder of kept files."""

    def __init__(self, config: Config) -> None:
        self._folder = config.uploads / "files"
        self._limit = config.limits.upload_bytes

    def keep(self, path: Path, name: str = "") -> Kept:
        """Copy a file in, unless the same bytes are there already.

        Raises
        ------
        InputError
            When it cannot be read or is larger than allowed.
        StorageError
            When the disk does not take it.
        """
        path = Path(path)
        try:
            if path.is_dir():
                raise InputError(f"{path} is a folder.", "Choose a file in it.")
            size = path.stat().st_size
            if size > self._limit:
                raise InputError(
                    f"{path.name} has {size / 1e6:,.0f} MB; at most {self._limit / 1e6:,.0f} MB are read.", "Split it into parts."
                )
            with path.open("rb") as source:
                return self._store(name or path.name, lambda out, digest: _copy(source, out, digest))
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path and your right to read it.") from error

    def put(self, data: bytes | memoryview, name: str) -> Kept:
        """Keep bytes that are in memory already: an upload, a pasted text."""
        if len(data) > self._limit:
            raise self._too_large(name, len(data))

        def write(out: IO[bytes], digest: hashlib._Hash) -> None:
            out.write(data)
            digest.update(data)

        return self._store(name, write)

    def path(self, sha256: str) -> Path:
        """Where the kept file of that digest lies.

        Raises
        ------
        InputError
            When it is not kept here.
        """
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise InputError("That is not the digest of a kept file.", "Choose the file again.")
        path = self._folder / sha256
        if not path.is_file():
            raise InputError("The file of this run is no longer kept on this machine.", "Choose the file again.")
        return path

    def _too_large(self, name: str, size: int) -> InputError:
        return InputError(f"{name} has {size / 1e6:,.0f} MB; at most {self._limit / 1e6:,.0f} MB are read.", "Split it into parts.")

    def _store(self, name: str, write: Callable[[IO[bytes], hashlib._Hash], None]) -> Kept:
        digest = hashlib.sha256()
        draft = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as out:
                draft = out.name
                write(out, digest)
                size = out.tell()
            path = self._folder / digest.hexdigest()
            os.replace(draft, path)
        except OSError as error:
            if draft:
                Path(draft).unlink(missing_ok=True)
            raise StorageError(f"'{name}' could not be kept: {error.strerror}.", "Free some space on the disk, then try again.") from error
        return Kept(digest.hexdigest(), Path(name).name, size, path)


def _copy(source: IO[bytes], out: IO[bytes], digest: hashlib._Hash) -> None:
    while piece := source.read(1 << 20):
        digest.update(piece)
        out.write(piece)
