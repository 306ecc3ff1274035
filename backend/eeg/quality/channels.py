"""The task `eeg.quality`: what is wrong with each channel, minute by minute, and which channels to call bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.eeg.inputs import bad_channels, effective_channels, is_simulated, read_recording
from backend.eeg.quality.limits import BY_CODE, FAULTS, LEAST_HIGH, OF_ANY, SUGGEST, Fault
from backend.eeg.quality.measures import FEWEST, compared, over_minutes, robust_z, spectral
from backend.eeg.recording import ELECTRIC, Channel
from backend.eeg.signal import Signal, open_recording
from backend.errors import InputError
from backend.tasks import Context, task

MODEL = "channel-quality"
MINUTE_S = 60.0
MOST_VALUES = 24_000_000  # read for spectra and correlations; a recording with more of them is sampled
SHORTEST_S = 4.0
_SLOWEST = 32.0  # Hz: slower channels are no signals of this kind
_PART = 128  # samples of one part of the overview
_COMMON = ("", "Ref", "LE", "Avg")


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The input."""
    return read_recording(context, value)


def _csv(prediction: Mapping[str, Json]) -> str:
    lines = ["channel,minute,fault,meaning"]
    for channel in prediction["channels"]:
        for minute, code in enumerate(channel["codes"], 1):
            name = BY_CODE[code].name if code in BY_CODE else "not recorded" if code == " " else ""
            lines.append(f"{channel['name']},{minute},{code.strip()},{name}")
    return "\r\n".join(lines) + "\r\n"


