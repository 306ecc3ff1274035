"""Spectra of a recording's quiet stretches: short windows without artefacts, added up in blocks of time that a bootstrap can resample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backend.eeg.filters import filtered
from backend.eeg.inputs import effective_channels
from backend.eeg.prepared import prepare
from backend.eeg.recording import Channel
from backend.errors import InputError
from backend.tasks import Context

WINDOW_S = 4.0  # 0.25 Hz apart
STEP_S = 2.0
BLOCK_S = (10.0, 64.0)  # shortest and longest: alpha waxes and wanes over seconds, so windows this near are not independent
_BLOCKS = 8  # aimed at between the two; few long blocks with Student's t bear dependence better than many short ones
FORGET_S = 6.0  # time over which sizes of rhythms are taken to forget themselves; see `Blocks.widen`
TOP = 45.0  # Hz: above it muscle and mains rule on the scalp
_CHUNK_S = 600.0
_MOST_RATE = 256.0
_LEAST_RATE = 80.0
_COMMON = ("", "Ref", "LE", "Avg")
_AVERAGE_FROM = 12  # electrodes that an average needs to stand for no reference; fewer lie too much to one side

_SLOW_HZ = 1.0
FLAT_UV = 0.5  # standard deviation below which an amplifier input was unused or off
_MUSCLE_HZ = (25.0, 45.0)
_MUSCLE_FACTOR = 6.0  # times the channel's own median power there
_SWING_FACTOR = 2.0  # times the channel's own median swing


@dataclass(frozen=True)
class Derivations:
    """What spectra are taken of: channels by name with their electrodes, and against what they stand."""

    names: tuple[str, ...]
    electrodes: tuple[str, ...]
    rate: float
    average: bool
    reference: str  # in words
    notes: tuple[str, ...]
    low_pass: float  # Hz, of the amplifier where it says so; else the highest that the rate shows


@dataclass(frozen=True)
class Blocks:
    """Spectra added up by blocks.

    Attributes
    ----------
    freqs : ndarray, shape (freqs,)
        Hz, from 1 to `TOP`.
    sums : ndarray, shape (channels, blocks, freqs)
        Of the windows' power spectral densities, uV^2/Hz.
    counts : ndarray, shape (channels, blocks)
        Windows added up.
    left_out : mapping of str to int
        Channel windows that were not: gap or bad segment, amplitude, flat, muscle.
    """

    freqs: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    block_s: float
    windows: int
    left_out: Mapping[str, int]

    def mean(self, rows: Sequence[int] | None = None) -> np.ndarray:
        """Mean spectra, shape (channels, freqs); NaN for a channel without windows."""
        sums, counts = self.sums.sum(axis=1), self.counts.sum(axis=1)
        found: np.ndarray = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], np.nan)
        return found if rows is None else found[list(rows)]

    @property
    def widen(self) -> float:
        """What standard errors are enlarged by, because neighbouring blocks are alike.

        Means of blocks of length L understate the variance of a mean by ``1 - (a / L)(1 - exp(-L / a))`` where correlation falls as
        exp(-t / a). How fast it falls cannot be told from a minute of signal, so `FORGET_S` is assumed; the amplitude of alpha is
        correlated over many seconds (Linkenkaer-Hansen et al. 2001, doi:10.1523/JNEUROSCI.21-04-01370.2001).
        """
        share = FORGET_S / self.block_s
        return float((1 - share * (1 - np.exp(-1 / share))) ** -0.5)

    def draws(self, count: int, seed: int) -> np.ndarray:
        """How often each block is taken in each of `count` resamples, shape (count, blocks)."""
        blocks = self.sums.shape[1]
        rng = np.random.default_rng(seed)
        found: np.ndarray = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=count).astype(np.float64)
        return found

    def resampled(self, row: int, weights: np.ndarray) -> np.ndarray:
        """Mean spectra of one channel in each resample, shape (draws, freqs)."""
        counts = weights @ self.counts[row]
        sums = weights @ self.sums[row]
        found: np.ndarray = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], np.nan)
        return found


def choose_derivations(context: Context, recording: str, reference: str, bad: Sequence[str]) -> Derivations:
    """The channels to measure, and the reference.

    Parameters
    ----------
    reference : {'auto', 'average', 'recorded'}
        ``auto`` takes the average from twelve electrodes on.
    """
    eeg = [channel for channel in effective_channels(context, recording) if channel.kind == "eeg" and channel.name not in bad]
    notes = []
    if slow := [channel.name for channel in eeg if channel.rate < _LEAST_RATE]:
        notes.append(f"Sampled too slowly to be measured: {', '.join(slow)}.")
        eeg = [channel for channel in eeg if channel.rate >= _LEAST_RATE]
    common = [channel for channel in eeg if channel.electrode and channel.reference in _COMMON]
    placed = common or [channel for channel in eeg if channel.electrode]
    if not placed:
        raise InputError(
            "No EEG channel of this recording has a known electrode, so there are no regions to measure.",
            "Say in the channel map where the channels lie.",
        )
    if len(placed) < len(eeg):
        notes.append(f"{len(eeg) - len(placed)} EEG channels without a known electrode or common reference are not measured.")
    rate = max({channel.rate for channel in placed}, key=lambda rate: (sum(channel.rate == rate for channel in placed), rate))
    average = reference == "average" or (reference == "auto" and len(common) >= _AVERAGE_FROM)
    if reference == "average" and len(common) < 3:
        raise InputError("An average reference needs three channels that share a reference.", "Take the reference as recorded.")
    passed = [channel.low_pass for channel in placed if channel.low_pass]
    return Derivations(
        tuple(channel.name for channel in placed),
        tuple(channel.electrode for channel in placed),
        min(rate, _MOST_RATE),
        average,
        _reference_words(placed, bool(common), average),
        tuple(notes),
        min([*passed, min(rate, _MOST_RATE) / 2.2]),
    )


def collect(
    context: Context, recording: str, of: Derivations, stretches: Sequence[tuple[float, float]], reject_uv: float, clean: bool = True
) -> Blocks:
    """Spectra of all windows inside the stretches (seconds) that hold neither gap nor artefact."""
    pieces = [piece for start, stop in stretches for piece in _pieces(start, stop) if piece[1] - piece[0] >= WINDOW_S]
    total = sum(stop - start for start, stop in pieces)

    def values() -> Iterator[tuple[float, np.ndarray]]:
        done = 0.0
        for start, stop in pieces:
            context.progress.check()
            context.progress.update(done, total, "Measuring the background activity")
            made = prepare(context, recording, names=of.names, start_s=start, stop_s=stop, rate=of.rate, bad_segments="nan", clean=clean)
            yield start, made.values.astype(np.float64)
            done += stop - start

    return add_up(values(), of.rate, of.average, reject_uv)


def add_up(pieces: Iterable[tuple[float, np.ndarray]], rate: float, average: bool, reject_uv: float) -> Blocks:
    """Spectra of the windows of some pieces: seconds of their first sample, and values (channels, samples) in microvolts."""
    window, step = round(WINDOW_S * rate), round(STEP_S * rate)
    frequency = np.fft.rfftfreq(window, 1 / rate)
    kept = (frequency >= 1.0) & (frequency <= min(TOP, rate / 2.2))
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    where: list[int] = []
    channels = 0
    for start, given in pieces:
        values = given - _mean(given) if average else given
        channels = len(values)
        swings = filtered(values, rate, _SLOW_HZ)  # slow drift of an electrode is no artefact in the bands measured
        for at in range(0, values.shape[1] - window + 1, step):
            parts.append(_window(values[:, at : at + window], np.ptp(swings[:, at : at + window], axis=1), rate, kept))
            where.append(int((start + at / rate) // STEP_S))
    left = {"gap or bad segment": 0, "amplitude": 0, "flat": 0, "muscle": 0}
    if not parts:
        return Blocks(frequency[kept], np.zeros((channels, 0, kept.sum())), np.zeros((channels, 0)), BLOCK_S[0], 0, left)
    spectra, swing, whole, quiet = (np.stack(column) for column in zip(*parts, strict=True))
    used = whole & ~quiet
    left["gap or bad segment"], left["flat"] = int((~whole).sum()), int((whole & quiet).sum())
    left["amplitude"] = _drop(swing, used, _SWING_FACTOR, reject_uv)
    left["muscle"] = _drop_muscle(spectra, used, frequency[kept])
    return _in_blocks(spectra, used, np.array(where), frequency[kept], left)


def _in_blocks(spectra: np.ndarray, used: np.ndarray, where: np.ndarray, freqs: np.ndarray, left: Mapping[str, int]) -> Blocks:
    seconds = len(np.unique(where)) * STEP_S
    many = max(1, round(float(np.clip(seconds / _BLOCKS, min(BLOCK_S[0], seconds / 4), BLOCK_S[1])) / STEP_S))
    _, block = np.unique(where // many, return_inverse=True)
    sums = np.zeros((used.shape[1], block.max() + 1, len(freqs)))
    counts = np.zeros(sums.shape[:2])
    for n in range(sums.shape[1]):
        inside = block == n
        counts[:, n] = used[inside].sum(axis=0)
        sums[:, n] = np.where(used[inside][..., None], spectra[inside], 0).sum(axis=0)
    some = counts.sum(axis=0) > 0
    return Blocks(freqs, sums[:, some], counts[:, some], many * STEP_S, len(spectra), left)


def _window(values: np.ndarray, swing: np.ndarray, rate: float, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of one window: power spectral densities (channels, freqs) without its straight trend, swings, which are whole, which flat."""
    from scipy.signal import detrend, get_window

    whole = np.isfinite(values).all(axis=1)
    flat = detrend(np.nan_to_num(values), axis=1)
    taper = get_window("hann", values.shape[1])
    power = np.abs(np.fft.rfft(flat * taper, axis=1)[:, kept]) ** 2 * 2 / (rate * (taper**2).sum())
    return power, swing, whole, flat.std(axis=1) < FLAT_UV


