"""The task `eeg.evoked`: the mean signal after an event, trial by trial accounted for, and whether two kinds of event differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.eeg.baseline.measured import quantile
from backend.eeg.csv_text import to_csv
from backend.eeg.inputs import is_bad, is_simulated, read_recording
from backend.eeg.prepared import Prepared, prepare
from backend.eeg.spectra.clusters import compare
from backend.eeg.welch import COMMON, averaged, map_refused
from backend.errors import InputError
from backend.tasks import Context, task

Floats = NDArray[np.floating]

MODEL = "evoked-average"
FEWEST = 5  # trials of which a mean is told
MOST_TRIALS = 5_000
_MOST_RATE = 256.0
_MOST_VALUES = 150_000_000


@dataclass(frozen=True)
class Trials:
    """Stretches around one kind of event.

    Attributes
    ----------
    values : ndarray, shape (trials, channels, samples)
        Microvolts after the baseline was taken off.
    onsets : tuple of float
        Seconds from the recording's beginning.
    rejected : tuple of dict
        ``onset_s``, ``reason`` (edge, gap or bad segment, amplitude), ``channel`` ('' where it is not one channel's).
    """

    values: Floats
    onsets: tuple[float, ...]
    rejected: tuple[dict[str, Json], ...]


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The recording, and settings that make sense."""
    given = read_recording(context, value)
    found = labels(context, str(given["recording"]))
    for key in ("label", "compare"):
        if settings[key] and settings[key] not in found:
            told = ", ".join(list(found)[:20]) or "none"
            raise InputError(f"The recording has no event '{settings[key]}'.", f"Its events are: {told}.")
    if not settings["label"]:
        raise InputError("No event was chosen.", f"Choose one of: {', '.join(list(found)[:20])}." if found else "Add events first.")
    if settings["label"] == settings["compare"]:
        raise InputError("An event cannot be compared with itself.", "Choose another one, or none.")
    try:
        before, after, low, high = (float(settings[key]) for key in ("before_s", "after_s", "baseline_from_s", "baseline_to_s"))
    except (TypeError, ValueError) as error:
        raise InputError("The times around the event are numbers, in seconds.", "Give them as such, or leave them out.") from error
    if not (0 <= before <= 5 and 0.05 <= after <= 10):
        raise InputError(f"From {before:g} s before to {after:g} s after the event is out of range.", "Take up to 5 s before, 10 s after.")
    if not -before <= low < high <= after:
        raise InputError(f"The baseline from {low:g} to {high:g} s does not lie inside the trial.", "Take one before the event.")
    if not isinstance(settings["permutations"], int) or not 100 <= settings["permutations"] <= 10_000:
        raise InputError("Between 100 and 10,000 permutations can be made.", "1,000 are usual.")
    return given


def labels(context: Context, recording: str) -> dict[str, int]:
    """The labels of a recording's events with their counts, the most frequent first; bad segments and sleep stages are none."""
    from backend.eeg.sleep.staged import stage_of

    found: dict[str, int] = {}
    for mark in context.storage.recordings.annotations(recording):
        if not is_bad(mark.label) and not stage_of(mark.label):
            found[mark.label] = found.get(mark.label, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(evoked_rows(prediction))


@task(
    "eeg.evoked",
    title="Evoked response",
    modality="eeg",
    models=(MODEL,),
    settings={
        "label": "",
        "compare": "",
        "channels": [],
        "before_s": 0.2,
        "after_s": 0.8,
        "baseline_from_s": -0.2,
        "baseline_to_s": 0.0,
        "high_pass": 0.1,
        "low_pass": 30.0,
        "reject_uv": 150.0,
        "reference": "recorded",
        "clean": True,
        "permutations": 1000,
    },
    read=read,
    exports={"csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Mean and 95% interval of each channel after the event; a second event is compared by a cluster permutation test.

    Raises
    ------
    InputError
        When fewer than five trials of a kind are left.
    """
    recording = str(value["recording"])
    prepared = _signals(context, recording, settings)
    values: Floats = prepared.values.astype(np.float64)
    if settings["reference"] == "average":
        values = averaged(values, prepared.kinds, prepared.references)
    marks = context.storage.recordings.annotations(recording)
    conditions: list[dict[str, Json]] = []
    trials: list[Trials] = []
    for label in filter(None, (settings["label"], settings["compare"])):
        context.progress.check()
        made = cut(values, prepared, [mark.onset_s for mark in marks if mark.label == label], settings)
        if len(made.onsets) < FEWEST:
            raise InputError(
                f"Of {len(made.onsets) + len(made.rejected):,} events '{label}' only {len(made.onsets):,} can be used; {FEWEST} are "
                f"needed. {_lost(made.rejected)}",
                "Raise the amplitude limit, mark bad channels, or choose fewer channels.",
            )
        trials.append(made)
        conditions.append(_condition(str(label), made))
    times = _times(settings, prepared.rate)
    data: dict[str, Json] = {
        "recording": recording,
        "simulated": is_simulated(context, recording),
        "rate": prepared.rate,
        "times": np.round(times, 5).tolist(),
        "channels": [
            {"name": name, "electrode": electrode, "reference": reference}
            for name, electrode, reference in zip(prepared.names, prepared.electrodes, prepared.references, strict=True)
        ],
        "conditions": conditions,
        "settings": {key: settings[key] for key in ("baseline_from_s", "baseline_to_s", "high_pass", "low_pass", "reject_uv", "reference")},
        "comparison": None,
        "notes": list(prepared.notes),
    }
    if len(trials) == 2:
        context.progress.update(0, None, "Comparing the two events")
        one, two = (made.values for made in trials)
        data["comparison"] = compare(one, two, times, prepared.names, prepared.electrodes, int(settings["permutations"]), context.progress)
    data["map"] = map_refused(data["channels"], str(settings["reference"]))
    data["text"] = _text(data)
    return Prediction(data, MODEL, tuple(_warnings(data)))


def cut(values: Floats, prepared: Prepared, onsets: Sequence[float], settings: Mapping[str, Json]) -> Trials:
    """The trials of one event, and those that cannot be used with the reason.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Of the whole of `prepared`.
    """
    rate = prepared.rate
    before, after = round(float(settings["before_s"]) * rate), round(float(settings["after_s"]) * rate)
    times = _times(settings, rate)
    base = (times >= float(settings["baseline_from_s"]) - 1e-9) & (times <= float(settings["baseline_to_s"]) + 1e-9)
    eeg = [n for n, kind in enumerate(prepared.kinds) if kind == "eeg"]
    kept, where = [], []
    rejected: list[dict[str, Json]] = []
    for onset in sorted(onsets)[:MOST_TRIALS]:
        at = round((onset - prepared.start_s) * rate)
        if at - before < 0 or at + after + 1 > values.shape[1]:
            rejected.append({"onset_s": round(onset, 3), "reason": "edge of the recording", "channel": ""})
            continue
        part = values[:, at - before : at + after + 1]
        if not np.isfinite(part).all():
            rejected.append({"onset_s": round(onset, 3), "reason": "gap or bad segment", "channel": ""})
            continue
        swing = np.ptp(part, axis=1)
        worst = eeg[int(swing[eeg].argmax())] if eeg else 0
        if settings["reject_uv"] and eeg and swing[worst] > float(settings["reject_uv"]):
            rejected.append({"onset_s": round(onset, 3), "reason": "amplitude", "channel": prepared.names[worst]})
            continue
        kept.append(part - part[:, base].mean(axis=1, keepdims=True))
        where.append(float(onset))
    stacked = np.stack(kept) if kept else np.empty((0, len(values), before + after + 1))
    return Trials(stacked, tuple(where), tuple(rejected))


def _signals(context: Context, recording: str, settings: Mapping[str, Json]) -> Prepared:
    from backend.eeg.inputs import effective_channels

    names = [str(name) for name in settings["channels"] or ()] or None
    channels = [one for one in effective_channels(context, recording) if (one.name in names if names else one.kind == "eeg")]
    rate = min(max((one.rate for one in channels), default=_MOST_RATE), _MOST_RATE)
    found = context.storage.recordings.get(recording)
    if found.duration_s * rate * max(len(channels), 1) > _MOST_VALUES:
        raise InputError("All channels of this recording are too much at once.", "Choose fewer channels.")
    low = float(settings["low_pass"]) if settings["low_pass"] else None
    return prepare(
        context,
        recording,
        names=names,
        rate=rate,
        high_pass=float(settings["high_pass"]) if settings["high_pass"] else None,
        low_pass=low if low is None or low < rate / 2 else None,
        bad_segments="nan",
        clean=bool(settings["clean"]),
    )


def _times(settings: Mapping[str, Json], rate: float) -> Floats:
    before, after = round(float(settings["before_s"]) * rate), round(float(settings["after_s"]) * rate)
    return np.arange(-before, after + 1) / rate


def _condition(label: str, made: Trials) -> dict[str, Json]:
    count = len(made.onsets)
    mean = made.values.mean(axis=0)
    half = quantile(count - 1) * made.values.std(axis=0, ddof=1) / count**0.5
    reasons: dict[str, int] = {}
    for lost in made.rejected:
        reasons[str(lost["reason"])] = reasons.get(str(lost["reason"]), 0) + 1
    return {
        "label": label,
        "trials": count,
        "rejected": len(made.rejected),
        "reasons": reasons,
        "left_out": list(made.rejected)[:500],
        "mean": np.round(mean, 3).tolist(),
        "half": np.round(half, 3).tolist(),
    }


def peak(condition: Mapping[str, Json], times: Sequence[float], channel: int, low: float = 0.05) -> tuple[float, float]:
    """Time and value of a channel's largest swing after the event, seconds and microvolts."""
    mean, axis = np.array(condition["mean"][channel]), np.array(times)
    after = np.flatnonzero(axis >= low)
    at = int(after[np.abs(mean[after]).argmax()])
    return float(axis[at]), float(mean[at])


def evoked_rows(prediction: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Means with their 95% intervals, a row for each event, channel and time; microvolts."""
    return [
        {
            "event": condition["label"],
            "trials": condition["trials"],
            "channel": channel["name"],
            "time_s": second,
            "mean_uv": mean,
            "low_95": round(mean - half, 3),
            "high_95": round(mean + half, 3),
        }
        for condition in prediction["conditions"]
        for channel, means, halves in zip(prediction["channels"], condition["mean"], condition["half"], strict=True)
        for second, mean, half in zip(prediction["times"], means, halves, strict=True)
    ]


def _lost(rejected: Sequence[Mapping[str, Json]]) -> str:
    amplitude = [str(lost["channel"]) for lost in rejected if lost["reason"] == "amplitude"]
    if not amplitude:
        return ""
    worst = max(sorted(set(amplitude)), key=amplitude.count)
    return f"{len(amplitude):,} were over the amplitude limit, {amplitude.count(worst):,} of them at {worst}."


def _text(data: Mapping[str, Json]) -> list[str]:
    lines = []
    for condition in data["conditions"]:
        means = np.abs(np.array(condition["mean"]))
        after = np.array(data["times"]) >= 0.05
        strongest = int(means[:, after].max(axis=1).argmax())
        second, height = peak(condition, data["times"], strongest)
        lines.append(
            f"{condition['label']}: mean of {condition['trials']:,} trials ({condition['rejected']:,} left out); largest at "
            f"{data['channels'][strongest]['name']}, {height:+.1f} µV {1000 * second:.0f} ms after the event."
        )
    if data["comparison"]:
        lines.append(str(data["comparison"]["words"]))
    return lines


def _warnings(data: Mapping[str, Json]) -> list[str]:
    found = list(data["notes"])
    for condition in data["conditions"]:
        if condition["rejected"]:
            told = ", ".join(f"{count:,} for {reason}" for reason, count in condition["reasons"].items())
            found.append(
                f"{condition['label']}: {condition['rejected']:,} trials were left out: {told}. {_lost(condition['left_out'])}".strip()
            )
        if condition["trials"] < 20:
            found.append(f"{condition['label']}: {condition['trials']} trials are few; the mean still carries much of the background.")
    if any(channel["reference"] not in COMMON for channel in data["channels"]):
        found.append("Some channels are bipolar; their amplitudes are differences of two places.")
    return found
