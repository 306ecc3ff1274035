"""The task `eeg.sleep`: the stages of a night by YASA's classifiers, how sure they are, and what the night amounts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.eeg.inputs import bad_channels, effective_channels, is_bad, is_simulated, read_recording
from backend.eeg.recording import Channel
from backend.eeg.signal import open_recording
from backend.eeg.sleep.channels import Leads, all_bipolar, choose
from backend.eeg.sleep.export import epochs_csv, hypnogram_edf, hypnogram_tsv, statistics_csv
from backend.eeg.sleep.features import EPOCH_S
from backend.eeg.sleep.measure import measure_sleep
from backend.eeg.sleep.signal import NightMeasures, demographics, night_measures
from backend.eeg.sleep.statistics import NAMES, STAGES, UNSCORED, statistics, transitions
from backend.eeg.sleep.why import explain
from backend.errors import InputError
from backend.models.families.yasa_sleep import CLASSES
from backend.tasks import Context, task

MODEL = "yasa-sleep"
SURE = 0.8  # what the publisher calls high confidence
_NAP_S = 3 * 3600
_USUAL_UV = (4.0, 60.0)
_ORDER = [CLASSES.index(stage) for stage in STAGES]


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The recording, and settings that make sense."""
    demographics(settings)
    return read_recording(context, value)


