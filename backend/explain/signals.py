"""Shapley values over parts of a signal: groups of channels x frequency bands x windows of time.

The parts of a trial add up to the trial exactly: bands are smooth shares of its cosine spectrum that sum to one at every frequency,
windows are shares that sum to one at every moment. An absent part is replaced by the same part of a background trial, so that the model
always sees a signal made of real ones; what is lost is how parts of different trials fit together, which no replacement can keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import ModelError
from backend.progress import Progress, Silent

Floats = NDArray[np.float64]
Score = Callable[[np.ndarray], np.ndarray]
"""Signals (m, channels, samples) to m scores."""

_SLOPE = 0.08  # a band passes into its neighbour over this share of the frequency between them, on either side
_FADE_S = 0.1  # a window passes into the next over this time
_BATCH = 256


@dataclass(frozen=True)
class Grid:
    """The parts.

    Attributes
    ----------
    groups : tuple of tuples of int
        Rows of the signal that are taken together; every row in one group.
    edges : tuple of float
        Frequencies between bands in Hz, rising: n edges make n + 1 bands, from 0 to half the rate.
    cuts : tuple of float
        Moments between windows, in seconds from the first sample, rising.
    """

    groups: tuple[tuple[int, ...], ...]
    edges: tuple[float, ...]
    cuts: tuple[float, ...]
    rate: float
    samples: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Groups, bands, windows."""
        return len(self.groups), len(self.edges) + 1, len(self.cuts) + 1

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def bands(self) -> Floats:
        """Share of each band in each coefficient of the cosine spectrum, (bands, samples); columns sum to one."""
        hertz = np.asarray(np.arange(self.samples) * self.rate / (2 * self.samples), np.float64)
        return _shares(hertz, self.edges, [_SLOPE * edge for edge in self.edges])

    def windows(self) -> Floats:
        """Share of each window in each sample, (windows, samples); columns sum to one."""
        return _shares(np.asarray((np.arange(self.samples) + 0.5) / self.rate, np.float64), self.cuts, [_FADE_S / 2] * len(self.cuts))

    def split(self, x: np.ndarray) -> Floats:
        """A signal (..., channels, samples) by band, (..., channels, bands, samples); the sum over bands is the signal.

        By the cosine transform (DCT-II), which mirrors the signal at its ends instead of joining its end to its beginning.
        """
        from scipy.fft import dct, idct

        spectrum = dct(np.asarray(x, np.float64), axis=-1, norm="ortho")
        return np.asarray(idct(spectrum[..., None, :] * self.bands(), axis=-1, norm="ortho"))

    def mixed(self, case: Case, present: NDArray[np.bool_]) -> Floats:
        """The case's signal with only the `present` parts (m, groups, bands, windows) its own, (m, channels, samples)."""
        difference = self.split(case.x) - self.split(case.background)
        keep = np.empty((len(present), len(case.x), *self.shape[1:]))
        for group, rows in enumerate(self.groups):
            keep[:, list(rows)] = present[:, group, None]
        gain = keep @ self.windows()
        return np.asarray(case.background + (gain * difference).sum(axis=2))


@dataclass(frozen=True)
class Case:
    """One game: a trial, the trial that stands for its absent parts, both (channels, samples), and the model's score."""

    x: np.ndarray
    background: np.ndarray
    score: Score


@dataclass(frozen=True)
class Shares:
    """Shapley values of each case: ``base + values.sum(axis=(1, 2, 3)) == score`` by construction.

    Attributes
    ----------
    values : array (cases, groups, bands, windows)
    base, score : array (cases,)
        The model's score of the background and of the trial.
    """

    values: Floats
    base: Floats
    score: Floats
    evaluations: int

    def mean(self) -> Floats:
        return np.asarray(self.values.mean(axis=0))

    def error(self, over: tuple[int, ...] = ()) -> Floats:
        """Standard error of the mean over cases, after summing each case over the axes `over` of (groups, bands, windows)."""
        summed = self.values.sum(axis=tuple(axis + 1 for axis in over)) if over else self.values
        if len(summed) < 2:
            return np.full(summed.shape[1:], np.nan)
        return np.asarray(summed.std(axis=0, ddof=1) / np.sqrt(len(summed)))


