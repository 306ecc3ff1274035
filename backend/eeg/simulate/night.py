"""A simulated night: EEG, eye and chin channels made from a hypnogram, so that sleep can be tried and tested without anyone's record.

Made signals, not a person's. Amplitudes and rates are set within what the AASM manual and textbooks describe for a healthy adult: high
slow waves in N3, spindles and K-complexes in N2, alpha and blinks in wakefulness, slow rolling eyes in N1, rapid eyes, sawtooth waves and
a slack chin in REM sleep. How well a classifier stages this night says nothing of how well it stages people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.eeg.recording import Kind

Floats = NDArray[np.float32]

EPOCH_S = 30.0
RATE = 100.0
STAGES = ("W", "N1", "N2", "N3", "R")
NAMES = ("F3", "F4", "C3", "C4", "O1", "O2", "M1", "M2", "E1", "E2", "Chin EMG")
KINDS: tuple[Kind, ...] = ("eeg", "eeg", "eeg", "eeg", "eeg", "eeg", "eeg", "eeg", "eog", "eog", "emg")

# root mean square in microvolts where a rhythm is strongest, by stage
_RHYTHMS: dict[str, tuple[tuple[float, float], dict[str, float]]] = {
    "slow": ((0.4, 1.2), {"W": 3, "N1": 4, "N2": 13, "N3": 42, "R": 4}),
    "delta": ((1.2, 4.0), {"W": 4, "N1": 6, "N2": 11, "N3": 19, "R": 6}),
    "theta": ((4.0, 7.5), {"W": 3.5, "N1": 7, "N2": 6.5, "N3": 6.5, "R": 6}),
    "alpha": ((8.5, 11.5), {"W": 17, "N1": 4, "N2": 2.6, "N3": 2.4, "R": 2.6}),
    "sigma": ((11.5, 15.5), {"W": 1.8, "N1": 1.6, "N2": 2.2, "N3": 2.0, "R": 1.3}),
    "beta": ((16.0, 30.0), {"W": 5.0, "N1": 3.4, "N2": 1.8, "N3": 1.2, "R": 2.6}),
}
# share of each rhythm at F, C, O, the mastoids and the eyes
_PLACES: dict[str, tuple[float, float, float, float, float]] = {
    "slow": (1.0, 0.8, 0.5, 0.18, 0.45),
    "delta": (1.0, 0.9, 0.65, 0.18, 0.4),
    "theta": (0.85, 1.0, 0.8, 0.18, 0.3),
    "alpha": (0.3, 0.45, 1.0, 0.15, 0.12),
    "sigma": (0.8, 1.0, 0.5, 0.12, 0.2),
    "beta": (1.0, 0.9, 0.8, 0.3, 0.4),
}
_REGION = (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)  # of each of the ten head channels, in the order of `NAMES`
_CHIN = {"W": 16.0, "N1": 9.0, "N2": 6.5, "N3": 5.5, "R": 2.0}  # root mean square, microvolts


@dataclass(frozen=True)
class Night:
    """A simulated recording.

    Attributes
    ----------
    names, kinds : tuple
        Channels: ten electrodes of the head against one common reference, and a bipolar chin.
    rate : float
        Samples a second.
    values : ndarray of float32, shape (channels, samples)
        Microvolts.
    stages : list of str
        The stage that each 30 s were made as: W, N1, N2, N3 or R.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rate: float
    values: Floats
    stages: list[str]


def simulated_night(hours: float = 8.0, seed: int = 0) -> Night:
    """Make a night. The same hours and seed give the same night.

    Parameters
    ----------
    hours : float
        Length, rounded to whole epochs of 30 s. Below an hour and a half it is the beginning of a night, without REM sleep.
    """
    epochs = max(1, round(hours * 3600 / EPOCH_S))
    plan, make = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    stages = hypnogram(epochs, plan)
    samples = int(epochs * EPOCH_S * RATE)
    values = np.zeros((len(NAMES), samples), np.float32)
    for rhythm, ((low, high), heights) in _RHYTHMS.items():
        height = _follow(stages, heights, samples, make)
        shared, left, right = (_noise(samples, low, high, 0.0, make) for _ in range(3))
        sides = [(0.85 * shared + 0.53 * side) * height for side in (left, right)]
        for channel, region in enumerate(_REGION):
            values[channel] += _PLACES[rhythm][region] * sides[channel % 2]
    for channel in range(len(_REGION)):
        values[channel] += (1.6 if _REGION[channel] == 3 else 3.0) * _noise(samples, 0.3, 45.0, 1.0, make)
    _events(values, stages, make)
    values[10] = _noise(samples, 12.0, 48.0, 0.0, make) * _follow(stages, _CHIN, samples, make)
    _twitches(values[10], stages, make)
    return Night(NAMES, KINDS, RATE, values, stages)


