"""What tasks get of a recording: corrections in, gaps and bad stretches out, the time axis kept; and what is erased with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.config import Config
from backend.domain import Run
from backend.eeg import inputs
from backend.eeg.archive import delete_patient, delete_recording, runs_of
from backend.eeg.prepared import prepare, resampled
from backend.errors import InputError
from backend.models.runtime import Runtime
from backend.storage import Storage
from backend.storage.recordings import Recording
from backend.storage.tables import now
from backend.tasks import Context
from tests.eeg.making import edf, edf_plus, put


@pytest.fixture
def context(config: Config, storage: Storage) -> Context:
    return Context(config, storage, Runtime(config))


def _sine(rate: int, seconds: int, hz: float) -> np.ndarray:
    return (500 * np.sin(2 * np.pi * hz * np.arange(rate * seconds) / rate)).astype(np.int32)


def test_bad_channels_are_left_out_and_said(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    recording = take(put(tmp_path, "a.edf", edf()))
    inputs.set_bad_channels(context, recording.id, ["C3"])
    made = prepare(context, recording.id)
    assert "C3" not in made.names
    assert any("C3" in note for note in made.notes)
    assert prepare(context, recording.id, names=["C3"]).names == ("C3",), "a channel asked for by name is given"
    with pytest.raises(InputError, match="no channel 'C9'"):
        inputs.set_bad_channels(context, recording.id, ["C9"])


def test_a_channel_map_changes_kind_and_place(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    recording = take(put(tmp_path, "a.edf", edf()))
    channels = inputs.channels_of(recording)
    said = inputs.check_map(channels, {"Fp1": {"kind": "eog"}, "C3": {"electrode": "c1"}})
    context.storage.recordings.set_fact(recording.id, inputs.CHANNEL_MAP, said)
    made = prepare(context, recording.id)
    assert "Fp1" not in made.names
    assert made.electrodes[made.names.index("C3")] == "C1"
    with pytest.raises(InputError, match="no electrode position"):
        inputs.check_map(channels, {"C3": {"electrode": "knee"}})


def test_resampling_keeps_a_rhythm_its_time_and_its_gaps(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    values = [_sine(200, 20, 7.0)]
    onsets = [*range(10), *range(25, 35)]  # 15 s are missing after the first ten
    path = put(tmp_path, "a.edf", edf_plus(onsets, labels=("C3",), values=values, rates=[200]))
    recording = take(path)
    made = prepare(context, recording.id, rate=128)
    time = np.arange(made.values.shape[1]) / 128
    hole = (time > 10.1) & (time < 24.9)
    assert np.isnan(made.values[0, hole]).all()
    inside = (time > 1) & (time < 9)
    want = 50 * np.sin(2 * np.pi * 7 * time)
    assert np.abs(made.values[0, inside] - want[inside]).max() < 2.5
    after = (time > 26) & (time < 34)
    assert np.abs(made.values[0, after] - 50 * np.sin(2 * np.pi * 7 * (time[after] - 15))).max() < 2.5


def test_a_stretch_reads_as_it_does_within_the_whole(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    recording = take(put(tmp_path, "a.edf", edf(rates=[256] * 6, records=60)))
    whole = prepare(context, recording.id, high_pass=1.0, low_pass=40.0, rate=128)
    part = prepare(context, recording.id, high_pass=1.0, low_pass=40.0, rate=128, start_s=20, stop_s=30)
    assert part.values.shape[1] == 1280
    scale = np.abs(whole.values).max()
    assert np.abs(part.values - whole.values[:, 20 * 128 : 30 * 128]).max() < 0.02 * scale


def test_bad_segments_become_holes_on_their_channels_only(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    recording = take(put(tmp_path, "a.edf", edf()))
    context.storage.recordings.annotate(recording.id, 2.0, 1.0, "BAD movement")
    context.storage.recordings.annotate(recording.id, 5.0, 1.0, "bad contact", ["C3"])
    context.storage.recordings.annotate(recording.id, 7.0, 1.0, "eyes closed")
    made = prepare(context, recording.id, bad_segments="nan")
    at = {name: np.isnan(made.values[n]) for n, name in enumerate(made.names)}
    assert at["O1"][200:300].all()
    assert not at["O1"][500:600].any()
    assert at["C3"][500:600].all()
    assert not at["C3"][700:800].any()
    assert not np.isnan(prepare(context, recording.id).values).any()


def test_resampling_nothing_is_nothing() -> None:
    values = np.full((2, 50), np.nan, np.float32)
    assert np.isnan(resampled(values, 100, 50)).all()


def test_runs_leave_with_their_recording(config: Config, context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    """Results name ids, never a pseudonym, and are erased with what they were made of, explanations too."""
    one = take(put(tmp_path, "a.edf", edf()))
    two = take(put(tmp_path, "b.edf", edf(records=12)))
    storage = context.storage
    given = inputs.read_recording(context, {"recording": one.id})
    assert "P-01" not in str(given)

    def save(about: dict[str, object], parent: str = "", task: str = "eeg.sleep") -> str:
        made = Run(
            id=storage.runs.new_run_id(), task=task, title="x", created=now(), input=about, input_sha256="", settings={}, profile={},
            model={"name": "m", "revision": "1", "sha256": ""}, prediction={"secret": "planted-mark"}, explanation=None, warnings=(),
            seconds=0.0, environment={}, parent=parent, kind="explanation" if parent else "run",
        )  # fmt: skip
        return storage.runs.append(made).id

    from backend.tasks import find_task, tasks

    eeg = next(name for name, known in tasks().items() if known.modality == "eeg")
    assert find_task(eeg)
    first = save(given, task=eeg)
    save(given, parent=first, task=eeg)
    both = save({"recordings": [one.id, two.id]}, task=eeg)
    other = save({"recording": two.id}, task=eeg)
    delete_recording(config, storage, one.id)
    assert runs_of(storage, [one.id, two.id]) == [other]
    assert storage.runs.verify().ok
    for gone in (first, both):
        with pytest.raises(InputError, match="deleted"):
            storage.runs.get(gone)
    delete_patient(config, storage, given["patient"])
    held = b"".join(path.read_bytes() for path in config.data.rglob("*") if path.is_file())
    assert b"planted-mark" not in held


def test_recordings_of_two_patients_do_not_go_together(
    context: Context, take: Callable[..., Recording], tmp_path: Path, config: Config
) -> None:
    from backend.eeg.importing import import_recording

    one = take(put(tmp_path, "a.edf", edf()))
    stranger = context.storage.patients.add_visit(context.storage.patients.add("P-02").id, "first").id
    two = import_recording(config, context.storage, stranger, put(tmp_path, "c.edf", edf(records=11)))
    with pytest.raises(InputError, match="different patients"):
        inputs.read_recordings(context, {"recordings": [one.id, two.id]})
    assert one.id == inputs.read_recordings(context, {"recordings": [one.id]})["recordings"][0]


def test_a_run_knows_what_was_decided_about_its_recording(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    recording = take(put(tmp_path, "a.edf", edf()))
    before = inputs.read_recording(context, {"recording": recording.id})
    inputs.set_bad_channels(context, recording.id, ["C3"])
    context.storage.recordings.annotate(recording.id, 1.0, 1.0, "bad")
    after = inputs.read_recording(context, {"recording": recording.id})["corrections"][recording.id]
    assert before["corrections"][recording.id] != after
    assert after["bad_channels"] == ["C3"]
    assert after["bad_segments"] == 1


def test_the_list_of_jobs_forgets_the_deleted(config: Config, context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    from backend.jobs import Jobs

    recording = take(put(tmp_path, "a.edf", edf()), name="Night of P")
    jobs = Jobs(context.storage, workers=1)
    try:
        for title, result in ((f"Sleep staging of {recording.name}", {}), ("Looking", {"kept": [recording.id]}), ("Measuring", {"n": 3})):
            jobs.wait(jobs.submit("me", "eeg", title, lambda progress, made=result: made), 10)
        delete_recording(config, context.storage, recording.id)
        assert [row.title for row in context.storage.jobs.list()] == ["Measuring"]
    finally:
        jobs.shutdown()
