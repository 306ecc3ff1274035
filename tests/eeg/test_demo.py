"""Demo patients: published trials arrive unaltered and explained, the simulated night is labelled, both can be repeated and erased."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.config import Config, load_config
from backend.eeg import demo
from backend.eeg.archive import delete_patient, delete_recording
from backend.eeg.demo import DEMOS, TEST, TRAINING, add_demo, find_demo
from backend.eeg.inputs import is_simulated
from backend.eeg.signal import open_recording, recordings_folder
from backend.eeg.trials_file import read_trials
from backend.errors import Cancelled, InputError, NetworkError
from backend.models.data_cards import SELF_REGULATION
from backend.models.runtime import Runtime
from backend.progress import Silent
from backend.storage import Storage, open_storage
from backend.storage.recordings import Recording
from backend.tasks import Context
from tests.prepare import models_folder

SIZES = {"scp1": (6, 896, 268, 293, 6.0), "scp2": (7, 1152, 200, 180, 8.0)}


@pytest.fixture
def context(config: Config, storage: Storage) -> Context:
    """A task's context that sees the fetched data."""
    config.data.mkdir(exist_ok=True)
    if models_folder().is_dir():
        config.models.symlink_to(models_folder(), target_is_directory=True)
    return Context(config, storage, Runtime(config))


@pytest.fixture
def fetched(context: Context) -> Path:
    if not context.runtime.present(SELF_REGULATION.name):
        pytest.skip("the demo's data was not fetched: python -m tests.prepare")
    return context.runtime.fetch(SELF_REGULATION.name)


def _kept(context: Context, patient: str) -> dict[str, Recording]:
    store = context.storage
    return {visit.label: store.recordings.list(visit=visit.id)[0] for visit in store.patients.visits(patient)}


@pytest.mark.parametrize("name", SIZES)
def test_every_published_trial_is_kept_value_by_value_under_its_own_class(name: str, context: Context, fetched: Path) -> None:
    channels, long, training, test, spacing = SIZES[name]
    kept = _kept(context, add_demo(context, name))
    assert list(kept) == [TRAINING, TEST]
    for (visit, recording), count, part in zip(kept.items(), (training, test), ("TRAIN", "TEST"), strict=True):
        folder = demo._SETS[name][0]
        published = read_trials(fetched / folder / f"{folder}_{part}.ts", Silent())
        assert published.values.shape == (count, channels, long)
        marks = context.storage.recordings.annotations(recording.id)
        signal = open_recording(context.config, recording.id)
        assert [mark.onset_s for mark in marks] == [n * spacing for n in range(count)]
        assert {mark.label for mark in marks} == set(demo.CLASSES)
        assert len(recording.gaps) == count - 1
        order = _order(published.values, marks, signal)
        assert sorted(order) == list(range(count)), "every trial once"
        for mark, trial in zip(marks, order, strict=True):
            values = signal.read([channel.name for channel in signal.channels], mark.onset_s, mark.onset_s + mark.duration_s)
            np.testing.assert_array_equal(values, published.values[trial])
            assert published.labels[trial] == mark.label
        drawn = "order-drawn" in {found["word"] for found in recording.diagnoses}
        assert drawn == (visit == TRAINING)
        assert (order == list(range(count))) is not drawn, "only what the publisher sorted by class is put in another order"


def _order(values: np.ndarray, marks: object, signal: object) -> list[int]:
    """Which published trial each mark's stretch is, by all its values."""
    names = [channel.name for channel in signal.channels]  # type: ignore[attr-defined]
    known = {values[n].tobytes(): n for n in range(len(values))}
    return [known[signal.read(names, m.onset_s, m.onset_s + m.duration_s).tobytes()] for m in marks]  # type: ignore[attr-defined]


def test_training_trials_are_not_sorted_by_class_so_that_blocks_of_time_hold_both(context: Context, fetched: Path) -> None:
    for name in SIZES:
        recording = _kept(context, add_demo(context, name))[TRAINING]
        labels = [mark.label for mark in context.storage.recordings.annotations(recording.id)]
        for block in np.array_split(np.array(labels), 5):
            assert 0.3 < np.mean(block == "positivity") < 0.7


def test_between_trials_nothing_was_recorded_and_the_words_say_that_the_times_are_not_known(context: Context, fetched: Path) -> None:
    recording = _kept(context, add_demo(context, "scp1"))[TRAINING]
    signal = open_recording(context.config, recording.id)
    assert np.isnan(signal.read(["FCC3"], 3.5, 6.0)).all()
    assert not np.isnan(signal.read(["FCC3"], 6.0, 9.5)).any()
    assert {"times-unknown", "order-drawn", "positions-approximate", "days-mixed"} == {found["word"] for found in recording.diagnoses}


def test_electrodes_are_named_as_far_as_the_source_tells(context: Context, fetched: Path) -> None:
    channels = {channel["name"]: channel for channel in _kept(context, add_demo(context, "scp2"))[TRAINING].channels}
    assert (channels["A1-Cz"]["electrode"], channels["A1-Cz"]["reference"]) == ("A1", "Cz")
    assert channels["vEOG"]["kind"] == "eog"
    assert channels["CCP4"]["original"] == "2 cm parietal of C4"
    assert channels["CCP4"]["reference"] == ""


