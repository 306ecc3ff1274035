"""The task `eeg.baseline`: alpha peak, band powers by region, left against right, and what opening the eyes does."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.eeg.baseline.measured import difference, measured
from backend.eeg.baseline.rhythm import make_shape, measure_rhythm
from backend.eeg.baseline.spectra import STEP_S, WINDOW_S, Blocks, Derivations, choose_derivations, collect
from backend.eeg.baseline.states import STATES, Stretch, awake_stretches, limit, name_staging, overlap, state_stretches
from backend.eeg.baseline.words import text_of
from backend.eeg.inputs import bad_channels, is_simulated, read_recording
from backend.eeg.regions import POSTERIOR, REGIONS, region_of, side_of
from backend.errors import InputError
from backend.tasks import Context, task

MODEL = "background-spectra"
BANDS: Mapping[str, tuple[float, float]] = {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0)}
LEAST_S = 20.0  # of clean signal
LEAST_BLOCKS = 4
_DRAWS = 500
_SEED = 0
_HALF = 0.5  # a channel with fewer clean windows than this share of the best takes no part


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The recording, and the sleep staging that says where it was awake ('' where there is none)."""
    if settings["state"] not in STATES:
        raise InputError(f"'{settings['state']}' is no state of the eyes.", f"States are: {', '.join(STATES)}.")
    if settings["reference"] not in ("auto", "average", "recorded"):
        raise InputError(f"'{settings['reference']}' is no reference.", "References are: auto, average, recorded.")
    if not isinstance(settings["reject_uv"], (int, float)) or not 20 <= settings["reject_uv"] <= 2000:
        raise InputError(f"Amplitudes from {settings['reject_uv']} µV cannot be left out.", "Give a number from 20 to 2000.")
    given = read_recording(context, value)
    staging = value.get("staging")
    return {**given, "staging": name_staging(context, str(given["recording"])) if staging is None else str(staging)}


def _csv(prediction: Mapping[str, Json]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["state", "measure", "region", "band", "unit", "value", "low_95", "high_95"])
    for row in baseline_rows(prediction):
        writer.writerow(list(row.values()))
    return out.getvalue()


