"""The pages of the EEG reader: which traces a view shows, and their values cut into tiles that travel to the browser as int16.

A tile is one page length of time, counted from the beginning of the recording: tile k covers [k, k + 1) page lengths. The browser keeps the
tiles around the page on show, so that turning a page asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from backend.domain import Json, canonical, digest
from backend.eeg.filters import filtered, margin_s
from backend.eeg.montage import NAMES, Montage, make_montage
from backend.eeg.montages_own import own_montage
from backend.eeg.recording import ELECTRIC, Channel, Kind
from backend.eeg.signal import Signal
from backend.errors import InputError

PAGES_S = (5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
PAGE_BYTES = 280_000  # of one page: what is more becomes smallest and largest values
MOST_TRACES = 256
NOTHING = -32768  # stands for 'not recorded'
_PIECE = 2**22  # values filtered at once
_SETTLED = 3.0  # margins of `margin_s` after which nothing of a filter's beginning is seen: 2e-6 of it at 1 Hz
Clean = Callable[[Sequence[str], np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class View:
    """What the reader chose.

    Attributes
    ----------
    montage : str
        A key of `montage.NAMES`, the name of an own montage, or '' for the one that suits the channels.
    low_cut, high_cut, notch : float or None
        Hz.
    hidden, order : tuple of str
        Labels of traces left out; labels in the wanted order, those not named follow as they were.
    """

    montage: str = ""
    page_s: float = 10.0
    low_cut: float | None = 1.0
    high_cut: float | None = 70.0
    notch: float | None = 50.0
    hidden: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trace:
    """One line of the page; `apart`: begins a chain or a kind of its own; `channels`: what it is made of."""

    label: str
    kind: Kind
    unit: str
    rate: float
    channels: tuple[str, ...]
    bad: bool = False
    apart: bool = False


@dataclass(frozen=True)
class Group:
    """Traces of one rate that are filtered alike; `rows` are their places on the page, `weights` (rows, channels)."""

    rate: float
    rows: tuple[int, ...]
    channels: tuple[str, ...]
    weights: np.ndarray
    low_cut: float | None
    high_cut: float | None
    notch: float | None
    step: int = 1  # above 1: smallest and largest of that many samples


@dataclass(frozen=True)
class Plan:
    """A view on a recording's channels, ready to be cut into tiles.

    Attributes
    ----------
    traces : tuple of Trace
        From top to bottom.
    every : tuple of str
        Labels of all traces of the montage, hidden ones too, in order.
    look : str
        Names everything that decides the values: tiles of another look are not of this view.
    """

    montage: str
    page_s: float
    traces: tuple[Trace, ...]
    groups: tuple[Group, ...]
    every: tuple[str, ...]
    notes: tuple[str, ...] = ()
    look: str = ""


@dataclass(frozen=True)
class Part:
    """The values of one group in one tile: ``value = stored * gain + offset``; `values` (traces, n), pairs of them where `step` > 1."""

    rows: tuple[int, ...]
    start_s: float
    rate: float
    step: int
    gain: np.ndarray
    offset: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Tile:
    number: int
    parts: tuple[Part, ...] = field(default=())

    @property
    def bytes(self) -> int:
        return sum(part.values.nbytes for part in self.parts)


def read_view(data: Mapping[str, Json]) -> View:
    """A view from what the browser sent; whatever is missing is as at first.

    Raises
    ------
    InputError
        When a value is none that a view can have.
    """
    page = _number(data.get("page_s", 10.0), "page length", 1.0, 600.0) or 10.0
    cuts = {
        name: _number(data.get(name, getattr(View, name)), words, 0.01, 10_000.0)
        for name, words in (("low_cut", "low cut"), ("high_cut", "high cut"), ("notch", "notch"))
    }
    if cuts["low_cut"] and cuts["high_cut"] and cuts["low_cut"] >= cuts["high_cut"]:
        raise InputError(f"A low cut of {cuts['low_cut']:g} Hz above a high cut of {cuts['high_cut']:g} Hz leaves nothing.", "Lower it.")
    hidden, order = (tuple(str(label) for label in data.get(name) or ())[:2000] for name in ("hidden", "order"))
    return View(str(data.get("montage") or ""), page, cuts["low_cut"], cuts["high_cut"], cuts["notch"], hidden, order)


def suited(channels: Sequence[Channel]) -> str:
    """The montage to begin with: the double banana where half of it can be made, else as recorded."""
    try:
        return "longitudinal" if len(make_montage("longitudinal", channels).labels) >= 9 else "referential"
    except InputError:
        return "referential"


def plan(channels: Sequence[Channel], view: View, bad: Sequence[str] = (), own: Mapping[str, Sequence[str]] | None = None) -> Plan:
    """Which traces the view shows and how they are made.

    Parameters
    ----------
    channels : sequence of Channel
        As the person corrected them.
    bad : sequence of str
        Channels called bad: they are drawn so, and take no part in an average.
    own : mapping of str to rows, optional
        Montages that persons wrote.

    Raises
    ------
    InputError
        When the montage is unknown or the channels do not allow it.
    """
    eeg = [channel for channel in channels if channel.kind == "eeg"]
    name = view.montage or suited(channels)
    notes: list[str] = []
    montage: Montage | None = None
    if own is not None and name in own and name not in NAMES:
        montage = own_montage(own[name], channels, bad)
    elif eeg or name not in NAMES:
        montage = make_montage(name, eeg, bad if name == "average" else ())
    rest = [channel for channel in channels if channel.kind != "eeg"]
    by_name = {channel.name: channel for channel in channels}
    made = [(trace, row) for trace, row in _eeg_traces(montage, by_name, bad)] if montage else []
    used = {name for trace, _ in made for name in trace.channels}
    made += [
        (Trace(one.name, one.kind, one.unit, one.rate, (one.name,), one.name in bad, n == 0), {one.name: 1.0})
        for n, one in enumerate(one for one in rest if one.name not in used or name in NAMES)
    ]
    if montage and montage.missing:
        notes.append(f"Not recorded, so without their traces: {', '.join(montage.missing)}.")
    if name in NAMES and name != "referential" and (lost := [channel.name for channel in eeg if channel.name not in used]):
        told = f"{', '.join(lost[:12])}{' ...' if len(lost) > 12 else ''}"
        notes.append(f"{_some(len(lost), 'EEG channel')} not part of this montage: {told}.")
    every = tuple(trace.label for trace, _ in made)
    shown = _arranged(made, view)
    if len(shown) > MOST_TRACES:
        notes.append(f"The first {MOST_TRACES} of {len(shown)} traces are shown; choose others under Channels.")
        shown = shown[:MOST_TRACES]
    groups = _groups(shown, view, notes)
    traces = tuple(trace for trace, _ in shown)
    shape = [asdict(trace) for trace in traces]
    said = [[g.rate, g.rows, g.channels, digest(g.weights.tobytes()), g.low_cut, g.high_cut, g.notch, g.step] for g in groups]
    return Plan(name, view.page_s, traces, groups, every, tuple(notes), digest(canonical([view.page_s, shape, said]))[:16])


def tiles(signal: Signal, plan: Plan, numbers: Sequence[int], clean: Clean | None = None) -> Iterator[Tile]:
    """The tiles of these numbers, in order; those outside the recording are left out.

    Parameters
    ----------
    clean : callable, optional
        ``(names, values, start_s) -> values``: takes artefacts out before filters and montage.
    """
    last = max(0, int(np.ceil(signal.duration_s / plan.page_s - 1e-9)) - 1)
    wanted = sorted({number for number in numbers if 0 <= number <= last})
    for run in _runs(wanted):
        parts: dict[int, list[Part]] = {number: [] for number in run}
        for group in plan.groups:
            edges = [round(number * plan.page_s * group.rate) for number in (*run, run[-1] + 1)]
            for at, values in zip(run, _pieces(signal, group, edges, clean), strict=True):
                parts[at].append(_stored(group, edges[run.index(at)], values))
        for number in run:
            yield Tile(number, tuple(parts[number]))


def pack(head: Mapping[str, Json], tiles: Sequence[Tile], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """One message: four bytes that give the length of its JSON, the JSON, then int16 values that the JSON places.

    Parameters
    ----------
    arrays : mapping of str to ndarray of float32, optional
        More values, each kept like a trace: last axis quantised with a gain and offset a row.
    """
    blobs: list[np.ndarray] = []
    at = 0

    def put(values: np.ndarray) -> int:
        nonlocal at
        blobs.append(np.ascontiguousarray(values, "<i2").ravel())
        at += values.size
        return at - values.size

    data: dict[str, Any] = dict(head)
    data["tiles"] = [
        {
            "number": tile.number,
            "parts": [
                {
                    "rows": part.rows, "start_s": part.start_s, "rate": part.rate, "step": part.step, "n": part.values.shape[1],
                    "gain": [float(f"{v:.6g}") for v in part.gain], "offset": [float(f"{v:.8g}") for v in part.offset],
                    "at": put(part.values),
                }
                for part in tile.parts
            ],
        }
        for tile in tiles
    ]  # fmt: skip
    data["arrays"] = {}
    for name, array in (arrays or {}).items():
        gain, offset, values = _quantised(array)
        data["arrays"][name] = {"shape": array.shape, "gain": gain.tolist(), "offset": offset.tolist(), "at": put(values)}
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([len(text).to_bytes(4, "little"), text, *(blob.tobytes() for blob in blobs)])


def strip_of(signal: Signal, names: Sequence[str], width: int) -> np.ndarray:
    """The whole recording for the strip above the page, from the pyramid.

    Returns
    -------
    ndarray of float32, shape (2, width)
        In each part of the time, the median over channels of the smallest and of the largest value, each channel around its own level,
        in microvolts: one bad channel does not hide a night. NaN where nothing was recorded.
    """
    low, high = signal.overview(names, 0.0, signal.duration_s, width)
    with np.errstate(invalid="ignore"):
        level = np.array([_median((one + two) / 2) for one, two in zip(low, high, strict=True)])[:, None]
        return np.stack([_median_over(low - level), _median_over(high - level)]).astype(np.float32)


def own_scale(signal: Signal, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The range that most of a channel's values keep to, for channels that are not drawn in microvolts."""
    found: dict[str, tuple[float, float]] = {}
    for name in names:
        low, high = signal.overview([name], 0.0, signal.duration_s, 400)
        fine = np.isfinite(low[0])
        if fine.any():
            one, two = float(np.quantile(low[0][fine], 0.02)), float(np.quantile(high[0][fine], 0.98))
            found[name] = (one, two) if two > one else (one - 1, one + 1)
    return found


