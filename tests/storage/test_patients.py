"""Patients under pseudonyms: found, merged, and really gone when deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.config import Config
from backend.errors import InputError
from backend.storage import Storage
from backend.storage.patients import Patient
from backend.storage.recordings import Recording
from backend.storage.rows import new_id

CHANNELS = ({"name": "C3", "kind": "eeg"}, {"name": "C4", "kind": "eeg"})


def put_recording(storage: Storage, patient: Patient, name: str = "night 1", marks: int = 3) -> Recording:
    visit = storage.patients.add_visit(patient.id, "first", day=0)
    recording = Recording(new_id(), visit.id, name, "a" * 64, "EDF+C", 60.0, CHANNELS, (), ((10.0, 12.5),), datetime.now(UTC))
    return storage.recordings.add(recording, [(float(n), 0.0, f"mark {n}", ()) for n in range(marks)])


def bytes_of(config: Config) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(Path(config.data).glob("bioloom.db*")))


def test_a_patient_is_found_by_pseudonym_note_visit_and_recording(storage: Storage) -> None:
    one = storage.patients.add("P-07", note="sleep clinic", pooled=True)
    storage.patients.add("P-08")
    put_recording(storage, one, "Night, 8 h")
    for text in ("p-07", "CLINIC", "first", "night"):
        assert [found.id for found in storage.patients.search(text)] == [one.id], text
    assert [found.pseudonym for found in storage.patients.search()] == ["P-07", "P-08"]
    assert storage.patients.search("100%_") == []
    found = storage.patients.find("p-07")
    assert (found.visits, found.recordings, found.pooled) == (1, 1, True)


def test_two_patients_cannot_share_a_pseudonym_in_any_case(storage: Storage) -> None:
    storage.patients.add("Straße 1")
    with pytest.raises(InputError, match="already a patient") as caught:
        storage.patients.add("  STRASSE  1 ")
    assert "merge" in caught.value.hint
    other = storage.patients.add("Q")
    with pytest.raises(InputError, match="already a patient"):
        storage.patients.edit(other.id, pseudonym="straße 1")
    assert storage.patients.edit(other.id, pseudonym="q").pseudonym == "q"


@pytest.mark.parametrize("pseudonym", ["", "  \n ", "x" * 81])
def test_a_pseudonym_that_cannot_be_shown_is_refused(storage: Storage, pseudonym: str) -> None:
    with pytest.raises(InputError) as caught:
        storage.patients.add(pseudonym)
    assert caught.value.hint


def test_visits_come_by_date_then_by_day(storage: Storage) -> None:
    one = storage.patients.add("P")
    for label, day, date in (("later", 30, None), ("undated", None, None), ("dated", None, "2026-03-09"), ("first", 0, None)):
        storage.patients.add_visit(one.id, label, day=day, date=date)
    assert [visit.label for visit in storage.patients.visits(one.id)] == ["dated", "first", "later", "undated"]
    with pytest.raises(InputError, match="no date"):
        storage.patients.add_visit(one.id, "x", date="9.3.2026")
    with pytest.raises(InputError, match="no patient"):
        storage.patients.add_visit("FFFF", "x")


def test_merging_moves_every_visit_and_keeps_the_stricter_consent(storage: Storage) -> None:
    one, two = storage.patients.add("P", note="left-handed", pooled=True), storage.patients.add("Q", note="seen twice")
    first, second = put_recording(storage, one), put_recording(storage, two)
    merged = storage.patients.merge(one.id, two.id)
    assert (merged.pseudonym, merged.visits, merged.recordings, merged.pooled) == ("P", 2, 2, False)
    assert merged.note == "left-handed\nseen twice"
    assert {recording.id for recording in storage.recordings.list(patient=one.id)} == {first.id, second.id}
    assert len(storage.recordings.annotations(second.id)) == 3
    with pytest.raises(InputError, match="no patient"):
        storage.patients.get(two.id)
    with pytest.raises(InputError, match="itself"):
        storage.patients.merge(one.id, one.id)


def test_what_is_deleted_is_not_in_the_files_of_the_database(config: Config, storage: Storage) -> None:
    one = storage.patients.add("Zebrafink-17", note="Quittenbaum")
    recording = put_recording(storage, one, "Haselmaus", marks=500)
    storage.recordings.annotate(recording.id, 1, 1, "Wendehals")
    words = (b"Zebrafink-17", b"Quittenbaum", b"Haselmaus", b"Wendehals", b"mark 499")
    assert all(word in bytes_of(config) for word in words)
    storage.patients.delete(one.id)
    assert not [word for word in words if word in bytes_of(config)]
    assert storage.recordings.list() == []
    assert storage.recordings.annotations(recording.id) == []


def test_what_an_edit_replaces_is_gone_too(config: Config, storage: Storage) -> None:
    one = storage.patients.add("Anna Schmidtberger")
    storage.patients.edit(one.id, pseudonym="P-1")
    assert b"Schmidtberger" not in bytes_of(config)
    assert b"schmidtberger" not in bytes_of(config)


def test_marks_are_set_changed_listed_by_time_and_erased(storage: Storage) -> None:
    recording = put_recording(storage, storage.patients.add("P"))
    mine = storage.recordings.annotate(recording.id, 20, 5, "spike", ["C3"])
    assert [mark.label for mark in storage.recordings.annotations(recording.id, 24, 30)] == ["spike"]
    assert [mark.origin for mark in storage.recordings.annotations(recording.id)] == ["file", "file", "file", "user"]
    changed = storage.recordings.annotate(recording.id, 21, 0, "sharp wave", id=mine.id)
    assert (changed.id, changed.onset_s, changed.label) == (mine.id, 21.0, "sharp wave")
    storage.recordings.delete_annotation(recording.id, mine.id)
    assert len(storage.recordings.annotations(recording.id)) == 3
    for onset, duration, channels in ((-1, 0, ()), (59, 2, ()), (5, 1, ("Oz",))):
        with pytest.raises(InputError):
            storage.recordings.annotate(recording.id, onset, duration, "x", channels)
    with pytest.raises(InputError, match="no such annotation"):
        storage.recordings.delete_annotation(recording.id, mine.id)


def test_a_recording_whose_visit_is_gone_is_not_stored(storage: Storage) -> None:
    one = storage.patients.add("P")
    recording = put_recording(storage, one)
    storage.patients.delete_visit(recording.visit)
    with pytest.raises(InputError, match="no visit"):
        storage.recordings.add(recording)
    assert storage.recordings.list() == []
