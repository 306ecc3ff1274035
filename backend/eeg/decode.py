"""The task eeg.decode: a patient's calibration applied to another recording, after a look whether it still fits."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.eeg.calibrate import cut_as, names, safe_cell
from backend.eeg.decoding.candidates import material_of
from backend.eeg.decoding.drift import check_comparable, drift
from backend.eeg.decoding.judge import measured, tempered
from backend.eeg.decoding.kept import Kept, open_kept
from backend.eeg.decoding.protocol import predict_new
from backend.eeg.decoding.trials import Cut, cut_events, labels_of
from backend.eeg.inputs import effective_channels, is_bad, read_recording
from backend.errors import InputError
from backend.models.families.eeg_decoders import card_name
from backend.tasks import Context, task

SETTINGS: dict[str, Json] = {
    "calibration": "",  # its id; '' takes the patient's newest that is not refused
    "events": [],  # labels of the events to decode; the calibration's own classes unless named
    "recentre": True,  # on this recording's unlabelled trials
    "seed": 0,
}
CLEAR, LIKELY = 0.8, 0.6  # calibrated probability from which a trial counts as clear, as likely


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A recording, and a calibration of the same patient that may be used."""
    found = read_recording(context, value)
    chosen = str(settings["calibration"] or value.get("calibration") or "")
    mine = context.storage.calibrations.list(patient=str(found["patient"]))
    if not chosen:
        fitting = [one for one in mine if one.data["verdict"] != "undecodable"]
        if not fitting:
            raise InputError(
                "There is no calibration of this patient that could be applied."
                + (" Those that were made say that the trials cannot be decoded." if mine else ""),
                "Calibrate a decoder on labelled trials first.",
            )
        chosen = fitting[0].id
    about = context.storage.calibrations.get(chosen)
    if about.patient != found["patient"]:
        raise InputError("This calibration is another patient's.", "A decoder is fitted to one person: choose one of this patient.")
    if about.data["verdict"] == "undecodable":
        raise InputError(
            f"The calibration '{about.name}' says that this patient's trials cannot be decoded.",
            "What it would answer is no better than guessing. Calibrate on other events or further recordings.",
        )
    return {**found, "calibration": about.id}


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """What made one trial, counted from 0, be decoded as it was."""
    from backend.eeg.decoding.explain import explain_decoder

    kept = open_kept(context, str(prediction["calibration"]["id"]))
    decoder = kept.decoder
    trials = _cut(context, str(prediction["recording"]), kept, settings).trials
    known = cut_as(context, list(kept.about.recordings), kept.about.data["settings"], list(decoder.names), decoder.rate).trials
    target = target or {"trial": 0}
    seed = int(settings["seed"])
    return explain_decoder(decoder, trials, target, context.progress, seed, background=known, temperature=kept.temperature)


def trials_csv(prediction: Mapping[str, Json]) -> str:
    """Every trial: onset, what was decoded, how sure, probabilities, what it was where known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = prediction["classes"]
    writer.writerow(["trial", "onset_s", "decoded", "confidence", "certainty", *(f"p_{name}" for name in classes), "annotated"])
    for n, trial in enumerate(prediction["trials"]):
        shares = [f"{share:.4f}" for share in trial["probabilities"]]
        row = [n, f"{trial['onset_s']:.3f}", safe_cell(trial["decoded"]), f"{trial['confidence']:.4f}", trial["certainty"]]
        writer.writerow([*row, *shares, safe_cell(trial["annotated"])])
    return text.getvalue()


@task(
    "eeg.decode",
    title="Decode",
    modality="eeg",
    models=("eeg_decoders",),
    settings=SETTINGS,
    read=read,
    explain=explain,
    exports={"csv": trials_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Check that the recording is comparable and unchanged, decode each trial, and compare with annotations where there are any."""
    kept, recording = open_kept(context, str(value["calibration"])), str(value["recording"])
    cut = _cut(context, recording, kept, settings)
    trials, decoder = cut.trials, kept.decoder
    context.progress.update(0, None, "Comparing with the calibration")
    found = drift(kept.reference, trials, int(settings["seed"]))
    context.progress.update(0, None, "Decoding")
    material = material_of(decoder, trials.x)
    raw = predict_new(decoder, material, trials.block, bool(settings["recentre"]))
    shares = tempered(np.log(np.clip(raw, 1e-12, 1.0)), kept.temperature)
    known = bool((trials.y >= 0).all()) and len(np.unique(trials.y)) > 1
    rows = [
        {
            "onset_s": round(float(onset), 3),
            "decoded": trials.classes[int(share.argmax())],
            "confidence": round(float(share.max()), 4),
            "certainty": _certainty(float(share.max())),
            "probabilities": [round(float(one), 4) for one in share],
            "annotated": trials.classes[int(y)] if y >= 0 else "",
        }
        for onset, share, y in zip(trials.onset_s, shares, trials.y, strict=True)
    ]
    about = kept.about
    data = {
        "recording": recording,
        "calibration": {
            "id": about.id,
            "name": about.name,
            "candidate": about.data["chosen"],
            "verdict": about.data["verdict"],
            "next_session": about.data["next_session"],
            "made_of_this": recording in about.recordings,
        },
        "classes": list(trials.classes),
        "drift": found,
        "trials": rows,
        "counts": {name: sum(row["decoded"] == name for row in rows) for name in trials.classes},
        "certainties": {word: sum(row["certainty"] == word for row in rows) for word in ("clear", "likely", "open")},
        "measured": measured(trials, shares.argmax(axis=1), int(settings["seed"])) if known else None,
        "recentred": bool(settings["recentre"]),
        "cut": cut.json(),
    }
    data["text"] = _text(data)
    return Prediction(data, card_name(str(about.data["chosen"])), _warnings(data, cut))


