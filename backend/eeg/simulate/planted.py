"""N2-like sleep EEG with spindles planted at known places, to measure what a spindle detector finds and what it invents.

Made signals, not a person's: sensitivity on them says that a detector works, not how well it does on people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 256.0
_BACKGROUND_UV = 14.0  # root mean square, as in N2 at C3
_QUIET_S = 1.0  # least between two planted waves


@dataclass(frozen=True)
class Planted:
    """One channel with its truth.

    Attributes
    ----------
    values : ndarray of float32, shape (samples,)
        Microvolts at `RATE`.
    spindles : ndarray, shape (n, 4)
        First second, last second, Hz, and height from middle to crest in microvolts.
    others : ndarray, shape (m, 2)
        First and last second of what is no spindle: alpha bursts, K-complexes, muscle.
    """

    values: Floats
    spindles: NDArray[np.float64]
    others: NDArray[np.float64]


def planted_spindles(minutes: float, per_minute: float = 4.0, heights: tuple[float, float] = (15.0, 35.0), seed: int = 0) -> Planted:
    """Make a stretch of sleep.

    Parameters
    ----------
    heights : (float, float)
        Smallest and largest spindle, microvolts from middle to crest; the background's 11 to 16 Hz band has about 2 root mean square.
    """
    rng = np.random.default_rng(seed)
    samples = round(minutes * 60 * RATE)
    values = background(samples, rng)
    kinds = rng.permutation(["spindle"] * round(per_minute * minutes) + ["alpha", "k", "muscle"] * round(minutes / 2))
    room = minutes * 60 / len(kinds)
    spindles, others = [], []
    for n, kind in enumerate(kinds):
        length = {"spindle": rng.uniform(0.6, 1.6), "alpha": rng.uniform(0.8, 2.0), "k": 1.2, "muscle": rng.uniform(0.5, 2.0)}[str(kind)]
        start = n * room + rng.uniform(0, max(room - length - _QUIET_S, 0.01))
        first = round(start * RATE)
        count = min(round(length * RATE), samples - first)
        time = np.arange(count) / RATE
        if kind == "spindle":
            hertz, height = float(rng.uniform(12.2, 14.8)), float(rng.uniform(*heights))
            sweep = -0.5 * rng.uniform(0, 1) * time**2
            wave = height * np.hanning(count) * np.sin(2 * np.pi * (hertz * time + sweep) + rng.uniform(0, 6.28))
            spindles.append((start, start + length, hertz, height))
        else:
            others.append((start, start + length))
            wave = _other(str(kind), time, rng)
        values[first : first + count] += wave.astype(np.float32)
    return Planted(values, np.array(spindles).reshape(-1, 4), np.array(others).reshape(-1, 2))


def background(samples: int, rng: np.random.Generator) -> Floats:
    """Noise whose power falls as 1 / f**2 above 1 Hz, with slow waves; `_BACKGROUND_UV` root mean square."""
    from scipy.fft import irfft, next_fast_len

    count = next_fast_len(samples, real=True)
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    gain = 1 / np.maximum(hertz, 1.0) + 0.02  # the floor: muscle and amplifier
    gain[hertz < 0.3] = 0
    wave = irfft(gain * (rng.standard_normal(len(hertz)) + 1j * rng.standard_normal(len(hertz))), count)[:samples]
    made: Floats = (wave * _BACKGROUND_UV / wave.std()).astype(np.float32)
    return made


def _other(kind: str, time: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    wave: NDArray[np.float64]
    if kind == "alpha":
        wave = rng.uniform(12, 22) * np.hanning(len(time)) * np.sin(2 * np.pi * rng.uniform(8, 10) * time)
    elif kind == "k":
        wave = rng.uniform(60, 110) * (0.6 * np.exp(-(((time - 0.75) / 0.19) ** 2)) - np.exp(-(((time - 0.35) / 0.11) ** 2)))
    else:
        wave = np.diff(rng.standard_normal(len(time) + 1)) * rng.uniform(5, 12) * np.hanning(len(time))
    return wave
