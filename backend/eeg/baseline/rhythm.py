"""The posterior dominant rhythm: a peak over the 1/f fall of the spectrum, its centre of gravity, and whether there is one at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.domain import Json
from backend.eeg.baseline.measured import measured

SEARCH = (4.5, 14.0)  # Hz: from the slow rhythm of a child or an encephalopathy to the fast end of alpha
_FLANKS = ((2.0, 4.5), (15.0, 35.0))  # Hz: where the 1/f fall is fitted, on both sides of the search
_ABOVE = 0.1  # weight of what lies above the 1/f line while it is fitted
_ROUNDS = 8
_REACH = 2.5  # Hz to either side of the peak that its centre of gravity may take in
_EDGE = 0.25  # the peak's foot: where the excess has fallen to this share of its height
_SMOOTH = 0.4  # Hz, standard deviation of the kernel
# A peak is claimed only where it passes all three; chosen on simulated noise, checked by tests/benchmarks/eeg_baseline.py on other seeds.
SURE = 3.0  # standard errors by which it stands out
LEAST = 0.15  # log10 units by which it stands over its own feet
STEADY = 0.9  # share of resamples in which it is found within 1 Hz of itself


@dataclass(frozen=True)
class Shape:
    """What a search for a peak needs to know of a frequency axis, made once.

    Attributes
    ----------
    freqs : ndarray, shape (freqs,)
        Hz.
    smooth : ndarray, shape (freqs, freqs)
        Takes logarithms of power to their smoothed selves.
    flank : ndarray of bool, shape (freqs,)
        Where the 1/f line is fitted.
    room : ndarray, shape (freqs,)
        What each frequency counts: they lie ever denser on a logarithmic axis, and beta alone would set the line.
    """

    freqs: np.ndarray
    smooth: np.ndarray
    flank: np.ndarray
    room: np.ndarray

    def fall(self, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The 1/f line under each spectrum, and its slope.

        A straight line on log-log axes, fitted by asymmetric least squares: what lies above it (the second harmonic of alpha, beta)
        counts a tenth of what lies below, so that the line runs under the rhythms.

        Parameters
        ----------
        logs : ndarray, shape (..., freqs)
            log10 of power.

        Returns
        -------
        tuple of ndarray, shapes (..., freqs) and (...)
        """
        x, y = np.log10(self.freqs[self.flank]), logs[..., self.flank]
        weights = np.broadcast_to(self.room[self.flank], y.shape)
        for _ in range(_ROUNDS):
            total = weights.sum(axis=-1)
            mx, my = (weights * x).sum(axis=-1) / total, (weights * y).sum(axis=-1) / total
            dx = x - mx[..., None]
            slope = (weights * dx * (y - my[..., None])).sum(axis=-1) / (weights * dx**2).sum(axis=-1)
            level = my - slope * mx
            above = y > level[..., None] + slope[..., None] * x
            weights = self.room[self.flank] * np.where(above, _ABOVE, 1.0)
        line: np.ndarray = level[..., None] + slope[..., None] * np.log10(self.freqs)
        return line, slope


def make_shape(freqs: np.ndarray, top: float = _FLANKS[1][1]) -> Shape:
    """For an axis of frequencies in Hz; `top` is the highest that the recording shows undisturbed."""
    top = min(top, _FLANKS[1][1])
    near = np.exp(-0.5 * ((freqs[:, None] - freqs[None, :]) / _SMOOTH) ** 2)
    flank = ((freqs >= _FLANKS[0][0]) & (freqs <= _FLANKS[0][1])) | ((freqs >= _FLANKS[1][0]) & (freqs <= top))
    return Shape(freqs, near / near.sum(axis=1, keepdims=True), flank, np.gradient(np.log10(freqs)))


@dataclass(frozen=True)
class Peak:
    """A peak in one spectrum: Hz, Hz, log10 units over its higher foot and over the fall, and the bounds of its foot in Hz."""

    frequency: float
    gravity: float
    prominence: float
    height: float
    low: float
    high: float
    power: float  # uV^2 over the 1/f fall


def find_peak(shape: Shape, spectrum: np.ndarray) -> Peak | None:
    """The most prominent peak of one power spectrum (uV^2/Hz) in the search range."""
    from scipy.signal import peak_prominences

    logs = np.log10(spectrum)
    line = shape.fall(logs)[0]
    flat = shape.smooth @ logs - line
    freqs = shape.freqs
    inside = np.flatnonzero((freqs >= SEARCH[0]) & (freqs <= SEARCH[1]))
    tops = inside[(flat[inside] > flat[inside - 1]) & (flat[inside] >= flat[inside + 1])]
    if not len(tops):
        return None
    near = (freqs >= SEARCH[0] - 1.5) & (freqs <= SEARCH[1] + 3.0)
    first = int(np.flatnonzero(near)[0])
    prominences = peak_prominences(flat[near], tops - first)[0]
    best = int(prominences.argmax())
    at = int(tops[best])
    step = float(freqs[1] - freqs[0])
    left, middle, right = flat[at - 1 : at + 2]
    bend = left - 2 * middle + right
    frequency = float(freqs[at]) + (0.5 * step * float((left - right) / bend) if bend else 0.0)
    low, high = _feet(flat, at, round(_REACH / step))
    excess = np.clip(spectrum[low : high + 1] - 10 ** line[low : high + 1], 0, None)
    gravity = float((excess * freqs[low : high + 1]).sum() / excess.sum()) if excess.sum() > 0 else frequency
    return Peak(
        frequency,
        gravity,
        float(prominences[best]),
        float(flat[at]),
        float(freqs[low]),
        float(freqs[high]),
        float(excess.sum() * step),
    )


