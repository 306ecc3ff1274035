"""Takes a recording in: looked at first, agreed to, copied without identifiers, and then there as a whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from backend.config import Config
from backend.eeg import store
from backend.eeg.channels import may_keep
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.formats import TableOptions, open_source
from backend.eeg.identifiers import person_like
from backend.eeg.recording import Inspection, Source
from backend.eeg.signal import recordings_folder
from backend.errors import InputError, StorageError
from backend.log import log
from backend.progress import Progress, Silent
from backend.storage import Storage
from backend.storage.failures import plain
from backend.storage.recordings import Recording
from backend.storage.rows import new_id
from backend.storage.tables import now

_DRAFT = ".draft-"
_LOCK = "lock"
_YOUNG_S = 5.0


@dataclass(frozen=True)
class Looked:
    """What an import would take in: `inspection` is None when nothing of the file can be read; `diagnoses` say why."""

    inspection: Inspection | None
    diagnoses: tuple[Diagnosis, ...]

    @property
    def repairs(self) -> tuple[str, ...]:
        return self.inspection.repairs if self.inspection else ()


def look(path: Path, options: TableOptions | None = None, config: Config | None = None, progress: Progress | None = None) -> Looked:
    """Everything that is known of a file before it is taken in; keeps nothing.

    Raises
    ------
    InputError
        When the file cannot be opened at all.
    """
    with open_source(path, options, config.limits if config else None, progress) as opened:
        return Looked(opened.source.inspection if opened.source else None, opened.diagnoses)


def import_recording(
    config: Config,
    storage: Storage,
    visit: str,
    path: Path,
    *,
    repairs: Collection[str] = (),
    name: str = "",
    options: TableOptions | None = None,
    annotations: bool = True,
    progress: Progress | None = None,
) -> Recording:
    """Take a recording in.

    Only what `backend.eeg.store.Meta` and `Recording` name is written: values, channels, times, marks. Nothing else of the file's
    header is, nor its path, nor its name, unless that is given as `name`.

    Parameters
    ----------
    repairs : collection of str
        The words of the repairs that the person agreed to; see `Looked.repairs`.
    name : str
        What to call it; '' numbers it within the visit.
    annotations : bool
        Whether the marks of the file are kept.

    Raises
    ------
    InputError
        When nothing can be read, a repair was not agreed to, or the same file is there already.
    StorageError
        When the disk or the database does not take it. Nothing of it is kept then.
    Cancelled
        When the person stopped it. Nothing of it is kept then.
    """
    progress = progress or Silent()
    of = storage.patients.visit(visit)
    sweep(config, storage)
    with open_source(path, options, config.limits, progress) as opened:
        if opened.source is None:
            raise _refusal(opened.refusal)
        source = opened.source
        inspection = source.inspection
        if missing := [found for found in inspection.diagnoses if found.level == "repair" and found.word not in repairs]:
            told = " ".join(f"{found.sentence} Repair '{found.word}': {found.repair}" for found in missing)
            raise InputError(f"The recording has faults. {told}", "Agree to the repair, or export the recording again.")
        digest = _digest(Path(path), progress)
        for twin in storage.recordings.list(patient=of.patient, sha256=digest):
            raise InputError(f"This file is already there, as '{twin.name}'.", "Delete that one first, or open it.")
        if not name:
            name = f"Recording {len(storage.recordings.list(visit=visit)) + 1}"
        if not annotations:
            inspection = replace(inspection, marks=())
        try:
            recording = _keep(config, storage, source, inspection, (visit, name, digest), progress)
        except Refused as refused:
            raise _refusal(refused.diagnosis) from None
        except OSError as error:
            raise plain(error, str(config.data)) or StorageError(
                f"The recording could not be kept: {error.strerror}.", "Check that you may write to the data folder."
            ) from error
    log().info("recording.imported", format=inspection.format, count=len(inspection.channels))
    return recording


def import_source(config: Config, storage: Storage, visit: str, source: Source, name: str, sha256: str, progress: Progress) -> Recording:
    """Take in signals that come from no file of the person's: published trials, or a simulation; kept on the same road as any other.

    Parameters
    ----------
    sha256 : str
        What is known again as the same recording.
    """
    storage.patients.visit(visit)
    try:
        return _keep(config, storage, source, source.inspection, (visit, name, sha256), progress)
    except OSError as error:
        raise plain(error, str(config.data)) or StorageError(
            f"The recording could not be kept: {error.strerror}.", "Check that you may write to the data folder."
        ) from error


def suggest_name(filename: str) -> str:
    """The file's own name without its extension, if nothing in it can name a person; else ''."""
    stem = Path(filename).name.split(".")[0].replace("_", " ").replace("-", " ")
    return stem if may_keep(stem) and not person_like(stem) else ""


