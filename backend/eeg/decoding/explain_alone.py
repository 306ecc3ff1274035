"""What each channel and band tells by itself: a permutation test against the labels, and activation patterns of the decoder's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.eeg.decoding.candidates.base import Decoder
from backend.eeg.decoding.trials import Trials
from backend.explain.signals import Floats, Grid

PERMUTATIONS = 499
_FLOOR = 1e-6  # uV^2, under the noise of any amplifier
_SLOW_HZ = 4.0  # bands up to here are also asked for their mean, whose sign tells classes apart in slow potentials


@dataclass(frozen=True)
class Patterns:
    """How the signal moves with the decoder's output (Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067).

    For each channel and band the covariance of log power with the log-odds over their standard deviation, in dB; for a decoder that
    is linear in log power these are the activation patterns of its weights. Of slow bands the same for the mean, in uV.

    Attributes
    ----------
    power_db, mean_uv : array (outputs, channels, bands)
        One output for two classes (the second against the first), else one a class. ``mean_uv`` is NaN for fast bands.
    strongest : array (channels, bands)
        Largest absolute correlation of any of them with any output, within windows as well.
    """

    power_db: Floats
    mean_uv: Floats
    strongest: Floats

    def strength(self, groups: Sequence[Sequence[int]]) -> Floats:
        return np.stack([self.strongest[list(rows)].max(axis=0) for rows in groups])

    def json(self, classes: Sequence[str]) -> dict[str, Json]:
        names = [f"{classes[1]} against {classes[0]}"] if len(classes) == 2 else list(classes)
        slow = np.flatnonzero(np.isfinite(self.mean_uv[0, 0]))  # NaN is no JSON
        means = np.round(self.mean_uv[:, :, slow], 4).tolist()
        return {"outputs": names, "power_db": np.round(self.power_db, 4).tolist(), "mean_uv": means, "mean_bands": slow.tolist()}


@dataclass(frozen=True)
class Features:
    """What every channel and band does in every trial, centred within each session.

    Attributes
    ----------
    power, mean : array (trials, channels, bands)
        Over the whole trial, in dB and uV.
    windows : array (trials, features)
        Log power in each window and, of slow bands, the mean; standardised.
    cell : int array (features,)
        Each feature's channel and band, counted flat.
    """

    power: Floats
    mean: Floats
    windows: Floats
    cell: NDArray[np.intp]


def measured(trials: Trials, grid: Grid) -> Features:
    """The features of trials; `grid` has every channel by itself."""
    share = grid.windows()
    share = share / share.sum(axis=1, keepdims=True)
    slow = ~fast(grid)
    power, mean, windows = [], [], []
    for x in trials.x:
        split = grid.split(x)  # (channels, bands, samples)
        square = split**2
        power.append(10 * np.log10(square.mean(axis=2) + _FLOOR))
        mean.append(split.mean(axis=2))
        windows.append(np.concatenate([np.log(square @ share.T + _FLOOR).ravel(), (split[:, slow] @ share.T).ravel()]))
    cells = np.arange(len(trials.names) * grid.shape[1]).reshape(len(trials.names), -1, 1)
    cell = np.concatenate([np.repeat(one, grid.shape[2], axis=2).ravel() for one in (cells, cells[:, slow])])
    return Features(
        centred(np.stack(power), trials.block), centred(np.stack(mean), trials.block), _standard(np.stack(windows), trials.block), cell
    )


@dataclass(frozen=True)
class Alone:
    """How well each channel's band tells the classes apart by itself, and how well with exchanged labels.

    Attributes
    ----------
    ratio : array (channels, bands)
        Largest ratio of the variance between classes to that within, among log power in each window and the means of slow bands.
    exchanged : array (permutations, channels, bands)
        The same with labels exchanged within sessions.
    """

    ratio: Floats
    exchanged: Floats

    def p_values(self, groups: Sequence[Sequence[int]], asked: NDArray[np.bool_]) -> Floats:
        """p-values (groups, bands) of the parts `asked`, corrected for asking them all; NaN for others.

        Against the largest ratio among the parts asked (Nichols and Holmes 2002, doi:10.1002/hbm.1058); (1 + k) / (1 + n), which is
        never 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).
        """
        found = np.full(asked.shape, np.nan)
        if asked.any():
            ratio = np.stack([self.ratio[list(rows)].max(axis=0) for rows in groups])
            exchanged = np.stack([self.exchanged[:, list(rows)].max(axis=1) for rows in groups], axis=1)
            most = exchanged[:, asked].max(axis=1)
            found[asked] = (1 + (most[:, None] >= ratio[asked]).sum(axis=0)) / (1 + len(most))
        return found


def alone(trials: Trials, found: Features, seed: int) -> Alone:
    """The test of every channel and band by itself. Neighbouring trials are taken to be exchangeable within a session."""
    rng = np.random.default_rng([seed, 23])
    shape = found.power.shape[1:]
    cells = int(np.prod(shape))
    exchanged = np.empty((PERMUTATIONS, cells))
    labels = trials.y.copy()
    for n in range(PERMUTATIONS):
        for block in np.unique(trials.block):
            at = np.flatnonzero(trials.block == block)
            labels[at] = rng.permutation(labels[at])
        exchanged[n] = _largest(_ratio(found.windows, labels), found.cell, cells)
    observed = _largest(_ratio(found.windows, trials.y), found.cell, cells)
    return Alone(observed.reshape(shape), exchanged.reshape(-1, *shape))


def patterns(trials: Trials, grid: Grid, found: Features, odds: Floats) -> Patterns:
    """Activation patterns for log-odds (trials, classes)."""
    outputs = _standard(odds[:, 1:] if odds.shape[1] == 2 else odds, trials.block)
    shape = found.power.shape[1:]
    correlation = np.abs(found.windows.T @ outputs).max(axis=1) / len(trials)
    mean_uv = _pattern(found.mean, outputs)
    mean_uv[:, :, fast(grid)] = np.nan
    return Patterns(_pattern(found.power, outputs), mean_uv, _largest(correlation, found.cell, int(np.prod(shape))).reshape(shape))


def weights(decoder: Decoder, trials: Trials) -> list[dict[str, Json]]:
    """A linear decoder's features of single channels: weight for the second class (or the largest of several) and activation pattern.

    Both in units of standard deviations of the features: a large weight with a small pattern is a channel that the decoder
    subtracts, not one that tells the classes apart.
    """
    found = decoder.weights()
    if found is None:
        return []
    slope = found[:, 1] - found[:, 0] if found.shape[1] == 2 else found[np.arange(len(found)), np.abs(found).argmax(axis=1)]
    features = centred(decoder.features(trials.x), trials.block)
    spread = features.std(axis=0)
    output = features @ slope
    pattern = features.T @ output / len(features) / (output.std() or 1.0)
    rows = []
    for n, place in enumerate(decoder.places()):
        if len(place["channels"]) == 1:
            rows.append(
                {
                    "channel": place["channels"][0],
                    "band": place["band"],
                    "window": place["window"],
                    "weight": round(float(slope[n] * spread[n]), 6),
                    "pattern": round(float(pattern[n] / (spread[n] or 1.0)), 6),
                }
            )
    return rows


def fast(grid: Grid) -> NDArray[np.bool_]:
    """Which bands have no mean to speak of."""
    return np.array([*grid.edges, grid.rate / 2]) > _SLOW_HZ


def centred(values: np.ndarray, block: np.ndarray) -> Floats:
    """Values (trials, ...) less the mean of their session."""
    made = np.array(values, dtype=np.float64)
    for one in np.unique(block):
        made[block == one] -= made[block == one].mean(axis=0)
    return made


def _standard(values: np.ndarray, block: np.ndarray) -> Floats:
    made = centred(values, block)
    spread = made.std(axis=0)
    return np.asarray(made / np.where(spread > 0, spread, 1.0))


def _ratio(features: Floats, y: np.ndarray) -> Floats:
    """Variance between classes over that within, for each standardised feature."""
    members = np.eye(int(y.max()) + 1)[y]
    counts = members.sum(axis=0)
    between = ((members.T @ features) ** 2 / np.maximum(counts, 1)[:, None]).sum(axis=0) / len(y)
    return np.asarray(between / np.maximum(1 - between, 1e-12))


def _largest(values: Floats, cell: NDArray[np.intp], cells: int) -> Floats:
    found = np.zeros(cells)
    np.maximum.at(found, cell, values)
    return found


def _pattern(values: Floats, outputs: Floats) -> Floats:
    """Covariance of centred values (trials, channels, bands) with standardised outputs (trials, k), (k, channels, bands)."""
    return np.asarray(np.einsum("nk,ncb->kcb", outputs, values) / len(values))
