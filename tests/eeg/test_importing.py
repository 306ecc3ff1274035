"""An import is there as a whole or not at all, whatever stops it; what is deleted is gone; what is exported can be read again."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.config import Config
from backend.eeg.archive import delete_patient, delete_recording, export_patient
from backend.eeg.importing import received, sweep
from backend.eeg.signal import Signal, open_recording
from backend.errors import Cancelled, InputError, StorageError
from backend.storage import Storage
from backend.storage.recordings import Recording
from tests.eeg.making import EEG, brain, brainvision, edf, edf_plus, put, table

Take = Callable[..., Recording]


class StopAt:
    """A person who presses stop at the n-th look."""

    def __init__(self, n: int) -> None:
        self.left = n

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        pass

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def files(config: Config) -> list[str]:
    return [path.name for path in (config.data / "recordings").rglob("*")]


def test_a_stopped_import_leaves_nothing_wherever_it_is_stopped(tmp_path: Path, config: Config, storage: Storage, take: Take) -> None:
    path = put(tmp_path, "a.edf", edf_plus([float(n) for n in range(10)]))
    stopped = 0
    for n in range(100):
        try:
            take(path, progress=StopAt(n))
        except Cancelled:
            stopped += 1
            assert files(config) == []
            assert storage.recordings.list() == []
        else:
            break
    assert stopped > 5
    assert len(storage.recordings.list()) == 1


def test_the_same_file_is_not_taken_twice_for_one_patient(tmp_path: Path, config: Config, storage: Storage, take: Take) -> None:
    path = put(tmp_path, "a.edf", edf())
    first = take(path)
    with pytest.raises(InputError, match="already there"):
        take(path)
    delete_recording(config, storage, first.id)
    take(path)


def test_what_a_dead_process_left_is_swept_and_what_is_at_work_is_not(tmp_path: Path, config: Config, storage: Storage, take: Take) -> None:
    folder = config.data / "recordings"
    kept = take(put(tmp_path, "a.edf", edf()))
    for id in ("AAAA00000000", "BBBB00000000"):
        (folder / f".draft-{id}" / "signals").mkdir(parents=True)
        os.utime(folder / f".draft-{id}", (time.time() - 60,) * 2)
    (folder / "AAAA00000000").mkdir()  # its signals were in place, the database did not know yet
    with received(config, {"x.edf": io.BytesIO(b"x")}) as path:
        os.utime(path.parent, (time.time() - 60,) * 2)
        assert sweep(config, storage) == 2
        assert path.is_file()
    assert sorted(path.name for path in folder.iterdir()) == [kept.id]


def test_parts_that_came_through_the_browser_are_read_side_by_side_and_removed(
    tmp_path: Path, config: Config, storage: Storage, take: Take
) -> None:
    header = brainvision(tmp_path)
    parts = {f"../{name}": io.BytesIO((tmp_path / name).read_bytes()) for name in (header.name, "rec.eeg", "rec.vmrk")}
    with received(config, parts) as path:
        recording = take(path)
    assert recording.format == "BrainVision"
    assert sorted(path.name for path in (config.data / "recordings").iterdir()) == [recording.id]


def test_a_full_disk_leaves_nothing(tmp_path: Path, config: Config, storage: Storage, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.eeg.store._place", full)
    with pytest.raises(StorageError, match="disk is full"):
        take(put(tmp_path, "a.edf", edf()))
    assert files(config) == []


def test_signals_that_were_damaged_since_are_told(tmp_path: Path, config: Config, take: Take) -> None:
    recording = take(put(tmp_path, "a.edf", edf()))
    folder = config.data / "recordings" / recording.id
    (folder / "signals-0.bin").write_bytes(b"short")
    with pytest.raises(StorageError, match="damaged"):
        open_recording(config, recording.id).read(["C3"], 0, 1)
    (folder / "meta.json").write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        open_recording(config, recording.id)
    with pytest.raises(InputError):
        open_recording(config, "../../etc")


def test_deleting_a_patient_erases_signals_overviews_and_rows(tmp_path: Path, config: Config, storage: Storage, take: Take) -> None:
    recording = take(put(tmp_path, "a.edf", edf(records=100)))
    assert any(name.startswith("pyramid") for name in files(config))
    delete_patient(config, storage, storage.patients.search()[0].id)
    assert files(config) == []
    with pytest.raises(StorageError, match="not on this machine"):
        open_recording(config, recording.id)
    assert storage.recordings.list() == []
    assert recording.id.encode() not in b"".join(path.read_bytes() for path in config.data.glob("bioloom.db*"))


@pytest.mark.parametrize("bdf", [False, True])
def test_an_export_holds_the_same_numbers_times_and_marks(
    bdf: bool, tmp_path: Path, config: Config, storage: Storage, take: Take, taken: Callable[..., Signal]
) -> None:
    kind = "BDF" if bdf else "EDF"
    made = edf_plus(
        [0, 1, 2, 10, 11], {3: [(10.25, 0.5, "spike")]}, labels=(*EEG, "SpO2"), rates=[100] * 6 + [1], units=["uV"] * 6 + ["%"], bdf=bdf,
        reserved=f"{kind}+D",
    )  # fmt: skip
    first = take(put(tmp_path, "a.edf", made))
    storage.recordings.annotate(first.id, 1.5, 0, "Zuckung links")
    out = io.BytesIO()
    export_patient(config, storage, storage.patients.search()[0].id, out)
    archive = zipfile.ZipFile(out)
    assert json.loads(archive.read("patient.json"))["patient"]["pseudonym"] == "P-01"
    name = f"recordings/{first.id}/signals.{kind.lower()}"
    again = take(put(tmp_path, "again", archive.read(name)))
    one, two = open_recording(config, first.id), open_recording(config, again.id)
    assert one.meta.segments == two.meta.segments
    for channels in (list(EEG), ["SpO2"]):
        np.testing.assert_array_equal(one.read(channels, 0, 12), two.read(channels, 0, 12))
    assert [(mark.onset_s, mark.duration_s, mark.label) for mark in storage.recordings.annotations(again.id)] == [
        (1.5, 0.0, "Zuckung links"),
        (10.25, 0.5, "spike"),
    ]
    if not bdf:
        import mne

        theirs = mne.io.read_raw_edf(put(tmp_path, "mne.edf", archive.read(name)), verbose="ERROR", include=["C3"])
        assert theirs.n_times == 500


def test_an_export_of_a_table_holds_its_arrays(tmp_path: Path, config: Config, storage: Storage, take: Take) -> None:
    recording = take(put(tmp_path, "a.csv", table()))
    out = io.BytesIO()
    export_patient(config, storage, storage.patients.search()[0].id, out)
    values = np.load(io.BytesIO(zipfile.ZipFile(out).read(f"recordings/{recording.id}/signals-0.npy")))
    np.testing.assert_allclose(values, np.round(brain(4, 500) / 10, 2), atol=0.011)
