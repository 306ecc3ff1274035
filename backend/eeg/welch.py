"""Welch's windows, the average reference, power of a band, and which channels may be drawn on the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError

Floats = NDArray[np.floating]

COMMON = ("", "Ref", "LE", "Avg")  # references that channels share
_TOP = 100.0  # Hz


def windows(values: Floats, rate: float, window_s: float, reject_uv: Json) -> tuple[Floats, Floats, NDArray[np.bool_], dict[str, int]]:
    """Power of every window.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Microvolts, NaN where nothing counts.

    Returns
    -------
    frequency : ndarray, shape (freqs,)
        Hz, from one over the window's length up to 100 or what the rate shows.
    power : ndarray, shape (channels, windows, freqs)
        uV^2/Hz.
    used : ndarray of bool, shape (channels, windows)
    left_out : dict
        Windows of all channels by reason.
    """
    from scipy.signal import detrend, get_window

    size = round(window_s * rate)
    frequency = np.fft.rfftfreq(size, 1 / rate)
    kept = (frequency > 0) & (frequency <= min(_TOP, rate / 2.2))
    taper = get_window("hann", size)
    scale = 2 / (rate * (taper**2).sum())
    firsts = np.arange(0, values.shape[1] - size + 1, size // 2)
    power = np.zeros((len(values), len(firsts), int(kept.sum())))
    used: NDArray[np.bool_] = np.zeros((len(values), len(firsts)), bool)
    left = {"gap or bad segment": 0, "amplitude": 0}
    for n, first in enumerate(firsts):
        part = values[:, first : first + size]
        whole = np.isfinite(part).all(axis=1)
        left["gap or bad segment"] += int((~whole).sum())
        if reject_uv:
            big = whole & (np.ptp(np.nan_to_num(part), axis=1) > float(reject_uv))
            left["amplitude"] += int(big.sum())
            whole &= ~big
        if whole.any():
            power[whole, n] = np.abs(np.fft.rfft(detrend(part[whole], axis=1) * taper, axis=1)[:, kept]) ** 2 * scale
        used[:, n] = whole
    return frequency[kept], power, used, left


def averaged(values: Floats, kinds: Sequence[str], references: Sequence[str]) -> Floats:
    """EEG channels that share a reference against their mean; others as they are."""
    rows = [n for n, (kind, reference) in enumerate(zip(kinds, references, strict=True)) if kind == "eeg" and reference in COMMON]
    if len(rows) < 3:
        raise InputError("An average reference needs three channels that share a reference.", "Take the reference as recorded.")
    found = values.copy()
    good = np.isfinite(values[rows])
    mean = np.nan_to_num(values[rows]).sum(axis=0) / np.maximum(good.sum(axis=0), 1)
    found[rows] = values[rows] - mean
    return found


def band_power(frequency: Floats, spectra: Floats, band: tuple[float, float]) -> Floats:
    """Power between two frequencies, uV^2: the sum over bins (low included, high not) times their width; NaN where nothing is shown."""
    inside = (frequency >= band[0] - 1e-9) & (frequency < band[1] - 1e-9)
    if not inside.any() or frequency[-1] < band[1] - 1.5 * (frequency[1] - frequency[0]):
        return np.full(spectra.shape[:-1], np.nan)
    found: Floats = spectra[..., inside].sum(axis=-1) * (frequency[1] - frequency[0])
    return found


def map_refused(channels: Sequence[Mapping[str, Json]], reference: str) -> str:
    """Why no map of the head can be drawn of these channels; '' where one can."""
    placed = [channel for channel in channels if channel["electrode"]]
    if not placed:
        return "No channel has a known electrode, so values cannot be put on the head. The channel map can say where channels lie."
    common = [channel for channel in placed if channel["reference"] in COMMON]
    if not common:
        return (
            "These channels are bipolar: each is the difference of two places, so its power belongs to neither, and a map of the head "
            "would show it in the wrong place. Maps need a recording against a common reference."
        )
    if len(common) < 4:
        return f"Only {len(common)} electrodes share a reference; a map needs four at least."
    return ""