@contextmanager
def received(config: Config, files: Mapping[str, IO[bytes]]) -> Iterator[Path]:
    """Put files that came through the browser side by side for as long as they are imported; gives the path of the first.

    Parameters
    ----------
    files : mapping of str to binary file
        By name; the recording or its header first, its other parts after it.
    """
    with _draft(config, new_id()) as folder:
        paths = []
        for name, file in files.items():
            path = folder / Path(name.replace("\\", "/")).name
            with path.open("wb") as out:
                shutil.copyfileobj(file, out, 2**20)
            paths.append(path)
        if not paths:
            raise InputError("No file was given.", "Drop a recording.")
        yield paths[0]


def sweep(config: Config, storage: Storage) -> int:
    """Remove what interrupted imports left behind; returns how many there were. Safe while others import."""
    folder = recordings_folder(config)
    removed = 0
    for path in folder.glob(f"{_DRAFT}*") if folder.is_dir() else ():
        try:
            if time.time() - path.stat().st_mtime < _YOUNG_S:
                continue  # its lock may not be taken yet
            with FileLock(path / _LOCK, timeout=0):
                pass
        except (Timeout, OSError):
            continue  # at work in another process or thread
        id = path.name.removeprefix(_DRAFT)
        if not storage.recordings.has(id):  # it died after the signals were in their place and before the database knew
            shutil.rmtree(folder / id, ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
        removed += 1
    return removed


def _keep(
    config: Config, storage: Storage, source: Source, inspection: Inspection, about: tuple[str, str, str], progress: Progress
) -> Recording:
    visit, name, digest = about
    id = new_id()
    final = recordings_folder(config) / id
    with _draft(config, id) as draft:
        inner = draft / "signals"
        inner.mkdir()
        _, found = store.write(inner, source, progress)
        progress.check()
        recording = Recording(
            id=id,
            visit=visit,
            name=name,
            sha256=digest,
            format=inspection.format,
            duration_s=inspection.duration_s,
            channels=tuple(asdict(channel) for channel in inspection.channels),
            diagnoses=tuple(one.json() for one in (*inspection.diagnoses, *found)),
            gaps=inspection.gaps,
            created=now(),
        )
        os.replace(inner, final)
        try:
            marks = [(mark.onset_s, mark.duration_s, mark.label, mark.channels) for mark in inspection.marks]
            return storage.recordings.add(recording, marks)
        except BaseException:
            shutil.rmtree(final, ignore_errors=True)
            raise


@contextmanager
def _draft(config: Config, id: str) -> Iterator[Path]:
    """A folder that is removed at the end, and by the next `sweep` should this process die before."""
    folder = recordings_folder(config) / f"{_DRAFT}{id}"
    folder.mkdir(parents=True)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        whole = os.fstat(file.fileno()).st_size
        while piece := file.read(2**22):
            progress.check()
            progress.update(file.tell(), whole, "Comparing with what is there already")
            digest.update(piece)
    return digest.hexdigest()


def _refusal(diagnosis: Diagnosis | None) -> InputError:
    if diagnosis is None:
        return InputError("The recording cannot be read.", "Export it again.")
    return InputError(diagnosis.sentence, diagnosis.repair)