def _eeg_traces(montage: Montage, by_name: Mapping[str, Channel], bad: Sequence[str]) -> Iterator[tuple[Trace, dict[str, float]]]:
    before = ""
    for label, weights in zip(montage.labels, montage.weights, strict=True):
        row = {name: float(weight) for name, weight in zip(montage.channels, weights, strict=True) if weight}
        strongest = sorted(row, key=lambda name: -abs(row[name]))
        # in an average every channel has a little weight: only those named by the trace are 'its' channels
        own = tuple(name for name in strongest if abs(row[name]) >= 0.2 or name == strongest[0])
        first = by_name[strongest[0]]
        left, dash, right = label.partition("-")
        chained = bool(dash) and right in by_name and before != "" and left != before
        kind = first.kind if len(row) == 1 else "eeg"
        yield Trace(label, kind, first.unit, first.rate, own, any(name in bad for name in own), chained), row
        before = right if dash else ""


def _arranged(made: list[tuple[Trace, dict[str, float]]], view: View) -> list[tuple[Trace, dict[str, float]]]:
    place = {label: n for n, label in enumerate(view.order)}
    rank = sorted(range(len(made)), key=lambda n: (place.get(made[n][0].label, len(place)), n))
    return [made[n] for n in rank if made[n][0].label not in view.hidden]


