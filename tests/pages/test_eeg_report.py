"""Report, profile and comparison as pages: drawn whole, and what is missing says how to get it."""

from __future__ import annotations

import re

import pytest

from tests.eeg.quiet import keep, quiet
from tests.pages.conftest import texts


@pytest.fixture
def patient(bench, tmp_path):
    """Two visits with one recording each, both measured with closed eyes."""
    who = bench.storage.patients.add("P-07").id
    recordings = []
    for n, hertz in enumerate((10.0, 8.4)):
        visit = bench.storage.patients.add_visit(who, ("first", "control")[n], day=100 * n).id
        recordings.append(keep(bench, tmp_path, quiet(hertz, seed=n + 1), visit=visit, seed=n))
        bench.run("eeg.baseline", {"recording": recordings[-1]}, settings={"state": "closed"})
    return who, recordings


def test_a_run_is_drawn_whole(open_page, bench, patient):
    run = bench.storage.runs.list(task="eeg.baseline")[0]
    app = open_page("eeg", run=run.id)
    assert not app.exception
    assert not app.error
    told = texts(app)
    assert re.search(r"Alpha peak 8\.[345] Hz", told)
    assert "day to day" in told
    assert not app.json


def test_a_report_is_chosen_written_and_offered(open_page, bench, patient):
    app = open_page("eeg", recording=patient[1][0], show="report")
    assert not app.exception
    app.text_area[1].set_value("Normal background.").run()
    button = next(one for one in app.button if one.label.startswith("Write the report"))
    button.click().run()
    for job in bench.jobs.list(limit=5):
        bench.jobs.wait(job.id, 60)
    app.run()
    assert not app.exception
    assert not app.error
    labels = [one.label for one in app.get("download_button")]
    assert any(label.startswith("PDF") for label in labels)
    assert any(label.startswith("HTML") for label in labels)


def test_words_are_kept_with_the_recording_only_when_asked(open_page, bench, patient):
    recording = patient[1][0]
    app = open_page("eeg", recording=recording, show="report")
    app.text_area[0].set_value("Syncope?").run()
    assert bench.storage.recordings.fact(recording, "report") is None
    next(one for one in app.button if one.label.startswith("Keep these words")).click().run()
    assert bench.storage.recordings.fact(recording, "report")["question"] == "Syncope?"


def test_the_profile_tells_what_changed_with_its_interval(open_page, bench, patient):
    app = open_page("patients", patient=patient[0], show="profile")
    assert not app.exception
    assert not app.error
    told = texts(app)
    assert re.search(r"Alpha peak (9\.[89]|10\.[012]) Hz", told)
    assert "clear change" in told
    assert "day to day" in told


def test_a_recording_not_yet_measured_says_how_to(open_page, bench, patient, tmp_path):
    visit = bench.storage.patients.visits(patient[0])[1].id
    keep(bench, tmp_path, quiet(9.0, seed=9), visit=visit, seed=9)
    app = open_page("patients", patient=patient[0], show="profile")
    assert not app.exception
    assert any("Measure the background activity" in link.label for link in app.get("page_link"))


def test_two_recordings_stand_side_by_side(open_page, bench, patient):
    app = open_page("patients", patient=patient[0], show="compare")
    toggles = [one for one in app.toggle if one.label == "Show the comparison"]
    assert toggles
    toggles[0].set_value(True).run(timeout=60)
    assert not app.exception
    assert not app.error
    assert re.search(r"Alpha peak (9\.[89]|10\.[012]) Hz", texts(app))
    assert texts(app).count("negative up") == 2, "a page of signal of each, with how it is drawn"
