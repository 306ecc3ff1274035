"""The task `eeg.ica`: the independent components of a recording and what each of them is, as a suggestion of what to take out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.eeg import cleaning
from backend.eeg.components import fit as ica_fit
from backend.eeg.components.why import explain
from backend.eeg.inputs import bad_channels, effective_channels, is_simulated, read_recording
from backend.eeg.prepared import prepare
from backend.eeg.recording import Channel
from backend.eeg.signal import open_recording
from backend.errors import InputError
from backend.models.families.iclabel import CLASSES
from backend.tasks import Context, task

MODEL = "iclabel"
ARTEFACTS = ("muscle", "eye", "heart", "line noise", "channel noise")
FEWEST, WELL = 8, 16  # channels
SLOWEST, WELL_RATE, MOST_RATE = 100.0, 128.0, 256.0  # Hz
SHORTEST_S = 20.0
MOST_POINTS = 160_000  # samples a channel that are decomposed; some 10 min at 256 Hz
PIECE_S = 20.0
RATIO = 20.0  # samples wanted for each squared channel; Onton and Makeig 2006, doi:10.1016/S0079-6123(06)59007-7
_COMMON = ("", "Ref", "LE", "Avg")
_STILL_UV = 0.1


@dataclass(frozen=True)
class Chosen:
    """The channels that are decomposed, and why the others are not."""

    channels: tuple[Channel, ...]
    left_out: tuple[tuple[str, str], ...]
    rate: float


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The input, once the recording's channels are found to allow it."""
    _threshold(settings)
    given = read_recording(context, value)
    choose(context, given["recording"])
    return given


def choose(context: Context, recording: str) -> Chosen:
    """EEG channels with known places that share one reference and one rate.

    Raises
    ------
    InputError
        When there are too few, they are bipolar, or too slowly sampled.
    """
    known, bad = ica_fit.places(), bad_channels(context, recording)
    eeg = [channel for channel in effective_channels(context, recording) if channel.kind == "eeg"]
    out = [(channel.name, "marked as bad") for channel in eeg if channel.name in bad]
    placed: dict[str, Channel] = {}
    for channel in eeg:
        where = channel.electrode.casefold()
        if channel.name in bad:
            continue
        if where not in known:
            out.append((channel.name, "its place on the head is not known"))
        elif where in placed:
            out.append((channel.name, f"{channel.electrode} is there twice"))
        else:
            placed[where] = channel
    groups: dict[tuple[str, float], list[Channel]] = {}
    for channel in placed.values():
        groups.setdefault(("" if channel.reference in _COMMON else channel.reference, channel.rate), []).append(channel)
    best = max(groups, key=lambda group: len(groups[group]), default=("", 0.0))
    chosen = groups.get(best, [])
    for (reference, rate), others in groups.items():
        if (reference, rate) != best:
            why = f"sampled at {rate:g} Hz" if reference == best[0] else f"against another reference ({reference or 'the common one'})"
            out += [(channel.name, why) for channel in others]
    if len(chosen) < FEWEST:
        bipolar = len({reference for reference, _ in groups}) > 2
        why = "they are bipolar leads" if bipolar else f"{len(chosen)} of {len(eeg)} can be used"
        raise InputError(
            f"Independent components need {FEWEST} EEG channels at known places against one reference; here {why}.",
            "Say in the channel map where the channels lie, or use a recording with more channels.",
        )
    if best[1] < SLOWEST:
        raise InputError(
            f"The channels have {best[1]:g} samples a second; ICLabel needs {SLOWEST:g} at least to tell muscle from brain.",
            "Use a recording with a higher sampling rate.",
        )
    return Chosen(tuple(chosen), tuple(out), best[1])


def _threshold(settings: Mapping[str, Json]) -> float:
    try:
        least = float(settings["suggest_from"])
    except (TypeError, ValueError) as error:
        raise InputError("The probability from which a component is suggested is a number.", "0.9 is usual.") from error
    if not 0.5 <= least <= 1:
        raise InputError(f"A component cannot be suggested from a probability of {least:g}.", "Choose one between 0.5 and 1; 0.9 is usual.")
    return least


def _csv(prediction: Mapping[str, Json]) -> str:
    lines = [",".join(["component", "label", "suggested", "variance", *(f"p {name}" for name in CLASSES)])]
    for one in prediction["components"]:
        cells = [one["number"], one["label"], int(one["suggested"]), one["variance"], *one["probabilities"]]
        lines.append(",".join(str(cell) for cell in cells))
    return "\r\n".join(lines) + "\r\n"