def _groups(shown: Sequence[tuple[Trace, dict[str, float]]], view: View, notes: list[str]) -> tuple[Group, ...]:
    keys = dict.fromkeys((trace.rate, trace.kind in ELECTRIC) for trace, _ in shown)
    found: list[Group] = []
    for rate, electric in keys:
        rows = [n for n, (trace, _) in enumerate(shown) if (trace.rate, trace.kind in ELECTRIC) == (rate, electric)]
        names = tuple(dict.fromkeys(name for n in rows for name in shown[n][1]))
        weights = np.zeros((len(rows), len(names)), np.float32)
        for at, n in enumerate(rows):
            for name, weight in shown[n][1].items():
                weights[at, names.index(name)] = weight
        cuts: dict[str, float | None] = {"low_cut": None, "high_cut": None, "notch": None}
        if electric:
            cuts = {name: _fitting(getattr(view, name), rate, name.replace("_", " "), notes) for name in cuts}
        found.append(Group(rate, tuple(rows), names, weights, step=1, **cuts))
    return _steps(found, view.page_s)


def _fitting(value: float | None, rate: float, words: str, notes: list[str]) -> float | None:
    if value is None or value < rate / 2:
        return value
    notes.append(f"A {words} of {value:g} Hz does not apply to channels of {rate:g} Hz: they hold nothing above {rate / 2:g} Hz.")
    return None


