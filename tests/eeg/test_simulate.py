"""A simulated patient has the difference between classes where it was planted, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from backend.eeg.simulate.trials import joined, simulated_patient


def log_power(trials, low=8.0, high=13.0, start_s=0.5):
    """Log power of a band, (trials, channels)."""
    x = trials.x[:, :, round(start_s * trials.rate) :]
    hertz = np.fft.rfftfreq(x.shape[2], 1 / trials.rate)
    inside = (hertz >= low) & (hertz <= high)
    return np.log((np.abs(np.fft.rfft(x * np.hanning(x.shape[2]), axis=2))[:, :, inside] ** 2).sum(axis=2))


def effect(power, y):
    """Cohen's d of each channel, movement minus rest."""
    spread = np.sqrt((power[y == 0].var(axis=0) + power[y == 1].var(axis=0)) / 2)
    return (power[y == 1].mean(axis=0) - power[y == 0].mean(axis=0)) / spread


@pytest.fixture(scope="module")
def many():
    """Effects in alpha over twelve patients, by channel."""
    effects = []
    for seed in range(12):
        trials = joined(simulated_patient(seed))
        effects.append(effect(log_power(trials), trials.y))
    return dict(zip(trials.names, np.mean(effects, axis=0), strict=True))


def test_the_rhythm_desynchronises_most_under_the_planted_source(many):
    assert min(many, key=many.get) == "C3"
    assert many["C3"] < -0.7


def test_far_from_the_source_the_classes_are_alike(many):
    assert max(abs(many[name]) for name in ("F4", "C4", "P4", "O2", "FC6")) < 0.15


def test_the_difference_lies_in_the_planted_band_and_window():
    effects, early = [], []
    for seed in range(8):
        trials = joined(simulated_patient(seed, strength=2.0))
        at = trials.names.index("C3")
        effects.append(effect(log_power(trials, 18, 30), trials.y)[at])
        before = trials.x[:, :, : round(0.4 * trials.rate)]
        early.append(effect(np.log(before.var(axis=2)), trials.y)[at])
    assert abs(np.mean(effects)) < 0.1
    assert abs(np.mean(early)) < 0.15


def test_a_suppressor_tells_nothing_alone_but_subtracting_it_helps():
    alone, before, after = [], [], []
    for seed in range(8):
        trials = joined(simulated_patient(seed, suppressor="O2", strength=2.0))
        power, at = log_power(trials), {name: n for n, name in enumerate(trials.names)}
        alone.append(effect(power, trials.y)[at["O2"]])
        before.append(effect(power, trials.y)[at["C3"]])
        cleaned = trials.x.copy()
        cleaned[:, at["C3"]] -= cleaned[:, at["O2"]]
        after.append(effect(log_power(type(trials)(**{**vars(trials), "x": cleaned})), trials.y)[at["C3"]])
    assert abs(np.mean(alone)) < 0.15
    assert np.mean(after) < np.mean(before) - 0.3


def test_a_null_patient_has_no_difference_anywhere():
    strongest = [np.abs(effect(log_power(t), t.y)).max() for t in (joined(simulated_patient(seed, null=True)) for seed in range(8))]
    assert np.mean(strongest) < 0.55  # the largest of 19 channels of 160 trials by chance alone


def test_in_the_trap_neighbouring_trials_share_their_class():
    free, trap = (simulated_patient(3, runs=runs, null=True)[0] for runs in (False, True))
    assert (np.diff(free.y) == 0).mean() < 0.65
    assert (np.diff(trap.y) == 0).mean() > 0.7
    assert trap.y.mean() == 0.5


def test_sessions_differ_by_drift_and_only_by_noise_without_it():
    def between(drift):
        one, two = (log_power(t).mean(axis=0) for t in simulated_patient(5, drift=drift))
        return np.abs(one - two).mean()

    assert between(2.0) > 3 * between(0.0)


def test_the_same_seed_gives_the_same_patient():
    one, two, other = simulated_patient(7)[1], simulated_patient(7)[1], simulated_patient(8)[1]
    assert np.array_equal(one.x, two.x)
    assert not np.array_equal(one.x, other.x)
    assert one.x.dtype == np.float32
    assert set(joined(simulated_patient(7, sessions=3)).block) == {0, 1, 2}


def test_an_unknown_electrode_is_named():
    with pytest.raises(ValueError, match="XX9"):
        simulated_patient(0, names=("C3", "Pz", "XX9"))