@task("eeg.quality", title="Signal quality", modality="eeg", models=(MODEL,), settings={}, read=read, exports={"csv": _csv})
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Judge every electric channel as it was recorded, minute by minute. Nothing is marked by this.

    Raises
    ------
    InputError
        When the recording holds no channel that could be judged, or is shorter than four seconds.
    """
    recording = str(value["recording"])
    signal = open_recording(context.config, recording)
    channels = [channel for channel in effective_channels(context, recording) if channel.kind in ELECTRIC and channel.rate >= _SLOWEST]
    if not channels:
        raise InputError("The recording has no electric channel.", "Say in the channel map what each channel is.")
    if signal.duration_s < SHORTEST_S:
        raise InputError(f"The recording is {signal.duration_s:g} s long.", f"Quality is judged from {SHORTEST_S:g} s on.")
    edges = _minutes(signal.duration_s)
    measures, partners, hums, piece_s = _measure(context, signal, channels, edges)
    eeg = sum(channel.kind == "eeg" for channel in channels)
    verdicts = [_judge(channel, {key: rows[n] for key, rows in measures.items()}) for n, channel in enumerate(channels)]
    marked = bad_channels(context, recording)
    told = [_channel(channel, verdict, {key: rows[n] for key, rows in measures.items()}, hums[n], channel.name in marked)
            for n, (channel, verdict) in enumerate(zip(channels, verdicts, strict=True))]  # fmt: skip
    bridges = [
        {"channels": [channels[a].name, channels[b].name], "minutes": int(partners[a, b])}
        for a, b in zip(*np.nonzero(np.triu(partners)), strict=True)
        if partners[a, b] >= max(1, 0.5 * (len(edges) - 1))
    ]
    data: dict[str, Json] = {
        "recording": recording,
        "minutes": len(edges) - 1,
        "edges_s": [round(float(edge), 3) for edge in edges],
        "piece_s": round(piece_s, 2),
        "compared": eeg >= FEWEST,
        "channels": told,
        "bridges": bridges,
        "suggested": [one["name"] for one in told if one["suggested"]],
        "limits": [
            {"code": fault.code, "name": fault.name, "limit": fault.limit, "below": fault.below, "unit": fault.unit,
             "source": fault.source, "meaning": fault.meaning, "serious": fault.serious}
            for fault in FAULTS
        ],
        "text": [f"{one['name']}: {'; '.join(one['why']) or 'nothing found'}" for one in told],
    }  # fmt: skip
    return Prediction(data, MODEL, tuple(_warnings(context, recording, data, signal, eeg)))


def _minutes(duration_s: float) -> np.ndarray:
    """Edges of the minutes; a rest shorter than half a minute belongs to the minute before."""
    count = max(1, int(duration_s // MINUTE_S) + (duration_s % MINUTE_S >= MINUTE_S / 2))
    return np.array([*(n * MINUTE_S for n in range(count)), duration_s])


def _measure(
    context: Context, signal: Signal, channels: Sequence[Channel], edges: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, float]:
    """All measures (channels, minutes), minutes in which two channels are bridged, each channel's mains, seconds analysed of a minute."""
    minutes = len(edges) - 1
    keys = ("flat", "clipped", "drift", "mains", "high", "high_z", "correlation", "amplitude", "amplitude_z", "bridged", "dropouts")
    found = {key: np.full((len(channels), minutes), np.nan) for key in keys}
    hums, partners = np.zeros((len(channels), minutes)), np.zeros((len(channels), len(channels)), int)
    per_second = sum(channel.rate for channel in channels)
    piece_s = min(MINUTE_S, max(SHORTEST_S, MOST_VALUES / (per_second * minutes)))
    for rate in dict.fromkeys(channel.rate for channel in channels):
        rows = [n for n, channel in enumerate(channels) if channel.rate == rate]
        group = [channels[n] for n in rows]
        _overview(signal, group, rows, rate, edges, found)
        related = _related(channels, rows)
        for n, (start, stop) in enumerate(pairwise(edges)):
            context.progress.check()
            context.progress.update(n, minutes, "Judging the channels")
            middle, half = (start + stop) / 2, min(piece_s, stop - start) / 2
            if piece_s >= MINUTE_S:
                middle, half = (start + stop) / 2, (stop - start) / 2
            values = signal.read([channel.name for channel in group], middle - half, middle + half).astype(np.float64)
            values = values[:, np.isfinite(values).all(axis=0)]
            if values.shape[1] < 2 * rate:
                continue
            found["mains"][rows, n], hums[rows, n], found["high"][rows, n] = spectral(values, rate)
            if len(related) >= FEWEST:
                inside = [rows.index(row) for row in related]
                correlation, amplitude, bridged = compared(values[inside], rate)
                found["correlation"][related, n], found["amplitude"][related, n] = correlation, amplitude
                found["amplitude_z"][related, n] = np.abs(robust_z(amplitude))
                high = found["high"][related, n]
                found["high_z"][related, n] = np.where(high >= LEAST_HIGH, robust_z(high), np.minimum(robust_z(high), 0.0))
                found["bridged"][related, n] = bridged.sum(axis=1)
                partners[np.ix_(related, related)] += bridged
    found["dropouts"] = np.where(found["flat"] < BY_CODE["F"].limit, found["flat"], 0.0)
    found["dropouts"][np.isnan(found["flat"])] = np.nan
    usual = np.array([np.bincount(row[row > 0].astype(int)).argmax() if (row > 0).any() else 0 for row in hums])
    return found, partners, usual, piece_s


def _overview(
    signal: Signal, group: Sequence[Channel], rows: Sequence[int], rate: float, edges: np.ndarray, found: dict[str, np.ndarray]
) -> None:
    step_s = _PART / rate
    width = max(1, int(signal.duration_s / step_s))
    low, high = signal.overview([channel.name for channel in group], 0.0, width * step_s, width)
    times = (np.arange(width) + 0.5) * step_s
    for key, values in over_minutes(low, high, times, edges, list(group), step_s).items():
        found[key][rows] = values


def _related(channels: Sequence[Channel], rows: Sequence[int]) -> list[int]:
    """The EEG channels of one rate that share a reference, the most common one."""
    by: dict[str, list[int]] = {}
    for n in rows:
        if channels[n].kind == "eeg":
            by.setdefault("" if channels[n].reference in _COMMON else channels[n].reference, []).append(n)
    return max(by.values(), key=len, default=[])