def _cut(context: Context, recording: str, kept: Kept, settings: Mapping[str, Json]) -> Cut:
    """The trials of a recording, as the calibration's were cut."""
    decoder, spec = kept.decoder, kept.about.data
    title = context.storage.recordings.get(recording).name
    here = {channel.name: channel for channel in effective_channels(context, recording)}
    check_comparable(decoder.names, list(here), title)
    slow = [channel.rate for channel in here.values() if channel.name in decoder.names and channel.rate < decoder.rate * 0.999]
    if slow:
        raise InputError(
            f"Not comparable: '{title}' was recorded at {min(slow):g} Hz, the calibration at {decoder.rate:g} Hz.",
            "Record at the calibration's rate or above, or calibrate again with both recordings.",
        )
    first = kept.about.recordings[0]
    known = context.storage.recordings.has(first)
    before = {channel.name: channel for channel in effective_channels(context, first)} if known else {}
    moved = [name for name in decoder.names if name in before and _apart(before[name].reference, here[name].reference)]
    if moved:
        name = moved[0]
        raise InputError(
            f"Not comparable: {name} is measured against {here[name].reference} in '{title}' and against {before[name].reference} in the "
            "calibration.",
            "Correct the reference in the channel map, or use a recording of the same montage.",
        )
    wanted = names(settings["events"]) or list(decoder.classes)
    classes = {label.casefold(): n for n, label in enumerate(decoder.classes)}
    asked = {label.casefold() for label in wanted}
    marks = [
        mark for mark in context.storage.recordings.annotations(recording) if mark.label.casefold() in asked and not is_bad(mark.label)
    ]
    if not marks:
        told = ", ".join(f"{label} ({count})" for label, count in list(labels_of(context, [recording]).items())[:20]) or "none"
        raise InputError(f"'{title}' has no event called {' or '.join(wanted)}.", f"Name the events to decode. Labels are: {told}.")
    events = [(mark.onset_s, classes.get(mark.label.casefold(), -1)) for mark in marks]
    window = (float(spec["start_s"]), float(spec["start_s"]) + int(spec["samples"]) / decoder.rate)
    return cut_events(context, [recording], [events], decoder.classes, window, names=decoder.names, rate=decoder.rate)


def _apart(one: str, two: str) -> bool:
    return bool(one and two and one != two)


def _certainty(share: float) -> str:
    return "clear" if share >= CLEAR else "likely" if share >= LIKELY else "open"


def _text(data: Mapping[str, Any]) -> list[str]:
    expected, found = data["calibration"]["next_session"], data["measured"]
    counts = ", ".join(f"{count} as {name}" for name, count in data["counts"].items())
    lines = [
        data["drift"]["sentence"],
        f"{len(data['trials'])} trials were decoded: {counts}. Clear {data['certainties']['clear']}, likely "
        f"{data['certainties']['likely']}, open {data['certainties']['open']}.",
        f"The calibration expects {expected['value']:.0%} right in a next session (95% interval {expected['low']:.0%} to "
        f"{expected['high']:.0%}).",
    ]
    if found:
        figure = found["balanced_accuracy"]
        lines.append(
            f"The annotations say what the trials were: {figure['value']:.0%} are right, each class counting the same (95% interval "
            f"{figure['low']:.0%} to {figure['high']:.0%}, p = {found['p']:.2g}, n = {found['n']})."
        )
    return lines


def _warnings(data: Mapping[str, Any], cut: Cut) -> tuple[str, ...]:
    found = list(cut.notes)
    if data["calibration"]["made_of_this"]:
        found.append("The calibration was made with this recording: what is right here says nothing of a new one.")
    if data["drift"]["state"] == "changed":
        found.append(data["drift"]["sentence"])
    if data["calibration"]["verdict"] == "uncertain":
        found.append("The calibration is uncertain: do not rely on single trials.")
    if data["recentred"] and max(data["counts"].values()) > 0.85 * len(data["trials"]):
        found.append("Almost all trials were decoded as one class. Recentring assumes that classes come about equally often.")
    if cut.left_out:
        found.append(f"{sum(cut.left_out.values())} events could not be decoded: {'; '.join(cut.left_out)}.")
    return tuple(found)
