"""Sleep spindles: what is planted is found, what cannot be judged is not, and both detectors are laid beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import Run
from backend.eeg.simulate.planted import RATE, Planted, planted_spindles
from backend.eeg.sleep.staged import Staged, stage_of
from backend.eeg.spindles.events import evaluated, pair, poisson
from backend.eeg.spindles.trace import read_trace, write_spindles
from backend.eeg.spindles.why import components
from backend.errors import InputError
from backend.models.spindle_network import RATE as NETWORK_RATE
from backend.workbench import Workbench
from tests.eeg.sleeping import keep
from tests.prepare import models_folder

MINUTES = 6.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    if not (models_folder() / "openspindlenet").is_dir():
        pytest.skip("OpenSpindleNet was not fetched: python -m tests.prepare")
    folder = tmp_path_factory.mktemp("spindles") / "data"
    folder.mkdir()
    (folder / "models").symlink_to(models_folder(), target_is_directory=True)
    opened = Workbench(load_config({"BIOLOOM_DATA": str(folder), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made() -> Planted:
    return planted_spindles(MINUTES, per_minute=4, heights=(18, 35), seed=5)


@pytest.fixture(scope="module")
def run(bench: Workbench, made: Planted) -> Run:
    """C3 sleeps in N2, then 2 minutes of N3; a copy of C3 with spindles stands in wakefulness before it."""
    marks = [(0.0, 60.0, "Sleep stage W"), (60.0, 180.0, "Sleep stage N2"), (240.0, 120.0, "Sleep stage 3")]
    recording = keep(bench, {"C3": made.values, "O1": made.values * 0.4}, RATE, marks)
    return bench.run("eeg.spindles", {"recording": recording}, settings={"channels": ["C3"]})


def _events(run: Run) -> list[dict[str, Any]]:
    assert run.prediction is not None
    return list(run.prediction["channels"][0]["events"])


def _hits(spindles: np.ndarray, events: list[dict[str, Any]], who: str) -> int:
    spans = [event[who] for event in events if event[who]]
    return sum(any(min(stop, b) - max(start, a) > 0.2 * (max(stop, b) - min(start, a)) for a, b in spans) for start, stop, *_ in spindles)


def test_planted_spindles_are_found_where_they_were_planted(run: Run, made: Planted) -> None:
    asleep = made.spindles[made.spindles[:, 0] > 61]
    events = _events(run)
    assert _hits(asleep, events, "network") >= 0.9 * len(asleep)
    assert _hits(asleep, events, "second") >= 0.7 * len(asleep)


def test_nothing_is_marked_where_none_was_planted(run: Run, made: Planted) -> None:
    events = [event for event in _events(run) if event["network"]]
    false = [event for event in events if not any(a < event["end"] and event["start"] < b for a, b, *_ in made.spindles)]
    assert len(false) <= 0.1 * len(events)


def test_wakefulness_is_not_searched(run: Run) -> None:
    assert min(event["start"] for event in _events(run)) > 59


def test_stage_three_counts_as_n3_and_each_stage_has_its_own_density(run: Run) -> None:
    assert run.prediction is not None
    whole, two, three = run.prediction["channels"][0]["summary"]
    assert [part["stages"] for part in (whole, two, three)] == [["N2", "N3"], ["N2"], ["N3"]]
    assert (two["minutes"], three["minutes"]) == pytest.approx((3.0, 2.0), abs=0.1)
    assert two["network"] + three["network"] == whole["network"]
    assert whole["density"]["network"]["low"] < whole["density"]["network"]["value"] < whole["density"]["network"]["high"]


def test_frequency_and_amplitude_are_those_planted(run: Run, made: Planted) -> None:
    pairs = []
    for start, stop, hertz, height in made.spindles:
        near = [event for event in _events(run) if event["network"] and event["start"] < stop - 0.2 and event["end"] > start + 0.2]
        pairs += [(event["frequency"] - hertz, event["amplitude"] / (2 * height)) for event in near[:1]]
    frequency, amplitude = np.median(pairs, axis=0)
    assert frequency == pytest.approx(-0.4, abs=0.5)  # planted spindles slow down towards their end
    assert amplitude == pytest.approx(1.0, abs=0.25)


def test_pairs_add_up(run: Run) -> None:
    events = _events(run)
    assert run.prediction is not None
    whole = run.prediction["channels"][0]["summary"][0]
    both = sum(event["network"] is not None and event["second"] is not None for event in events)
    assert whole["agreement"]["pairs"] == both
    assert whole["agreement"]["f1"]["value"] == pytest.approx(2 * both / (whole["network"] + whole["second"]), abs=1e-4)
    assert 0 < whole["agreement"]["kappa"] < 1


def test_a_run_comes_out_the_same_again(bench: Workbench, run: Run) -> None:
    again = bench.replay(run.id)
    assert again.prediction is not None
    assert again.prediction["same"], again.prediction["differences"]


def test_events_become_annotations_once(bench: Workbench, run: Run) -> None:
    recording, events = str(run.input["recording"]), _events(run)
    assert write_spindles(bench.context, recording, "C3", events) == len(events)
    assert write_spindles(bench.context, recording, "C3", events) == 0
    marks = [mark for mark in bench.storage.recordings.annotations(recording) if mark.label == "Spindle"]
    assert len(marks) == len(events)
    trace = read_trace(bench.context, recording, "C3", "", events[0]["start"], events[0]["end"])
    assert np.ptp(trace["sigma"]) == pytest.approx(events[0]["amplitude"], rel=0.1)


def test_without_stages_the_person_is_told_to_stage_first(bench: Workbench, made: Planted) -> None:
    recording = keep(bench, {"C4": made.values[: round(60 * RATE)]}, RATE)
    with pytest.raises(InputError, match="which parts of this recording are sleep"):
        bench.run("eeg.spindles", {"recording": recording})
    whole = bench.run("eeg.spindles", {"recording": recording}, settings={"stages": "whole"})
    assert any("as asked" in warning for warning in whole.warnings)


def test_events_in_and_beside_gaps_and_bad_segments_do_not_count(bench: Workbench, made: Planted) -> None:
    seconds = 100.0
    part = made.values[: round(seconds * RATE)]
    marks = [(0.0, 160.0, "Sleep stage N2"), (20.0, 6.0, "bad movement")]
    recording = keep(bench, {"C3": part}, RATE, marks, segments=[(0.0, 60.0), (100.0, 40.0)])
    found = bench.run("eeg.spindles", {"recording": recording}).prediction
    assert found is not None
    channel = found["channels"][0]
    assert channel["stretches"] == [[pytest.approx(26, abs=0.1), pytest.approx(60, abs=0.1)], [pytest.approx(100, abs=0.1), 140.0]]
    assert all(26 < event["start"] < 60 or event["start"] > 100 for event in channel["events"])  # 20 s before the bad segment are too short
    assert channel["summary"][0]["minutes"] == pytest.approx((34 - 1 + 40 - 0.5) / 60, abs=0.02)


def test_the_other_ear_is_taken_as_reference_and_a_slow_rate_is_warned_of(bench: Workbench, made: Planted) -> None:
    slow = made.values[: round(90 * RATE) : 2]
    recording = keep(bench, {"C3": slow, "M2": slow * 0, "M1": slow * 0.1}, RATE / 2, [(0.0, 90.0, "N2")])
    found = bench.run("eeg.spindles", {"recording": recording})
    assert found.prediction is not None
    assert [channel["name"] for channel in found.prediction["channels"]] == ["C3-M2"]
    assert any("Below 200 Hz" in warning for warning in found.warnings)


def test_too_little_sleep_is_refused_with_the_reason(bench: Workbench, made: Planted) -> None:
    recording = keep(bench, {"C3": made.values[: round(60 * RATE)]}, RATE, [(0.0, 50.0, "Sleep stage N2")])
    with pytest.raises(InputError, match="less than a minute of N2 and N3"):
        bench.run("eeg.spindles", {"recording": recording})


@pytest.mark.slow
def test_the_band_of_spindles_in_the_time_of_the_event_explains_it(bench: Workbench, run: Run) -> None:
    event = max((event for event in _events(run) if event["second"]), key=lambda event: event["probability"] or 0)
    made = bench.explain(run.id, {"channel": "C3", "start": event["start"]}).explanation
    assert made is not None
    shares = {part["label"]: part["value"] for part in made["sites"]["attributions"]}
    assert max(shares, key=lambda label: shares[label]) == "11 to 16 Hz, during"
    assert made["sites"]["base_value"] + sum(shares.values()) == pytest.approx(made["sites"]["score"], abs=1e-6)
    assert made["sites"]["score"] == pytest.approx(event["probability"], abs=0.02)


def test_bands_and_times_add_up_to_the_signal() -> None:
    window = np.random.default_rng(0).standard_normal(7500)
    parts = components(window, (10.0, 11.0))
    middle = slice(round(8.8 * NETWORK_RATE), round(12.2 * NETWORK_RATE))
    assert np.abs(parts.sum(axis=0)[middle] - window[middle]).max() < 1e-9


def test_one_mark_is_paired_once_with_the_one_that_it_shares_most_with() -> None:
    staged = Staged(((0.0, 100.0, "N2"),), "")
    events = pair(np.array([[10.0, 11.0, 0.9], [10.9, 12.0, 0.8]]), np.array([[10.1, 11.2]]), staged)
    assert [(event.network is not None, event.second is not None) for event in events] == [(True, True), (True, False)]


def test_a_constant_stretch_is_a_gap() -> None:
    values = np.random.default_rng(0).standard_normal(70 * 250).astype(np.float32)
    values[32 * 250 : 34 * 250] = 7.0
    parts, counts = evaluated(values, np.ones(len(values), bool))
    assert [round(last / 250) for _, last in parts] == [32, 70]
    assert not counts[31 * 250 + 130 : 34 * 250 + 120].any()


def test_no_spindle_in_ten_minutes_still_has_an_upper_bound() -> None:
    assert poisson(0, 10) == {"value": 0.0, "low": 0.0, "high": pytest.approx(0.3689, abs=1e-4), "interval": "exact Poisson"}


@pytest.mark.parametrize(
    ("label", "stage"),
    [("Sleep stage 2", "N2"), ("Sleep stage W", "W"), ("Stage N3", "N3"), ("rem", "R"), ("Sleep stage ?", ""), ("T1", ""), ("2", "")],
)
def test_stage_marks_are_read_in_their_common_spellings(label: str, stage: str) -> None:
    assert stage_of(label) == stage