def _drop_muscle(spectra: np.ndarray, used: np.ndarray, freqs: np.ndarray) -> int:
    """Leave out, in place, windows with far more power where muscle shows than the channel usually has; returns how many."""
    high = (freqs >= _MUSCLE_HZ[0]) & (freqs <= _MUSCLE_HZ[1])
    return _drop(spectra[..., high].mean(axis=2), used, _MUSCLE_FACTOR) if high.sum() >= 4 else 0


def _drop(sizes: np.ndarray, used: np.ndarray, factor: float, least: float = 0.0) -> int:
    """Leave out, in place, what is over `factor` times its channel's median and over `least`; returns how many.

    Against the channel's own median, because a large alpha rhythm is no artefact and a fixed bound would take out just its windows.
    """
    dropped = 0
    for channel in range(sizes.shape[1]):
        good = used[:, channel]
        if not good.any():
            continue
        over = good & (sizes[:, channel] > max(least, factor * float(np.median(sizes[good, channel]))))
        used[over, channel] = False
        dropped += int(over.sum())
    return dropped


def _mean(values: np.ndarray) -> np.ndarray:
    good = np.isfinite(values)
    count = good.sum(axis=0)
    mean: np.ndarray = np.where(count > 0, np.nan_to_num(values).sum(axis=0) / np.maximum(count, 1), np.nan)
    return mean


def _pieces(start: float, stop: float) -> list[tuple[float, float]]:
    edges = [*np.arange(start, stop, _CHUNK_S).tolist(), stop]
    pairs = list(pairwise(edges))
    if len(pairs) > 1 and pairs[-1][1] - pairs[-1][0] < WINDOW_S:
        pairs[-2:] = [(pairs[-2][0], pairs[-1][1])]
    return pairs


def _reference_words(channels: Sequence[Channel], common: bool, average: bool) -> str:
    if average:
        return f"average of {len(channels)} electrodes"
    if not common:
        return "bipolar, as recorded"
    names = {"": "as recorded, not named in the file", "Ref": "common reference, as recorded", "LE": "linked ears, as recorded"}
    told = dict.fromkeys(names.get(channel.reference, "average, as recorded") for channel in channels)
    return " and ".join(told)
