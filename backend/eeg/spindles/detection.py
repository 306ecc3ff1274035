"""The task `eeg.spindles`: sleep spindles by a trained network, a rule-based detector as second opinion, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.eeg.channels import OLD_NAMES
from backend.eeg.csv_text import to_csv
from backend.eeg.inputs import bad_channels, effective_channels, is_simulated, read_recording
from backend.eeg.prepared import prepare, resampled
from backend.eeg.recording import Channel
from backend.eeg.sleep.staged import NREM, WHOLE, Staged, find_stages, name_stages
from backend.eeg.spindles.events import Event, Sigma, evaluated, inside, pair, summary
from backend.eeg.spindles.why import explain
from backend.eeg.spindles.words import text_of, warnings_of
from backend.errors import InputError
from backend.models.families.brainmaze import Spindler
from backend.models.families.yasa_spindles import Detector
from backend.models.spindle_network import RATE
from backend.progress import Progress
from backend.tasks import Context, task

MODEL, SECOND = "openspindlenet", "yasa-spindles"
STAGES = ("N2", "N3")
PREFERRED = ("C3", "C4", "Cz", "F3", "F4", "Fz", "CP3", "CP4", "P3", "P4", "Pz", "FC3", "FC4")
MOST_CHOSEN = 4
MOST_CHANNELS = 32
LEAST_S = 60.0
_SECOND_RATE = 100.0
_EARS = {"left": ("M1", "A1", "TP9"), "right": ("M2", "A2", "TP10")}
_COMMON = ("", "Ref", "LE", "Avg")


@dataclass(frozen=True)
class Derivation:
    """A channel, or one against another (an ear of the other side)."""

    name: str
    plus: str
    minus: str = ""
    rate: float = 0.0
    low_pass: float | None = None


@dataclass(frozen=True)
class _Part:
    """Progress of one channel of several, told as progress of all."""

    whole: Progress
    done: int
    count: int
    name: str

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        self.whole.update(self.done + (done / total if total else 0.0), self.count, f"Looking for spindles in {self.name}")

    def check(self) -> None:
        self.whole.check()


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The recording, and where its sleep stages come from: fixed here, so that the run comes out the same later."""
    threshold = settings["threshold"]
    if not isinstance(threshold, (int, float)) or not 0.05 <= threshold <= 0.99:
        raise InputError(f"A probability of {threshold} is no threshold.", "Give one between 0.05 and 0.99; 0.5 is the published one.")
    given = read_recording(context, value)
    recording = str(given["recording"])
    if strange := [stage for stage in settings["within"] or () if stage not in ("N1", *STAGES)]:
        raise InputError(f"Spindles are not sought in '{strange[0]}'.", "Choose N2, N3 or both; N1 may be added.")
    return {**given, "staging": str(value.get("staging") or name_stages(context, recording, str(settings["stages"])))}


def _csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(spindle_rows(prediction))


def _density_csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(density_rows(prediction))


