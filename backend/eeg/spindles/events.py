"""Two detectors' spindles laid beside each other: pairs, densities, agreement, and the measures of each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.eeg.baseline.measured import measured
from backend.eeg.sleep.staged import Staged
from backend.models.spindle_network import RATE, iou

Floats = NDArray[np.float64]

SIGMA = (11.0, 16.0)  # Hz
MATCH = 0.2  # intersection over union from which two marks are the same spindle; Warby et al. 2014, doi:10.1038/nmeth.2855, take it too
BLOCK_S = 180.0  # of evaluated sleep, resampled whole: spindles come in waves of about 50 s (Lecci et al. 2017, doi:10.1126/sciadv.1602026)
DRAWS = 1000
FEWEST_BLOCKS = 5
_MARGIN_S = 0.5
_EDGE_HZ = 0.75  # outside the band, where the filter passes half
_TAPS = 551  # 1.5 Hz from passed to stopped
_GRID = 50.0  # samples a second for the agreement by time


@dataclass(frozen=True)
class Event:
    """A spindle of one channel, seconds from the recording's beginning; `network` and `second` are the detectors' own marks, or None."""

    network: tuple[float, float, float] | None
    second: tuple[float, float] | None
    stage: str

    @property
    def span(self) -> tuple[float, float]:
        mark = self.network or self.second
        assert mark is not None
        return mark[0], mark[1]


def pair(network: Floats, second: Floats, staged: Staged) -> list[Event]:
    """Events in order of time: marks that share `MATCH` of their union become one, the best pairs first, each mark once.

    Parameters
    ----------
    network : ndarray, shape (n, 3)
        First second, last second, probability.
    second : ndarray, shape (m, 2)
    """
    pairs: list[tuple[float, int, int]] = []
    for n, row in enumerate(network):
        shared = iou((row[0], row[1]), second) if len(second) else np.empty(0)
        pairs += [(-float(shared[m]), n, int(m)) for m in np.flatnonzero(shared >= MATCH)]
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, n, m in sorted(pairs):
        if n not in partner and m not in taken:
            partner[n] = m
            taken.add(m)
    events = []
    for n, row in enumerate(network):
        other = second[partner[n]] if n in partner else None
        mark = (float(row[0]), float(row[1]), float(row[2]))
        also = None if other is None else (float(other[0]), float(other[1]))
        events.append(Event(mark, also, staged.at((mark[0] + mark[1]) / 2)))
    for m, row in enumerate(second):
        if m not in taken:
            events.append(Event(None, (float(row[0]), float(row[1])), staged.at(float(row.mean()))))
    return sorted(events, key=lambda event: event.span)


class Sigma:
    """The 11 to 16 Hz band of one channel, for measuring events in it: passed whole, so that amplitudes are not made smaller."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        from scipy.signal import firwin, hilbert, oaconvolve

        from backend.eeg.prepared import stretches

        taps = firwin(_TAPS, [SIGMA[0] - _EDGE_HZ, SIGMA[1] + _EDGE_HZ], pass_zero=False, fs=RATE)
        self.wave = np.full(len(values), np.nan, np.float32)
        self._speed = np.full(len(values), np.nan, np.float32)
        for first, last in stretches(np.isfinite(values)):
            if last - first > _TAPS:
                part = values[first:last].astype(np.float64)
                self.wave[first:last] = oaconvolve(part - part.mean(), taps, mode="same")
                turn = np.diff(np.unwrap(np.angle(hilbert(self.wave[first:last].astype(np.float64)))))
                self._speed[first : last - 1] = turn * RATE / (2 * np.pi)

    def measures(self, span: tuple[float, float]) -> dict[str, Json]:
        """Median frequency in Hz and peak-to-peak amplitude in microvolts of the band between two seconds."""
        part = slice(max(0, round(span[0] * RATE)), max(1, round(span[1] * RATE)))
        speed = self._speed[part]
        speed = speed[np.isfinite(speed) & (speed > 0)]
        wave = self.wave[part]
        known = wave[np.isfinite(wave)]
        return {
            "frequency": round(float(np.median(speed)), 2) if len(speed) else None,
            "amplitude": round(float(np.ptp(known)), 1) if len(known) else None,
        }


def evaluated(values: NDArray[np.float32], wanted: NDArray[np.bool_]) -> tuple[list[tuple[int, int]], NDArray[np.bool_]]:
    """Stretches of 30 s or more without gap, and where in them an event counts: wanted, and half a second off every gap.

    A stretch in which the same value stands for half a second or longer (an input off, or clipped) is a gap as well.
    """
    from backend.eeg.prepared import stretches
    from backend.models.spindle_network import WINDOW

    flat = np.zeros(len(values), bool)
    for first, last in stretches(np.abs(np.diff(values, prepend=values[:1] - 1)) < 1e-4):
        if last - first >= 0.5 * RATE:
            flat[first - 1 : last] = True
    found = [(first, last) for first, last in stretches(np.isfinite(values) & ~flat) if last - first >= WINDOW]
    counts = np.zeros(len(values), bool)
    margin = round(_MARGIN_S * RATE)
    for first, last in found:
        counts[first + (margin if first else 0) : last - (margin if last < len(values) else 0)] = True
    return found, counts & wanted


