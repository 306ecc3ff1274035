"""The parts whose shares a decoder's explanation gives: channels or regions, the clinical bands, windows of the trial."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from backend.eeg.decoding.trials import Trials
from backend.explain.signals import Floats, Grid

EDGES = (1.0, 4.0, 8.0, 13.0, 30.0)
NAMES = ("slow", "delta", "theta", "alpha", "beta", "gamma")
MOST_CHANNELS = 24  # from here on neighbours stand together
_REGIONS, _APART = 16, 3  # regions then, and how many of them are taken apart into their channels


def make_grid(trials: Trials) -> Grid:
    """Bands that the trial's length and rate can tell apart; one window for short trials, two from 0.6 s, three from 1.2 s."""
    samples = trials.x.shape[2]
    seconds = samples / trials.rate
    edges = tuple(edge for edge in EDGES if edge * seconds >= 1 and edge <= 0.4 * trials.rate)
    count = 1 + (seconds >= 0.6) + (seconds >= 1.2)
    cuts = tuple(seconds * n / count for n in range(1, count))
    channels = len(trials.names)
    groups = tuple((n,) for n in range(channels)) if channels <= MOST_CHANNELS else _regions(trials)
    return Grid(groups, edges, cuts, trials.rate, samples)


def single_channels(grid: Grid) -> Grid:
    """The same bands and windows, every channel by itself."""
    return replace(grid, groups=tuple((row,) for row in sorted(row for rows in grid.groups for row in rows)))


def taken_apart(grid: Grid, importance: Floats) -> Grid:
    """The most important groups as single channels, the others as they are."""
    chosen = set(np.argsort(-importance, kind="stable")[:_APART].tolist())
    groups: list[tuple[int, ...]] = []
    for n, rows in enumerate(grid.groups):
        groups += [(row,) for row in rows] if n in chosen else [rows]
    return replace(grid, groups=tuple(groups))


def name_bands(grid: Grid) -> list[dict[str, Any]]:
    """Names and limits of the bands; bands that could not be told apart carry both names."""
    ends = [0.0, *grid.edges, grid.rate / 2]
    found = []
    for low, high in pairwise(ends):
        inside = [name for name, at in zip(NAMES, (0.0, *EDGES), strict=True) if low <= at < high]
        found.append({"name": " and ".join(inside), "low": low, "high": high})
    return found


def _regions(trials: Trials) -> tuple[tuple[int, ...], ...]:
    """Neighbouring channels together: the centres as far from each other as can be, every channel with its nearest one.

    Channels without a known place follow each other in order.
    """
    import mne

    known = mne.channels.make_standard_montage("spherical_1005").get_positions()["ch_pos"]
    placed = [n for n, name in enumerate(trials.electrodes) if name in known]
    rest = [n for n in range(len(trials.names)) if n not in set(placed)]
    groups = [tuple(part.tolist()) for part in np.array_split(np.array(rest, dtype=int), -(-len(rest) // 4) or 1) if len(part)]
    if placed:
        places = np.array([known[trials.electrodes[n]] for n in placed])
        centres = [int(np.linalg.norm(places - places.mean(axis=0), axis=1).argmin())]
        while len(centres) < min(_REGIONS, len(placed)):
            away = np.linalg.norm(places[:, None] - places[centres], axis=2).min(axis=1)
            centres.append(int(away.argmax()))
        nearest = np.linalg.norm(places[:, None] - places[centres], axis=2).argmin(axis=1)
        groups += [tuple(placed[n] for n in np.flatnonzero(nearest == centre)) for centre in range(len(centres))]
    return tuple(sorted(groups))
