"""Numbers of signal quality: what one stretch of some channels tells, and what the overview tells of every minute."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from backend.eeg.filters import MAINS
from backend.eeg.quality.limits import BRIDGE_SHARE, BRIDGE_UV2
from backend.eeg.recording import Channel

FEWEST = 8  # EEG channels from which one can be judged against the others
_SLOW_S = 4.0  # medians over this long make the baseline, so that blinks do not count as drift
_HIGH_HZ = 30.0
_ALPHA_HZ = (7.0, 14.0)
_TOP_HZ = 45.0  # below every mains


def robust_z(values: np.ndarray) -> np.ndarray:
    """Deviation from the median in robust standard deviations (0.7413 times the interquartile range), as PREP counts; NaN stay.

    The standard deviation is taken to be a tenth of the median at the least: where channels are very alike, a small difference is none.
    """
    if np.isfinite(values).sum() < 3:
        return np.full_like(values, np.nan)
    low, middle, high = np.nanpercentile(values, [25, 50, 75])
    spread = 0.7413 * (high - low)
    deviation: np.ndarray = (values - middle) / max(float(spread), 1e-9 + 0.1 * abs(float(middle)))
    return deviation


def spectral(values: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of mains, which mains (Hz), and share of power above 30 Hz of each row.

    Mains is what stands above the neighbouring frequencies at 50 or 60 Hz, as a share of the power from 1 to 100 Hz; NaN where the
    rate cannot show it.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Without NaN, two seconds or more.
    """
    from scipy.signal import welch

    frequencies, power = welch(values, rate, nperseg=round(2 * rate), detrend="linear")
    top = min(100.0, 0.45 * rate)
    inside = (frequencies >= 1) & (frequencies <= top)
    total = power[:, inside].sum(axis=1) + 1e-20
    shares, line = np.full((len(MAINS), len(values)), np.nan), np.zeros_like(frequencies, bool)
    for n, hum in enumerate(MAINS):
        if hum + 5 > rate / 2:
            continue
        off = np.abs(frequencies - hum)
        near, beside = off <= 1, (off >= 2.5) & (off <= 5)
        shares[n] = np.maximum(power[:, near].sum(axis=1) - np.median(power[:, beside], axis=1) * near.sum(), 0) / total
        line |= off <= 2
    quiet = inside & ~line
    rest = power[:, quiet].sum(axis=1) + 1e-20
    high = power[:, quiet & (frequencies >= _HIGH_HZ)].sum(axis=1) / rest if top > _HIGH_HZ + 5 else np.full(len(values), np.nan)
    if np.isnan(shares).all():
        return np.full(len(values), np.nan), np.zeros(len(values)), high
    best = np.nanargmax(np.nan_to_num(shares, nan=-1.0), axis=0)
    return shares[best, np.arange(len(values))], np.array(MAINS)[best], high


