"""Channel names in the 10-20 spelling, and what is not EEG."""

from __future__ import annotations

import pytest

from backend.eeg.channels import amplifier_inputs, electrode, may_keep, read_label, unique


@pytest.mark.parametrize(
    ("label", "name", "reference"),
    [
        ("EEG Fp1-Ref", "Fp1", "Ref"),
        ("Fc5.", "FC5", ""),
        ("FP1", "Fp1", ""),
        ("EEG FPZ-LE", "Fpz", "LE"),
        ("C4-A1", "C4-A1", "A1"),
        ("EEG F7-T3", "F7-T3", "T3"),
        ("EEG C3-AVG", "C3", "Avg"),
        ("Cz..", "Cz", ""),
        ("POL T5", "T5", ""),
        ("aff5h", "AFF5h", ""),
        ("EEG O2", "O2", ""),
    ],
)
def test_an_electrode_is_spelt_as_in_the_ten_twenty_system(label: str, name: str, reference: str) -> None:
    named = read_label(label)
    assert (named.name, named.kind, named.reference) == (name, "eeg", reference)
    assert named.electrode


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("ECG", "ecg"),
        ("EEG EKG1-Ref", "ecg"),
        ("ECG II", "ecg"),
        ("EOG horizontal", "eog"),
        ("LOC", "eog"),
        ("E1-M2", "eog"),
        ("EMG Chin1", "emg"),
        ("EMG submental", "emg"),
        ("Resp oro-nasal", "resp"),
        ("Thor", "resp"),
        ("SpO2", "spo2"),
        ("SaO2", "spo2"),
        ("PHOTIC-REF", "photic"),
        ("Status", "trigger"),
        ("STI 014", "trigger"),
        ("Event marker", "trigger"),
        ("Temp rectal", "temperature"),
        ("Snore", "sound"),
        ("Position", "position"),
        ("Pulse", "pulse"),
        ("Right AUX", "other"),
        ("EEG Pz-Oz", "eeg"),
        ("EEG 001", "eeg"),
        ("A12", None),
        ("X7", None),
    ],
)
def test_the_kind_that_a_name_tells(label: str, kind: str | None) -> None:
    assert read_label(label).kind == kind


def test_every_name_of_the_10_05_system_is_known() -> None:
    import mne

    names = mne.channels.make_standard_montage(
        "colin27_1005" if "colin27_1005" in mne.channels.get_builtin_montages() else "standard_1005"
    ).ch_names
    assert [name for name in names if electrode(name) != name and not name.startswith(("T3", "T4", "T5", "T6"))] == []


@pytest.mark.parametrize("label", ["Anna Schmidt", "Schmidtberger", "C3 Hildegard", "17.03.1951 Frau", "x" * 41])
def test_a_label_that_may_hold_a_name_is_not_kept(label: str) -> None:
    assert not may_keep(label)


@pytest.mark.parametrize("label", ["EEG Fpz-Cz", "A12", "LAH3", "Resp oro-nasal", "EEG 001", "SaO2", "Right AUX", "EMG submental", "E129"])
def test_labels_of_real_recordings_are_kept(label: str) -> None:
    assert may_keep(label)


def test_inputs_of_an_amplifier_are_no_ears() -> None:
    assert amplifier_inputs(["A1", "A2", "A3"])
    assert not amplifier_inputs(["A1", "A2", "C3", "F7"])


def test_names_are_made_unique_without_meeting_another() -> None:
    assert unique(["C3", "C3", "C3 (2)", "C3", "O1"]) == ["C3", "C3 (3)", "C3 (2)", "C3 (4)", "O1"]