@task(
    "eeg.spindles",
    title="Sleep spindles",
    modality="eeg",
    models=(MODEL,),
    settings={"channels": [], "stages": "", "within": list(STAGES), "threshold": 0.5, "clean": True},
    read=read,
    explain=explain,
    exports={"csv": _csv, "density.csv": _density_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Spindles of each channel within the stages asked for, by both detectors.

    Parameters
    ----------
    settings : mapping
        ``channels``: names, or none for up to four central and frontal ones. ``stages``: '' for what there is, 'marks', the id of a
        saved staging, or 'whole' where all of the recording is NREM sleep. ``within``: stages. ``threshold``: of the network.

    Raises
    ------
    InputError
        When nothing stages the recording, or there is no such sleep in it, or no channel.
    """
    recording = str(value["recording"])
    within = [NREM] if value["staging"] == WHOLE else [stage for stage in ("N1", *STAGES) if stage in (settings["within"] or STAGES)]
    staged = find_stages(context, recording, str(value["staging"]))
    if sum(stop - start for start, stop, stage in staged.spans if stage in within) < LEAST_S:
        raise InputError(
            f"There is less than a minute of {' and '.join(within)} in this recording ({staged.source}).",
            "Spindles are sought in N2 and N3 sleep. Choose a recording with sleep, or another staging.",
        )
    chosen = choose_channels(context, recording, [str(name) for name in settings["channels"] or ()])
    channels: list[dict[str, Json]] = []
    notes: list[str] = []
    for n, derivation in enumerate(chosen):
        progress = _Part(context.progress, n, len(chosen), derivation.name)
        progress.update(0)
        values, told = read_derivation(context, recording, derivation, bool(settings["clean"]))
        notes += [note for note in told if note not in notes]
        found = _one(context.watched(progress), derivation, values, staged, within, float(settings["threshold"]))
        if found is None:
            notes.append(f"{derivation.name}: no 30 s of unbroken signal in {' or '.join(within)}, so nothing was sought there.")
            continue
        channels.append(found)
    if not channels:
        raise InputError("No channel has 30 s of unbroken signal in the sleep stages asked for.", "Check gaps and bad segments.")
    data: dict[str, Json] = {
        "recording": recording,
        "stages": {"source": staged.source, "within": within, "minutes": _minutes(staged)},
        "detectors": {"network": MODEL, "second": SECOND},
        "threshold": float(settings["threshold"]),
        "simulated": is_simulated(context, recording),
        "channels": channels,
        "notes": notes,
    }
    data["text"] = text_of(data)
    return Prediction(data, MODEL, tuple(warnings_of(data)))


def choose_channels(context: Context, recording: str, names: Sequence[str] = ()) -> list[Derivation]:
    """The named channels as they are, or up to four central and frontal ones, against the other side's ear where there is one."""
    every = {channel.name: channel for channel in effective_channels(context, recording)}
    if names:
        if strange := [name for name in names if name not in every]:
            raise InputError(f"The recording has no channel '{strange[0]}'.", f"Channels are: {', '.join(every)}.")
        if len(names) > MOST_CHANNELS:
            raise InputError(f"{len(names)} channels would take too long.", f"Choose {MOST_CHANNELS} at most.")
        return [_against(every[name], every) for name in dict.fromkeys(names)]
    bad = bad_channels(context, recording)
    good = [channel for channel in every.values() if channel.kind == "eeg" and channel.name not in bad]
    placed = {OLD_NAMES.get(channel.electrode, channel.electrode): channel for channel in reversed(good) if channel.electrode}
    found = [placed[place] for place in PREFERRED if place in placed][:MOST_CHOSEN] or good[:MOST_CHOSEN]
    if not found:
        raise InputError("The recording has no EEG channel.", "Say in the channel map what each channel is.")
    return [_against(channel, {name: each for name, each in every.items() if name not in bad}) for channel in found]


def _against(channel: Channel, every: Mapping[str, Channel]) -> Derivation:
    place = channel.electrode
    side = "right" if place[-1:] in "13579" else "left"
    if place and place[-1:].isdigit() and channel.reference in _COMMON and place not in sum(_EARS.values(), ()):
        for ear in every.values():
            if ear.electrode in _EARS[side] and ear.reference == channel.reference and ear.rate == channel.rate:
                return Derivation(f"{channel.name}-{ear.name}", channel.name, ear.name, channel.rate, channel.low_pass)
    return Derivation(channel.name, channel.name, rate=channel.rate, low_pass=channel.low_pass)


def read_derivation(context: Context, recording: str, of: Derivation, clean: bool) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """A derivation at 250 Hz, microvolts, NaN in gaps and bad segments, shape (samples,); and what was done to it, in words."""
    names = [of.plus, of.minus] if of.minus else [of.plus]
    prepared = prepare(context, recording, names=names, rate=RATE, bad_segments="nan", clean=clean)
    values: NDArray[np.float32] = prepared.values[0] - prepared.values[1] if of.minus else prepared.values[0]
    return values, prepared.notes


def _one(
    context: Context, of: Derivation, values: NDArray[np.float32], staged: Staged, within: Sequence[str], threshold: float
) -> dict[str, Json] | None:
    parts, counts = evaluated(values, staged.mask(within, RATE, len(values)))
    if not counts.any():
        return None
    rows = [np.empty((0, 3))]
    with context.runtime.use(MODEL) as network:
        assert isinstance(network, Spindler)
        for first, last in parts:
            if counts[first:last].any():
                made = network.detect(values[first:last].astype(np.float64), counts[first:last], context.progress, threshold)
                made[:, :2] += first / RATE
                rows.append(made)
    marks = inside(np.concatenate(rows), counts)
    with context.runtime.use(SECOND) as detector:
        assert isinstance(detector, Detector)
        second = inside(_second(detector, values, counts), counts)
    events = pair(marks, second, staged)
    sigma = Sigma(values)
    return {
        "name": of.name,
        "plus": of.plus,
        "minus": of.minus,
        "rate": of.rate,
        "low_pass": of.low_pass,
        "stretches": [[round(first / RATE, 3), round(last / RATE, 3)] for first, last in parts],
        "summary": summary(events, counts, staged, within),
        "events": [_event(event, sigma) for event in events],
    }


def _second(detector: Detector, values: NDArray[np.float32], counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    slow = resampled(values[None], RATE, _SECOND_RATE)[0].astype(np.float64)
    known = np.flatnonzero(np.isfinite(slow))
    whole = np.interp(np.arange(len(slow)), known, slow[known])  # straight lines over gaps, which are not sought in
    at = (np.arange(len(slow)) * RATE / _SECOND_RATE).astype(int).clip(0, len(counts) - 1)
    return detector.detect(whole, _SECOND_RATE, counts[at])


def _event(event: Event, sigma: Sigma) -> dict[str, Json]:
    start, stop = event.span
    return {
        "start": round(start, 3),
        "end": round(stop, 3),
        "stage": event.stage,
        **sigma.measures((start, stop)),
        "probability": round(event.network[2], 4) if event.network else None,
        "network": [round(part, 3) for part in event.network[:2]] if event.network else None,
        "second": [round(part, 3) for part in event.second] if event.second else None,
    }


def _minutes(staged: Staged) -> dict[str, Json]:
    found: dict[str, float] = {}
    for start, stop, stage in staged.spans:
        found[stage] = found.get(stage, 0.0) + (stop - start) / 60
    return {stage: round(minutes, 1) for stage, minutes in sorted(found.items())}


def spindle_rows(prediction: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Every event, a row each; seconds, Hz, microvolts."""
    return [
        {
            "channel": channel["name"],
            "start_s": event["start"],
            "duration_s": round(event["end"] - event["start"], 3),
            "stage": event["stage"],
            "frequency_hz": event["frequency"],
            "amplitude_uv": event["amplitude"],
            "probability": event["probability"],
            "openspindlenet": int(event["network"] is not None),
            "yasa": int(event["second"] is not None),
        }
        for channel in prediction["channels"]
        for event in channel["events"]
    ]


def density_rows(prediction: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Densities a minute with their 95% intervals, and agreement, a row for each channel and stage."""
    rows = []
    for channel in prediction["channels"]:
        for part in channel["summary"]:
            row = {"channel": channel["name"], "stages": "+".join(part["stages"]), "minutes": part["minutes"]}
            for name, title in (("network", "openspindlenet"), ("second", "yasa"), ("both", "both")):
                density = part["density"][name] or {"value": None, "low": None, "high": None}
                row |= {f"{title}_per_min": density["value"], f"{title}_low_95": density["low"], f"{title}_high_95": density["high"]}
            f1 = part["agreement"]["f1"] or {"value": None}
            rows.append({**row, "f1": f1["value"], "kappa": part["agreement"]["kappa"]})
    return rows