@task(
    "eeg.ica",
    title="Independent components",
    modality="eeg",
    models=(MODEL,),
    settings={"suggest_from": 0.9},
    read=read,
    explain=explain,
    exports={"csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Decompose, label, suggest. Nothing is taken out of the recording by this.

    Average reference, 1-100 Hz, extended infomax with a fixed seed in as many dimensions as the signals have; bad channels, gaps and
    segments marked as bad are left out; of long recordings pieces spread evenly over the time are used.

    Raises
    ------
    InputError
        When the recording does not allow it, or too little of it is usable.
    """
    least, recording = _threshold(settings), str(value["recording"])
    chosen = choose(context, recording)
    values, rate, whole_s, level = _signals(context, recording, chosen)
    still = [n for n, row in enumerate(values) if row.std() < _STILL_UV]
    channels = [channel for n, channel in enumerate(chosen.channels) if n not in still]
    left_out = [*chosen.left_out, *((chosen.channels[n].name, "flat") for n in still)]
    if len(channels) < FEWEST:
        raise InputError(f"All but {len(channels)} channels are flat.", "Look at the signal quality of this recording.")
    values, level = np.delete(values, still, axis=0), np.delete(level, still)
    electrodes = [channel.electrode for channel in channels]
    made = ica_fit.fit(values, electrodes, rate, context.progress)
    with context.runtime.use(MODEL) as labeller:
        probabilities = labeller.predict(made.maps, made.spectra, made.lags)
    names = np.array([channel.name for channel in channels])
    held = cleaning.Decomposition(
        names, np.array(electrodes), made.unmixing, made.mixing, made.common, level, made.maps, made.spectra, made.lags,
        made.frequencies, made.power,
    )  # fmt: skip
    file = cleaning.write(context, recording, held)
    components = [_component(n, row, float(made.variance[n - 1]), least) for n, row in enumerate(probabilities, 1)]
    seconds, ratio = values.shape[1] / rate, values.shape[1] / len(channels) ** 2
    data: dict[str, Json] = {
        "recording": recording,
        "file": file,
        "channels": names.tolist(),
        "electrodes": electrodes,
        "left_out": [{"name": name, "why": why} for name, why in left_out],
        "rate": rate,
        "seconds": round(seconds, 1),
        "usable_seconds": round(whole_s, 1),
        "ratio": round(ratio, 1),
        "steps": made.steps,
        "suggest_from": least,
        "components": components,
        "suggested": [one["number"] for one in components if one["suggested"]],
        "text": [_line(one) for one in components],
    }
    simulated = ["This recording is simulated."] if is_simulated(context, recording) else []
    return Prediction(data, MODEL, (*simulated, *_warnings(data, chosen.rate)))


def _signals(context: Context, recording: str, chosen: Chosen) -> tuple[np.ndarray, float, float, np.ndarray]:
    """Values without NaN (channels, samples), their rate, usable seconds of the recording, and each channel's mean as recorded."""
    rate = chosen.rate if chosen.rate <= MOST_RATE else MOST_RATE if chosen.rate % MOST_RATE == 0 else 250.0
    duration = open_recording(context.config, recording).duration_s
    names = [channel.name for channel in chosen.channels]
    wanted_s = MOST_POINTS / rate
    starts, step = ([0.0], duration)
    if duration > wanted_s:
        starts, step = [float(at) for at in np.linspace(0, duration - PIECE_S, int(wanted_s // PIECE_S))], PIECE_S
    parts: list[np.ndarray] = []
    sums, count = np.zeros(len(names)), 0
    for n, start in enumerate(starts):
        context.progress.check()
        context.progress.update(n, len(starts), "Reading the recording")
        piece = prepare(
            context, recording, names=names, start_s=start, stop_s=start + step, rate=rate,
            high_pass=1.0, low_pass=100.0 if chosen.rate > 205 else None, bad_segments="nan", clean=False,
        )  # fmt: skip
        good = np.isfinite(piece.values).all(axis=0)
        parts.append(piece.values[:, good])
        raw = open_recording(context.config, recording).read(names, start, min(start + PIECE_S, duration)).astype(np.float64)
        raw = raw[:, np.isfinite(raw).all(axis=0)]
        sums, count = sums + raw.sum(axis=1), count + raw.shape[1]
    values = np.concatenate(parts, axis=1)
    if values.shape[1] < SHORTEST_S * rate:
        raise InputError(
            f"{values.shape[1] / rate:.0f} s of the recording can be used; independent components need {SHORTEST_S:g} s at the least.",
            "Mark less of it as bad, or use a longer recording.",
        )
    return values, rate, values.shape[1] / rate * (duration / (step * len(starts))), sums / max(count, 1)


def _component(number: int, probabilities: np.ndarray, variance: float, least: float) -> dict[str, Json]:
    best = int(probabilities.argmax())
    return {
        "number": number,
        "label": CLASSES[best],
        "probability": round(float(probabilities[best]), 4),
        "probabilities": [round(float(one), 4) for one in probabilities],
        "variance": round(variance, 5),
        "suggested": CLASSES[best] in ARTEFACTS and float(probabilities[best]) >= least,
    }


def _warnings(data: Mapping[str, Json], rate: float) -> list[str]:
    count, told = len(data["channels"]), []
    if count < WELL:
        told.append(f"{count} channels give {count} components at most: several sources share one, and ICLabel learned from more channels.")
    if rate < WELL_RATE:
        told.append(f"{rate:g} samples a second show frequencies up to {rate / 2:g} Hz only, so muscle and line noise are hard to tell.")
    if data["ratio"] < RATIO:
        need = RATIO * count**2 / data["rate"]
        told.append(
            f"{data['seconds']:g} s are short for {count} channels: {data['ratio']:g} samples for each squared channel, where {RATIO:g} "
            f"are wanted ({need / 60:.1f} min). Components may be mixtures; look at maps and traces before taking one out."
        )
    if data["steps"] >= ica_fit.MOST_STEPS:
        told.append(
            f"The separation had not come to rest after {ica_fit.MOST_STEPS} passes; weak components may differ in another recording."
        )
    if data["usable_seconds"] > data["seconds"] * 1.05:
        told.append(
            f"{data['seconds'] / 60:.1f} min, spread evenly over the recording, were decomposed; the components apply to all of it."
        )
    if len(data["components"]) < count - 1:
        told.append(
            f"{count} channels carry {len(data['components'])} dimensions only: some are made of others, or electrodes are bridged."
        )
    if out := data["left_out"]:
        listed = "; ".join(f"{one['name']}: {one['why']}" for one in out[:8])
        told.append(f"Not decomposed and not cleaned: {listed}{f'; and {len(out) - 8} more' if len(out) > 8 else ''}.")
    return told


def _line(one: Mapping[str, Json]) -> str:
    return f"{one['number']}: {one['label']} ({one['probability']:.2f}), {one['variance']:.1%} of the variance"
