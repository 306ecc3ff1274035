"""Filters for the eye: zero-phase Butterworth high-pass and low-pass, and a notch at the mains; gaps stay gaps."""

from __future__ import annotations

import numpy as np

from backend.errors import InputError

ORDER = 2  # run forth and back: 4 in effect, 24 dB an octave
_QUALITY = 30.0  # of the notch: 50 Hz is cut 1.7 Hz wide
MAINS = (50.0, 60.0)


def filtered(
    values: np.ndarray, rate: float, high_pass: float | None = None, low_pass: float | None = None, notch: float | None = None
) -> np.ndarray:
    """The values after all filters that are given.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        May hold NaN; every stretch of numbers is filtered on its own.
    rate, high_pass, low_pass, notch : float
        Hz.

    Returns
    -------
    ndarray of float32, shape (channels, samples)
        Read some seconds more on either side than are shown (`margin_s`): ends are only estimated.

    Raises
    ------
    InputError
        When a filter lies outside what the rate can show, or the high-pass above the low-pass.
    """
    sections = design(rate, high_pass, low_pass, notch)
    out = np.array(values, np.float32, copy=True)
    if not sections.size:
        return out
    from scipy.signal import sosfiltfilt

    shortest = 3 * (2 * len(sections) + 1)
    for row, channel in enumerate(out):
        for first, last in _stretches(np.isfinite(channel)):
            part = np.asarray(values[row, first:last], np.float64)
            if last - first <= 1:
                continue
            pad = min(max(shortest, int(margin_s(high_pass) * rate)), last - first - 1)
            level = part.mean()
            out[row, first:last] = sosfiltfilt(sections, part - level, padlen=pad) + (0.0 if high_pass else level)
    return out


def design(rate: float, high_pass: float | None, low_pass: float | None, notch: float | None) -> np.ndarray:
    """Second-order sections, shape (sections, 6)."""
    from scipy.signal import butter, iirnotch, tf2sos

    for name, value in (("low cut", high_pass), ("high cut", low_pass), ("notch", notch)):
        if value is not None and not 0 < value < rate / 2:
            raise InputError(
                f"A {name} at {value:g} Hz does not fit a rate of {rate:g} Hz.", f"Give one above 0 and below {rate / 2:g} Hz."
            )
    if high_pass is not None and low_pass is not None and high_pass >= low_pass:
        raise InputError(f"A low cut of {high_pass:g} Hz above a high cut of {low_pass:g} Hz leaves nothing.", "Turn them round.")
    parts = []
    if high_pass is not None:
        parts.append(butter(ORDER, high_pass, "highpass", fs=rate, output="sos"))
    if low_pass is not None:
        parts.append(butter(ORDER, low_pass, "lowpass", fs=rate, output="sos"))
    if notch is not None:
        parts.append(tf2sos(*iirnotch(notch, _QUALITY, fs=rate)))
    return np.concatenate(parts) if parts else np.empty((0, 6))


def margin_s(high_pass: float | None) -> float:
    """Seconds to read on either side of what is shown, so that the ends of a filter are not seen."""
    return 1.0 if not high_pass else min(max(1.0 / high_pass, 1.0), 10.0)


def _stretches(good: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
