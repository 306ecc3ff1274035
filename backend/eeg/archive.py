"""What is done with all that is kept of a patient: erased, rows and signals; or handed out as one archive."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np

from backend.config import Config
from backend.domain import Json
from backend.eeg import store
from backend.eeg.edf_writer import can_write, write_edf
from backend.eeg.inputs import recordings_of
from backend.eeg.signal import Signal, open_recording, recordings_folder
from backend.errors import StorageError
from backend.progress import Progress, Silent
from backend.storage import Storage
from backend.storage.recordings import Recording, StoredAnnotation
from backend.tasks import tasks

_MOST_RUNS = 1_000_000
_README = """One patient, as kept by Bioloom.

patient.json                 pseudonym, note, consent, visits, recordings with channels, diagnoses and gaps
runs/ID.json                 saved results that were made of these recordings, with their explanations
recordings/ID/facts.json       what was decided or measured: bad channels, channel map, cleaning
recordings/ID/annotations.csv  marks: seconds from the beginning, duration, label, channels, from the file or set by a person
recordings/ID/signals.edf|bdf  the amplifier's own numbers, if the recording came from EDF or BDF
recordings/ID/signals-N.npy    else: one array of float32 for each sampling rate, channels by samples, in the units of meta.json,
                             segments one after the other
recordings/ID/meta.json        channels, rates, segments (start_s, duration_s), rows of the arrays (groups)
"""


def delete_recording(config: Config, storage: Storage, id: str) -> None:
    """Erase a recording: its signals, overview, annotations, the runs that were made of it, and its row."""
    storage.recordings.get(id)
    _erase(config, storage, [id])
    storage.recordings.delete(id)


def delete_visit(config: Config, storage: Storage, id: str) -> None:
    """Erase a visit with all its recordings."""
    storage.patients.visit(id)
    _erase(config, storage, [recording.id for recording in storage.recordings.list(visit=id)])
    storage.patients.delete_visit(id)


def delete_patient(config: Config, storage: Storage, id: str) -> None:
    """Erase a patient with all visits and recordings. Files go first: should this be cut off, the row still says what to repeat."""
    storage.patients.get(id)
    _erase(config, storage, [recording.id for recording in storage.recordings.list(patient=id)])
    storage.calibrations.delete_using(patient=id)
    storage.patients.delete(id)


def export_patient(config: Config, storage: Storage, id: str, out: IO[bytes], progress: Progress | None = None) -> None:
    """Write everything about a patient as a ZIP archive; its README says what is in it."""
    progress = progress or Silent()
    patient = storage.patients.get(id)
    recordings = storage.recordings.list(patient=id)
    about = {
        "patient": asdict(patient),
        "visits": [asdict(visit) for visit in storage.patients.visits(id)],
        "recordings": [asdict(recording) for recording in recordings],
        "facts": storage.patients.facts(id),
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("README.txt", _README)
        archive.writestr("patient.json", _json(about))
        for n, recording in enumerate(recordings):
            progress.check()
            progress.update(n, len(recordings), f"Writing {recording.name}")
            _add(archive, config, recording, list(storage.recordings.annotations(recording.id)))
            archive.writestr(f"recordings/{recording.id}/facts.json", _json(storage.recordings.facts(recording.id)))
        for run in runs_of(storage, [recording.id for recording in recordings]):
            archive.writestr(f"runs/{run}.json", _json(storage.runs.export(run)))


def _json(data: Json) -> str:
    return json.dumps(data, indent=1, default=str, ensure_ascii=False)


def _add(archive: zipfile.ZipFile, config: Config, recording: Recording, marks: list[StoredAnnotation]) -> None:
    folder = f"recordings/{recording.id}"
    archive.writestr(f"{folder}/annotations.csv", annotations_csv(marks))
    signal = open_recording(config, recording.id)
    archive.write(signal.folder / store.META, f"{folder}/{store.META}")
    if can_write(signal):
        with tempfile.TemporaryFile(dir=recordings_folder(config)) as whole:
            write_edf(signal, marks, whole)
            whole.seek(0)
            suffix = "bdf" if signal.meta.dtype == "int32" else "edf"
            with archive.open(f"{folder}/signals.{suffix}", "w", force_zip64=True) as target:
                shutil.copyfileobj(whole, target, 2**20)
        return
    for n in range(len(signal.meta.groups)):
        with archive.open(f"{folder}/signals-{n}.npy", "w", force_zip64=True) as target:
            _write_array(signal, n, target)


def annotations_csv(marks: list[StoredAnnotation]) -> str:
    """Marks as CSV; a label that a spreadsheet would run as a formula is led by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["onset_s", "duration_s", "label", "channels", "origin"])
    for mark in marks:
        label = f"'{mark.label}" if mark.label[:1] in ("=", "+", "-", "@") else mark.label
        writer.writerow([f"{mark.onset_s:g}", f"{mark.duration_s:g}", label, " ".join(mark.channels), mark.origin])
    return text.getvalue()


def _write_array(signal: Signal, group: int, target: IO[bytes]) -> None:
    values = store.open_group(signal.folder, signal.meta, group)
    header = {"descr": "<f4", "fortran_order": False, "shape": values.shape}
    np.lib.format.write_array_header_1_0(target, header)  # type: ignore[arg-type]
    for row, channel in enumerate(signal.meta.groups[group].channels):
        of = signal.channels[channel]
        target.write((values[row] * of.gain + of.offset).astype("<f4").tobytes())


def runs_of(storage: Storage, recordings: Collection[str]) -> list[str]:
    """Ids of the saved runs that were made of any of these recordings, their explanations and replays not counted."""
    wanted = set(recordings)
    found: list[str] = []
    for task in (name for name, known in tasks().items() if known.modality == "eeg"):
        rows = storage.runs.list(task=task, limit=_MOST_RUNS)
        found += [row.id for row in rows if wanted & set(recordings_of(storage.runs.get(row.id).input))]
    return found


def _erase(config: Config, storage: Storage, ids: list[str]) -> None:
    """Erase what hangs on recordings outside their rows: runs, decoders, whoever's, then signals."""
    runs = runs_of(storage, ids)
    storage.jobs.forget([*runs, *ids], [storage.recordings.get(id).name for id in ids])
    for run in runs:
        storage.runs.delete(run)
    for id in ids:
        storage.calibrations.delete_using(recording=id)
        folder: Path = recordings_folder(config) / id
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
        except OSError as error:
            raise StorageError(
                f"The signals could not be erased: {error.strerror}.", "Close what has them open, then delete it again."
            ) from error
