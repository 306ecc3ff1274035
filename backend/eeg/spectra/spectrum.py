"""The task `eeg.spectrum`: power by frequency with its interval, band powers, and how both change over the recording."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.eeg.baseline.measured import measured, quantile
from backend.eeg.csv_text import to_csv
from backend.eeg.inputs import effective_channels, is_simulated, read_recording
from backend.eeg.prepared import blank_bad, prepare
from backend.eeg.spectra.spectrogram import joined, shown, spectrogram
from backend.eeg.welch import averaged, band_power, map_refused, windows
from backend.errors import InputError
from backend.tasks import Context, task

Floats = NDArray[np.floating]

MODEL = "spectra"
BANDS: Mapping[str, tuple[float, float]] = {
    "delta": (1.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
TOTAL = (1.0, 45.0)  # Hz: of which a band's relative power is a share
WINDOWS = (2.0, 4.0, 8.0)  # seconds
REFERENCES = ("recorded", "average")
_MOST_BLOCKS = 20
_LEAST_BLOCK_S = 10.0
_DRAWS = 500
_PIECE_S = 600.0
_MOST_RATE = 256.0


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The recording, and settings that make sense."""
    if settings["window_s"] not in WINDOWS:
        raise InputError(f"A window of {settings['window_s']} s is none of those offered.", "Windows are: 2, 4 and 8 s.")
    if settings["reference"] not in REFERENCES:
        raise InputError(f"'{settings['reference']}' is no reference.", f"References are: {', '.join(REFERENCES)}.")
    given = read_recording(context, value)
    duration = context.storage.recordings.get(str(given["recording"])).duration_s
    start, stop = span(settings, duration)
    if stop - start < 2 * float(settings["window_s"]):
        raise InputError(
            f"From {start:g} to {stop:g} s is too short for windows of {settings['window_s']:g} s.", "Choose a longer stretch."
        )
    return given


def span(settings: Mapping[str, Json], duration: float) -> tuple[float, float]:
    """First and last second asked for."""
    try:
        start, stop = float(settings["start_s"] or 0.0), float(settings["stop_s"] or duration)
        float(settings["reject_uv"] or 0.0)
    except (TypeError, ValueError) as error:
        raise InputError("The stretch and the amplitude limit are numbers, in seconds and microvolts.", "Give them as such.") from error
    return max(0.0, start), min(stop, duration)


def _csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(band_rows(prediction))


def _spectra_csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(spectrum_rows(prediction))


