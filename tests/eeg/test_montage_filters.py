"""Montages and filters of the page: sums of channels, frequencies that pass and that do not, gaps that stay gaps."""

from __future__ import annotations

import numpy as np
import pytest

from backend.eeg.channels import read_label
from backend.eeg.filters import filtered
from backend.eeg.montage import make_montage
from backend.eeg.recording import Channel
from backend.errors import InputError

TEN_TWENTY = "Fp1 Fp2 F7 F3 Fz F4 F8 T3 C3 Cz C4 T4 T5 P3 Pz P4 T6 O1 O2".split()


def channels(*labels: str) -> list[Channel]:
    found = []
    for label in labels:
        named = read_label(label)
        found.append(Channel(named.name, label, named.kind or "eeg", "uV", 256.0, electrode=named.electrode, reference=named.reference))
    return found


def test_the_double_banana_has_its_eighteen_traces_with_old_and_new_names() -> None:
    montage = make_montage("longitudinal", channels(*(f"EEG {name}-Ref" for name in TEN_TWENTY), "ECG"))
    assert len(montage.labels) == 18
    assert montage.labels[:4] == ("Fp1-F7", "F7-T7", "T7-P7", "P7-O1")
    assert montage.missing == ()
    values = np.random.default_rng(0).normal(size=(len(montage.channels), 50)).astype(np.float32)
    traces = montage.apply(values)
    row = values[montage.channels.index("F7")] - values[montage.channels.index("T3")]
    np.testing.assert_allclose(traces[1], row, atol=1e-5)
    np.testing.assert_allclose(montage.weights.sum(axis=1), 0)


def test_the_transverse_montage_crosses_the_head_and_names_what_is_missing() -> None:
    montage = make_montage("transverse", channels(*(name for name in TEN_TWENTY if name != "Cz")))
    assert "C3-Cz" not in montage.labels
    assert montage.missing == ("Cz",)
    assert "T7-C3" in montage.labels


def test_an_average_leaves_bad_channels_out_and_ecg_aside() -> None:
    montage = make_montage("average", channels("C3", "C4", "O1", "O2", "ECG"), bad=["O2"])
    assert len(montage.channels) == 4
    values = np.zeros((4, 3), np.float32)
    values[montage.channels.index("O2")] = 900.0
    values[montage.channels.index("C3")] = 30.0
    traces = montage.apply(values)
    assert traces[montage.labels.index("C3-Avg"), 0] == pytest.approx(20.0, abs=1e-4)
    assert traces[montage.labels.index("C4-Avg"), 0] == pytest.approx(-10.0, abs=1e-4)


def test_what_was_not_recorded_is_not_shown() -> None:
    montage = make_montage("longitudinal", channels("Fz", "Cz", "Pz"))
    values = np.ones((3, 4), np.float32)
    values[montage.channels.index("Pz"), 2] = np.nan
    traces = montage.apply(values)
    assert np.isnan(traces[1, 2])
    assert np.isfinite(traces[0]).all()


@pytest.mark.parametrize(
    ("name", "labels"), [("zigzag", ["C3"]), ("longitudinal", ["Ch1"]), ("average", ["C3"]), ("transverse", ["C3-A2"])]
)
def test_a_montage_that_cannot_be_made_says_what_to_do(name: str, labels: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        make_montage(name, channels(*labels))
    assert caught.value.hint


def tone(hertz: float, rate: float = 256.0, seconds: float = 20.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)[None].astype(np.float32) * 50


def gain(hertz: float, **filters: float) -> float:
    out = filtered(tone(hertz), 256.0, **filters)
    return float(out[0, 1000:-1000].std() / tone(hertz)[0, 1000:-1000].std())


def test_filters_pass_what_they_should_and_cut_the_rest_without_shift() -> None:
    assert gain(10, high_pass=1, low_pass=70, notch=50) == pytest.approx(1, abs=0.02)
    assert gain(50, notch=50) < 0.01
    assert gain(60, notch=60) < 0.01
    assert gain(45, notch=50) > 0.95
    assert gain(0.2, high_pass=1) < 0.05
    assert gain(110, low_pass=40) < 0.05
    assert gain(1, high_pass=1) == pytest.approx(0.5, abs=0.05)  # half the amplitude at the cut: the filter runs forth and back
    out = filtered(tone(10), 256.0, high_pass=1.0, low_pass=70.0)
    np.testing.assert_allclose(out[0, 1000:-1000], tone(10)[0, 1000:-1000], atol=1.5)


def test_a_large_offset_is_removed_by_the_low_cut_and_kept_without() -> None:
    high = tone(10) + 20_000
    assert abs(filtered(high, 256.0, high_pass=1.0)[0].mean()) < 1
    assert filtered(high, 256.0, low_pass=70.0)[0].mean() == pytest.approx(20_000, rel=1e-3)


def test_gaps_stay_gaps_and_short_pieces_are_filtered_too() -> None:
    values = tone(10)
    values[0, 500:700] = np.nan
    values[0, 703:900] = np.nan
    out = filtered(values, 256.0, 1.0, 70.0, 50.0)
    assert (np.isnan(out) == np.isnan(values)).all()
    assert filtered(np.full((1, 5), np.nan, np.float32), 256.0, 1.0).shape == (1, 5)


@pytest.mark.parametrize("filters", [{"high_pass": 0}, {"low_pass": 128}, {"notch": 200}, {"high_pass": 40, "low_pass": 30}])
def test_a_filter_that_the_rate_cannot_show_is_refused(filters: dict[str, float]) -> None:
    with pytest.raises(InputError):
        filtered(tone(10), 256.0, **filters)
