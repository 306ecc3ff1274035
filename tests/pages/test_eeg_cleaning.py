"""Quality and cleaning on the EEG page: bad channels are suggested and accepted; components are chosen, taken out, and put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.eeg import cleaning, inputs
from backend.eeg.importing import import_recording
from tests.eeg.heads import NAMES, head, write
from tests.eeg.making import edf, put
from tests.pages.conftest import texts
from tests.prepare import models_folder


@pytest.fixture
def recording(bench: Any, tmp_path: Path) -> str:
    """100 s of a made head with blinks; the electrode at P3 hangs loose."""
    values = head().recorded
    values[NAMES.index("P3")] = 0.0
    visit = bench.storage.patients.add_visit(bench.storage.patients.add("P-01").id, "Visit 1").id
    return import_recording(bench.config, bench.storage, visit, write(tmp_path, values)).id


def press(app: Any, label: str) -> Any:
    """Press the button whose label begins so."""
    return next(button for button in app.button if button.label.startswith(label)).click().run()


def settled(app: Any, bench: Any) -> Any:
    """The page after its background work is done."""
    for job in bench.jobs.list("guest", active=True, limit=5):
        bench.jobs.wait(job.id, 120)
    return app.run()


def test_channels_are_judged_and_marked_only_when_the_person_agrees(open_page: Callable[..., Any], bench: Any, recording: str) -> None:
    app = settled(press(open_page("eeg", recording=recording, show="cleaning"), "Judge the channels"), bench)
    assert not app.exception
    assert not app.error
    shown = texts(app)
    assert "1 channel of 19 is suggested as bad" in shown
    assert "flat throughout" in shown
    assert inputs.bad_channels(bench.context, recording) == ()
    app = press(app, "Mark 1 channel as bad")
    assert inputs.bad_channels(bench.context, recording) == ("P3",)
    assert "Marked as bad: P3." in texts(app)


def test_too_few_channels_for_components_are_told_with_the_reason(open_page: Callable[..., Any], bench: Any, tmp_path: Path) -> None:
    visit = bench.storage.patients.add_visit(bench.storage.patients.add("P-02").id, "Visit 1").id
    recording = import_recording(bench.config, bench.storage, visit, put(tmp_path, "few.edf", edf(records=30))).id
    app = open_page("eeg", recording=recording, show="cleaning")
    app.session_state[f"cleaning-part-{recording}"] = "eeg.ica"
    app = settled(press(app.run(), "Find the components"), bench)
    assert not app.exception
    assert "need 8 EEG channels at known places" in app.error[0].value
    assert "channel map" in app.error[0].value


def test_components_are_suggested_taken_out_and_put_back(open_page: Callable[..., Any], bench: Any, recording: str) -> None:
    if not (models_folder() / "iclabel").is_dir():
        pytest.skip("ICLabel was not fetched: python -m tests.prepare")
    (bench.config.data / "models").symlink_to(models_folder(), target_is_directory=True)
    inputs.set_bad_channels(bench.context, recording, ["P3"])
    run = bench.run("eeg.ica", {"recording": recording})
    app = open_page("eeg", recording=recording, show="cleaning", run=run.id)
    assert not app.exception
    assert not app.error
    shown = texts(app)
    assert "of 17" in shown, "18 good channels have 17 dimensions in their average reference"
    assert "Nothing is taken out until you choose below" in shown
    assert cleaning.state(bench.context, recording) is None
    app = press(app, "Take out")
    state = cleaning.state(bench.context, recording)
    assert state is not None
    assert state["on"]
    assert state["exclude"] == run.prediction["suggested"]
    assert "taken out wherever the recording is read" in texts(app)
    assert "Cleaned: " in texts(open_page("eeg", recording=recording, show="decode")), "every other part says so too"
    app = open_page("eeg", recording=recording, show="cleaning", run=run.id)
    app = next(toggle for toggle in app.toggle if toggle.label == "Cleaning on").set_value(False).run()
    state = cleaning.state(bench.context, recording)
    assert state is not None
    assert not state["on"]
    assert "left in for now" in texts(app)
    assert [step["on"] for step in state["history"]] == [True, False]