def _steps(groups: list[Group], page_s: float) -> tuple[Group, ...]:
    """The groups, those with many samples in steps that make a page fit."""
    from dataclasses import replace

    def size(step: int, group: Group) -> int:
        count = int(np.ceil(group.rate * page_s))
        return 2 * len(group.rows) * (count if step < 3 or count < 1000 else 2 * -(-count // step))

    step = 1
    while sum(size(step, group) for group in groups) > PAGE_BYTES and step < 100_000:
        step = step + 1 if step < 32 else int(step * 1.1)
    return tuple(replace(group, step=step if step >= 3 and group.rate * page_s >= 1000 else 1) for group in groups)


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for one, two in pairwise([*numbers, -1]):
        run.append(one)
        if two != one + 1:
            yield run
            run = []


def _pieces(signal: Signal, group: Group, edges: Sequence[int], clean: Clean | None) -> Iterator[np.ndarray]:
    """Filtered traces between neighbouring edges (samples), several stretches read at once where they are small."""
    most = max(_PIECE // max(len(group.channels), len(group.rows)), 1)
    at = 0
    while at < len(edges) - 1:
        stop = at + 1
        while stop < len(edges) - 1 and edges[stop + 1] - edges[at] <= most:
            stop += 1
        first, last = edges[at], edges[stop]
        if stop == at + 1 and last - first > most:
            size = max(most // group.step, 1) * group.step
            cuts = list(range(first, last, size))
            read = [_reduced(_traces(signal, group, one, min(one + size, last), clean), group.step) for one in cuts]
            yield np.concatenate(read, axis=-1)
        else:
            whole = _traces(signal, group, first, last, clean)
            for one, two in pairwise(edges[at : stop + 1]):
                yield _reduced(whole[:, one - first : two - first], group.step)
        at = stop


def _traces(signal: Signal, group: Group, first: int, last: int, clean: Clean | None) -> np.ndarray:
    """Samples [first, last) of the group's traces, shape (rows, last - first)."""
    filters = (group.low_cut, group.high_cut, group.notch)
    margin = round(_SETTLED * margin_s(group.low_cut) * group.rate) if any(filters) else 0
    begin = max(first - margin, 0)
    values = signal.read(group.channels, begin / group.rate, (last + margin) / group.rate)
    if clean is not None:
        values = clean(group.channels, values, begin / group.rate)
    traces = Montage(("",) * len(group.rows), group.channels, group.weights).apply(values)
    if any(filters):
        traces = filtered(traces, group.rate, *filters)
    return traces[:, first - begin : first - begin + last - first]


def _reduced(values: np.ndarray, step: int) -> np.ndarray:
    """Values as they are, or smallest and largest of every `step` of them: shape (rows, 2 * parts), one pair after the other."""
    if step == 1:
        return values
    starts = np.arange(0, values.shape[1], step)
    pairs = np.stack([np.fmin.reduceat(values, starts, axis=1), np.fmax.reduceat(values, starts, axis=1)], axis=-1)
    return pairs.reshape(len(values), -1)


def _stored(group: Group, first: int, values: np.ndarray) -> Part:
    gain, offset, kept = _quantised(values)
    return Part(group.rows, first / group.rate, group.rate, group.step, gain, offset, kept)


def _quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain and offset of each row, and the values as int16: within 1/131,000 of the row's range."""
    low, high = np.fmin.reduce(values, axis=-1), np.fmax.reduce(values, axis=-1)
    low, high = np.nan_to_num(low.astype(np.float64)), np.nan_to_num(high.astype(np.float64))
    offset = (low + high) / 2
    gain = np.where(high > low, (high - low) / 65_530, 1.0)
    scaled = np.rint((values - offset[..., None]) / gain[..., None])
    return gain, offset, np.where(np.isnan(scaled), NOTHING, scaled).astype("<i2")


def _number(value: Json, words: str, low: float, high: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InputError(f"'{value}' is no {words}.", f"Give a number from {low:g} to {high:g}.")
    return float(value)


def _median(values: np.ndarray) -> float:
    fine = values[np.isfinite(values)]
    return float(np.median(fine)) if fine.size else 0.0


def _median_over(values: np.ndarray) -> np.ndarray:
    """Median over rows; NaN where no row has a number."""
    out = np.full(values.shape[1], np.nan)
    there = np.isfinite(values).any(axis=0)
    out[there] = np.nanmedian(values[:, there], axis=0)
    return out


def _some(count: int, what: str) -> str:
    return f"{count} {what} is" if count == 1 else f"{count} {what}s are"