def hypnogram(epochs: int, rng: np.random.Generator) -> list[str]:
    """Stages of 30 s: cycles of about 95 minutes, deep sleep early, REM sleep late, short awakenings between."""
    short = epochs < 180
    made = ["W"] * int(rng.integers(6, 10) if short else rng.integers(20, 32)) + ["N1"] * int(rng.integers(4, 8))
    cycle = 0
    while len(made) < epochs:
        deep, dream = (70, 46, 24, 8, 0, 0)[min(cycle, 5)], (10, 24, 36, 44, 46, 46)[min(cycle, 5)]
        made += ["N2"] * int(rng.integers(16, 30))
        if deep:
            made += ["N3"] * int(deep * rng.uniform(0.85, 1.15)) + ["N2"] * int(rng.integers(12, 24))
        else:
            made += ["N2"] * int(rng.integers(30, 50))
        if rng.random() < 0.7:
            made += ["W"] * int(rng.integers(1, 4)) + ["N1"] * int(rng.integers(1, 4)) + ["N2"] * int(rng.integers(6, 16))
        dreaming = int(dream * rng.uniform(0.85, 1.15))
        made += ["R"] * (dreaming // 2) + (["N1"] if rng.random() < 0.4 else []) + ["R"] * (dreaming - dreaming // 2)
        made += ["W"] * int(rng.integers(1, 6)) + ["N1"] * int(rng.integers(2, 5))
        cycle += 1
    made = made[:epochs]
    if not short:
        made[-12:] = ["W"] * 12
    return made


def _follow(stages: list[str], heights: dict[str, float], samples: int, rng: np.random.Generator) -> Floats:
    """The height of each sample's stage, gliding over some seconds from one to the next, waxing and waning within it."""
    seconds = int(EPOCH_S) * len(stages)
    steps = np.repeat([heights[stage] for stage in stages], int(EPOCH_S))
    smooth = np.convolve(np.pad(steps, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), mode="valid")[:seconds]
    slow = np.convolve(rng.standard_normal(seconds + 40), np.hanning(41) / np.sqrt((np.hanning(41) ** 2).sum()), mode="valid")[:seconds]
    wave = smooth * np.exp(0.18 * slow)
    made: Floats = np.interp(np.arange(samples) / RATE, np.arange(seconds) + 0.5, wave).astype(np.float32)
    return made


def _noise(samples: int, low: float, high: float, slope: float, rng: np.random.Generator) -> Floats:
    """Noise of root mean square 1 between two frequencies in Hz; its power falls as 1 / f to the power of `slope`."""
    from scipy.fft import irfft, next_fast_len

    count = next_fast_len(samples, real=True)
    frequency = np.fft.rfftfreq(count, 1 / RATE).astype(np.float32)
    edge = 1 / (1 + np.exp(-np.clip((frequency - low) / (0.08 * low), -50, 50)))
    edge /= 1 + np.exp(np.clip((frequency - high) / (0.05 * high), -50, 50))
    gain = edge * np.maximum(frequency, 0.1) ** (-slope / 2)
    gain[0] = 0
    random = rng.standard_normal((2, len(frequency)), np.float32)
    wave = irfft(gain * (random[0] + 1j * random[1]), count)[:samples]
    made: Floats = (wave / np.sqrt((wave**2).mean())).astype(np.float32)
    return made


def _add(
    values: Floats, at: float, wave: NDArray[np.floating], shares: tuple[float, float, float, float, float], eyes: float = 1.0
) -> None:
    """Add a wave, from `at` seconds, to the head's channels; `eyes` -1 turns it round on the right eye."""
    first = int(at * RATE)
    wave = wave[: values.shape[1] - first]
    for channel, region in enumerate(_REGION):
        turn = eyes if channel == 9 else 1.0
        values[channel, first : first + len(wave)] += (shares[region] * turn * wave).astype(np.float32)


def _spindle(rng: np.random.Generator) -> NDArray[np.floating]:
    seconds = rng.uniform(0.6, 1.5)
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = rng.normal(13.2, 0.5)
    height = rng.uniform(16, 32)
    wave: NDArray[np.floating] = height * np.hanning(len(time)) * np.sin(2 * np.pi * hertz * time - 0.6 * time**2 + rng.uniform(0, 6.28))
    return wave


def _k_complex(rng: np.random.Generator) -> NDArray[np.floating]:
    time = np.arange(int(1.4 * RATE)) / RATE
    down = -np.exp(-(((time - 0.35) / 0.11) ** 2))
    up = 0.6 * np.exp(-(((time - 0.75) / 0.19) ** 2))
    wave: NDArray[np.floating] = rng.uniform(90, 170) * (down + up)
    return wave


def _glance(rng: np.random.Generator, height: float) -> NDArray[np.floating]:
    """A saccade: quickly there, held, and back again."""
    there, held = 0.06, rng.uniform(0.15, 0.8)
    time = np.arange(int((2 * there + held + 0.3) * RATE)) / RATE
    turn = 1 / (1 + np.exp(-(time - there) / 0.02)) - 1 / (1 + np.exp(-(time - there - held) / 0.03))
    wave: NDArray[np.floating] = rng.choice([-1, 1]) * height * rng.uniform(0.6, 1.4) * turn
    return wave


def _events(values: Floats, stages: list[str], rng: np.random.Generator) -> None:
    """Spindles, K-complexes, blinks, glances, rolling eyes and sawtooth waves where their stage has them."""
    eyes, blink = (0.12, 0.04, 0.0, 0.0, 1.0), (0.45, 0.12, 0.02, 0.0, 1.0)
    for epoch, stage in enumerate(stages):
        begin = epoch * EPOCH_S

        def spread(rate: float, begin: float = begin) -> NDArray[np.floating]:
            return begin + np.sort(rng.uniform(0, EPOCH_S - 2, rng.poisson(rate)))

        if stage in ("N2", "N3"):
            for at in spread(2.6 if stage == "N2" else 0.8):
                _add(values, at, _spindle(rng), (0.8, 1.0, 0.4, 0.1, 0.25))
        if stage == "N2":
            for at in spread(0.9):
                _add(values, at, _k_complex(rng), (1.0, 0.85, 0.4, 0.1, 0.5))
        if stage == "W":
            for at in spread(4.0):
                _add(values, at, rng.uniform(90, 190) * np.hanning(int(0.3 * RATE)), blink)
            for at in spread(3.0):
                _add(values, at, _glance(rng, 60), eyes, -1)
        if stage == "N1":
            time = np.arange(int(EPOCH_S * RATE)) / RATE
            rolling = rng.uniform(35, 70) * np.sin(2 * np.pi * rng.uniform(0.2, 0.4) * time + rng.uniform(0, 6.28))
            _add(values, begin, rolling * np.hanning(len(time)), eyes, -1)
            for at in spread(0.8):  # a vertex wave
                _add(values, at, -rng.uniform(40, 80) * np.hanning(int(0.25 * RATE)), (0.5, 1.0, 0.2, 0.1, 0.1))
        if stage == "R":
            for at in spread(7.0 if rng.random() < 0.6 else 1.0):  # bursts, and quiet stretches between
                _add(values, at, _glance(rng, 75), eyes, -1)
            for at in spread(1.2):
                time = np.arange(int(2.0 * RATE)) / RATE
                saw = rng.uniform(14, 26) * (2 * ((time * rng.uniform(2.5, 4.0)) % 1) - 1) * np.hanning(len(time))
                _add(values, at, saw, (0.8, 1.0, 0.4, 0.1, 0.15))


def _twitches(chin: Floats, stages: list[str], rng: np.random.Generator) -> None:
    """Short bursts of the chin in REM sleep, longer ones when awake."""
    for epoch, stage in enumerate(stages):
        for _ in range(rng.poisson({"R": 0.5, "W": 1.0}.get(stage, 0.05))):
            count = int(rng.uniform(0.1, 0.3 if stage == "R" else 2.0) * RATE)
            first = int((epoch * EPOCH_S + rng.uniform(0, EPOCH_S - 2)) * RATE)
            chin[first : first + count] *= rng.uniform(3, 6)
