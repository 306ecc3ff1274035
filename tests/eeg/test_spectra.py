"""Spectra, evoked responses and maps of the head: known powers come back, gaps and artefacts are counted, no difference is not invented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.eeg.importing import import_recording
from backend.eeg.spectra.clusters import compare
from backend.eeg.spectra.evoked import labels
from backend.eeg.spectra.spectrum import BANDS
from backend.eeg.welch import band_power, windows
from backend.errors import InputError
from backend.figures.eeg_head import interpolate, place, positions
from backend.figures.eeg_topomap import topomap
from backend.progress import Silent
from backend.workbench import Workbench
from tests.eeg.sleeping import keep

RATE = 200.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    opened = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path_factory.mktemp("spectra") / "data"), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


def _spectrum(bench: Workbench, recording: str, **settings: Any) -> dict[str, Any]:
    found = bench.run("eeg.spectrum", {"recording": recording}, settings=settings).prediction
    assert found is not None
    return found


def _wave(seconds: float, hertz: float, height: float, seed: int = 0, noise: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return height * np.sin(2 * np.pi * hertz * time) + noise * np.random.default_rng(seed).standard_normal(len(time))


def _bring(bench: Workbench, path: Path) -> str:
    patients = bench.storage.patients
    visit = patients.add_visit(patients.add(f"Q-{len(patients.search(limit=500)) + 1:02d}").id, "first").id
    return import_recording(bench.config, bench.storage, visit, path).id


def test_a_sine_puts_half_its_squared_height_into_its_band(bench: Workbench) -> None:
    found = _spectrum(bench, keep(bench, {"O1": _wave(60, 10.0, 20.0)}, RATE))
    bands = found["channels"][0]["bands"]
    assert bands["alpha"]["absolute"]["value"] == pytest.approx(20**2 / 2, rel=0.02)
    assert bands["alpha"]["relative"]["value"] > 0.95
    assert found["text"][0].startswith("O1: ")


def test_white_noise_has_the_same_power_at_every_frequency_and_an_interval_that_holds_it() -> None:
    """Over 60 recordings, the 95% interval of beta power holds the true power in 88% or more."""
    from backend.eeg.spectra.spectrum import _channel

    truth = 2 * 5.0**2 / RATE * 17
    held = 0
    for seed in range(60):
        values = 5.0 * np.random.default_rng(seed).standard_normal((1, round(120 * RATE)))
        frequency, power, used, _ = windows(values, RATE, 4.0, None)
        block = (np.arange(power.shape[1]) * 2.0 // 10).astype(int)
        sums = np.stack([power[0, block == n].sum(axis=0) for n in range(block.max() + 1)])
        counts = np.bincount(block).astype(float)
        beta = _channel("x", "", "", frequency, sums, counts)["bands"]["beta"]["absolute"]
        held += beta["low"] <= truth <= beta["high"]
        assert used.all()
    assert held >= 53


def test_gaps_and_bad_segments_are_left_out_and_counted(bench: Workbench) -> None:
    wave = _wave(60, 10.0, 20.0)
    burst = wave.copy()
    burst[round(20 * RATE) : round(25 * RATE)] += 900 * np.random.default_rng(1).standard_normal(round(5 * RATE))
    recording = keep(bench, {"O1": burst, "Fz": wave}, RATE, [(19.5, 6.0, "BAD_movement")], segments=[(0.0, 40.0), (50.0, 20.0)])
    found = _spectrum(bench, recording)
    one, two = found["channels"]
    assert one["bands"]["beta"]["absolute"]["value"] == pytest.approx(two["bands"]["beta"]["absolute"]["value"], rel=0.2)
    assert found["left_out"]["gap or bad segment"] > 0
    db = found["spectrogram"]["channels"][0]["db"]
    assert db[44] is None
    assert db[22] is None
    assert db[5] is not None


def test_windows_over_the_limit_are_left_out_of_their_own_channel_only(bench: Workbench) -> None:
    spiky = _wave(60, 10.0, 20.0)
    spiky[round(30 * RATE)] += 2000
    found = _spectrum(bench, keep(bench, {"O1": spiky, "O2": _wave(60, 10, 20)}, RATE), reject_uv=300.0)
    assert [channel["windows"] for channel in found["channels"]] == [27, 29]
    assert found["left_out"]["amplitude"] == 2


def test_a_band_above_what_the_rate_shows_is_not_told() -> None:
    frequency = np.arange(0.25, 40.01, 0.25)
    spectra = np.ones(len(frequency))
    assert np.isnan(band_power(frequency, spectra, BANDS["gamma"]))
    assert band_power(frequency, spectra, BANDS["alpha"]) == pytest.approx(5.0)


def test_bipolar_channels_get_no_map_and_the_reason(bench: Workbench) -> None:
    recording = keep(
        bench, {"F3": _wave(20, 10, 20), "F4": _wave(20, 10, 20), "C3": _wave(20, 9, 9), "C4": _wave(20, 9, 9)}, RATE, reference="P3"
    )
    assert "bipolar" in _spectrum(bench, recording)["map"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window_s": 3.0}, "Windows|offered"),
        ({"start_s": "early"}, "are numbers"),
        ({"start_s": 18.0}, "too short"),
        ({"reference": "mastoids"}, "no reference"),
        ({"reference": "average"}, "three channels"),
        ({"channels": ["Xx"]}, "no channel 'Xx'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(bench: Workbench, settings: dict[str, Any], message: str) -> None:
    recording = keep(bench, {"O1": _wave(20, 10.0, 20.0)}, RATE)
    with pytest.raises(InputError, match=message):
        _spectrum(bench, recording, **settings)


def test_a_run_of_the_spectrum_comes_out_the_same_again(bench: Workbench) -> None:
    run = bench.run("eeg.spectrum", {"recording": keep(bench, {"O1": _wave(30, 10.0, 20.0)}, RATE)})
    again = bench.replay(run.id).prediction
    assert again is not None
    assert again["same"], again["differences"]


def test_closed_eyes_raise_alpha_at_the_back_of_a_real_head(bench: Workbench, shared: Path) -> None:
    powers = []
    for name in ("S001R01", "S001R02"):  # eyes open, eyes closed
        found = _spectrum(bench, _bring(bench, shared / "eeg" / "eegmmi_s001" / f"{name}.edf"))
        powers.append({channel["name"]: channel["bands"]["alpha"]["absolute"] for channel in found["channels"]})
    opened, closed = powers
    for name in ("O1", "O2"):
        assert closed[name]["low"] > opened[name]["high"]
    assert closed["O1"]["value"] > 4 * closed["Fp1"]["value"]


def _evoked(bench: Workbench, recording: str, **settings: Any) -> dict[str, Any]:
    found = bench.run("eeg.evoked", {"recording": recording}, settings=settings).prediction
    assert found is not None
    return found


@pytest.fixture(scope="module")
def answered(bench: Workbench) -> str:
    """60 events 'seen' with a wave of 10 uV at 300 ms in Pz, 60 'unseen' without; one trial with a swing of 1 mV, one in a gap."""
    rng = np.random.default_rng(3)
    time = np.arange(round(260 * RATE)) / RATE
    values = {name: 4 * rng.standard_normal(len(time)) for name in ("Pz", "Cz", "Fz", "O1")}
    marks = []
    for n in range(120):
        onset = 2.0 + 2 * n
        seen = n % 2 == 0
        marks.append((onset, 0.0, "seen" if seen else "unseen"))
        if seen:
            values["Pz"] += 10 * np.exp(-(((time - onset - 0.3) / 0.06) ** 2))
            values["Cz"] += 6 * np.exp(-(((time - onset - 0.3) / 0.06) ** 2))
    values["Fz"][round(6.3 * RATE)] += 1000
    return keep(bench, values, RATE, [*marks, (9.9, 0.5, "bad cable")])


def test_a_planted_response_comes_back_with_its_height_time_and_trials(bench: Workbench, answered: str) -> None:
    found = _evoked(bench, answered, label="seen", low_pass=None, high_pass=None)
    condition = found["conditions"][0]
    assert (condition["trials"], condition["reasons"]) == (58, {"amplitude": 1, "gap or bad segment": 1})
    assert [lost["channel"] for lost in condition["left_out"]] == ["Fz", ""]
    times = np.array(found["times"])
    mean, half = np.array(condition["mean"][0]), np.array(condition["half"][0])
    at = int(mean.argmax())
    assert times[at] == pytest.approx(0.3, abs=0.03)
    assert abs(mean[at] - 10) < 2 * half[at]
    assert mean[times < 0].mean() == pytest.approx(0, abs=0.1)


def test_two_events_that_differ_are_told_to_differ_where_it_was_planted(bench: Workbench, answered: str) -> None:
    found = _evoked(bench, answered, label="seen", compare="unseen", permutations=200)
    clusters = found["comparison"]["clusters"]
    assert clusters[0]["channels"][0] == "Pz"
    assert set(clusters[0]["channels"][:2]) == {"Pz", "Cz"}
    assert clusters[0]["from_s"] > 0.1
    assert clusters[0]["to_s"] < 0.5
    assert clusters[0]["higher"] == 1


def test_chances_of_noise_against_noise_are_as_large_as_they_say() -> None:
    """A p below 0.5 must not come more often than every second time; a test that forgets one direction gives three of four."""
    names, times = ("Fz", "Cz", "Pz", "O1"), np.arange(-20, 100) / 200
    chances = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        one, two = (rng.standard_normal((20, 4, 120)) for _ in range(2))
        chances.append(compare(one, two, times, names, names, 100, Silent())["p"])
    assert sum(p < 0.5 for p in chances) <= 26  # 20 expected; more than 26 has a chance of 0.02, and of 0.9 where one direction is lost
    assert sum(p < 0.05 for p in chances) <= 5


def test_events_that_are_not_there_and_too_few_are_refused_with_what_there_is(bench: Workbench, answered: str) -> None:
    with pytest.raises(InputError, match="no event 'heard'") as told:
        _evoked(bench, answered, label="heard")
    assert "seen" in told.value.hint
    with pytest.raises(InputError, match="over the amplitude limit"):
        _evoked(bench, answered, label="seen", reject_uv=5.0)


def test_bad_segments_and_sleep_stages_are_no_events(bench: Workbench, answered: str) -> None:
    assert labels(bench.context, answered) == {"seen": 60, "unseen": 60}


def test_real_targets_evoke_more_than_button_presses_at_the_front(bench: Workbench, shared: Path) -> None:
    found = _evoked(
        bench, _bring(bench, shared / "eeg" / "eeglab" / "eeglab_data.set"), label="square", compare="rt", permutations=100, reject_uv=None
    )
    assert [condition["trials"] for condition in found["conditions"]] == [80, 74]
    assert found["comparison"]["p"] < 0.05


def test_electrodes_lie_where_they_belong() -> None:
    flat = positions(["Cz", "Fpz", "Oz", "T7", "T8", "not an electrode"])
    assert np.abs(flat[0]).max() < 1e-6
    assert flat[1][1] > 0 > flat[2][1]
    assert flat[3][0] < 0 < flat[4][0]
    assert np.isnan(flat[5]).all()


def test_the_map_passes_through_the_values_at_the_electrodes() -> None:
    names = ("Fz", "Cz", "Pz", "C3", "C4", "O1", "O2", "F7", "F8")
    places = np.array([place(name) for name in names])
    values = np.random.default_rng(0).standard_normal(len(names))
    assert interpolate(places, values, places) == pytest.approx(values, abs=1e-4)


def test_a_map_says_what_it_cannot_show() -> None:
    figure, rows, words = topomap(["O1", "O2", "Fz", "Cz", "E7"], [5.0, float("nan"), 1.0, 2.0, 9.0], "Alpha power", "µV²")
    assert [row["electrode"] for row in rows] == ["O1", "O2", "Fz", "Cz"]
    assert "Highest at O1 (5 µV²), lowest at Fz (1 µV²)" in words
    assert "Without value: O2" in words
    assert "E7" in words
    assert np.isnan(np.asarray(figure.data[0].z, float)).all()  # three values are too few to draw between
    with pytest.raises(InputError, match="no map"):
        topomap(["E1", "E7"], [1.0, 2.0], "x", "µV")
