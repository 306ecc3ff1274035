"""Independent components: a planted blink is found, named and taken out; the rest stays; the recording itself is never altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import Run
from backend.eeg import cleaning, inputs
from backend.eeg.components import ica
from backend.eeg.importing import import_recording
from backend.eeg.prepared import prepare
from backend.eeg.signal import open_recording, recordings_folder
from backend.errors import InputError, StorageError
from backend.models.families import iclabel
from backend.workbench import Workbench
from tests.eeg.heads import NAMES, RATE, Head, head, write
from tests.eeg.making import edf, put
from tests.prepare import models_folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    if not (models_folder() / "iclabel").is_dir():
        pytest.skip("ICLabel was not fetched: python -m tests.prepare")
    folder = tmp_path_factory.mktemp("cleaning") / "data"
    folder.mkdir()
    (folder / "models").symlink_to(models_folder(), target_is_directory=True)
    opened = Workbench(load_config({"BIOLOOM_DATA": str(folder), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def visit(bench: Workbench) -> str:
    patients = bench.storage.patients
    return patients.add_visit(patients.add("P-01").id, "first").id


@pytest.fixture(scope="module")
def made() -> Head:
    return head()


@pytest.fixture(scope="module")
def run(bench: Workbench, visit: str, made: Head, tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = write(tmp_path_factory.mktemp("head"), made.recorded)
    return bench.run("eeg.ica", {"recording": import_recording(bench.config, bench.storage, visit, path).id})


@pytest.fixture
def off(bench: Workbench, run: Run) -> Iterator[str]:
    """The recording without any cleaning, before and after."""
    recording = str(run.input["recording"])
    bench.storage.recordings.set_fact(recording, cleaning.FACT, None)
    yield recording
    bench.storage.recordings.set_fact(recording, cleaning.FACT, None)


def _blink(bench: Workbench, run: Run, made: Head) -> int:
    """The component that follows the planted blinks."""
    assert run.prediction is not None
    held = cleaning.read(bench.context, str(run.input["recording"]), run.prediction["file"])
    sources = held.sources(made.recorded)
    related = [abs(np.corrcoef(source, made.course)[0, 1]) for source in sources]
    assert max(related) > 0.95
    return int(np.argmax(related)) + 1


def test_planted_blinks_become_one_component_and_are_called_eye(bench: Workbench, run: Run, made: Head) -> None:
    assert run.prediction is not None
    number = _blink(bench, run, made)
    found = run.prediction["components"][number - 1]
    assert found["label"] == "eye"
    assert number in run.prediction["suggested"]
    assert len(run.prediction["components"]) == len(NAMES) - 1, "an average reference has one dimension less"
    assert run.prediction["channels"] == list(NAMES)


def test_without_the_blinks_the_rest_keeps_its_variance(bench: Workbench, run: Run, made: Head, off: str) -> None:
    assert run.prediction is not None
    cleaning.choose(bench.context, off, run.id, run.prediction["file"], [_blink(bench, run, made)])
    cleaned = prepare(bench.context, off, high_pass=1.0).values
    wanted = prepare_like(made.brain)
    blinks = prepare_like(made.blinks)
    inner = slice(5 * RATE, -5 * RATE)
    for row, name in enumerate(NAMES):
        left = cleaned[row, inner] - wanted[row, inner]
        assert left.var() < 0.05 * wanted[row, inner].var(), f"{name} keeps more than 95% of what is brain"
    frontal = NAMES.index("Fp1")
    still = np.dot(cleaned[frontal, inner], blinks[frontal, inner]) / np.dot(blinks[frontal, inner], blinks[frontal, inner])
    assert abs(still) < 0.05, "less than 5% of the blinks are left where they were strongest"


def prepare_like(values: np.ndarray) -> np.ndarray:
    """The same filter over the truth."""
    from backend.eeg.filters import filtered

    return filtered(values.astype(np.float32), RATE, 1.0)


def test_cleaning_can_be_switched_off_and_the_stored_signal_is_never_touched(bench: Workbench, run: Run, off: str) -> None:
    assert run.prediction is not None
    folder = recordings_folder(bench.config) / off
    stored = {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith(("signals", "pyramid", "meta"))}
    before = prepare(bench.context, off)
    cleaning.choose(bench.context, off, run.id, run.prediction["file"], [1, 3], {1: "eye", 3: "muscle"})
    after = prepare(bench.context, off)
    assert np.abs(after.values - before.values).max() > 1
    assert any("taken out" in note for note in after.notes), "every result made of cleaned signals says so"
    assert not any("taken out" in note for note in before.notes)
    cleaning.switch(bench.context, off, False)
    assert np.array_equal(prepare(bench.context, off).values, before.values)
    state = cleaning.switch(bench.context, off, True)
    assert np.array_equal(prepare(bench.context, off).values, after.values)
    assert [step["on"] for step in state["history"]] == [True, False, True]
    assert cleaning.words(state) == "2 components: 1 eye, 3 muscle"
    assert np.array_equal(prepare(bench.context, off, clean=False).values, before.values)
    assert {name: (folder / name).read_bytes() for name in stored} == stored


def test_a_page_of_some_channels_is_cleaned_as_the_whole_is(bench: Workbench, run: Run, off: str) -> None:
    assert run.prediction is not None
    cleaning.choose(bench.context, off, run.id, run.prediction["file"], [1, 2])
    signal = open_recording(bench.config, off)
    whole = cleaning.apply(bench.context, off, NAMES, signal.read(NAMES, 0, 40), 0.0)
    names = ["O2", "Fp1"]
    page = cleaning.apply(bench.context, off, names, signal.read(names, 20.5, 30.5), 20.5)
    there = slice(round(20.5 * RATE), round(30.5 * RATE))
    assert np.abs(page - whole[[NAMES.index(name) for name in names], there]).max() < 1e-2


def test_gaps_stay_gaps(bench: Workbench, run: Run, off: str) -> None:
    assert run.prediction is not None
    cleaning.choose(bench.context, off, run.id, run.prediction["file"], [1])
    values = np.zeros((len(NAMES), 4), np.float32)
    values[:, 2] = np.nan
    found = cleaning.apply(bench.context, off, NAMES, values, 0.0)
    assert np.isnan(found[:, 2]).all()
    assert np.isfinite(found[:, [0, 1, 3]]).all()


def test_components_whose_file_is_gone_are_not_passed_over_in_silence(bench: Workbench, run: Run, off: str) -> None:
    assert run.prediction is not None
    cleaning.choose(bench.context, off, run.id, run.prediction["file"], [1])
    path = recordings_folder(bench.config) / off / run.prediction["file"]
    kept = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(StorageError, match="not there any more"):
            prepare(bench.context, off)
        cleaning.switch(bench.context, off, False)
        prepare(bench.context, off)
    finally:
        path.write_bytes(kept)


def test_what_cannot_be_taken_out_is_refused(bench: Workbench, run: Run, off: str) -> None:
    assert run.prediction is not None
    file = run.prediction["file"]
    with pytest.raises(InputError, match="no component 99"):
        cleaning.choose(bench.context, off, run.id, file, [99])
    with pytest.raises(InputError, match="no signal is left"):
        cleaning.choose(bench.context, off, run.id, file, range(1, len(NAMES)))
    with pytest.raises(InputError):
        cleaning.choose(bench.context, off, run.id, "../../meta.json", [1])
    with pytest.raises(InputError, match="Nothing was chosen"):
        cleaning.switch(bench.context, off, True)


def test_the_same_recording_gives_the_same_components(bench: Workbench, run: Run) -> None:
    again = bench.replay(run.id).prediction
    assert again is not None
    assert again["same"], again["differences"]


def test_a_label_is_shared_out_among_the_networks_inputs(bench: Workbench, run: Run, made: Head) -> None:
    assert run.prediction is not None
    number = _blink(bench, run, made)
    found = bench.explain(run.id, {"component": number}).explanation
    assert found is not None
    assert found["target"] == {"component": number, "label": "eye"}
    for part in (found["inputs"], found["parts"]):
        shares = sum(item["value"] for item in part["attributions"])
        assert part["base_value"] + shares == pytest.approx(part["score"], abs=1e-6)
        assert part["score"] == pytest.approx(found["probability"], abs=2e-4), "with everything present it is the label's probability"
    strongest = max(found["inputs"]["attributions"], key=lambda item: item["value"])
    assert strongest["label"] == "Scalp map", "blinks are known by where they are"
    assert found["parts"]["faithfulness"]["random_areas"]
    with pytest.raises(InputError, match="no component 50"):
        bench.explain(run.id, {"component": 50})
    with pytest.raises(InputError, match="knows no 'ghost'"):
        bench.explain(run.id, {"component": 1, "label": "ghost"})


def test_bad_channels_and_bad_segments_take_no_part(bench: Workbench, visit: str, made: Head, tmp_path: Path) -> None:
    values = made.recorded.copy()
    values[NAMES.index("P4"), :] = 300 * np.random.default_rng(0).normal(size=values.shape[1])
    values[:, 30 * RATE : 40 * RATE] += 2000 * np.random.default_rng(1).normal(size=(len(NAMES), 10 * RATE))
    recording = import_recording(bench.config, bench.storage, visit, write(tmp_path, values)).id
    inputs.set_bad_channels(bench.context, recording, ["P4"])
    bench.storage.recordings.annotate(recording, 29.0, 12.0, "BAD movement")
    found = bench.run("eeg.ica", {"recording": recording})
    assert found.prediction is not None
    assert "P4" not in found.prediction["channels"]
    assert found.prediction["left_out"] == [{"name": "P4", "why": "marked as bad"}]
    assert 87 <= found.prediction["seconds"] <= 88.5
    assert any(one["label"] == "eye" and one["probability"] > 0.9 for one in found.prediction["components"][:2])


def test_of_a_long_recording_pieces_are_decomposed_and_that_is_said(bench: Workbench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ica, "MOST_POINTS", 60 * RATE)
    found = bench.run("eeg.ica", {"recording": run.input["recording"]})
    assert found.prediction is not None
    assert found.prediction["seconds"] == 60.0
    assert found.prediction["usable_seconds"] == 100.0
    assert any("spread evenly over the recording" in warning for warning in found.warnings)
    assert found.prediction["components"][0]["label"] == "eye"


def test_a_fast_recording_is_decomposed_at_a_lower_rate_and_cleaned_at_its_own(bench: Workbench, visit: str, tmp_path: Path) -> None:
    path = put(tmp_path, "fast.edf", edf(NAMES, rates=[512] * len(NAMES), records=24))
    recording = import_recording(bench.config, bench.storage, visit, path).id
    found = bench.run("eeg.ica", {"recording": recording})
    assert found.prediction is not None
    assert found.prediction["rate"] == 256.0
    cleaning.choose(bench.context, recording, found.id, found.prediction["file"], [1])
    made = prepare(bench.context, recording)
    assert made.rate == 512.0
    assert made.notes


@pytest.mark.parametrize(
    ("labels", "rate", "words"),
    [
        (("C3", "C4", "O1", "O2", "Fz"), 128, "5 of 5 can be used"),
        (("Fp1-F7", "F7-T7", "T7-P7", "P7-O1", "Fp2-F8", "F8-T8", "T8-P8", "P8-O2", "Fz-Cz", "Cz-Pz"), 128, "bipolar"),
        (NAMES, 64, "64 samples a second"),
    ],
)
def test_recordings_that_do_not_allow_it_are_refused_with_the_reason(
    bench: Workbench, visit: str, tmp_path: Path, labels: tuple[str, ...], rate: int, words: str
) -> None:
    path = put(tmp_path, "a.edf", edf(labels, rates=[rate] * len(labels), records=30))
    recording = import_recording(bench.config, bench.storage, visit, path).id
    with pytest.raises(InputError, match=words):
        bench.run("eeg.ica", {"recording": recording})


def test_eyes_are_found_in_a_real_recording(bench: Workbench, visit: str, shared: Path) -> None:
    path = shared / "eeg" / "eeglab" / "eeglab_data.set"
    recording = import_recording(bench.config, bench.storage, visit, path).id
    found = bench.run("eeg.ica", {"recording": recording})
    assert found.prediction is not None
    held = cleaning.read(bench.context, recording, found.prediction["file"])
    eyes = [one for one in found.prediction["components"] if one["label"] == "eye" and one["suggested"]]
    assert eyes
    strongest = found.prediction["electrodes"][int(np.abs(held.mixing[:, eyes[0]["number"] - 1]).argmax())]
    assert strongest in ("Fpz", "F3", "Fz", "F4")
    assert not any("EOG" in name for name in found.prediction["channels"]), "eye channels are no scalp"
    names = [str(name) for name in held.names]
    before = prepare(bench.context, recording, names=names, high_pass=1.0, clean=False).values
    cleaning.choose(bench.context, recording, found.id, found.prediction["file"], found.prediction["suggested"])
    after = prepare(bench.context, recording, names=names, high_pass=1.0).values
    raised = after.var(axis=1) / before.var(axis=1)
    assert raised.max() <= 1.001, "what the reference picked up is taken out too, so that no channel gets louder"


@pytest.mark.slow
def test_eyes_are_found_in_64_channels(bench: Workbench, visit: str, shared: Path) -> None:
    recording = import_recording(bench.config, bench.storage, visit, shared / "eeg" / "eegmmi_s001" / "S001R03.edf").id
    found = bench.run("eeg.ica", {"recording": recording})
    assert found.prediction is not None
    assert found.prediction["components"][0]["label"] == "eye"
    assert found.prediction["components"][0]["probability"] > 0.95
    assert any("short for 64 channels" in warning for warning in found.warnings)


def test_the_network_says_what_its_publishers_own_says() -> None:
    torch_network = pytest.importorskip("mne_icalabel.iclabel.network")
    folder = models_folder() / "iclabel" / iclabel.CARD.sha256[:12]
    if not folder.is_dir():
        pytest.skip("ICLabel was not fetched: python -m tests.prepare")
    network = iclabel.load(folder, iclabel.CARD, "cpu")
    rng = np.random.default_rng(0)
    maps, spectra, lags = (rng.normal(size=(70, *shape)).astype(np.float32) for shape in ((32, 32), (100,), (100,)))
    theirs = torch_network.run_iclabel(
        np.moveaxis(maps, 0, -1)[:, :, None], spectra.T[None, :, None], lags.T[None, :, None], backend="torch"
    )
    ours = network.predict(maps, spectra, lags)
    assert np.abs(ours - theirs).max() < 1e-4
    assert np.abs(network.predict(-maps[:3, :, ::-1], spectra[:3], lags[:3]) - ours[:3]).max() < 1e-5, "sign and side do not matter"
    assert np.abs(network.predict(maps[5:6], spectra[5:6], lags[5:6]) - ours[5]).max() < 1e-5, "nor what stands beside it"
    assert network.predict(maps[:0], spectra[:0], lags[:0]).shape == (0, 7)
