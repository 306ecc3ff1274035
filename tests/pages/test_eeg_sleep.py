"""A night on the EEG page: staged from its form, an epoch explained, stages set as annotations; short and sleepless ones told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.eeg.importing import import_recording
from backend.eeg.simulate.night import Night, simulated_night
from tests.eeg.test_sleep import file_of
from tests.pages.conftest import texts
from tests.prepare import models_folder


@pytest.fixture(scope="module")
def night() -> Night:
    return simulated_night(0.5)


@pytest.fixture
def keep(bench: Any, tmp_path: Path, night: Night) -> Callable[[float], str]:
    """A recording of the first minutes of the night."""
    if not (models_folder() / "yasa-sleep").is_dir():
        pytest.skip("the embedded model was not fetched: python -m tests.prepare")
    if not (bench.config.data / "models").exists():
        (bench.config.data / "models").symlink_to(models_folder(), target_is_directory=True)

    def do(minutes: float) -> str:
        path = tmp_path / f"{minutes:g}.edf"
        path.write_bytes(file_of(night, minutes))
        visit = bench.storage.patients.add_visit(bench.storage.patients.add(f"P-{minutes:g}").id, "Visit 1").id
        return import_recording(bench.config, bench.storage, visit, path).id

    return do


def press(app: Any, label: str) -> Any:
    return next(button for button in app.button if button.label.startswith(label)).click().run()


def settled(app: Any, bench: Any) -> Any:
    for job in bench.jobs.list("guest", active=True, limit=5):
        bench.jobs.wait(job.id, 120)
    return app.run()


def test_a_recording_is_staged_from_its_form_and_an_epoch_explained(open_page: Callable[..., Any], bench: Any, keep: Any) -> None:
    recording = keep(25)
    app = open_page("eeg", recording=recording, show="decode", task="eeg.sleep")
    assert "Chosen by itself: C4-M1, E1-M2, EMG Chin" in texts(app).replace("\\", "")
    app = settled(press(app, "Run: Sleep staging"), bench)
    assert not app.exception
    run = next(one.id for one in bench.storage.runs.list(task="eeg.sleep", limit=5))
    app = open_page("eeg", recording=recording, show="decode", run=run, epoch="40")
    shown = texts(app)
    assert not app.exception
    assert "of sleep, efficiency" in shown
    assert "whole nights only" in shown  # 25 min are no night
    assert "Epoch 40, 22:34:30" in shown
    app = settled(press(app, "Explain why epoch 40"), bench)
    assert not app.exception
    shown = texts(app)
    assert "This explanation" in shown
    assert "For it:" in shown
    app = press(app, "Set the stages as annotations")
    marks = bench.storage.recordings.annotations(recording)
    assert sum(mark.duration_s for mark in marks) == pytest.approx(25 * 60)


def test_a_recording_without_sleep_and_one_that_is_too_short_say_so(open_page: Callable[..., Any], bench: Any, keep: Any) -> None:
    recording = keep(3)
    app = open_page("eeg", recording=recording, show="decode", task="eeg.sleep")
    assert not app.exception
    assert "staging needs 5 min at least" in " ".join(one.value for one in app.info)
    assert not [button for button in app.button if button.label.startswith("Run: Sleep")]
    awake = keep(5)
    run = bench.run("eeg.sleep", {"recording": awake}, settings={"lights_off_s": 0.0, "lights_on_s": 30.0})
    assert run.prediction["stages"][0] == "W"
    app = open_page("eeg", recording=awake, show="decode", run=run.id)
    assert not app.exception
    assert "No sleep was found" in texts(app)