@task(
    "eeg.baseline",
    title="Background activity",
    modality="eeg",
    models=(MODEL,),
    settings={"state": "annotated", "closed_label": "", "open_label": "", "reference": "auto", "reject_uv": 200.0, "clean": True},
    read=read,
    exports={"csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Measure the background activity of a recording in each state of the eyes that is known.

    Raises
    ------
    InputError
        When no channel has a place, or no state has enough clean signal.
    """
    recording = str(value["recording"])
    of = choose_derivations(context, recording, str(settings["reference"]), bad_channels(context, recording))
    awake, source = awake_stretches(context, recording, str(value.get("staging") or ""))
    if awake is not None and not awake:
        raise InputError(
            f"Nothing was measured: no part of this recording is staged as awake (by {source['source']}).",
            "Background activity is that of waking. Choose another recording, or correct the stages.",
        )
    duration = context.storage.recordings.get(recording).duration_s
    states = state_stretches(context, recording, settings, duration)
    found: list[dict[str, Json]] = []
    blocks_of: dict[str, tuple[Blocks, list[int]]] = {}
    notes = list(of.notes)
    for name, stretches in states.items():
        wanted, note = limit(overlap(stretches, awake) if awake is not None else stretches)
        notes += [note] if note else []
        made = collect(context, recording, of, wanted, float(settings["reject_uv"]), bool(settings["clean"]))
        entry, rows = _state(name, wanted, made, of)
        found.append(entry)
        if not entry["reason"]:
            blocks_of[name] = (made, rows)
    if not blocks_of:
        raise InputError(
            f"Nothing was measured. {' '.join(str(entry['reason']) for entry in found)}",
            "Check bad channels and segments, the amplitude from which windows are left out, and where the eyes were open or closed.",
        )
    data: dict[str, Json] = {
        "recording": recording,
        "states": found,
        "reactivity": _reactivity(blocks_of, of),
        "reference": of.reference,
        "channels": list(of.names),
        "electrodes": list(of.electrodes),
        "rate": of.rate,
        "low_pass": round(of.low_pass, 1),
        "window_s": WINDOW_S,
        "awake": source,
        "simulated": is_simulated(context, recording),
        "notes": notes,
    }
    data["text"] = text_of(data)
    return Prediction(data, MODEL, tuple(_warnings(data)))


def baseline_rows(prediction: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Every number with its interval, a row each."""
    rows = []
    for state in prediction["states"]:
        if state["reason"]:
            continue
        rhythm = state["rhythm"]
        if rhythm["found"]:
            for name, unit in (("peak", "Hz"), ("gravity", "Hz"), ("amplitude", "uV peak to peak")):
                rows.append(_row(state["state"], f"alpha {name}", " ".join(rhythm["channels"]), "", unit, rhythm[name]))
        rows.append(_row(state["state"], "1/f exponent", " ".join(rhythm["channels"]), "", "", rhythm["exponent"]))
        for power in state["powers"]:
            rows.append(_row(state["state"], "absolute power", power["region"], power["band"], "uV^2", power["absolute"]))
            rows.append(_row(state["state"], "relative power", power["region"], power["band"], "share of 1-30 Hz", power["relative"]))
        for side in state["sides"]:
            rows.append(_row(state["state"], "left over right", side["region"], side["band"], "ratio of power", side["ratio"]))
    if prediction["reactivity"]:
        change = prediction["reactivity"]["change"]
        number = {"value": change["change"], "low": change["low"], "high": change["high"]}
        rows.append(_row("eyes open over closed", "alpha power", "posterior", "alpha", "ratio", number))
    return rows


def _state(name: str, stretches: Sequence[Stretch], made: Blocks, of: Derivations) -> tuple[dict[str, Json], list[int]]:
    """The numbers of one state, and the rows (channels) that carry its rhythm."""
    most = float(made.counts.sum(axis=1).max(initial=0))
    clean_s = most * STEP_S
    entry: dict[str, Json] = {
        "state": name,
        "seconds": round(sum(stop - start for start, stop in stretches), 1),
        "clean_s": round(clean_s, 1),
        "windows": made.windows,
        "left_out": {why: round(count / max(len(of.names) * made.windows, 1), 4) for why, count in made.left_out.items()},
        "block_s": made.block_s,
        "blocks": int(made.sums.shape[1]),
        "reason": "",
    }
    if clean_s < LEAST_S or made.sums.shape[1] < LEAST_BLOCKS:
        share = "; ".join(f"{why} {part:.0%}" for why, part in entry["left_out"].items() if part)
        entry["reason"] = f"{name.capitalize()}: {clean_s:.0f} s of clean signal are too little, {LEAST_S:.0f} s are needed" + (
            f" (left out: {share})." if share else "."
        )
        return entry, []
    used = [n for n in range(len(of.names)) if made.counts[n].sum() >= _HALF * most]
    entry["unused"] = [of.names[n] for n in range(len(of.names)) if n not in used]
    weights = made.draws(_DRAWS, _SEED)
    blocks = int(made.sums.shape[1])
    rows, group, fallback = _posterior(of, used)
    shape = make_shape(made.freqs, of.low_pass)
    whole, many = _spectrum(made, rows, weights)
    sides = {}
    for side in ("left", "right"):
        own = [n for n in rows if side_of(of.electrodes[n]) == side]
        if own and fallback != "none":
            sides[side] = {
                "channels": [of.names[n] for n in own],
                **measure_rhythm(shape, *_spectrum(made, own, weights), blocks, made.widen),
            }
    entry["rhythm"] = {**measure_rhythm(shape, whole, many, blocks, made.widen), "channels": group, "fallback": fallback, "sides": sides}
    entry["powers"], entry["sides"] = _powers(made, used, of, weights)
    entry["spectra"] = _curves(made, used, of, weights)
    entry["line"] = [_short(power) for power in 10 ** shape.fall(np.log10(whole))[0]]
    return entry, rows


def _posterior(of: Derivations, used: Sequence[int]) -> tuple[list[int], list[str], str]:
    for place, group in enumerate(POSTERIOR):
        if rows := [n for n in used if of.electrodes[n] in group]:
            lost = any(name in POSTERIOR[0] for name in of.electrodes)
            return rows, [of.names[n] for n in rows], "" if place == 0 else "unusable" if lost else "parietal"
    rows = [n for n in used if region_of(of.electrodes[n])] or list(used)
    return rows, [of.names[n] for n in rows], "none"


def _spectrum(made: Blocks, rows: Sequence[int], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean spectrum of some channels, and that of each resample."""
    whole = np.nanmean(made.mean(rows), axis=0)
    many = np.nanmean([made.resampled(n, weights) for n in rows], axis=0)
    return whole, many


def _band_powers(spectra: np.ndarray, freqs: np.ndarray) -> np.ndarray:
    """uV^2 in each band, shape (..., bands)."""
    step = float(freqs[1] - freqs[0])
    return np.stack([spectra[..., (freqs >= low) & (freqs < high)].sum(axis=-1) * step for low, high in BANDS.values()], axis=-1)


def _powers(made: Blocks, used: Sequence[int], of: Derivations, weights: np.ndarray) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    powers: list[dict[str, Json]] = []
    sides: list[dict[str, Json]] = []
    blocks = int(made.sums.shape[1])
    for region in REGIONS:
        rows = [n for n in used if region_of(of.electrodes[n]) == region]
        if not rows:
            continue
        whole, many = (_band_powers(spectrum, made.freqs) for spectrum in _spectrum(made, rows, weights))
        names = [of.names[n] for n in rows]
        for band, name in enumerate(BANDS):
            share = measured(whole[band] / whole.sum(), many[:, band] / many.sum(axis=1), blocks, "log", made.widen)
            absolute = measured(whole[band], many[:, band], blocks, "log", made.widen)
            powers.append({"region": region, "band": name, "channels": names, "absolute": absolute, "relative": share})
        pair = [[n for n in rows if side_of(of.electrodes[n]) == side] for side in ("left", "right")]
        if not all(pair):
            continue
        left, right = ([_band_powers(part, made.freqs) for part in _spectrum(made, own, weights)] for own in pair)
        for band, name in enumerate(BANDS):
            ratio = measured(left[0][band] / right[0][band], left[1][:, band] / right[1][:, band], blocks, "log", made.widen)
            sides.append({"region": region, "band": name, "left": [of.names[n] for n in pair[0]],
                          "right": [of.names[n] for n in pair[1]], "ratio": ratio})  # fmt: skip
    return powers, sides


def _curves(made: Blocks, used: Sequence[int], of: Derivations, weights: np.ndarray) -> dict[str, Json]:
    """Spectrum of each region with its 95% band, for drawing."""
    found: dict[str, Json] = {"freqs": [float(hertz) for hertz in made.freqs], "regions": {}}
    for region in REGIONS:
        rows = [n for n in used if region_of(of.electrodes[n]) == region]
        if rows:
            whole, many = _spectrum(made, rows, weights)
            low, high = np.nanpercentile(many, [2.5, 97.5], axis=0)
            curves = {"mean": whole, "low": low, "high": high}
            found["regions"][region] = {name: [_short(power) for power in curve] for name, curve in curves.items()}
    return found


def _reactivity(blocks_of: Mapping[str, tuple[Blocks, list[int]]], of: Derivations) -> dict[str, Json] | None:
    """Alpha power with open eyes over that with closed ones, at the electrodes that carry the rhythm in both."""
    if not {"eyes closed", "eyes open"} <= set(blocks_of):
        return None
    rows = [n for n in blocks_of["eyes closed"][1] if n in blocks_of["eyes open"][1]]
    if not rows:
        return None
    alpha = list(BANDS).index("alpha")
    numbers = []
    for name in ("eyes closed", "eyes open"):
        made = blocks_of[name][0]
        whole, many = (_band_powers(part, made.freqs)[..., alpha] for part in _spectrum(made, rows, made.draws(_DRAWS, _SEED)))
        numbers.append(measured(float(whole), many, int(made.sums.shape[1]), "log", made.widen))
    change = difference(*numbers)
    return None if change is None else {"channels": [of.names[n] for n in rows], "closed": numbers[0], "open": numbers[1], "change": change}


def _warnings(data: Mapping[str, Json]) -> list[str]:
    found = list(data["notes"])
    for state in data["states"]:
        if state["reason"]:
            found.append(state["reason"])
        elif (lost := sum(state["left_out"].values())) > 0.3:
            found.append(f"{state['state'].capitalize()}: {lost:.0%} of the windows of all channels were left out.")
    if any(state["state"] == "not said" for state in data["states"]):
        found.append("It is not known whether the eyes were open or closed. Alpha depends on that more than on anything else.")
    if not data["awake"]["known"]:
        found.append("It is not known whether the person was awake: no sleep staging of this recording is there.")
    return found


def _row(state: str, measure: str, region: str, band: str, unit: str, number: Mapping[str, Any]) -> dict[str, Json]:
    return {"state": state, "measure": measure, "region": region, "band": band, "unit": unit,
            "value": number["value"], "low": number["low"], "high": number["high"]}  # fmt: skip


def _short(value: float) -> float:
    return float(f"{value:.5g}")