def compared(values: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each EEG channel beside the others, between 1 and 45 Hz.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Against one reference, without NaN, a second or more.

    Returns
    -------
    correlation : ndarray, shape (channels,)
        Median over seconds of the 98th percentile of |r| with the others; as in PREP the median of all channels is taken off, but where
        |r| is lower as recorded, that counts: an input without electrode would else borrow its partners from the median.
    amplitude : ndarray, shape (channels,)
        Robust standard deviation, microvolts, the median of all channels taken off; the alpha rhythm (7 to 14 Hz) is left out of it, which
        with closed eyes is many times larger behind than elsewhere and no fault of a contact.
    bridged : ndarray of bool, shape (channels, channels)
        Pairs whose difference is nearly nothing.
    """
    count = values.shape[1]
    spectrum = np.fft.rfft(values - np.median(values, axis=1, keepdims=True), axis=1)
    frequencies = np.fft.rfftfreq(count, 1 / rate)
    spectrum[:, (frequencies < 1) | (frequencies > _TOP_HZ)] = 0
    filtered = np.fft.irfft(spectrum, count, axis=1)
    second = round(rate)
    windows = filtered[:, : count // second * second].reshape(len(values), -1, second).transpose(1, 0, 2)
    still = filtered.std(axis=1) < 1e-3
    covariance = np.einsum("wis,wjs->wij", windows, windows, optimize=True) / second
    variance = np.einsum("wii->wi", covariance)
    distance = np.median(variance[:, :, None] + variance[:, None, :] - 2 * covariance, axis=0)
    smaller = np.median(np.minimum(variance[:, :, None], variance[:, None, :]), axis=0)
    bridged = (distance < BRIDGE_UV2) & (distance < BRIDGE_SHARE * smaller) & ~still[:, None] & ~still[None, :]
    np.fill_diagonal(bridged, False)
    centred = windows - np.median(windows[:, ~still], axis=1, keepdims=True) if (~still).any() else windows
    correlation = np.minimum(_best_partner(windows), _best_partner(centred))
    spectrum[:, (frequencies >= _ALPHA_HZ[0]) & (frequencies <= _ALPHA_HZ[1])] = 0
    rest = np.fft.irfft(spectrum, count, axis=1)
    rest -= np.median(rest[~still], axis=0) if (~still).any() else 0.0
    low, high = np.percentile(rest, [25, 75], axis=1)
    return np.where(still, 0.0, correlation), 0.7413 * (high - low), bridged


def _best_partner(windows: np.ndarray) -> np.ndarray:
    """Median over windows (windows, channels, samples) of each channel's 98th percentile of |r| with the others."""
    unit = windows / (np.sqrt(np.einsum("wis,wis->wi", windows, windows)) + 1e-12)[..., None]
    related = np.abs(np.einsum("wis,wjs->wij", unit, unit, optimize=True))
    np.einsum("wii->wi", related)[:] = np.nan
    found: np.ndarray = np.median(np.nanpercentile(related, 98, axis=2), axis=0)
    return found


def over_minutes(
    low: np.ndarray, high: np.ndarray, times: np.ndarray, edges: np.ndarray, channels: list[Channel], step_s: float
) -> dict[str, np.ndarray]:
    """What the overview tells of every minute.

    Parameters
    ----------
    low, high : ndarray, shape (channels, parts)
        Smallest and largest value of each part; NaN where nothing was recorded.
    times : ndarray, shape (parts,)
        Middle of each part, seconds.
    edges : ndarray, shape (minutes + 1,)
        Seconds.
    step_s : float
        Length of a part.

    Returns
    -------
    dict of ndarray, shape (channels, minutes)
        ``flat``, ``clipped``: shares of the recorded parts; ``drift``: microvolts; NaN where nothing was recorded.
    """
    minutes = len(edges) - 1
    found = {key: np.full((len(channels), minutes), np.nan) for key in ("flat", "clipped", "drift")}
    still = low == high
    slack = np.array([[0.5 * abs(channel.gain)] for channel in channels])
    ends = np.array([_ends(channel) for channel in channels])
    at_end = (low <= ends[:, :1] + slack) | (high >= ends[:, 1:] - slack)
    middle = (low + high) / 2
    slow = max(1, round(_SLOW_S / step_s))
    place = np.searchsorted(times, edges)
    place[-1] = len(times)
    for n, (first, last) in enumerate(pairwise(place)):
        known = np.isfinite(low[:, first:last])
        count = known.sum(axis=1)
        there = count > 0
        found["flat"][there, n] = (still[:, first:last] & known).sum(axis=1)[there] / count[there]
        found["clipped"][there, n] = (at_end[:, first:last] & known).sum(axis=1)[there] / count[there]
        whole = (last - first) // slow
        if whole >= 2 and known[:, : whole * slow].all():
            baseline = np.median(middle[:, first : first + whole * slow].reshape(len(channels), whole, slow), axis=2)
            found["drift"][:, n] = np.ptp(baseline, axis=1)
    return found


def _ends(channel: Channel) -> tuple[float, float]:
    """The values at the ends of the digital range; without end where it is not known."""
    if channel.ends is None:
        return -np.inf, np.inf
    values = sorted(end * channel.gain + channel.offset for end in channel.ends[2:])
    return values[0], values[1]