def shapley_shares(cases: Sequence[Case], grid: Grid, seed: int = 0, progress: Progress | None = None, message: str = "") -> Shares:
    """Shapley values by sampled orders of joining, one order and its reverse for each case.

    Strumbelj and Kononenko 2014, doi:10.1007/s10115-013-0679-x; the reversed order halves the error where parts act in pairs
    (Mitchell et al. 2022, arXiv:2104.12199). Each case costs ``2 * grid.size`` evaluations. The mean over cases that share a trial is
    its interventional Shapley value; over cases of many trials, the Shapley value of the mean score.
    """
    progress = progress or Silent()
    rng = np.random.default_rng(seed)
    windows = grid.windows()
    values = np.zeros((len(cases), *grid.shape))
    base, score = np.empty(len(cases)), np.empty(len(cases))
    for at, case in enumerate(cases):
        difference = grid.split(case.x) - grid.split(case.background)
        order = rng.permutation(grid.size)
        ends = scored(case.score, np.stack([case.background, case.x]).astype(np.float64))
        base[at], score[at] = ends
        for one in (order, order[::-1]):
            progress.check()
            met = np.concatenate([ends[:1], _climb(case, grid, one, difference, windows), ends[1:]])
            values[at].reshape(-1)[one] += np.diff(met) / 2
        progress.update(at + 1, len(cases), message or "Scoring with parts left out")
    return Shares(values, base, score, len(cases) * 2 * grid.size)


def occlusion(cases: Sequence[Case], grid: Grid, progress: Progress | None = None) -> Floats:
    """Mean fall of the score when one group and band is replaced, all else in place, (groups, bands)."""
    progress = progress or Silent()
    groups, bands, _ = grid.shape
    present = np.ones((groups * bands + 1, *grid.shape), dtype=bool)
    for player in range(groups * bands):
        present[player + 1, player // bands, player % bands] = False
    fall = np.zeros((groups, bands))
    for at, case in enumerate(cases):
        progress.check()
        found = np.concatenate([scored(case.score, grid.mixed(case, present[i : i + _BATCH])) for i in range(0, len(present), _BATCH)])
        fall += (found[0] - found[1:]).reshape(groups, bands) / len(cases)
        progress.update(at + 1, len(cases), "Leaving out one part at a time")
    return fall


def mean_value(cases: Sequence[Case], grid: Grid, players: NDArray[np.intp]) -> Callable[[NDArray[np.bool_]], np.ndarray]:
    """The game of the mean score over cases, for `backend.explain.deletion`.

    Parameters
    ----------
    players : int array (groups, bands, windows)
        The player that each part belongs to.
    """

    def value(present: NDArray[np.bool_]) -> np.ndarray:
        total = np.zeros(len(present))
        for case in cases:
            for i in range(0, len(present), _BATCH):
                total[i : i + _BATCH] += scored(case.score, grid.mixed(case, present[i : i + _BATCH][:, players]))
        return total / len(cases)

    return value


def scored(score: Score, signals: np.ndarray) -> Floats:
    """Scores of signals, checked.

    Raises
    ------
    ModelError
        When a score is not a finite number.
    """
    found = np.asarray(score(signals.astype(np.float32)), dtype=np.float64)
    if found.shape != (len(signals),) or not np.isfinite(found).all():
        raise ModelError("The decoder gave a score that is not a number, so nothing can be explained.", "Calibrate again.")
    return found


def _climb(case: Case, grid: Grid, order: np.ndarray, difference: Floats, windows: Floats) -> Floats:
    """Scores while parts join in this order, without the first (none) and the last (all)."""
    now = np.array(case.background, dtype=np.float64)
    steps = order[:-1]
    found = np.empty(len(steps))
    for start in range(0, len(steps), _BATCH):
        batch = steps[start : start + _BATCH]
        signals = np.empty((len(batch), *now.shape), dtype=np.float32)
        for at, (group, band, window) in enumerate(zip(*np.unravel_index(batch, grid.shape), strict=True)):
            rows = list(grid.groups[group])
            now[rows] += difference[rows, band] * windows[window]
            signals[at] = now
        found[start : start + _BATCH] = scored(case.score, signals)
    return found


def _shares(axis: Floats, edges: Sequence[float], slopes: Sequence[float]) -> Floats:
    """Shares of the n + 1 stretches between n edges along an axis: raised cosines that sum to one."""
    passed = [np.ones_like(axis)]
    for edge, slope in zip(edges, slopes, strict=True):
        rise = np.clip((axis - edge) / (2 * slope) + 0.5, 0, 1)
        passed.append(0.5 - 0.5 * np.cos(np.pi * rise))
    passed.append(np.zeros_like(axis))
    # nested: what has passed an edge has passed those before it, also where slopes overlap
    nested = np.minimum.accumulate(np.stack(passed), axis=0)
    return np.asarray(nested[:-1] - nested[1:])
