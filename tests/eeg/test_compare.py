"""Two recordings of one patient: what was made differently is said, what changed is told with its interval, noise is not a change."""

from __future__ import annotations

import re

import pytest

from backend.eeg.compare import change_words, compare, conditions, state_of
from backend.eeg.profile import find_patient, profile
from backend.errors import InputError
from tests.eeg.quiet import keep, quiet, visit_of


@pytest.fixture
def visits(bench):
    """Two visits of one patient, made in the wrong order: the dates decide."""
    who = bench.storage.patients.add("P-07").id
    later = bench.storage.patients.add_visit(who, "control", date="2026-03-01").id
    earlier = bench.storage.patients.add_visit(who, "first", date="2025-09-01").id
    return who, earlier, later


def measured(bench, tmp_path, visit, hertz, seed, names=("O1", "O2"), seconds=90.0):
    recording = keep(bench, tmp_path, quiet(hertz, seconds=seconds, seed=seed), names, visit=visit, seed=seed)
    bench.run("eeg.baseline", {"recording": recording}, settings={"state": "closed"})
    return recording


def test_a_slowed_rhythm_is_a_clear_change_and_the_rest_is_not(bench, tmp_path, visits):
    who, earlier, later = visits
    two = measured(bench, tmp_path, later, 8.2, 2)
    one = measured(bench, tmp_path, earlier, 10.0, 1)
    found = profile(bench.context, who)
    assert [row["recording"] for row in found["recordings"]] == [one, two], "the first visit stands first"
    change = found["changes"][0]
    assert (change["first"], change["second"]) == (one, two)
    peak = next(row for row in change["rows"] if row["measure"] == "Alpha peak")
    assert peak["judged"] == "clear change"
    assert peak["difference"]["high"] < -1
    assert peak["p_holm"] >= peak["difference"]["p"]
    assert re.match(r"Alpha peak (9\.[89]|10\.[012]) Hz", change["text"][0])
    assert "clear change" in change["text"][0]
    delta = next(row for row in change["rows"] if row["measure"] == "Occipital delta")
    assert delta["judged"] == "no clear change"
    assert "day to day" in found["caveat"]


def test_two_recordings_of_the_same_kind_show_no_clear_change(bench, tmp_path, visits):
    who, earlier, later = visits
    measured(bench, tmp_path, earlier, 10.0, 3)
    measured(bench, tmp_path, later, 10.0, 4)
    change = profile(bench.context, who)["changes"][0]
    assert {row["judged"] for row in change["rows"]} == {"no clear change"}
    assert "no clear change" in change["text"][0]
    assert "Holm" in change["text"][1]
    assert change["differs"] == []


def test_what_was_made_differently_is_said_before_the_numbers(bench, tmp_path, visits):
    who, earlier, later = visits
    measured(bench, tmp_path, earlier, 10.0, 5)
    two = measured(bench, tmp_path, later, 10.0, 6, names=("O1", "Oz"))
    bench.storage.recordings.set_fact(two, "simulated", True)
    change = profile(bench.context, who)["changes"][0]
    assert {row["what"] for row in change["differs"]} == {"Simulated", "EEG channels"}


def test_recordings_measured_in_different_states_are_not_compared(bench, tmp_path, visits):
    who, earlier, later = visits
    measured(bench, tmp_path, earlier, 10.0, 7)
    other = keep(bench, tmp_path, quiet(10.0, seed=8), visit=later, seed=8)
    bench.run("eeg.baseline", {"recording": other}, settings={"state": "open"})
    assert profile(bench.context, who)["changes"] == []


def test_a_peak_that_is_gone_is_told_without_a_number(bench, tmp_path, visits):
    who, earlier, later = visits
    one, two = measured(bench, tmp_path, earlier, 10.0, 9), measured(bench, tmp_path, later, None, 10)
    text = profile(bench.context, who)["changes"][0]["text"]
    assert "then none found: not comparable by number" in text[0]
    assert conditions(bench.context, one, two) == []


def test_the_profile_gathers_what_the_person_said_of_the_channels(bench, tmp_path, visits):
    who, earlier, _ = visits
    recording = keep(bench, tmp_path, quiet(10.0), visit=earlier)
    bench.storage.recordings.set_fact(recording, "bad_channels", ["O2"])
    bench.storage.recordings.set_fact(recording, "channel_map", {"O1": {"electrode": "Oz"}})
    bench.storage.recordings.annotate(recording, 3.0, 4.0, "bad movement")
    row = profile(bench.context, who)["recordings"][0]
    assert row["bad_channels"] == ["O2"]
    assert row["channel_map"] == {"O1": {"electrode": "Oz"}}
    assert (row["bad_stretches"], row["bad_s"]) == (1, 4.0)
    assert row["states"] == []


def test_absolute_powers_are_ratios_with_their_unit(bench, tmp_path, visits):
    _, earlier, later = visits
    runs = []
    for visit, factor, seed in ((earlier, 1.0, 11), (later, 2.0, 11)):
        recording = keep(bench, tmp_path, quiet(10.0, seed=seed) * factor, visit=visit, seed=int(factor))
        runs.append(bench.run("eeg.baseline", {"recording": recording}, settings={"state": "closed"}).prediction)
    one, two = (state_of(found, "eyes closed") for found in runs)
    rows = compare(one, two, "absolute")
    alpha = next(row for row in rows if row["measure"] == "Occipital alpha")
    assert alpha["difference"]["change"] == pytest.approx(4.0, rel=0.05)
    assert alpha["unit"] == "µV²"
    assert change_words(one, two, rows)


def test_a_patient_is_found_by_pseudonym_or_id(bench, visits):
    assert find_patient(bench.context, "p-07").id == visits[0]
    assert find_patient(bench.context, visits[0]).pseudonym == "P-07"
    with pytest.raises(InputError, match="no patient"):
        find_patient(bench.context, "P-99")


def test_a_visit_without_recordings_changes_nothing(bench):
    visit_of(bench)
    found = profile(bench.context, bench.storage.patients.find("P-07").id)
    assert (found["recordings"], found["changes"], found["calibrations"]) == ([], [], [])
