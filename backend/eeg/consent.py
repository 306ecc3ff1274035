"""What becomes of calibrations when consent is withdrawn, two patients are merged, or a recording turns out to be another's."""

from __future__ import annotations

from backend.storage import Storage
from backend.storage.calibrations import Calibration
from backend.storage.patients import Patient


def made_for_others(storage: Storage, patient: str) -> list[Calibration]:
    """Calibrations of other patients that were made with this patient's recordings."""
    return [one for one in storage.calibrations.list() if patient in one.pooled_from and one.patient != patient]


def move_recording(storage: Storage, recording: str, visit: str) -> int:
    """Give a recording to another visit; where that is another patient's, calibrations made with it are erased, and counted here."""
    found = storage.recordings.get(recording)
    before, after = (storage.patients.visit(id).patient for id in (found.visit, visit))
    storage.recordings.edit(recording, visit=visit)
    return storage.calibrations.delete_using(recording=recording) if before != after else 0


def withdraw(storage: Storage, patient: str) -> int:
    """Take back the consent and erase what was made for others with it; returns how many calibrations."""
    storage.patients.edit(patient, pooled=False)
    gone = made_for_others(storage, patient)
    for one in gone:
        storage.calibrations.delete(one.id)
    return len(gone)


def merge(storage: Storage, keep: str, other: str) -> Patient:
    """Make two entries of one person one.

    Visits and calibrations of `other` become `keep`'s. What was made for anyone else with `other`'s recordings is erased: it names an
    entry that is no more. Where only one of the two consented, the consent is off, and what was made with `keep`'s recordings goes too.
    """
    made = storage.patients.merge(keep, other)
    for one in storage.calibrations.list():
        if other in one.pooled_from:
            storage.calibrations.delete(one.id)
    if not made.pooled:
        withdraw(storage, keep)
    return storage.patients.get(keep)