def test_asking_again_changes_nothing_also_under_another_pseudonym_and_completes_what_was_deleted(context: Context, fetched: Path) -> None:
    patient = add_demo(context, "scp2")
    context.storage.patients.edit(patient, pseudonym="P-11")
    before = context.storage.recordings.list(patient=patient)
    assert add_demo(context, "scp2") == patient == find_demo(context, "scp2")
    assert context.storage.recordings.list(patient=patient) == before
    delete_recording(context.config, context.storage, before[1].id)
    assert add_demo(context, "scp2") == patient
    assert [one.sha256 for one in context.storage.recordings.list(patient=patient)] == [one.sha256 for one in before]


def test_a_deleted_demo_patient_is_gone_with_all_files_and_can_come_back(context: Context, fetched: Path) -> None:
    patient = add_demo(context, "scp1")
    delete_patient(context.config, context.storage, patient)
    assert find_demo(context, "scp1") == ""
    assert list(recordings_folder(context.config).iterdir()) == []
    assert add_demo(context, "scp1") != patient


def test_stopping_leaves_no_half_demo_patient(context: Context, fetched: Path) -> None:
    class Stop(Silent):
        def __init__(self) -> None:
            self.left = 450  # well into the second file

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    with pytest.raises(Cancelled):
        add_demo(context, "scp1", Stop())
    assert context.storage.patients.search() == []
    assert list(recordings_folder(context.config).iterdir()) == []


def test_damaged_data_is_refused_by_its_hash(config: Config, storage: Storage, context: Context, fetched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    for name in SELF_REGULATION.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("@data\n1,2:negativity\n")
    with pytest.raises(InputError, match="not the published one"):
        demo.demo_trials(folder, "scp1")


def test_without_data_and_network_the_remedy_is_told(config: Config, storage: Storage) -> None:
    bare = Context(config, storage, Runtime(load_config({"BIOLOOM_DATA": str(config.data), "BIOLOOM_OFFLINE": "1"})))
    with pytest.raises(NetworkError) as caught:
        add_demo(bare, "scp1")
    assert "network" in caught.value.message
    assert storage.patients.search() == []


def test_an_unknown_demo_is_answered_with_the_known_ones(context: Context) -> None:
    with pytest.raises(InputError) as caught:
        add_demo(context, "scp3")
    assert all(name in caught.value.hint for name in DEMOS)


@pytest.fixture
def short_night(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(demo, "HOURS", 0.5)
    return 0.5


def test_a_simulated_night_says_so_everywhere_and_carries_the_stages_it_was_made_as(context: Context, short_night: float) -> None:
    from backend.eeg.simulate.night import simulated_night

    patient = add_demo(context, "night")
    about = context.storage.patients.get(patient)
    visit = context.storage.patients.visits(patient)[0]
    recording = context.storage.recordings.list(patient=patient)[0]
    assert all("simulated" in text.casefold() for text in (about.pseudonym, about.note, visit.label, recording.name, recording.format))
    assert is_simulated(context, recording.id)
    assert "simulated" in {found["word"] for found in recording.diagnoses}
    night = simulated_night(short_night, demo.SEED)
    signal = open_recording(context.config, recording.id)
    kept = signal.read(list(night.names), 0, 600)
    np.testing.assert_allclose(kept, night.values[:, : kept.shape[1]], atol=demo._STEP_UV / 2 + 1e-4)
    stages = [""] * len(night.stages)
    for mark in context.storage.recordings.annotations(recording.id):
        for epoch in range(round(mark.onset_s / 30), round((mark.onset_s + mark.duration_s) / 30)):
            stages[epoch] = mark.label.removeprefix("Simulated stage ")
    assert stages == night.stages


def test_each_demo_patient_invites_to_a_task_that_is_there(context: Context, fetched: Path, short_night: float) -> None:
    from backend.eeg.demo import demo_of
    from backend.tasks import tasks

    for name, wanted in DEMOS.items():
        patient = add_demo(context, name)
        found = demo_of(context, patient)
        assert found is not None
        assert (found[0], found[0].task in tasks()) == (wanted, True)
        assert found[1] == context.storage.recordings.list(patient=patient)[0].id
    assert demo_of(context, context.storage.patients.add("P-01").id) is None


def test_published_trials_are_not_called_simulated(context: Context, fetched: Path) -> None:
    for recording in _kept(context, add_demo(context, "scp1")).values():
        assert not is_simulated(context, recording.id)


def test_what_a_fresh_bioloom_fetches_holds_the_demo_data() -> None:
    from backend.models.registry import embedded, get_card

    assert SELF_REGULATION in embedded()
    assert get_card(SELF_REGULATION.name) is SELF_REGULATION


def test_the_storage_opens_again_with_the_demo(config: Config, context: Context, short_night: float) -> None:
    patient = add_demo(context, "night")
    again = open_storage(config)
    try:
        assert again.patients.get(patient).recordings == 1
    finally:
        again.close()
