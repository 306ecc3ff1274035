"""The simulated night has what textbooks say of each stage, and is the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from backend.eeg.simulate.night import KINDS, NAMES, Night, simulated_night


@pytest.fixture(scope="module")
def night() -> Night:
    return simulated_night(hours=3.0)


def _power(night: Night, channel: str, stage: str, low: float, high: float) -> float:
    from scipy.signal import welch

    samples = int(30 * night.rate)
    epochs = night.values[NAMES.index(channel)].reshape(-1, samples)[[at for at, each in enumerate(night.stages) if each == stage]]
    frequency, density = welch(epochs, night.rate, nperseg=400)
    inside = (frequency >= low) & (frequency < high)
    return float(np.median(density[:, inside].sum(axis=1) * 0.25))


def test_each_epoch_has_a_stage_and_each_channel_a_kind(night: Night) -> None:
    assert night.values.shape == (len(NAMES), len(night.stages) * 3000)
    assert night.values.dtype == np.float32
    assert np.isfinite(night.values).all()
    assert set(night.stages) == {"W", "N1", "N2", "N3", "R"}
    assert len(KINDS) == len(NAMES)


def test_deep_sleep_has_the_highest_slow_waves_and_wakefulness_the_most_alpha(night: Night) -> None:
    slow = {stage: _power(night, "C4", stage, 0.5, 4) for stage in ("W", "N2", "N3", "R")}
    assert max(slow, key=slow.__getitem__) == "N3"
    assert slow["N3"] > 4 * slow["N2"] > 4 * slow["R"]
    assert _power(night, "O1", "W", 8, 12) > 10 * _power(night, "O1", "R", 8, 12)
    assert _power(night, "O1", "W", 8, 12) > _power(night, "F3", "W", 8, 12)


def test_spindles_stand_over_the_centre_in_n2(night: Night) -> None:
    assert _power(night, "C3", "N2", 12, 15) > 2 * _power(night, "C3", "R", 12, 15)
    assert _power(night, "C3", "N2", 12, 15) > _power(night, "O1", "N2", 12, 15)


def test_the_chin_is_slack_and_the_eyes_move_against_each_other_in_rem_sleep(night: Night) -> None:
    chin = {stage: _power(night, "Chin EMG", stage, 12, 45) for stage in ("W", "N2", "R")}
    assert chin["W"] > chin["N2"] > 4 * chin["R"]
    eyes = night.values[[NAMES.index("E1"), NAMES.index("E2")]].reshape(2, -1, 3000)
    dreaming = [at for at, stage in enumerate(night.stages) if stage == "R"]
    assert np.corrcoef(eyes[:, dreaming].reshape(2, -1))[0, 1] < -0.3


def test_the_same_seed_gives_the_same_night_and_another_gives_another() -> None:
    one, two, other = simulated_night(0.2, seed=5), simulated_night(0.2, seed=5), simulated_night(0.2, seed=6)
    assert np.array_equal(one.values, two.values)
    assert one.stages == two.stages
    assert not np.array_equal(one.values, other.values)
