"""OpenSpindleNet: the same answers as the publisher's own code, and a stretch judged the same however it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from backend.config import load_config
from backend.models.families.brainmaze import Spindler, golden_window
from backend.models.runtime import Runtime
from backend.models.spindle_network import RATE, WINDOW, grid, intervals, iou, scalogram, surest
from tests.prepare import STORE, models_folder

# What brainmaze-eeg-models 0.1.0 itself answers for golden_window(): SpindleDetector("eeg", device="cpu", threads=1).predict_windows.
PUBLISHED = {
    3: (0.04239, 0.453777, 0.354485),
    9: (0.992782, 0.937549, 0.508316),
    10: (0.994873, 0.013843, 0.455168),
    18: (0.713942, 0.510318, 0.491999),
    20: (0.999981, 0.163202, 0.595418),
    28: (0.142348, 0.361453, 0.467026),
}


@pytest.fixture(scope="module")
def network() -> Iterator[Spindler]:
    if not (models_folder() / "openspindlenet").is_dir():
        pytest.skip("OpenSpindleNet was not fetched: python -m tests.prepare")
    with Runtime(load_config({"BIOLOOM_DATA": str(STORE), "BIOLOOM_DEVICE": "cpu"})).use("openspindlenet") as made:
        yield made


def test_a_made_window_gets_the_publishers_answers(network: Spindler) -> None:
    heads = network.heads(golden_window()[None])[0]
    for second, expected in PUBLISHED.items():
        assert heads[second] == pytest.approx(expected, abs=1e-5)


def test_answers_do_not_depend_on_unit_or_offset(network: Spindler) -> None:
    window = golden_window()
    plain, other = network.heads(np.stack([window, 1000 * window + 5000]))
    assert np.abs(plain - other).max() < 1e-3


def test_a_spindle_is_told_once_where_windows_overlap(network: Spindler) -> None:
    twice = np.concatenate([golden_window(), golden_window()])
    found = network.detect(twice)
    assert np.diff(found[:, 0]).min() > 0
    assert not any((iou((row[0], row[1]), np.delete(found, n, axis=0)) > 0.3).any() for n, row in enumerate(found))
    assert any(abs(row[:2].mean() - 50.3) < 0.5 for row in found)


def test_windows_that_answer_for_nothing_wanted_are_not_judged(network: Spindler) -> None:
    twice = np.concatenate([golden_window(), golden_window()])
    wanted = np.zeros(len(twice), bool)
    wanted[45 * 250 :] = True
    found = network.detect(twice, wanted)
    assert len(found)
    assert found[:, 1].min() > 30


def test_the_windows_answer_for_every_sample_once() -> None:
    for samples in (WINDOW, WINDOW + 1, 12_345, 100_000):
        starts, bounds = grid(samples)
        assert bounds[0] == 0
        assert bounds[-1] == samples
        assert (np.diff(bounds) > 0).all()
        assert starts[-1] + WINDOW == samples


def test_a_wave_of_thirteen_hertz_is_strongest_at_its_own_scale() -> None:
    time = np.arange(WINDOW) / RATE
    strength = scalogram(np.sin(2 * np.pi * 13 * time)[None])[0][:, 3000:4500].mean(axis=1)
    scales = np.geomspace(135, 270, num=15)
    assert 13 * RATE / scales[int(strength.argmax())] == pytest.approx(13, rel=0.12)


def test_the_surest_of_overlapping_marks_is_kept() -> None:
    rows = np.array([[0, 100, 0.6], [10, 110, 0.9], [200, 260, 0.5]])
    assert surest(rows).tolist() == [[10, 110, 0.9], [200, 260, 0.5]]


def test_marks_do_not_leave_the_window() -> None:
    heads = np.zeros((30, 3), np.float32)
    heads[0] = (0.9, 0.0, 0.5)
    assert intervals(heads).tolist() == [[0.0, 125.0, pytest.approx(0.9)]]
