"""Calibrating and decoding on the EEG page: chosen in the form, the verdict first, told as a table at the patient."""

from __future__ import annotations

import pytest

from backend.eeg.simulate.trials import simulated_patient
from tests.eeg.sessions import keep_session
from tests.pages.conftest import HOSTILE, texts

NAMES = ("C3", "Cz", "C4", "P3", "P4", "Fz")
QUICK = {"candidates": ["csp"], "permutations": 99}


@pytest.fixture
def patient(bench):
    """A patient with two simulated sessions, under a hostile name of a visit."""
    id = bench.storage.patients.add("P-07").id
    sessions = simulated_patient(3, trials=60, sessions=2, strength=2.0, names=NAMES)
    return id, [keep_session(bench.config, bench.storage, id, one, f"session {n} {HOSTILE}"[:70]) for n, one in enumerate(sessions)]


def test_the_form_offers_recordings_classes_and_window(open_page, patient):
    app = open_page("eeg", recording=patient[1][0], show="decode", task="eeg.calibrate")
    assert not app.exception
    labels = next(box for box in app.multiselect if box.label.startswith("Classes"))
    assert sorted(labels.value) == ["movement", "rest"]
    assert [number.value for number in app.number_input if number.label.startswith("To (s")] == [2.0]
    assert "Run: Calibrate a decoder" in [button.label for button in app.button]


def test_the_verdict_stands_first_with_its_interval_and_what_was_gained(open_page, bench, patient):
    run = bench.run("eeg.calibrate", {"recordings": patient[1][:1]}, settings={"labels": ["rest", "movement"], **QUICK})
    app = open_page("eeg", recording=patient[1][0], show="decode", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert run.prediction["verdict"]["sentence"] in shown.replace("&#x27;", "'")
    assert "95% interval" in shown
    assert "later trials only" in shown
    assert "There is one session only" in shown
    assert "<script>alert" not in shown


def test_a_decoded_recording_says_first_whether_the_signal_is_the_same(open_page, bench, patient):
    bench.run("eeg.calibrate", {"recordings": patient[1][:1]}, settings={"labels": ["rest", "movement"], **QUICK})
    run = bench.run("eeg.decode", {"recording": patient[1][1]})
    app = open_page("eeg", recording=patient[1][1], show="decode", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert run.prediction["drift"]["sentence"].split(",")[0] in shown
    assert "60 trials decoded" in shown
    assert "The annotations say what the trials were" in shown


def test_decoding_without_a_calibration_says_what_to_do(open_page, patient):
    app = open_page("eeg", recording=patient[1][1], show="decode", task="eeg.decode")
    assert not app.exception
    assert "Calibrate a decoder on labelled trials first" in texts(app)


def test_a_calibration_is_renamed_and_deleted_at_the_patient(bench, patient):
    from streamlit.testing.v1 import AppTest

    run = bench.run("eeg.calibrate", {"recordings": patient[1][:1]}, settings={"labels": ["rest", "movement"], **QUICK})

    def page(id: str) -> None:
        from pages.parts.eeg.calibrations import show_calibrations

        show_calibrations(id)

    app = AppTest.from_function(page, args=(patient[0],), default_timeout=30).run()
    assert not app.exception
    app.text_input[0].set_value("Right hand").run()
    app.button[0].click().run()
    assert bench.storage.calibrations.get(run.prediction["calibration"]).name == "Right hand"
    app.button[1].click().run()
    assert bench.storage.calibrations.list(patient=patient[0]) == []
    assert "No decoder was calibrated yet" in app.caption[0].value