def inside(rows: Floats, counts: NDArray[np.bool_]) -> Floats:
    """The rows whose middle lies where events count."""
    middle = (rows[:, :2].mean(axis=1) * RATE).astype(int).clip(0, len(counts) - 1)
    kept: Floats = rows[counts[middle]]
    return kept


def summary(events: Sequence[Event], counts: NDArray[np.bool_], staged: Staged, stages: Sequence[str]) -> list[dict[str, Json]]:
    """For each stage, and for all together where there are several: minutes, events, densities a minute with intervals, and agreement."""
    found = []
    groups = [*([tuple(stages)] if len(stages) > 1 else []), *((stage,) for stage in stages)]
    for group in groups:
        where = counts & staged.mask(group, RATE, len(counts))
        chosen = [event for event in events if event.stage in group]
        found.append({"stages": list(group), "minutes": round(float(where.sum()) / RATE / 60, 2), **_numbers(chosen, where)})
    return found


def _numbers(events: Sequence[Event], where: NDArray[np.bool_]) -> dict[str, Json]:
    seconds = float(where.sum()) / RATE
    clock = np.cumsum(where) / RATE  # seconds of evaluated sleep up to each sample
    blocks = max(1, int(seconds // BLOCK_S))
    tallies = np.zeros((blocks, 3))  # both, only the network, only the second
    for event in events:
        at = clock[min(len(clock) - 1, int(sum(event.span) / 2 * RATE))]
        kind = 0 if event.network and event.second else 1 if event.network else 2
        tallies[min(blocks - 1, int(at / seconds * blocks)), kind] += 1
    minutes = seconds / 60 / blocks
    weights = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    drawn = weights @ tallies
    both, network, second = tallies.sum(axis=0)
    enough = blocks >= FEWEST_BLOCKS

    def density(columns: list[int]) -> dict[str, Json] | None:
        count = float(tallies[:, columns].sum())
        if not seconds:
            return None
        rates = drawn[:, columns].sum(axis=1) / (minutes * blocks)
        value = count / (minutes * blocks)
        if not enough or count < 5:
            return poisson(count, seconds / 60)
        made = measured(value, rates, blocks)
        return {"value": made["value"], "low": max(0.0, float(made["low"])), "high": made["high"], "interval": "blocks"}

    total = 2 * both + network + second
    agreement: dict[str, Json] = {"pairs": int(both), "only_network": int(network), "only_second": int(second), "f1": None}
    if total:
        doubled = drawn @ np.array([2.0, 1.0, 1.0])
        draws = np.divide(2 * drawn[:, 0], doubled, out=np.full(len(drawn), np.nan), where=doubled > 0)
        made = measured(2 * both / total, draws, blocks) if enough else {"value": 2 * both / total, "low": None, "high": None}
        agreement["f1"] = {
            key: None if made[key] is None else round(float(np.clip(made[key], 0, 1)), 4) for key in ("value", "low", "high")
        }
    agreement["kappa"] = _kappa(events, where)
    return {
        "network": int(both + network),
        "second": int(both + second),
        "density": {"network": density([0, 1]), "second": density([0, 2]), "both": density([0])},
        "agreement": agreement,
    }


def poisson(count: float, minutes: float) -> dict[str, Json]:
    """A rate with its exact interval (Garwood 1936, doi:10.1093/biomet/28.3-4.437)."""
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return {
        "value": float(f"{count / minutes:.6g}"),
        "low": float(f"{low / minutes:.6g}"),
        "high": float(f"{float(chi2.ppf(0.975, 2 * count + 2)) / 2 / minutes:.6g}"),
        "interval": "exact Poisson",
    }


def _kappa(events: Sequence[Event], where: NDArray[np.bool_]) -> float | None:
    """Cohen's kappa of the two detectors' marks, sample by sample at 50 Hz, over evaluated sleep (Cohen 1960)."""
    step = int(RATE / _GRID)
    there = where[::step]
    one, two = np.zeros(len(there), bool), np.zeros(len(there), bool)
    for event in events:
        for mark, marks in ((event.network, one), (event.second, two)):
            if mark is not None:
                marks[round(mark[0] * _GRID) : round(mark[1] * _GRID)] = True
    one, two = one[there], two[there]
    if not one.size:
        return None
    expected = one.mean() * two.mean() + (1 - one.mean()) * (1 - two.mean())
    return None if expected == 1 else round(float(((one == two).mean() - expected) / (1 - expected)), 4)