@task(
    "eeg.spectrum",
    title="Spectrum",
    modality="eeg",
    models=(MODEL,),
    settings={"channels": [], "start_s": 0.0, "stop_s": None, "window_s": 4.0, "reference": "recorded", "reject_uv": None, "clean": True},
    read=read,
    exports={"csv": _csv, "spectra.csv": _spectra_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Welch's power spectral densities (1967, doi:10.1109/TAU.1967.1161901): Hann windows, half overlapping, straight trend taken off.

    A window that touches a gap or a bad segment, or swings over `reject_uv`, is left out and counted, for its channel. The 95% interval
    resamples blocks of neighbouring windows: windows that overlap, and rhythms that wax and wane, are not independent.

    Raises
    ------
    InputError
        When no channel has two clean windows.
    """
    recording = str(value["recording"])
    names = [str(name) for name in settings["channels"] or ()] or None
    channels = {channel.name: channel for channel in effective_channels(context, recording)}
    rates = {channel.rate for name, channel in channels.items() if (name in names if names else channel.kind == "eeg")}
    rate = min(max(rates, default=_MOST_RATE), _MOST_RATE)
    duration = context.storage.recordings.get(recording).duration_s
    start, stop = span(settings, duration)
    window_s = float(settings["window_s"])
    block_s = max(_LEAST_BLOCK_S, 2 * window_s, (stop - start) / _MOST_BLOCKS)
    sums: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    left = {"gap or bad segment": 0, "amplitude": 0}
    images: list[tuple[Floats, Floats]] = []
    about: tuple[tuple[str, ...], ...] = ((), (), ())
    edges = [*np.arange(start, stop, max(block_s, block_s * round(_PIECE_S / block_s))).tolist(), stop]
    for low, high in pairwise(edges):
        context.progress.check()
        context.progress.update(low - start, stop - start, "Measuring the spectrum")
        if high - low < window_s:
            continue
        got = prepare(context, recording, names=names, start_s=low, stop_s=high, rate=rate, clean=bool(settings["clean"]))
        about, notes = (got.names, got.electrodes, got.references), got.notes
        values: Floats = got.values.astype(np.float64)
        blank_bad(context, recording, values, rate, low, got.names)
        if settings["reference"] == "average":
            values = averaged(values, got.kinds, got.references)
        frequency, power, used, why = windows(values, rate, window_s, settings["reject_uv"])
        for reason, count in why.items():
            left[reason] += count
        drawn = shown(got.electrodes)
        images.append(spectrogram(values[drawn], rate, low))
        at = low + np.arange(power.shape[1]) * window_s / 2 + window_s / 2 - start
        blocks = np.minimum((at // block_s).astype(int), max(0, int(np.ceil((stop - start) / block_s)) - 1))
        if sums is None:
            count = int(np.ceil((stop - start) / block_s))
            sums, counts = np.zeros((len(got.names), count, len(frequency))), np.zeros((len(got.names), count))
        for n in range(power.shape[1]):
            sums[:, blocks[n]] += np.where(used[:, n, None], power[:, n], 0)
            counts[:, blocks[n]] += used[:, n]
    if sums is None or counts.sum(axis=1).max() < 2:
        raise InputError("No channel has two clean windows in this stretch.", "Check gaps, bad segments and the amplitude limit.")
    data: dict[str, Json] = {
        "recording": recording,
        "simulated": is_simulated(context, recording),
        "stretch": [start, stop],
        "rate": rate,
        "window_s": window_s,
        "block_s": round(block_s, 3),
        "reference": str(settings["reference"]),
        "frequency": np.round(frequency, 4).tolist(),
        "channels": [
            _channel(name, electrode, reference, frequency, sums[n], counts[n])
            for n, (name, electrode, reference) in enumerate(zip(*about, strict=True))
        ],
        "left_out": left,
        "spectrogram": joined(images, [about[0][n] for n in drawn]),
        "notes": list(notes),
    }
    data["map"] = map_refused(data["channels"], str(settings["reference"]))
    data["text"] = _text(data)
    return Prediction(data, MODEL, tuple(_warnings(data)))


def _channel(name: str, electrode: str, reference: str, frequency: Floats, sums: Floats, counts: Floats) -> dict[str, Json]:
    base: dict[str, Json] = {"name": name, "electrode": electrode, "reference": reference, "windows": int(counts.sum())}
    if counts.sum() < 2:
        return {**base, "power": None, "low": None, "high": None, "bands": None}
    some = counts > 0
    sums, counts = sums[some], counts[some]
    blocks = len(counts)
    weights = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), size=_DRAWS)
    draws = (weights @ sums) / np.maximum(weights @ counts, 1)[:, None]
    mean = sums.sum(axis=0) / counts.sum()
    total, totals = band_power(frequency, mean, TOTAL), band_power(frequency, draws, TOTAL)
    if np.isnan(total):  # the rate shows less than 45 Hz: shares are of what it shows
        top = (TOTAL[0], float(frequency[-1]))
        total, totals = band_power(frequency, mean, top), band_power(frequency, draws, top)
    bands: dict[str, Json] = {}
    for band, ends in BANDS.items():
        power, drawn = float(band_power(frequency, mean, ends)), band_power(frequency, draws, ends)
        if np.isnan(power):
            bands[band] = None
            continue
        bands[band] = {
            "absolute": _short(measured(power, drawn, blocks, "log")),
            "relative": _short(measured(power / float(total), drawn / totals, blocks)),
        }
    low, high = _interval(mean, draws, blocks)
    return {**base, "power": _digits(mean), "low": low, "high": high, "bands": bands}


def _interval(mean: Floats, draws: Floats, blocks: int) -> tuple[list[float] | None, list[float] | None]:
    if blocks < 3:
        return None, None
    half = quantile(blocks - 1) * np.log(np.maximum(draws, 1e-12)).std(axis=0, ddof=1) * (blocks / (blocks - 1)) ** 0.5
    return _digits(mean * np.exp(-half)), _digits(mean * np.exp(half))


def _short(number: Mapping[str, Json]) -> dict[str, Json]:
    return {key: number[key] for key in ("value", "low", "high")}


def _digits(values: Floats) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def band_rows(prediction: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Band powers with their 95% intervals, a row for each channel and band."""
    rows: list[dict[str, Json]] = []
    for channel in prediction["channels"]:
        for band, found in (channel["bands"] or {}).items():
            row: dict[str, Json] = {"channel": channel["name"], "band": band, "from_hz": BANDS[band][0], "to_hz": BANDS[band][1]}
            for kind, unit in (("absolute", "uv2"), ("relative", "share")):
                number = found[kind] if found else {"value": None, "low": None, "high": None}
                row |= {f"{kind}_{unit}": number["value"], f"{kind}_low_95": number["low"], f"{kind}_high_95": number["high"]}
            rows.append({**row, "windows": channel["windows"]})
    return rows


def spectrum_rows(prediction: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Power spectral densities with their 95% intervals, a row for each channel and frequency; uV^2/Hz."""
    return [
        {
            "channel": channel["name"],
            "hz": hertz,
            "uv2_per_hz": channel["power"][n],
            "low_95": channel["low"][n] if channel["low"] else None,
            "high_95": channel["high"][n] if channel["high"] else None,
        }
        for channel in prediction["channels"]
        if channel["power"]
        for n, hertz in enumerate(prediction["frequency"])
    ]


def _text(data: Mapping[str, Json]) -> list[str]:
    lines = []
    for channel in [channel for channel in data["channels"] if channel["bands"]][:40]:
        told = ", ".join(f"{band} {found['relative']['value']:.0%}" for band, found in channel["bands"].items() if found)
        lines.append(f"{channel['name']}: {told} of the power between {TOTAL[0]:g} and {TOTAL[1]:g} Hz, {channel['windows']:,} windows.")
    return lines


def _warnings(data: Mapping[str, Json]) -> list[str]:
    found = list(data["notes"])
    channels, left = data["channels"], data["left_out"]
    every = sum(channel["windows"] for channel in channels) + sum(left.values())
    told = ", ".join(f"{count:,} for {reason}" for reason, count in left.items() if count)
    if told:
        found.append(f"Of {every:,} windows of all channels, {sum(left.values()):,} were left out: {told}.")
    if lost := [channel["name"] for channel in channels if not channel["power"]]:
        found.append(f"No clean windows: {', '.join(lost)}.")
    if data["window_s"] and (data["stretch"][1] - data["stretch"][0]) / data["block_s"] < 5:
        found.append("The stretch is short: intervals rest on fewer than five blocks of time, and are themselves uncertain.")
    return found
