"""YASA's measures of each 30 s of a night, computed so that gaps stay out of them.

The measures, bands, smoothing and scaling are those of YASA 0.8.1 (Vallat and Walker 2021, doi:10.7554/eLife.70092), number for number
where nothing is missing. Here, beyond that: each unbroken stretch is filtered on its own, and an epoch that touches a gap, or during
which a channel is flat, has no measures and takes no part in the smoothing and scaling of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.eeg.prepared import stretches
from backend.errors import InputError
from backend.progress import Progress, Silent

Floats = NDArray[np.float64]

RATE = 100.0
EPOCH_S = 30
BANDS: Mapping[str, tuple[float, float]] = {
    "sdelta": (0.4, 1), "fdelta": (1, 4), "theta": (4, 8), "alpha": (8, 12), "sigma": (12, 16), "beta": (16, 30),
}  # fmt: skip
OWN, CENTRED, PAST = "", "_c7min_norm", "_p2min_norm"
"""The time contexts of a measure by the ending of its name: the epoch itself, 7.5 min around it, the 2 min up to it."""

_BROAD = (0.4, 30.0)
_SAMPLES = int(RATE) * EPOCH_S
_FLAT_UV = 0.05  # standard deviation of a second below which a lead is open or shorted


@dataclass(frozen=True)
class Measures:
    """Measures of every epoch.

    Attributes
    ----------
    names : tuple of str
        Columns, sorted, such as ``eeg_sigma_c7min_norm``.
    values : ndarray of float32, shape (epochs, columns)
        NaN in every column of an epoch that could not be measured.
    scored : ndarray of bool, shape (epochs,)
        Whether the epoch could be measured.
    flat : ndarray of bool, shape (epochs,)
        Whether that was because a channel was flat.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    scored: NDArray[np.bool_]
    flat: NDArray[np.bool_]


def measure(
    values: NDArray[np.floating], kinds: Sequence[str], demographics: Mapping[str, int] | None = None, progress: Progress | None = None
) -> Measures:
    """Measures of a night.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Microvolts at 100 Hz, unfiltered, NaN in gaps; one channel of each kind.
    kinds : sequence of str
        ``eeg``, ``eog``, ``emg``, for each channel.
    demographics : mapping, optional
        ``age`` in years and ``male`` (1 or 0).

    Raises
    ------
    InputError
        When no 30 s are unbroken.
    """
    progress = progress or Silent()
    epochs = values.shape[1] // _SAMPLES
    unbroken = np.isfinite(values).all(axis=0)
    whole = unbroken[: epochs * _SAMPLES].reshape(epochs, _SAMPLES).all(axis=1) if epochs else np.zeros(0, bool)
    if not whole.any():
        raise InputError("No 30 s of the recording are unbroken on all channels.", "Take other channels, or a recording with fewer gaps.")
    filtered = _filtered(values, unbroken)[:, : epochs * _SAMPLES].reshape(len(values), epochs, _SAMPLES)
    flat = np.zeros(epochs, bool)
    seconds = values[:, : epochs * _SAMPLES].reshape(len(values), epochs, EPOCH_S, int(RATE))[:, whole]
    flat[whole] = ((seconds.std(axis=3) < _FLAT_UV).mean(axis=2) >= 0.5).any(axis=0)
    scored = whole & ~flat
    if not scored.any():
        raise InputError("A channel is flat throughout.", "Take another channel, or say in the channel map which one it is.")
    columns: dict[str, Floats] = {}
    for channel, kind in enumerate(kinds):
        progress.check()
        progress.update(channel, len(kinds), "Measuring the night")
        for name, measured in _of_channel(filtered[channel, scored], kind).items():
            columns[f"{kind}_{name}"] = np.full(epochs, np.nan)
            columns[f"{kind}_{name}"][scored] = measured
    columns = {**columns, **_in_context(columns)}
    times = np.arange(epochs) * float(EPOCH_S)
    columns["time_hour"], columns["time_norm"] = times / 3600, times / times[-1] if epochs > 1 else times
    for name, number in (demographics or {}).items():
        columns[name] = np.full(epochs, float(number))
    names = tuple(sorted(columns))
    table = np.stack([columns[name] for name in names], axis=1).astype(np.float32)
    table[~scored] = np.nan
    return Measures(names, table, scored, flat)


