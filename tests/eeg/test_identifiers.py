"""Nothing of who was recorded reaches the data folder: twenty identifiers are planted in every format, and every byte is searched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from backend.config import Config
from backend.eeg.archive import export_patient
from backend.eeg.identifiers import REMOVED, identifiers, person_like
from backend.eeg.importing import import_recording, look, suggest_name
from backend.errors import InputError
from backend.log import setup_logging
from backend.storage import Storage
from backend.storage.recordings import Recording
from tests.eeg.making import EEG, brainvision, edf, eeglab, fif, put, table

PLANTED = (
    "Quastenflosser Nachtigallius Zweibrueckenstein MRN4711882 17-MAR-1951 1951-03-17 Wolpertinger Ophelimarie Krankenhausheim "
    "Drosselbartz Technikusmann Admin90817 Hinterkaifeck Rumpelstilz Geigerzahler Schnurrbartin Ostfriesenhaus Xanthippos Kuckucksheim "
    "Telefon0176"
).split()
PATIENT = f"{PLANTED[3]} M {PLANTED[4]} {PLANTED[0]}_{PLANTED[1]} {PLANTED[2]}"
DAY = f"Startdate 12-AUG-2009 {PLANTED[11]} {PLANTED[10]} {PLANTED[8]} {PLANTED[6]}"
NOTE = f"seen by {PLANTED[10]} for {PLANTED[0]}, born 17.03.1951"
DATES = ("12-AUG-2009", "12.08.09", "2009-08-12", "17.03.1951", "17.03.51", "19510317")


def _edf(folder: Path, bdf: bool, plus: bool) -> Path:
    kind = ("BDF" if bdf else "EDF") + "+C" if plus else PLANTED[12]
    transducer = f"by {PLANTED[5]} {' '.join(PLANTED[13:17])}"
    data = edf(
        (*EEG[:4], PLANTED[7], PLANTED[9]), bdf=bdf, patient=PATIENT, recording=DAY, date="12.08.09", reserved=kind, transducer=transducer,
        prefilter=f"HP:0.1Hz {PLANTED[17]}", signal_reserved=PLANTED[18], units=["uV"] * 5 + [PLANTED[19][:8]],
        onsets=[float(n) for n in range(10)] if plus else None, marks={1: [(1.5, 0.0, NOTE)]}, note_bytes=200,
    )  # fmt: skip
    return put(folder, f"{PLANTED[0]}_{PLANTED[4]}.{'bdf' if bdf else 'edf'}", data + " ".join(PLANTED).encode())


def _vision(folder: Path) -> Path:
    comment = (
        f"[Comment]\nPatient: {PATIENT}\nOperator: {' '.join(PLANTED[5:])}\n[User Infos]\nName={PLANTED[0]} {PLANTED[1]} {PLANTED[10]}\n"
    )
    return brainvision(folder, PLANTED[0], (*EEG[:5], PLANTED[7]), comment, [f"Comment,{NOTE.replace(',', '')},100,1,0"])


def _eeglab(folder: Path) -> Path:
    text = " ".join(PLANTED)
    return eeglab(
        folder, f"{PLANTED[0]}.set", names=(*EEG[:5], PLANTED[7]), subject=f"{PATIENT} {PLANTED[10]}", session=PLANTED[5], comments=text,
        history=text, setname=PLANTED[2], group=PLANTED[8], condition=PLANTED[9], filepath=f"/home/{PLANTED[6]}", events=[(NOTE, 101.0)],
    )  # fmt: skip


def _fif(folder: Path) -> Path:
    who = {"id": 4, "his_id": PLANTED[3], "last_name": PLANTED[0], "first_name": PLANTED[1], "middle_name": PLANTED[2], "sex": 1,
           "birthday": date(1951, 3, 17)}  # fmt: skip
    info = {"subject_info": who, "experimenter": PLANTED[10], "description": " ".join(PLANTED[5:]), "proj_name": PLANTED[8],
            "meas_date": datetime(2009, 8, 12, 9, 30, tzinfo=UTC),
            "device_info": {"type": PLANTED[6], "model": "x", "serial": PLANTED[11]}}  # fmt: skip
    return fif(folder, f"{PLANTED[0]}_raw.fif", (*EEG[:5], PLANTED[7]), info, ([1.0], [0.0], [NOTE]))


def _table(folder: Path) -> Path:
    lines = table(names=("TP9", "AF7", PLANTED[7])).splitlines()
    lines = [lines[0] + ",name", *(f"{line},{PLANTED[n % 20]}" for n, line in enumerate(lines[1:]))]
    return put(folder, f"{PLANTED[0]}.csv", f"# {PATIENT}\n# {DAY}\n# {' '.join(PLANTED)}\n" + "\n".join(lines) + "\n")


MAKERS: dict[str, Callable[[Path], Path]] = {
    "EDF": lambda folder: _edf(folder, False, False),
    "EDF+": lambda folder: _edf(folder, False, True),
    "BDF": lambda folder: _edf(folder, True, False),
    "BDF+": lambda folder: _edf(folder, True, True),
    "BrainVision": _vision,
    "EEGLAB": _eeglab,
    "FIF": _fif,
    "table": _table,
}


def _found(folder: Path) -> dict[str, str]:
    wanted = [*PLANTED, *DATES]
    hits = {}
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes().lower()
            for word in wanted:
                if any(word.lower().encode(code) in data for code in ("utf-8", "utf-16-le")) or word.lower() in path.name.lower():
                    hits[word] = path.name
    return hits


@pytest.mark.parametrize("format", MAKERS)
def test_no_planted_identifier_is_in_any_byte_that_is_kept(
    format: str, tmp_path: Path, config: Config, storage: Storage, take: Callable[..., Recording]
) -> None:
    setup_logging(config)
    elsewhere = tmp_path / "given"
    elsewhere.mkdir()
    path = MAKERS[format](elsewhere)
    raw = b"".join(part.read_bytes() for part in elsewhere.iterdir()).lower()
    assert sum(word.lower().encode() in raw or word.lower().encode("utf-16-le") in raw for word in PLANTED) >= (
        12 if format == "EEGLAB" else 15
    )
    seen = look(path)
    with pytest.raises(InputError):
        import_recording(config, storage, "FFFF", path)
    recording = take(path, repairs=seen.repairs)
    assert _found(config.data) == {}
    marks = storage.recordings.annotations(recording.id)
    if format not in ("EDF", "BDF", "table"):
        assert any(REMOVED in mark.label and "seen by" in mark.label for mark in marks)
        assert "identifiers-removed" in {diagnosis["word"] for diagnosis in recording.diagnoses}
    with (config.data / "export.zip").open("wb") as out:
        export_patient(config, storage, storage.patients.search()[0].id, out)
    import zipfile

    with zipfile.ZipFile(config.data / "export.zip") as archive:
        archive.extractall(config.data / "export")
    assert _found(config.data) == {}
    assert _found_in_memory(seen.inspection.json()) == []  # type: ignore[union-attr]


def _found_in_memory(data: object) -> list[str]:
    return [word for word in (*PLANTED, *DATES) if word.lower() in str(data).lower()]


def test_words_that_headers_share_with_marks_are_not_taken_for_names() -> None:
    who = identifiers(["X F X Female_33yr", "Startdate 24-APR-1989 X X sleep_lab_EEG"])
    for label in ("Sleep stage W", "Eyes open", "T1", "Lights off", "Movement time", "Photic 10 Hz"):
        assert who.redact(label) == label


def test_short_names_are_removed_as_words_only_and_dates_in_any_spelling() -> None:
    who = identifiers(["4711 M 02-MAY-1951 Ann_Lee"])
    assert who.redact("Ann opens eyes; Annotation of 02.05.1951 by Lee") == "[removed] opens eyes; Annotation of [removed] by [removed]"
    assert who.redact("1951-05-02 spike") == "[removed] spike"
    assert who.redact("1 s spike at 470 uV") == "1 s spike at 470 uV"


@pytest.mark.parametrize("text", ["Anna Schmidt", "Schmidt, A", "P 02.05.1951", "19510502", "born 1951", "4711882001"])
def test_a_pseudonym_that_looks_like_a_person_is_remarked_on(text: str) -> None:
    assert person_like(text)


@pytest.mark.parametrize("text", ["P-07", "Patient 12", "ctrl_003", "SCP1", "sub-042"])
def test_a_pseudonym_that_tells_nothing_is_not(text: str) -> None:
    assert person_like(text) == ""


def test_a_file_name_is_suggested_only_when_it_can_name_nobody() -> None:
    assert suggest_name("/x/S001R04.edf") == "S001R04"
    assert suggest_name("Schmidtberger_Anna_1951.edf") == ""
