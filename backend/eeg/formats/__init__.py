"""Opens a recording of any format that is read, whatever it is called, packed or not."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, cast

from backend.config import Limits
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.formats.options import TableOptions
from backend.eeg.formats.sniff import EXTENSIONS, READ, Format, sniff
from backend.eeg.recording import Inspection, Source
from backend.errors import InputError
from backend.progress import Progress, Silent

__all__ = ["READ", "Opened", "TableOptions", "open_source"]

_ALWAYS_ALLOWED = 2**20  # bytes: a small file of zeros is no attack, whatever its ratio


@dataclass(frozen=True)
class Opened:
    """A file and what is known of it: `source` is None when nothing of it can be read; then `refusal` says why."""

    source: Source | None
    refusal: Diagnosis | None = None

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        if self.source is not None:
            return self.source.inspection.diagnoses
        return (self.refusal,) if self.refusal else ()


@contextmanager
def open_source(
    path: Path, options: TableOptions | None = None, limits: Limits | None = None, progress: Progress | None = None
) -> Iterator[Opened]:
    """Open a recording and read all of it but the signals.

    Parameters
    ----------
    path : Path
        The file; of formats in several parts the header (.vhdr, .set), with the others beside it.

    Raises
    ------
    InputError
        When the file cannot be opened at all.
    """
    path, progress = Path(path), progress or Silent()
    try:
        if path.is_dir():
            raise InputError(f"{path.name} is a folder.", "Choose a recording in it.")
        with path.open("rb") as raw:
            try:
                with _unpacked(raw, path.stat().st_size, limits or Limits(), progress) as (file, size, notes):
                    yield Opened(_Noted(_open(path, file, size, options or TableOptions(), notes, progress), tuple(notes)))
            except Refused as refused:
                yield Opened(None, refused.diagnosis)
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.strerror or 'unknown fault'}.", "Check the path and your right to read it."
        ) from error


@dataclass(frozen=True)
class _Noted:
    """A source with what was noted before its reader began."""

    inner: Source
    notes: tuple[Diagnosis, ...]

    @property
    def inspection(self) -> Inspection:
        found = self.inner.inspection
        return replace(found, diagnoses=(*self.notes, *found.diagnoses))

    @property
    def dtype(self) -> str:
        return self.inner.dtype

    @property
    def record_s(self) -> float:
        return self.inner.record_s

    def blocks(self, progress: Progress) -> Iterator:  # type: ignore[type-arg]
        return self.inner.blocks(progress)


def _open(path: Path, file: BinaryIO, size: int, options: TableOptions, notes: list[Diagnosis], progress: Progress) -> Source:
    file.seek(0)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = bool(notes)
    suffix = suffixes[-2] if packed and len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    format: Format = sniff(file.read(4096), suffix)
    if suffix not in EXTENSIONS[format]:
        shown = suffix if suffix.isascii() and len(suffix) <= 6 else "other"
        text = f"The extension is '{shown}', the content is {_NAMES[format]}; the content is believed."
        notes.append(Diagnosis("wrong-extension", "file", text))
    if format == "edf":
        from backend.eeg.formats.edf import open_edf

        return open_edf(file, size, progress)
    if format == "table":
        from backend.eeg.formats.table import open_table

        return open_table(file, size, options, progress)
    if packed:
        raise Refused("unsupported", "file", f"A packed {_NAMES[format]} recording is not read.", "Unpack it first.")
    from backend.eeg.formats.with_mne import open_with_mne

    return open_with_mne(path, format)


_NAMES: dict[Format, str] = {
    "edf": "EDF or BDF",
    "brainvision": "BrainVision",
    "eeglab": "EEGLAB",
    "fif": "FIF",
    "table": "a table of numbers",
}


@contextmanager
def _unpacked(raw: IO[bytes], size: int, limits: Limits, progress: Progress) -> Iterator[tuple[BinaryIO, int, list[Diagnosis]]]:
    """The bytes themselves; packed ones are unpacked into a nameless file, which is gone when the process is."""
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if not packed:
        yield cast(BinaryIO, raw), size, []
        return
    most = max(min(limits.unpacked_bytes, limits.unpacked_ratio * size), _ALWAYS_ALLOWED)
    with tempfile.TemporaryFile() as out, gzip.GzipFile(fileobj=raw) as unpacking:
        try:
            while part := unpacking.read(2**20):
                progress.check()
                progress.update(raw.tell(), size, "Unpacking")
                out.write(part)
                if out.tell() > most:
                    text = f"It unpacks to more than {most // 2**20:,} MB from {size:,} bytes; unpacking was stopped."
                    raise Refused("packed-damaged", "file", text, "Unpack it yourself, then choose the recording in it.")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Refused("packed-damaged", "file", "The packed file is cut short or damaged.", "Copy it again.") from error
        yield cast(BinaryIO, out), out.tell(), [Diagnosis("packed", "file", "The file is packed (gzip); it was unpacked to be read.")]