def _filtered(values: NDArray[np.floating], unbroken: NDArray[np.bool_]) -> Floats:
    """0.4 to 30 Hz, each unbroken stretch that holds an epoch on its own; NaN elsewhere."""
    from mne.filter import filter_data

    made = np.full(values.shape, np.nan)
    for first, last in stretches(unbroken):
        if last - first >= _SAMPLES:
            made[:, first:last] = filter_data(np.asarray(values[:, first:last], np.float64), RATE, *_BROAD, verbose="ERROR")
    return made


def _of_channel(epochs: Floats, kind: str) -> dict[str, Floats]:
    """Measures of one channel's epochs (epochs, samples)."""
    import antropy  # type: ignore[import-untyped]
    from scipy.integrate import trapezoid
    from scipy.signal import welch

    mobility, complexity = antropy.hjorth_params(epochs, axis=1)
    low, high = np.quantile(epochs, [0.25, 0.75], axis=1)
    away = epochs - epochs.mean(axis=1, keepdims=True)
    second = (away**2).mean(axis=1)
    made: dict[str, Any] = {
        "std": np.std(epochs, ddof=1, axis=1),
        "iqr": high - low,
        "skew": (away**3).mean(axis=1) / second**1.5,
        "kurt": (away**4).mean(axis=1) / second**2 - 3,
        "nzc": antropy.num_zerocross(epochs, axis=1),
        "hmob": mobility,
        "hcomp": complexity,
    }
    frequency, density = welch(epochs, RATE, window="hamming", nperseg=int(5 * RATE), average="median")
    if kind != "emg":
        made |= _shares(frequency, density)
    if kind == "eeg":
        delta = made["sdelta"] + made["fdelta"]
        made |= {"dt": delta / made["theta"], "ds": delta / made["sigma"], "db": delta / made["beta"]}
        made["at"] = made["alpha"] / made["theta"]
    broad = (frequency >= _BROAD[0]) & (frequency <= _BROAD[1])
    made["abspow"] = trapezoid(density[:, broad], dx=frequency[1] - frequency[0])
    made["perm"] = np.apply_along_axis(antropy.perm_entropy, axis=1, arr=epochs, normalize=True)
    made["higuchi"] = np.apply_along_axis(antropy.higuchi_fd, axis=1, arr=epochs)
    made["petrosian"] = antropy.petrosian_fd(epochs, axis=1)
    return {name: np.asarray(column, np.float64) for name, column in made.items()}


def _shares(frequency: Floats, density: Floats) -> dict[str, Floats]:
    """The share of each band in the power of all bands."""
    from scipy.integrate import simpson

    step = frequency[1] - frequency[0]
    inside = (frequency >= BANDS["sdelta"][0]) & (frequency <= BANDS["beta"][1])
    frequency, density = frequency[inside], density[:, inside]
    total = simpson(density, dx=step, axis=-1)
    made = {}
    for name, (low, high) in BANDS.items():
        of_band = (frequency >= low) & (frequency <= high)
        made[name] = simpson(density[:, of_band], dx=step, axis=-1) / total
    return made


def _in_context(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Each measure's mean over 7.5 min around (weights falling to both sides) and over the last 2 min, scaled by the night's spread."""
    import pandas as pd
    from sklearn.preprocessing import robust_scale

    table = pd.DataFrame(dict(columns))
    around = table.rolling(window=15, center=True, min_periods=1, win_type="triang").mean()
    past = table.rolling(window=4, min_periods=1).mean()
    made: dict[str, Floats] = {}
    for suffix, smoothed in ((CENTRED, around), (PAST, past)):
        smoothed = smoothed.mask(table.isna())
        scaled = np.asarray(robust_scale(smoothed, quantile_range=(5, 95)), np.float64)
        made |= {f"{name}{suffix}": scaled[:, place] for place, name in enumerate(smoothed.columns)}
    return made
