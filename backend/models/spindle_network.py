"""What stands before and behind OpenSpindleNet: windows of 30 s, the wavelet picture of each, and intervals from its answers.

The steps and numbers are those of OpenSpindleNet 0.1.1 (Sejak et al. 2025, doi:10.1016/j.compbiomed.2025.110854; MIT licence,
copyright 2025 CaptainTrojan) as brainmaze-eeg-models 0.1.0 carries them out (BSD-3-Clause); `tests/models/test_brainmaze.py` holds
what that package itself answers.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATE = 250.0
WINDOW = 7_500  # samples: 30 s
STEP = 5_000  # samples from window to window: each answers for its middle 20 s, where it sees both sides
THRESHOLD = 0.5
OVERLAP = 0.3  # two intervals that share so much of their union are one spindle
LONGEST_S = 2.0  # that the network can tell
_SCALES = np.geomspace(135, 270, num=15)
_SUPPORT, _POINTS = 20.0, 2**10  # the wavelet 'shan6-13' as PyWavelets up to 1.8 sampled it: the network learned with that
_BANDWIDTH, _CENTRE = 6.0, 13.0


def scalogram(windows: Floats) -> Floats:
    """Magnitude of the complex Shannon wavelet transform.

    Parameters
    ----------
    windows : ndarray, shape (n, samples)

    Returns
    -------
    ndarray, shape (n, 15, samples)
        From 24 to 12 Hz in geometric steps.
    """
    from scipy import fft

    samples = windows.shape[-1]
    count, spectra, offsets = _kernels(samples)
    seen = fft.fft(windows, count, axis=-1)
    made = np.empty((len(windows), len(offsets), samples))
    for scale, offset in enumerate(offsets):
        made[:, scale] = np.abs(fft.ifft(seen * spectra[scale], axis=-1)[:, offset : offset + samples])
    return made


@cache
def _kernels(samples: int) -> tuple[int, NDArray[np.complex128], tuple[int, ...]]:
    """For windows of that length: length of the transform, spectrum of each scale's kernel, where its answer begins."""
    from scipy import fft

    grid = np.linspace(-_SUPPORT, _SUPPORT, _POINTS)
    step = grid[1] - grid[0]
    wave = np.sqrt(_BANDWIDTH) * np.sinc(_BANDWIDTH * grid) * np.exp(2j * np.pi * _CENTRE * grid)
    summed = np.conj(np.cumsum(wave) * step)
    kernels = []
    for scale in _SCALES:
        index = (np.arange(scale * 2 * _SUPPORT + 1) / (scale * step)).astype(int)
        kernels.append(summed[index[index < summed.size]][::-1])
    count = fft.next_fast_len(samples + max(kernel.size for kernel in kernels))
    spectra = np.empty((len(kernels), count), np.complex128)
    offsets = []
    for n, (scale, kernel) in enumerate(zip(_SCALES, kernels, strict=True)):
        spectra[n] = -np.sqrt(scale) * fft.fft(np.diff(np.concatenate([[0], kernel, [0]])), count)
        offsets.append(int((kernel.size - 2) / 2) + 1)
    return count, spectra, tuple(offsets)


def standardised(values: Floats) -> Floats:
    """Each row with mean 0 and deviation 1; a flat one becomes 0."""
    deviation = values.std(axis=-1, keepdims=True)
    made: Floats = np.divide(values - values.mean(axis=-1, keepdims=True), deviation, out=np.zeros_like(values), where=deviation > 0)
    return made


def grid(samples: int) -> tuple[NDArray[np.intp], Floats]:
    """First samples of the windows over a stretch, and the bounds between what each answers for, shape (windows + 1,)."""
    starts = np.arange(0, samples - WINDOW + 1, STEP)
    if starts[-1] != samples - WINDOW:
        starts = np.append(starts, samples - WINDOW)
    centres = starts + WINDOW / 2
    return starts, np.concatenate([[0.0], (centres[:-1] + centres[1:]) / 2, [float(samples)]])


def intervals(heads: Floats, threshold: float = THRESHOLD) -> Floats:
    """One window's answers as intervals: rows of first sample, last, probability; the surest of those that overlap.

    Parameters
    ----------
    heads : ndarray, shape (30, 3)
        For each second: probability that a spindle's centre lies in it, where in it, and the spindle's length over 2 s.
    """
    heads = np.asarray(heads, np.float64)
    size = WINDOW / len(heads)
    chosen = np.flatnonzero(heads[:, 0] >= threshold)
    sure, centre, span = heads[chosen, 0], (chosen + heads[chosen, 1]) * size, heads[chosen, 2] * LONGEST_S * RATE
    first, last = np.clip(centre - span / 2, 0, WINDOW), np.clip(centre + span / 2, 0, WINDOW)
    return surest(np.column_stack([first, last, sure])[last > first])


def surest(rows: Floats) -> Floats:
    """Intervals of which no two share `OVERLAP` of their union, the surest kept, in order of time."""
    rows = np.asarray(rows, np.float64).reshape(-1, 3)
    order = rows[np.argsort(-rows[:, 2], kind="stable")]
    kept: list[NDArray[np.float64]] = []
    near = [(row[0], row[1]) for row in order]
    alive = np.ones(len(order), bool)
    for n, row in enumerate(order):
        if not alive[n]:
            continue
        kept.append(row)
        alive[n + 1 :] &= iou(near[n], order[n + 1 :]) < OVERLAP
    made = np.array(kept).reshape(-1, 3)
    return made[np.argsort(made[:, 0], kind="stable")]


def iou(one: tuple[float, float], others: Floats) -> Floats:
    """Shared part of the union of an interval with each of others, shape (n, 2 or more)."""
    shared = np.clip(np.minimum(one[1], others[:, 1]) - np.maximum(one[0], others[:, 0]), 0, None)
    union = one[1] - one[0] + others[:, 1] - others[:, 0] - shared
    made: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return made
