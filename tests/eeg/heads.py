"""A made head for tests: sources of known place and course, mixed into the 10-20 electrodes, against one ear as recorders do it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.eeg.making import edf, put

RATE = 128
NAMES = tuple("Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split())


def places() -> np.ndarray:
    """Unit vectors (electrodes, 3): right, front, up."""
    from backend.figures.eeg_head import place

    return np.array([place(name) for name in NAMES], np.float64)


def patterns(centres: np.ndarray, width: float) -> np.ndarray:
    """Hills on the head, shape (electrodes, sources)."""
    angle = np.arccos(np.clip(places() @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T, -1, 1))
    hills: np.ndarray = np.exp(-((angle / width) ** 2))
    return hills


def coloured(rng: np.random.Generator, count: int, samples: int, slope: float = 1.0) -> np.ndarray:
    """Noise with power falling as 1/f**slope from 1 Hz on, unit variance, sparse enough to be told apart by ICA."""
    spectrum = np.fft.rfft(rng.laplace(size=(count, samples)) * (1 + np.abs(rng.normal(size=(count, 1)))))
    hertz = np.fft.rfftfreq(samples, 1 / RATE)
    shape = np.where(hertz < 1, 0, np.maximum(hertz, 1) ** (-slope / 2))
    made = np.fft.irfft(spectrum * shape, samples)
    envelope = 0.3 + np.abs(
        np.interp(np.arange(samples), np.arange(0, samples + RATE, RATE), rng.normal(size=samples // RATE + 1 + (samples % RATE > 0)))
    )
    made = made * envelope
    result: np.ndarray = made / made.std(axis=1, keepdims=True)
    return result


@dataclass(frozen=True)
class Head:
    """Microvolts, shape (electrodes, samples): brain alone, blinks alone, and both against an ear that picks up some of each."""

    brain: np.ndarray
    blinks: np.ndarray
    recorded: np.ndarray
    course: np.ndarray


def head(seconds: int = 100, seed: int = 3) -> Head:
    """Sixteen brain sources all over the head, and blinks every four seconds or so above the eyes."""
    rng = np.random.default_rng(seed)
    samples = seconds * RATE
    centres = rng.normal(size=(16, 3))
    centres[:, 2] = np.abs(centres[:, 2])
    brain = patterns(centres, 0.7) @ (coloured(rng, 16, samples) * rng.uniform(6, 14, (16, 1)))
    course = np.zeros(samples)
    for at in np.arange(2, seconds - 2, 4) + rng.uniform(-0.8, 0.8, len(np.arange(2, seconds - 2, 4))):
        course += rng.uniform(0.7, 1.3) * np.exp(-(((np.arange(samples) / RATE - at) / 0.09) ** 2))
    pattern = patterns(np.array([[0.0, 1.0, -0.25]]), 0.75)[:, 0]
    blinks = np.outer(150 * pattern / pattern.max(), course)
    ear = 0.5 * brain[NAMES.index("T7")] + 0.1 * blinks[0]
    return Head(brain - ear + 0.1 * blinks[0], blinks - 0.1 * blinks[0], brain + blinks - ear + rng.normal(0, 0.3, brain.shape), course)


def write(folder: Path, values: np.ndarray, names: tuple[str, ...] = NAMES, file: str = "head.edf") -> Path:
    """An EDF of microvolts, a tenth of one a digit."""
    digits = np.clip(np.round(values * 10), -32768, 32767).astype(np.int32)
    seconds = values.shape[1] // RATE
    return put(folder, file, edf(names, values=list(digits), rates=[RATE] * len(names), records=seconds))
