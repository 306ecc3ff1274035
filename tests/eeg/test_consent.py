"""Consent to help others: what was made with it goes when it is withdrawn, and when the person's two entries become one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.eeg.consent import made_for_others, merge, move_recording, withdraw
from backend.storage import Storage
from backend.storage.recordings import Recording
from tests.eeg.making import edf, put


@pytest.fixture
def people(storage: Storage) -> dict[str, str]:
    """Two entries of a donor, a patient helped by the donor, and calibrations of each."""
    ids = {name: storage.patients.add(name, pooled=name != "helped").id for name in ("donor", "again", "helped")}
    arrays = {"weights": np.zeros(3)}
    storage.calibrations.add(ids["donor"], "own", ["R1"], {}, arrays)
    storage.calibrations.add(ids["again"], "own of the second entry", ["R2"], {}, arrays)
    storage.calibrations.add(ids["helped"], "alone", ["R3"], {}, arrays)
    storage.calibrations.add(ids["helped"], "with the donor", ["R3"], {}, arrays, [ids["donor"]])
    storage.calibrations.add(ids["helped"], "with the second entry", ["R3"], {}, arrays, [ids["again"]])
    return ids


def _names(storage: Storage) -> set[str]:
    return {one.name for one in storage.calibrations.list()}


def test_a_recording_that_is_another_persons_takes_no_calibration_with_it(
    storage: Storage, take: Callable[..., Recording], visit: str, tmp_path: Path
) -> None:
    recording = take(put(tmp_path, "a.edf", edf()))
    owner = storage.patients.visit(visit).patient
    storage.calibrations.add(owner, "made with it", [recording.id], {}, {"weights": np.zeros(3)})
    later = storage.patients.add_visit(owner, "later").id
    assert move_recording(storage, recording.id, later) == 0
    assert _names(storage) == {"made with it"}
    other = storage.patients.add_visit(storage.patients.add("P-02").id, "first").id
    assert move_recording(storage, recording.id, other) == 1
    assert _names(storage) == set()
    assert storage.recordings.get(recording.id).visit == other


def test_withdrawn_consent_erases_what_was_made_for_others_and_nothing_else(storage: Storage, people: dict[str, str]) -> None:
    assert [one.name for one in made_for_others(storage, people["donor"])] == ["with the donor"]
    assert withdraw(storage, people["donor"]) == 1
    assert not storage.patients.get(people["donor"]).pooled
    assert _names(storage) == {"own", "own of the second entry", "alone", "with the second entry"}


def test_merging_moves_own_calibrations_and_erases_what_names_the_entry_that_is_no_more(storage: Storage, people: dict[str, str]) -> None:
    made = merge(storage, people["donor"], people["again"])
    assert made.pooled
    assert _names(storage) == {"own", "own of the second entry", "alone", "with the donor"}
    assert {one.patient for one in storage.calibrations.list() if one.name.startswith("own")} == {people["donor"]}


def test_merging_with_an_entry_without_consent_withdraws_it(storage: Storage, people: dict[str, str]) -> None:
    storage.patients.edit(people["again"], pooled=False)
    made = merge(storage, people["donor"], people["again"])
    assert not made.pooled
    assert _names(storage) == {"own", "own of the second entry", "alone"}
