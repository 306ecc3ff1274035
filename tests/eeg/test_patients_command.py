"""Patients on the command line: the JSON that scripts depend on, and the same care as on the pages."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from backend.config import Config
from tests.eeg.making import edf, put, table
from tests.eeg.test_identifiers import PLANTED, _edf, _found
from tests.test_cli import Shell


@pytest.fixture
def bioloom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Config) -> Shell:
    return Shell(monkeypatch, capsys, config)


def test_from_a_pseudonym_to_an_archive_and_to_nothing(bioloom: Shell, config: Config, tmp_path: Path) -> None:
    added = bioloom.json("patients", "add", "P-01", "--note", "first")
    assert (added["pseudonym"], added["visits"], added["warning"]) == ("P-01", 1, "")
    made = bioloom.json("patients", "import", "p-01", put(tmp_path, "S001R04.edf", edf()), "--visit", "Second")
    (kept,) = made["recordings"]
    assert (kept["name"], kept["format"], kept["duration_s"]) == ("S001R04", "EDF", 10.0)
    assert {channel["kind"] for channel in kept["channels"]} == {"eeg"}
    shown = bioloom.json("patients", "visits", added["id"])
    assert [(visit["label"], len(visit["recordings"])) for visit in shown["visits"]] == [("Visit 1", 0), ("Second", 1)]
    assert [found["pseudonym"] for found in bioloom.json("patients", "list", "first")["patients"]] == ["P-01"]
    archive = tmp_path / "all.zip"
    bioloom.json("patients", "export", "P-01", "--out", archive)
    assert f"recordings/{kept['id']}/signals.edf" in zipfile.ZipFile(archive).namelist()
    code, _, told = bioloom("patients", "delete", "P-01")
    assert (code, "--confirm" in told) == (2, True)
    bioloom.json("patients", "delete", "P-01", "--confirm", "P-01")
    assert bioloom.json("patients", "list")["patients"] == []
    assert list((config.data / "recordings").iterdir()) == []


def test_repairs_are_listed_and_wait_for_agreement(bioloom: Shell, tmp_path: Path) -> None:
    bioloom.json("patients", "add", "P-01")
    cut = put(tmp_path, "cut.edf", edf()[:-300])
    code, _, told = bioloom("patients", "import", "P-01", cut)
    assert (code, "Repair 'truncated'" in told) == (2, True)
    made = bioloom.json("patients", "import", "P-01", cut, "--repair", "truncated")
    assert "truncated" in {found["word"] for found in made["recordings"][0]["diagnoses"]}


def test_a_table_is_given_its_rate(bioloom: Shell, tmp_path: Path) -> None:
    bioloom.json("patients", "add", "P-01")
    rows = "\n".join(line.split(",", 1)[1] for line in table().splitlines())
    file = put(tmp_path, "muse.csv", rows)
    assert bioloom("patients", "import", "P-01", file)[0] == 2
    made = bioloom.json("patients", "import", "P-01", file, "--rate", "256", "--unit", "mV")
    assert made["recordings"][0]["channels"][0]["rate"] == 256.0
    assert bioloom("patients", "import", "P-01", file, "--unit", "kV")[0] == 2


def test_a_telling_pseudonym_is_remarked_on(bioloom: Shell) -> None:
    assert "person's name" in bioloom.json("patients", "add", "Anna Schmidt")["warning"]


def test_no_planted_identifier_is_kept(bioloom: Shell, config: Config, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    bioloom.json("patients", "add", "P-01")
    made = bioloom.json("patients", "import", "P-01", _edf(given, False, True), "--repair", "record-count-wrong")
    assert PLANTED[0] not in made["recordings"][0]["name"]
    assert _found(config.data) == {}


def test_demo_patients_are_listed_with_their_licence(bioloom: Shell) -> None:
    demos = bioloom.json("patients", "demo")["demos"]
    assert {demo["name"] for demo in demos} == {"scp1", "scp2", "night"}
    assert all(demo["licence"] and demo["patient"] == "" for demo in demos)


def test_a_new_pseudonym_with_a_file_is_added_and_said(bioloom: Shell, tmp_path: Path) -> None:
    long = put(tmp_path, "S001R04.edf", edf(records=60))
    code, _, told = bioloom("decode", long, "--patient", "P-09", "--task", "eeg.quality", "--json")
    assert (code, "A new patient was added: P-09." in told) == (0, True)
    code, _, told = bioloom("decode", long, "--patient", "Marie Curie", "--task", "eeg.quality", "--json")
    assert (code, "looks like a person's name" in told) == (2, True)
    code, _, told = bioloom("decode", "0123456789AB", "--patient", "P-99", "--task", "eeg.quality", "--json")
    assert (code, "no patient 'P-99'" in told) == (2, True)
    assert [found["pseudonym"] for found in bioloom.json("patients", "list")["patients"]] == ["P-09"]
