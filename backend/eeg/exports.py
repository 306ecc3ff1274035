"""Archives of everything about a patient, written into the data folder until they are fetched; erased with the patient."""

from __future__ import annotations

import os
from pathlib import Path

from backend.config import Config
from backend.eeg.archive import export_patient
from backend.errors import StorageError
from backend.progress import Progress
from backend.storage import Storage
from backend.storage.failures import plain

_PART = ".part"


def write_export(config: Config, storage: Storage, patient: str, progress: Progress) -> Path:
    """Write the archive of a patient, in place of an earlier one; there as a whole or not at all.

    Raises
    ------
    StorageError
        When the disk does not take it.
    Cancelled
        When the person stopped it.
    """
    storage.patients.get(patient)
    path = _path(config, patient)
    part = path.with_suffix(_PART)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            export_patient(config, storage, patient, out, progress)
        os.replace(part, path)
    except OSError as error:
        raise plain(error, str(config.data)) or StorageError(
            f"The archive could not be written: {error.strerror}.", "Check that you may write to the data folder."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def find_export(config: Config, patient: str) -> Path | None:
    """The archive that was written last, if it is still there."""
    path = _path(config, patient)
    return path if path.is_file() else None


def forget_export(config: Config, patient: str) -> None:
    """Erase a patient's archive."""
    _path(config, patient).unlink(missing_ok=True)


def forget_exports(config: Config) -> None:
    """Erase all archives: at each start, so that none outlives what it was written for."""
    folder = _path(config, "x").parent
    for path in folder.glob("*") if folder.is_dir() else ():
        path.unlink(missing_ok=True)


def _path(config: Config, patient: str) -> Path:
    return config.data / "exports" / f"{patient}.zip"
