"""Background activity: the alpha peak is found where it is and not where it is not, intervals hold, artefacts stay out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.eeg.baseline.measured import difference, holm, measured
from backend.eeg.baseline.states import limit, merged, overlap
from backend.eeg.importing import import_recording
from backend.eeg.regions import region_of, side_of
from backend.errors import InputError
from tests.benchmarks.eeg_baseline import RATE, run
from tests.eeg.quiet import keep, keep_broken, measure, quiet, visit_of


def rhythm(found, state=0):
    return found["states"][state]["rhythm"]


def power(found, band, region="occipital", kind="absolute", state=0):
    return next(one[kind] for one in found["states"][state]["powers"] if one["region"] == region and one["band"] == band)


@pytest.mark.parametrize("hertz", [6.0, 8.2, 9.6, 11.4])
def test_a_rhythm_is_found_at_its_frequency(bench, tmp_path, hertz):
    found = measure(bench, keep(bench, tmp_path, quiet(hertz)), state="closed")
    peak = rhythm(found)["peak"]
    assert abs(peak["value"] - hertz) < 0.25
    assert peak["low"] <= hertz <= peak["high"]
    assert f"{peak['value']:.1f} Hz" in found["text"][0]
    assert "Posterior dominant rhythm" in found["text"][0]


def test_noise_without_a_rhythm_has_no_alpha_peak_and_that_is_a_result(bench, tmp_path):
    found = measure(bench, keep(bench, tmp_path, quiet(None)), state="closed")
    assert not rhythm(found)["found"]
    assert "No alpha peak found" in found["text"][0]
    assert power(found, "alpha")["value"] > 0
    assert not rhythm(found)["sides"]["left"]["found"]


def test_a_peak_is_seldom_claimed_where_there_is_only_noise():
    claimed = [run(seed, 60.0, None)[0]["found"] for seed in range(30)]
    assert np.mean(claimed) <= 0.2


def test_intervals_hold_the_true_frequency_as_often_as_they_say():
    rng = np.random.default_rng(5)
    held = []
    for seed in range(30):
        truth = float(rng.uniform(8, 12))
        found, _ = run(500 + seed, 90.0, truth, 2.0)
        held.append(found["found"] and found["peak"]["low"] <= truth <= found["peak"]["high"])
    assert np.mean(held) >= 0.83


def test_eyes_closed_raise_alpha_in_a_real_recording(bench, shared):
    visit = visit_of(bench)
    found = {}
    for state, name in (("open", "S001R01.edf"), ("closed", "S001R02.edf")):
        recording = import_recording(bench.config, bench.storage, visit, shared / "eeg" / "eegmmi_s001" / name).id
        found[state] = measure(bench, recording, state=state)
    closed = rhythm(found["closed"])
    assert closed["found"]
    assert closed["channels"] == ["O1", "Oz", "O2"]
    assert 9.5 < closed["peak"]["value"] < 10.6
    change = difference(power(found["closed"], "alpha"), power(found["open"], "alpha"))
    assert change["high"] < 0.5, "opening the eyes takes most of occipital alpha away"
    assert found["closed"]["reference"] == "average of 64 electrodes"


def test_what_the_eyes_did_is_read_from_annotations(bench, tmp_path):
    values = np.concatenate([quiet(10.0, seed=3), quiet(10.0, seed=4, strength=0.3)], axis=1)
    recording = keep(bench, tmp_path, values)
    bench.storage.recordings.annotate(recording, 0.0, 0.0, "Eyes closed")
    bench.storage.recordings.annotate(recording, 60.0, 60.0, "eyes open")
    found = measure(bench, recording)
    assert [state["state"] for state in found["states"]] == ["eyes closed", "eyes open"]
    assert found["states"][0]["seconds"] == 60
    assert found["reactivity"]["change"]["high"] < 1
    assert "reactive" in found["text"][-1]


def test_labels_of_ones_own_can_be_named(bench, tmp_path):
    recording = keep(bench, tmp_path, quiet(10.0, seconds=80))
    bench.storage.recordings.annotate(recording, 0.0, 40.0, "AZ")
    found = measure(bench, recording, closed_label="AZ")
    assert [(state["state"], state["seconds"]) for state in found["states"]] == [("eyes closed", 40.0)]


def test_without_annotations_it_is_said_that_the_eyes_are_not_known(bench, tmp_path):
    run = bench.run("eeg.baseline", {"recording": keep(bench, tmp_path, quiet(10.0))})
    assert run.prediction["states"][0]["state"] == "not said"
    assert "Posterior dominant rhythm" not in run.prediction["text"][0]
    assert any("not known whether the eyes" in warning for warning in run.warnings)
    assert any("awake" in warning for warning in run.warnings)


def test_bad_stretches_large_swings_and_flat_channels_stay_out_and_are_counted(bench, tmp_path):
    clean = quiet(10.0, seconds=80, seed=8)
    before = measure(bench, keep(bench, tmp_path, clean), state="closed")
    spoilt = clean.copy()
    t = np.arange(clean.shape[1]) / RATE
    marked, swung = (t >= 20) & (t < 30), (t >= 50) & (t < 54)
    spoilt[:, marked] += 400 * np.sin(2 * np.pi * 6 * t[marked])
    spoilt[:, swung] += 500 * np.sin(2 * np.pi * 2 * t[swung])
    visit = bench.storage.patients.visits(bench.storage.patients.search()[0].id)[0].id
    recording = keep(bench, tmp_path, np.vstack([spoilt, np.zeros_like(t)]), ("O1", "O2", "Oz"), visit=visit)
    bench.storage.recordings.annotate(recording, 20.0, 10.0, "BAD movement")
    found = measure(bench, recording, state="closed")
    state = found["states"][0]
    assert state["left_out"]["gap or bad segment"] > 0
    assert state["left_out"]["amplitude"] > 0
    assert state["left_out"]["flat"] > 0.25
    assert state["unused"] == ["Oz"]
    for band in ("delta", "theta", "alpha"):
        assert power(found, band)["value"] == pytest.approx(power(before, band)["value"], rel=0.35)


def test_a_large_alpha_rhythm_is_no_artefact(bench, tmp_path):
    values = quiet(10.0, strength=3.0) * 12  # hundreds of microvolts, as in a child or an unusual amplifier
    found = measure(bench, keep(bench, tmp_path, values), state="closed")
    assert np.ptp(values) > 400
    assert found["states"][0]["left_out"]["amplitude"] < 0.1


def test_windows_do_not_reach_over_gaps(bench, tmp_path):
    values = quiet(10.0, seconds=60)
    onsets = [*range(30), *range(40, 70)]
    found = measure(bench, keep_broken(bench, tmp_path, values, onsets), state="closed")
    state = found["states"][0]
    assert state["seconds"] == 70
    assert 52 <= state["clean_s"] <= 60
    assert abs(rhythm(found)["peak"]["value"] - 10) < 0.25


def test_only_waking_is_measured_where_stages_are_known(bench, tmp_path):
    values = np.concatenate([quiet(10.0, seed=3), quiet(6.0, seconds=120, seed=4)], axis=1)
    recording = keep(bench, tmp_path, values)
    for n in range(6):
        bench.storage.recordings.annotate(recording, 30.0 * n, 30.0, "Sleep stage W" if n < 2 else "Sleep stage N2")
    found = measure(bench, recording, state="closed")
    assert found["awake"]["known"]
    assert found["states"][0]["seconds"] == 60
    assert abs(rhythm(found)["peak"]["value"] - 10) < 0.25


def test_sleep_throughout_leaves_nothing_to_measure(bench, tmp_path):
    recording = keep(bench, tmp_path, quiet(10.0))
    bench.storage.recordings.annotate(recording, 0.0, 60.0, "Sleep stage N2")
    with pytest.raises(InputError, match="no part of this recording is staged as awake"):
        measure(bench, recording, state="closed")


def test_left_and_right_are_told_apart(bench, tmp_path):
    values = quiet(10.0)
    values[1] *= 0.5
    found = measure(bench, keep(bench, tmp_path, values), state="closed")
    ratio = next(side["ratio"] for side in found["states"][0]["sides"] if side["band"] == "alpha")
    assert ratio["low"] > 1.5
    assert 3 < ratio["value"] < 5.5


def test_without_posterior_electrodes_the_place_is_said(bench, tmp_path):
    found = measure(bench, keep(bench, tmp_path, quiet(10.0), ("C3", "C4")), state="closed")
    assert rhythm(found)["fallback"] == "none"
    assert "Posterior" not in found["text"][0]
    assert any("No posterior electrode" in line for line in found["text"])


def test_a_recording_too_short_is_refused_with_what_is_needed(bench, tmp_path):
    with pytest.raises(InputError, match="20 s are needed"):
        measure(bench, keep(bench, tmp_path, quiet(10.0, seconds=14)), state="closed")


def test_settings_that_make_no_sense_are_refused(bench, tmp_path):
    recording = keep(bench, tmp_path, quiet(10.0))
    for settings in ({"state": "asleep"}, {"reference": "Cz"}, {"reject_uv": 5}):
        with pytest.raises(InputError):
            measure(bench, recording, **settings)


def test_it_comes_out_the_same_again_and_names_nobody(bench, tmp_path):
    recording = keep(bench, tmp_path, quiet(10.0), patient="MCH-0234567 F 02-MAY-1951 Haagse_Harry")
    made = bench.run("eeg.baseline", {"recording": recording}, settings={"state": "closed"})
    again = bench.replay(made.id)
    assert again.prediction["same"], again.prediction["differences"]
    told = json.dumps([made.input, made.prediction, made.title])
    assert "P-07" not in told
    assert "Haagse" not in told


def test_the_export_has_every_number_with_its_interval(bench, tmp_path):
    from backend.tasks import find_task

    found = measure(bench, keep(bench, tmp_path, quiet(10.0)), state="closed")
    lines = find_task("eeg.baseline").exports["csv"](found).splitlines()
    assert lines[0] == "state,measure,region,band,unit,value,low_95,high_95"
    assert any(line.startswith("eyes closed,alpha peak,O1 O2,,Hz,") for line in lines)
    assert sum("relative power" in line for line in lines) == 4


def test_fewer_blocks_give_wider_intervals():
    draws = np.random.default_rng(0).normal(10, 0.1, 400)
    few, many = measured(10.0, draws, 4), measured(10.0, draws, 30)
    assert few["high"] - few["low"] > 1.5 * (many["high"] - many["low"])
    assert measured(10.0, draws, 1)["low"] is None


def test_a_difference_on_the_log_scale_is_a_ratio():
    one = {"value": 10.0, "low": 8.0, "high": 12.5, "se": 0.1, "df": 10, "scale": "log"}
    change = difference(one, {**one, "value": 20.0})
    assert change["change"] == pytest.approx(2.0)
    assert change["low"] < 2 < change["high"]
    assert change["p"] < 0.001
    assert difference(one, {**one, "se": None}) is None


def test_holm_adjusts_as_published():
    # Holm's own rule: the smallest p times how many there are, never below the one before
    assert holm([0.01, 0.04, 0.03, None]) == pytest.approx([0.03, 0.06, 0.06, None])


def test_electrodes_have_regions_and_sides():
    told = [(name, region_of(name), side_of(name)) for name in ("Fp1", "T8", "P7", "Pz", "PO4", "Oz", "C3", "A1")]
    assert told == [
        ("Fp1", "frontal", "left"), ("T8", "temporal", "right"), ("P7", "temporal", "left"), ("Pz", "parietal", "middle"),
        ("PO4", "occipital", "right"), ("Oz", "occipital", "middle"), ("C3", "central", "left"), ("A1", "", "left"),
    ]  # fmt: skip


def test_stretches_join_meet_and_are_thinned_evenly():
    assert merged([(5, 9), (0, 5), (20, 30)]) == [(0, 9), (20, 30)]
    assert overlap([(0, 10), (20, 30)], [(5, 25)]) == [(5, 10), (20, 25)]
    kept, word = limit([(0.0, 4 * 3600.0), (5 * 3600.0, 9 * 3600.0)])
    assert sum(stop - start for start, stop in kept) == pytest.approx(3600)
    assert kept[-1][0] > 7 * 3600
    assert "60 min" in word
