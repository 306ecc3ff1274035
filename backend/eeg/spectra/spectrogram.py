"""Power over time and frequency, small enough to be drawn: Hann windows of 2 s, averaged into columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json

Floats = NDArray[np.floating]

WINDOW_S = 2.0
TOP = 45.0  # Hz
MOST_COLUMNS = 480
MOST_CHANNELS = 6
_PREFERRED = ("C3", "C4", "O1", "O2", "Cz", "Fz", "Oz", "Pz", "F3", "F4", "TP9", "TP10")
_LEAST = 1e-4  # uV^2/Hz: below any amplifier's noise


def spectrogram(values: Floats, rate: float, start_s: float) -> tuple[Floats, Floats]:
    """Power of each second.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Microvolts; a window with a NaN becomes NaN.

    Returns
    -------
    times : ndarray, shape (windows,)
        Middles, seconds from the recording's beginning.
    power : ndarray, shape (channels, windows, freqs)
        uV^2/Hz at 0.5, 1, ... Hz: Hann windows of 2 s, one each second.
    """
    from scipy.signal import get_window

    size, step = round(WINDOW_S * rate), round(rate)
    kept = _kept(rate)
    taper = get_window("hann", size)
    firsts = np.arange(0, values.shape[1] - size + 1, step)
    power = np.full((len(values), len(firsts), int(kept.sum())), np.nan)
    for row, channel in enumerate(values):
        if not len(firsts):
            continue
        cut = np.lib.stride_tricks.sliding_window_view(channel, size)[::step]
        whole = np.isfinite(cut).all(axis=1)
        part = cut[whole] - cut[whole].mean(axis=1, keepdims=True)
        power[row, whole] = np.abs(np.fft.rfft(part * taper, axis=1)[:, kept]) ** 2 * (2 / (rate * (taper**2).sum()))
    return start_s + firsts / rate + WINDOW_S / 2, power


def shown(electrodes: Sequence[str]) -> list[int]:
    """Which channels have their spectrogram kept: up to `MOST_CHANNELS`, those over the vertex, the back and the front first."""
    preferred = [electrodes.index(place) for place in _PREFERRED if place in electrodes]
    return (preferred + [n for n in range(len(electrodes)) if n not in preferred])[:MOST_CHANNELS]


def joined(parts: Sequence[tuple[Floats, Floats]], names: Sequence[str]) -> dict[str, Json]:
    """Pieces of a spectrogram in at most `MOST_COLUMNS` columns, decibels (of 1 uV^2/Hz).

    Returns
    -------
    dict
        ``times`` (middles, s), ``column_s``, ``frequency`` (Hz), ``channels``: name and ``db``, (columns, freqs), None where nothing was.
    """
    times = np.concatenate([times for times, _ in parts])
    power = np.concatenate([power for _, power in parts], axis=1)
    column = max(1.0, float(np.ceil((times[-1] - times[0] + 1) / MOST_COLUMNS)))
    place = ((times - times[0]) // column).astype(int)
    count = int(place.max()) + 1
    freqs = power.shape[2]
    channels = []
    for name, mine in zip(names, power, strict=True):
        there = np.isfinite(mine[:, 0])
        sums = np.zeros((count, freqs))
        np.add.at(sums, place[there], mine[there])
        counts = np.bincount(place[there], minlength=count)[:, None]
        db = 10 * np.log10(np.maximum(sums / np.maximum(counts, 1), _LEAST))
        rows = [[round(float(one), 1) for one in row] if n else None for row, n in zip(db, counts[:, 0], strict=True)]
        channels.append({"name": name, "db": rows})
    frequency = 0.5 * np.arange(1, freqs + 1)
    return {
        "times": [round(float(times[0] + (n + 0.5) * column - 0.5), 2) for n in range(count)],
        "column_s": column,
        "frequency": frequency.tolist(),
        "channels": channels,
    }


def _kept(rate: float) -> NDArray[np.bool_]:
    frequency = np.fft.rfftfreq(round(WINDOW_S * rate), 1 / rate)
    found: NDArray[np.bool_] = (frequency > 0.1) & (frequency <= min(TOP, rate / 2.2))
    return found