@task(
    "eeg.sleep",
    title="Sleep stages",
    modality="eeg",
    models=(MODEL,),
    settings={"eeg": "", "eog": "", "emg": "", "age": None, "sex": "", "lights_off_s": None, "lights_on_s": None},
    read=read,
    explain=explain,
    exports={"csv": epochs_csv, "statistics.csv": statistics_csv, "tsv": hypnogram_tsv, "edf": hypnogram_edf},
    measure=measure_sleep,
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Stage every 30 s of a recording from its beginning.

    Raises
    ------
    InputError
        When no EEG channel can be used, the recording is shorter than 5 min, or a setting makes no sense.
    """
    recording = str(value["recording"])
    about = demographics(settings)
    channels = effective_channels(context, recording)
    asked = {kind: str(settings.get(kind) or "") for kind in ("eeg", "eog", "emg")}
    leads = choose(channels, bad_channels(context, recording), **asked)
    night = night_measures(context, recording, leads, about)
    with context.runtime.use(MODEL) as classifiers:
        classifier = classifiers.get(eog=leads.eog is not None, emg=leads.emg is not None, demographics=bool(about))
        columns = [night.measures.names.index(name) for name in classifier.features]
        found = classifier.probabilities(night.measures.values[night.measures.scored][:, columns])
    scored = night.measures.scored
    probabilities = np.full((len(scored), len(STAGES)), np.nan)
    probabilities[scored] = found[:, _ORDER]
    codes = np.full(len(scored), UNSCORED)
    codes[scored] = [_ORDER.index(int(place)) for place in found.argmax(axis=1)]
    meta = open_recording(context.config, recording).meta
    off, on = _lights(settings, len(codes))
    flags = _flags(context, recording, night, leads)
    data: dict[str, Json] = {
        **{key: value[key] for key in ("recording", "patient") if key in value},
        "simulated": is_simulated(context, recording),
        "epoch_s": EPOCH_S,
        "clock": meta.clock,
        "duration_s": round(meta.duration_s, 3),
        "channels": {kind: {"name": lead.name, "channels": list(lead.channels), "doubt": lead.doubt} for kind, lead in leads.chosen()},
        "classifier": classifier.name,
        "age_and_sex": bool(about),
        "order": list(STAGES),
        "stages": [None if code == UNSCORED else STAGES[code] for code in codes],
        "probabilities": [None if np.isnan(row[0]) else [round(float(one), 4) for one in row] for row in probabilities],
        "flags": flags,
        "lights": {"off_epoch": off + 1, "on_epoch": on},
        "statistics": statistics(codes[off:on], np.nan_to_num(probabilities[off:on], nan=0.2)),
        "transitions": transitions(codes[off:on]),
        "confidence": _confidence(codes, probabilities),
    }
    data["text"] = _text(data)
    warnings = _warnings(channels, leads, night, data)
    if (context.storage.recordings.fact(recording, "cleaning") or {}).get("on"):
        warnings.append("Staged from the signal as recorded, not as cleaned: the classifier learned from uncleaned signals.")
    return Prediction(data, MODEL, tuple(warnings))


def _lights(settings: Mapping[str, Json], epochs: int) -> tuple[int, int]:
    """The half-open epochs between lights off and lights on."""
    try:
        off = 0.0 if settings.get("lights_off_s") is None else float(settings["lights_off_s"])
        on = float(epochs * EPOCH_S) if settings.get("lights_on_s") is None else float(settings["lights_on_s"])
    except (TypeError, ValueError) as error:
        raise InputError(
            "Lights off and lights on are seconds from the recording's beginning.", "Give numbers, or leave them out."
        ) from error
    first, last = round(off / EPOCH_S), round(on / EPOCH_S)
    if not 0 <= first < last:
        raise InputError("Lights go off before they go on, and not before the recording begins.", "Check the two times.")
    if last > epochs:
        raise InputError(
            f"Lights on at {on / 3600:.2f} h lies behind the recording, which has {epochs * EPOCH_S / 3600:.2f} h.", "Check the two times."
        )
    return first, last


def _flags(context: Context, recording: str, night: NightMeasures, leads: Leads) -> list[dict[str, Json]]:
    """What is odd about single epochs, counted from 1."""
    scored = night.measures.scored
    bad = np.zeros(len(scored), bool)
    used = {name for _, lead in leads.chosen() for name in lead.channels}
    for mark in context.storage.recordings.annotations(recording):
        if is_bad(mark.label) and (not mark.channels or used & set(mark.channels)):
            bad[int(mark.onset_s // EPOCH_S) : int(np.ceil((mark.onset_s + max(mark.duration_s, 1e-3)) / EPOCH_S))] = True
    kinds = {
        "not recorded": ~scored & ~night.measures.flat,
        "flat": night.measures.flat,
        "high amplitude": night.high & scored,
        "marked bad": bad & scored,
    }
    return [{"epoch": int(epoch) + 1, "flag": flag} for flag, there in kinds.items() for epoch in np.flatnonzero(there)]


def _confidence(codes: NDArray[np.integer], probabilities: NDArray[np.floating]) -> dict[str, Json]:
    """Mean probability of the called stage, and the share of epochs at 0.8 or more; over all, and by called stage."""

    def of(rows: NDArray[np.bool_]) -> dict[str, Json] | None:
        if not rows.any():
            return None
        called = probabilities[rows].max(axis=1)
        return {"epochs": int(rows.sum()), "mean": round(float(called.mean()), 3), "sure": round(float((called >= SURE).mean()), 3)}

    return {"all": of(codes != UNSCORED), **{stage: of(codes == place) for place, stage in enumerate(STAGES)}}


def _warnings(channels: Sequence[Channel], leads: Leads, night: NightMeasures, data: Mapping[str, Any]) -> list[str]:
    said: list[str] = []
    if data["simulated"]:
        said.append("This night is simulated: made by a program, not recorded from a person.")
    if data["duration_s"] < _NAP_S:
        said.append(
            f"The recording is {data['duration_s'] / 60:.0f} min long. The classifiers learned from whole nights only, and set measures "
            "against the rest of the night: a nap or a piece of a night is staged less well, by how much is not known."
        )
    elif data["duration_s"] > 16 * 3600:
        said.append("The recording is longer than a night: measures are set against all of it, the day too. Set lights off and lights on.")
    if all_bipolar(channels):
        said.append(
            "All EEG channels are bipolar, one scalp electrode against another. The classifiers learned from a central electrode against "
            "the mastoid; slow waves come out smaller here, and N3 may be missed."
        )
    if leads.eeg.doubt:
        said.append(leads.eeg.doubt)
    said += [lead.doubt for lead in (leads.eog, leads.emg) if lead is not None and lead.doubt]
    if leads.eog is None and leads.emg is None:
        said.append("Staged from a single EEG channel: without eyes and chin, REM sleep is easily taken for N1, and wakefulness for sleep.")
    elif leads.eog is None:
        said.append("Staged without an eye channel: REM sleep and wakefulness are told apart less well.")
    elif leads.emg is None:
        said.append("Staged without a chin channel: REM sleep and wakefulness are told apart less well.")
    if not _USUAL_UV[0] <= night.deviation_uv <= _USUAL_UV[1]:
        said.append(
            f"The EEG's usual deviation is {night.deviation_uv:.1f} uV, and {_USUAL_UV[0]:g} to {_USUAL_UV[1]:g} uV are expected of a "
            "night. The unit or the derivation may be wrong, and stages with it."
        )
    said += leads.notes
    count = {flag: sum(one["flag"] == flag for one in data["flags"]) for flag in ("not recorded", "flat", "high amplitude", "marked bad")}
    if count["not recorded"]:
        said.append(f"{_epochs(count['not recorded'])} touch a gap and are not scored.")
    if count["flat"]:
        said.append(f"{_epochs(count['flat'])} are not scored: a channel is flat there.")
    if count["high amplitude"]:
        said.append(
            f"{_epochs(count['high amplitude'])} hold EEG beyond 300 uV for more than 3 s: as a rule artefacts. Scored, and flagged."
        )
    if count["marked bad"]:
        said.append(f"{_epochs(count['marked bad'])} lie in stretches marked as bad. They are scored and flagged.")
    return said


def _epochs(count: int) -> str:
    return f"{count:,} epoch{'' if count == 1 else 's'}"


def _text(data: Mapping[str, Any]) -> list[str]:
    found = data["statistics"]
    lines = [f"Staged from {', '.join(lead['name'] for lead in data['channels'].values())}."]
    if found["tst"]["value"]:
        stages = ", ".join(f"{NAMES[stage]} {found[f'pct_{stage}']['value']:.0f}%" for stage in STAGES[1:])
        lines.append(f"Total sleep time {found['tst']['value'] / 60:.1f} h, sleep efficiency {found['se']['value']:.0f}%. {stages}.")
    else:
        lines.append("No epoch was called sleep.")
    sure = data["confidence"]["all"]
    lines.append(f"Mean probability of the called stage {sure['mean']:.2f}; {sure['sure']:.0%} of epochs at 0.8 or more.")
    return lines
