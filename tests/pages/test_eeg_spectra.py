"""Spectra, evoked responses and spindles on the EEG page: the finding, how sure, and what cannot be shown with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from backend.eeg.simulate.planted import RATE as PLANTED_RATE
from backend.eeg.simulate.planted import planted_spindles
from tests.eeg.sleeping import keep
from tests.pages.conftest import HOSTILE, texts
from tests.prepare import models_folder

RATE = 128.0
NAMES = ("Fz", "Cz", "Pz", "O1", "O2")


def waves(seconds: float = 40.0) -> dict[str, np.ndarray]:
    time = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(0)
    return {name: 15 * np.sin(2 * np.pi * 10 * time) + 5 * rng.standard_normal(len(time)) for name in NAMES}


@pytest.fixture
def recording(bench) -> str:
    marks = [(1.0 + n, 0.0, "tone" if n % 2 else "flash") for n in range(36)]
    return keep(bench, waves(), RATE, marks)


def test_a_saved_spectrum_shows_its_finding_bands_and_interval(open_page, bench, recording):
    run = bench.run("eeg.spectrum", {"recording": recording})
    app = open_page("eeg", recording=recording, show="decode", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert "Bands on the head" in shown
    assert "95%, from resampling blocks" in shown
    assert "bipolar" not in shown
    assert [box.options for box in app.multiselect if box.key.startswith("spectrum-drawn")] == [list(NAMES)]


def test_bipolar_channels_are_told_why_they_have_no_map(open_page, bench):
    recording = keep(bench, waves(20.0), RATE, reference="C3")
    run = bench.run("eeg.spectrum", {"recording": recording})
    app = open_page("eeg", recording=recording, show="decode", run=run.id)
    assert not app.exception
    assert "These channels are bipolar" in texts(app)


def test_the_spectra_tab_measures_at_a_press_and_shows_the_run(open_page, bench, recording):
    app = open_page("eeg", recording=recording, show="spectra")
    assert not app.exception
    app = next(button for button in app.button if button.label == "Measure").click().run()
    bench.jobs.wait(bench.jobs.list()[0].id, 30)
    app = app.run()
    assert not app.exception
    (made,) = bench.storage.runs.list(task="eeg.spectrum")
    assert f"Saved as run {made.id}" in " ".join(button.label for button in app.button)


def test_a_comparison_of_two_events_says_whether_they_differ(open_page, bench, recording):
    run = bench.run("eeg.evoked", {"recording": recording}, settings={"label": "tone", "compare": "flash", "permutations": 100})
    app = open_page("eeg", recording=recording, show="decode", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert "No difference between the two events was found" in shown
    assert "18 trials, 0 left out" in shown


def test_labels_that_carry_markup_are_shown_as_they_are(open_page, bench):
    marks = [(1.0 + n, 0.0, HOSTILE if n % 2 else "flash") for n in range(36)]
    recording = keep(bench, waves(), RATE, marks)
    run = bench.run("eeg.evoked", {"recording": recording}, settings={"label": HOSTILE, "compare": "flash", "permutations": 100})
    app = open_page("eeg", recording=recording, show="decode", run=run.id)
    assert not app.exception
    assert "<script>alert" not in texts(app)
    assert all("<script>alert" not in chart.proto.spec for chart in app.get("plotly_chart"))


def test_a_recording_without_events_says_so(open_page, bench):
    recording = keep(bench, waves(20.0), RATE)
    app = open_page("eeg", recording=recording, show="decode", task="eeg.evoked")
    assert not app.exception
    assert "no events to average over" in texts(app)


def test_spindles_need_stages_and_the_form_says_so(open_page, bench):
    recording = keep(bench, waves(20.0), RATE)
    app = open_page("eeg", recording=recording, show="decode", task="eeg.spindles")
    assert not app.exception
    assert "Run sleep staging on this recording first" in texts(app)


def test_spindles_are_shown_with_densities_agreement_and_each_event(open_page, bench):
    if not (models_folder() / "openspindlenet").is_dir():
        pytest.skip("OpenSpindleNet was not fetched: python -m tests.prepare")
    folder = bench.config.data / "models"
    if not folder.exists():
        folder.symlink_to(models_folder(), target_is_directory=True)
    made = planted_spindles(2, heights=(20, 30), seed=2)
    recording = keep(bench, {"C3": made.values}, PLANTED_RATE, [(0.0, 120.0, "Sleep stage N2")])
    run = bench.run("eeg.spindles", {"recording": recording})
    app = open_page("eeg", recording=recording, show="decode", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert "The two detectors agree" in shown
    assert "2 min searched" in shown
    assert any(button.label.startswith("Why does the network call this a spindle") for button in app.button)
