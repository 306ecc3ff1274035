"""Which channels a night is staged from, and what is said against those that are not as the classifiers learned them."""

from __future__ import annotations

import pytest

from backend.eeg.channels import read_label
from backend.eeg.recording import Channel
from backend.eeg.sleep.channels import all_bipolar, choose
from backend.errors import InputError


def channels(*labels: str, rate: float = 200.0, slow: tuple[str, ...] = ()) -> list[Channel]:
    made = []
    for label in labels:
        named = read_label(label)
        kind = named.kind or "other"
        made.append(Channel(named.name, label, kind, "uV", 1.0 if label in slow else rate, 1.0, 0.0, named.electrode, named.reference))
    return made


def test_c4_against_the_opposite_mastoid_comes_first_as_recorded_or_made():
    recorded = choose(channels("EEG F4-M1", "EEG C3-M2", "EEG C4-M1", "EOG LOC-M2", "EMG Chin"))
    assert recorded.eeg.name == "C4-M1"
    assert recorded.eeg.channels == ("C4-M1",)
    assert not recorded.eeg.doubt
    made = choose(channels("F4", "C3", "C4", "M1", "M2", "E1", "E2", "EMG chin"))
    assert made.eeg.name == "C4-M1"
    assert made.eeg.channels == ("C4", "M1")
    assert made.eog is not None
    assert made.eog.channels == ("E1", "M2")
    assert made.emg is not None


def test_ears_are_mastoids_and_old_files_are_read():
    assert choose(channels("EEG C3-A2", "EEG O1-A2")).eeg.name == "C3-A2"


def test_a_bad_channel_is_passed_over():
    found = choose(channels("C3-M2", "C4-M1"), bad=("C4-M1",))
    assert found.eeg.name == "C3-M2"


def test_montages_unlike_those_learned_are_told():
    banana = channels("Fp1-F7", "F7-T7", "T7-P7", "P7-O1", "F3-C3", "C3-P3")
    found = choose(banana)
    assert all_bipolar(banana)
    assert "bipolar" in found.eeg.doubt
    assert "central" in choose(channels("F4-M1", "O2-M1")).eeg.doubt
    assert "same side" in choose(channels("C3-M1")).eeg.doubt
    assert "not known" in choose(channels("C4")).eeg.doubt
    assert "average" in choose(channels("EEG C4-Avg")).eeg.doubt
    assert not all_bipolar(channels("C4-M1"))
    assert not all_bipolar(channels("C4", "C3"))


def test_legs_are_no_chin_and_slow_channels_are_left_out_and_named():
    found = choose(channels("C4-M1", "EMG LLeg", "EMG RLeg"))
    assert found.emg is None
    old = choose(channels("C4-M1", "EMG submental", slow=("EMG submental",)))
    assert old.emg is None
    assert "1 samples a second" in old.notes[0]


def test_a_channel_near_the_eyes_is_offered_in_their_place_and_never_taken_by_itself():
    found = choose(channels("C4-M1", "Fp1-M2"))
    assert found.eog is None
    assert "Fp1-M2 lies near the eyes" in found.notes[0]
    assert choose(channels("C4-M1", "Fp1-M2"), eog="none").notes == ()
    assert choose(channels("C4-M1", "Fp1-M2"), eog="Fp1-M2").eog is not None


def test_a_person_may_name_channels_or_do_without():
    some = channels("C3", "C4", "M1", "M2", "E1", "EMG chin")
    found = choose(some, eeg="C3-M2", eog="none", emg="EMG chin")
    assert found.eeg.channels == ("C3", "M2")
    assert found.eog is None
    assert [kind for kind, _ in found.chosen()] == ["eeg", "emg"]
    assert choose(channels("C3-M2", "C4-M1"), eeg="C3-M2").eeg.channels == ("C3-M2",)
    with pytest.raises(InputError, match="no channel 'C5'"):
        choose(some, eeg="C5")
    assert "recorded as EOG" in choose(some, eeg="E1").eeg.doubt


def test_without_a_usable_eeg_channel_it_says_why():
    with pytest.raises(InputError, match="no EEG channel"):
        choose(channels("ECG", "SpO2"))
    with pytest.raises(InputError, match="marked as bad"):
        choose(channels("C4-M1"), bad=("C4-M1",))
    with pytest.raises(InputError, match="50 samples a second"):
        choose(channels("C4-M1", rate=50.0))