def _judge(channel: Channel, measures: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """For each fault, the minutes that have it."""
    found = {}
    for fault in FAULTS:
        if channel.kind != "eeg" and fault.code not in OF_ANY:
            continue
        values = measures[fault.measure]
        with np.errstate(invalid="ignore"):
            found[fault.code] = values < fault.limit if fault.below else values >= fault.limit
    if "F" in found:  # a flat channel has no spectrum and no neighbours: one word is enough
        for code in found:
            if code not in OF_ANY:
                found[code] = found[code] & ~found["F"]
    return found


def _channel(
    channel: Channel, verdict: Mapping[str, np.ndarray], measures: Mapping[str, np.ndarray], hum: int, marked: bool
) -> dict[str, Json]:
    recorded = np.isfinite(measures["flat"])
    codes = np.where(recorded, ".", " ")
    for fault in reversed(FAULTS):
        if fault.code in verdict:
            codes[verdict[fault.code] & recorded] = fault.code
    minutes = int(recorded.sum())
    counts = {fault.code: int((verdict[fault.code] & recorded).sum()) for fault in FAULTS if fault.code in verdict}
    serious = np.zeros(len(codes), bool)
    for code in counts:
        if BY_CODE[code].serious:
            serious |= verdict[code]
    share = float((serious & recorded).sum() / minutes) if minutes else 0.0
    return {
        "name": channel.name,
        "kind": channel.kind,
        "codes": "".join(codes),
        "counts": {code: count for code, count in counts.items() if count},
        "values": {key: _middle(row) for key, row in measures.items() if key not in ("dropouts", "bridged")},
        "mains_hz": int(hum) if channel.kind == "eeg" else 0,
        "share": round(share, 4),
        "suggested": share > SUGGEST,
        "marked": marked,
        "why": [_why(BY_CODE[code], count, minutes, measures, hum) for code, count in counts.items() if count],
    }


def _middle(row: np.ndarray) -> float | None:
    return round(float(np.nanmedian(row)), 4) if np.isfinite(row).any() else None


def _why(fault: Fault, count: int, minutes: int, measures: Mapping[str, np.ndarray], hum: int) -> str:
    values = measures[fault.measure]
    worst = float(np.nanmin(values) if fault.below else np.nanmax(values))
    figure = f"worst {worst:.3g} {fault.unit}"
    if fault.unit.startswith("share of the"):
        figure = f"worst {worst:.0%} of the {fault.unit.split()[-1]}"
    if fault.code in ("U", "A"):
        at = int(np.nanargmax(values))
        size = f"{measures['high'][at]:.0%} of the power above 30 Hz" if fault.code == "U" else f"{measures['amplitude'][at]:.3g} uV"
        figure = f"worst {size}, {worst:.1f} robust standard deviations from the others"
    name = f"mains at {hum} Hz" if fault.code == "M" and hum else fault.name
    when = "throughout" if count == minutes else f"in {count} of {minutes} minutes"
    return f"{name} {when}" + ("" if fault.code == "B" else f" ({figure})")


def _warnings(context: Context, recording: str, data: Mapping[str, Json], signal: Signal, eeg: int) -> list[str]:
    told = ["This recording is simulated."] if is_simulated(context, recording) else []
    if not data["compared"]:
        told.append(
            f"{eeg} EEG channels share a reference: too few to judge one against the others ({FEWEST} are needed), so only flat, clipped, "
            "dropouts, mains and drift were looked for."
        )
    if data["piece_s"] < MINUTE_S:
        told.append(
            f"Mains, muscle, amplitude, correlation and bridges were judged on {data['piece_s']:.0f} s of each minute; flat stretches, "
            "clipping and drift on all of it."
        )
    if without := [channel.name for channel in signal.channels if channel.kind in ELECTRIC and channel.ends is None]:
        told.append(f"Clipping cannot be seen in {len(without)} channels: the file does not tell the ends of the amplifier.")
    faulty = sum(one["suggested"] for one in data["channels"] if one["kind"] == "eeg")
    if eeg and faulty > eeg / 3:
        told.append(f"{faulty} of {eeg} EEG channels are suggested as bad: the recording as a whole, or its reference, may be at fault.")
    return told