def measure_rhythm(shape: Shape, spectrum: np.ndarray, draws: np.ndarray, blocks: int, widen: float = 1.0) -> dict[str, Json]:
    """The rhythm with its intervals, or that there is none, and why.

    Parameters
    ----------
    spectrum : ndarray, shape (freqs,)
        uV^2/Hz.
    draws : ndarray, shape (draws, freqs)
        The same from each resample of blocks.
    widen : float
        See `backend.eeg.baseline.measured.measured`.

    Notes
    -----
    Peak: parabola through the top of the smoothed spectrum after the 1/f line (log power on log frequency, fitted on both flanks of
    the search range) is taken off, as Donoghue et al. 2020, doi:10.1038/s41593-020-00744-x, do with their own fit. Centre of gravity:
    mean frequency of what stands over that line between the peak's feet, after Klimesch 1999, doi:10.1016/S0165-0173(98)00056-3, and
    Corcoran et al. 2018, doi:10.1111/psyp.13064.
    """
    exponent = measured(-float(shape.fall(np.log10(spectrum))[1]), -shape.fall(np.log10(draws))[1], blocks, widen=widen)
    found: dict[str, Json] = {"found": False, "exponent": exponent}
    peak = find_peak(shape, spectrum)
    if peak is None:
        return {**found, "reason": f"The spectrum has no peak between {SEARCH[0]:g} and {SEARCH[1]:g} Hz."}
    others = [find_peak(shape, draw) for draw in draws]
    noise = _noise(shape, draws, peak) * float(np.sqrt(blocks / max(blocks - 1, 1)))
    steady = sum(other is not None and abs(other.frequency - peak.frequency) <= 1 for other in others) / len(others)
    found |= {"stands_out": _short(peak.prominence), "noise": _short(noise), "steady": _short(steady), "nearest": _short(peak.frequency)}
    if peak.prominence < LEAST or peak.prominence < SURE * noise:
        far = f"{10**peak.prominence:.2f} times its feet, {peak.prominence / noise:.1f} standard errors"
        return {**found, "reason": f"The highest bump, at {peak.frequency:.1f} Hz, does not stand out from chance ({far})."}
    if steady < STEADY:
        return {**found, "reason": f"No bump stays the highest when the recording is resampled; {STEADY:.0%} of resamples are asked for."}
    same = [other for other in others if other is not None and abs(other.frequency - peak.frequency) <= 2]
    return {
        **found,
        "found": True,
        "reason": "",
        "peak": measured(peak.frequency, np.array([other.frequency for other in same]), blocks, widen=widen),
        "gravity": measured(peak.gravity, np.array([other.gravity for other in same]), blocks, widen=widen),
        "bounds": [peak.low, peak.high],
        # of a narrow-band rhythm of that power, from trough to crest
        "amplitude": measured(
            2 * (2 * peak.power) ** 0.5, np.array([2 * (2 * other.power) ** 0.5 for other in same]), blocks, "log", widen
        ),
    }


def rhythm_words(rhythm: Mapping[str, Json]) -> str:
    """One sentence: the rhythm, or why none is told."""
    if not rhythm["found"]:
        return f"No alpha peak found. {rhythm['reason']}"
    peak, size = rhythm["peak"], rhythm["amplitude"]
    return f"{peak['value']:.1f} Hz (95% interval {peak['low']:.1f} to {peak['high']:.1f}), about {size['value']:.0f} µV peak to peak"


def _feet(flat: np.ndarray, at: int, reach: int) -> tuple[int, int]:
    ends = []
    for step in (-1, 1):
        n = at
        while 0 < n + step < len(flat) - 1 and abs(n + step - at) <= reach:
            if flat[n + step] > flat[n] + 1e-12 and flat[n] < 0.75 * flat[at]:
                break
            n += step
            if flat[n] < _EDGE * flat[at]:
                break
        ends.append(n)
    return ends[0], ends[1]


def _noise(shape: Shape, draws: np.ndarray, peak: Peak) -> float:
    """Standard deviation over resamples of the smoothed peak against the mean of its feet, in log10 units."""
    logs = np.log10(draws)
    flat = logs @ shape.smooth.T - shape.fall(logs)[0]
    at, low, high = (int(np.abs(shape.freqs - hertz).argmin()) for hertz in (peak.frequency, peak.low, peak.high))
    return float(np.std(flat[:, at] - (flat[:, low] + flat[:, high]) / 2, ddof=1))


def _short(value: float) -> float:
    return float(f"{value:.4g}")
