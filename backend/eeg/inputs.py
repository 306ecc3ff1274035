"""What a task on recordings is given: ids, checked; and a recording's channels as the person corrected them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from backend.domain import Json
from backend.eeg import store
from backend.eeg.channels import electrode
from backend.eeg.recording import Channel, Kind
from backend.errors import InputError
from backend.storage import Storage
from backend.storage.recordings import Recording
from backend.tasks import Context

BAD_CHANNELS, CHANNEL_MAP, SIMULATED = "bad_channels", "channel_map", "simulated"
_KINDS = get_args(Kind)


def read_recording(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The input of a task on one recording: ``{"recording", "patient", "name", "corrections"}``.

    The name is the recording's and its visit's; a pseudonym stands in no run, so that it can be changed. The corrections are what the
    person had decided about the signal by then, so that a replay can tell whether they are why it differs.

    Raises
    ------
    InputError
        When the recording is not there.
    """
    found = context.storage.recordings.get(_id(value.get("recording")))
    return {"recording": found.id, **_about(context.storage, [found])}


def read_recordings(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The input of a task on some recordings of one patient, in the order of his visits: the same with ``"recordings"``.

    Raises
    ------
    InputError
        When one is not there, none is named, or they belong to different patients.
    """
    wanted = value.get("recordings")
    if not isinstance(wanted, (list, tuple)) or not wanted:
        raise InputError("No recording was chosen.", "Choose one or more recordings of the patient.")
    storage = context.storage
    found = [storage.recordings.get(_id(id)) for id in dict.fromkeys(wanted)]
    patients = {storage.patients.visit(recording.visit).patient for recording in found}
    if len(patients) > 1:
        raise InputError("These recordings belong to different patients.", "Choose recordings of one patient.")
    visits = [visit.id for visit in storage.patients.visits(patients.pop())]
    found.sort(key=lambda recording: (visits.index(recording.visit), recording.created, recording.id))
    return {"recordings": [recording.id for recording in found], **_about(storage, found)}


def effective_channels(context: Context, recording: str) -> tuple[Channel, ...]:
    """The channels of a recording with the person's corrections of kind, electrode and reference; names stay as they are."""
    return corrected(channels_of(context.storage.recordings.get(recording)), context.storage.recordings.fact(recording, CHANNEL_MAP))


def channels_of(recording: Recording) -> tuple[Channel, ...]:
    """The channels as they were read."""
    return tuple(store.channel_of(channel) for channel in recording.channels)


def corrected(channels: Sequence[Channel], map: Mapping[str, Mapping[str, str]] | None) -> tuple[Channel, ...]:
    """The channels with what `map` says of them by name: ``kind``, ``electrode``, ``reference``."""
    return tuple(replace(channel, **_correction((map or {}).get(channel.name, {}))) for channel in channels)


def check_map(channels: Sequence[Channel], map: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """A channel map fit to be kept.

    Raises
    ------
    InputError
        When it names a channel, kind or electrode that is none.
    """
    names = [channel.name for channel in channels]
    for name, said in map.items():
        if name not in names:
            raise InputError(f"The recording has no channel '{name}'.", f"Channels are: {', '.join(names)}.")
        if (kind := said.get("kind")) and kind not in _KINDS:
            raise InputError(f"{name}: '{kind}' is no kind of channel.", f"Kinds are: {', '.join(_KINDS)}.")
        if (place := said.get("electrode")) and not electrode(place):
            raise InputError(f"{name}: '{place}' is no electrode position.", "Write it as in the 10-20 or 10-10 system, such as C3 or FC5.")
    return {name: _correction(said) for name, said in map.items() if said}


def bad_channels(context: Context, recording: str) -> tuple[str, ...]:
    """Names of the channels that the person called bad."""
    return tuple(context.storage.recordings.fact(recording, BAD_CHANNELS) or ())


def set_bad_channels(context: Context, recording: str, names: Sequence[str]) -> None:
    """Call these channels bad, and no others.

    Raises
    ------
    InputError
        When one is not there.
    """
    known = [channel["name"] for channel in context.storage.recordings.get(recording).channels]
    if strange := [name for name in names if name not in known]:
        raise InputError(f"The recording has no channel '{strange[0]}'.", f"Channels are: {', '.join(known)}.")
    chosen = [name for name in known if name in set(names)]
    context.storage.recordings.set_fact(recording, BAD_CHANNELS, chosen or None)


def is_bad(label: str) -> bool:
    """Whether an annotation calls its stretch bad: MNE's convention, a label that begins with 'bad'."""
    return label.strip().casefold().startswith("bad")


def is_simulated(context: Context, recording: str) -> bool:
    """Whether the recording was made by a program and not by a person's brain."""
    return bool(context.storage.recordings.fact(recording, SIMULATED))


def recordings_of(value: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the recordings that a run's input names."""
    named = value.get("recordings")
    found = [*(named if isinstance(named, (list, tuple)) else ()), *([value["recording"]] if value.get("recording") else ())]
    return tuple(dict.fromkeys(str(id) for id in found))


def _id(value: Json) -> str:
    if not isinstance(value, str) or not value:
        raise InputError("No recording was chosen.", "Choose a patient's recording first.")
    return value


def _about(storage: Storage, recordings: Sequence[Recording]) -> dict[str, Json]:
    visits = {recording.visit: storage.patients.visit(recording.visit) for recording in recordings}
    first = recordings[0]
    name = f"{first.name}, {visits[first.visit].label}"
    if len(recordings) > 1:
        name = f"{len(recordings)} recordings, {' and '.join(visit.label for visit in visits.values())}"
    made = {"patient": visits[first.visit].patient, "name": name[:200]}
    return {**made, "corrections": {recording.id: _corrections(storage, recording.id) for recording in recordings}}


def _corrections(storage: Storage, recording: str) -> dict[str, Json]:
    """What a person decided about a recording's signal; which of its annotations call a stretch bad."""
    facts = storage.recordings.facts(recording)
    cleaning = facts.get("cleaning") or {}
    return {
        "bad_channels": facts.get(BAD_CHANNELS) or [],
        "channel_map": facts.get(CHANNEL_MAP) or {},
        "cleaning": {"run": cleaning.get("run"), "exclude": cleaning.get("exclude")} if cleaning.get("on") else {},
        "bad_segments": sum(is_bad(mark.label) for mark in storage.recordings.annotations(recording)),
    }


def _correction(said: Mapping[str, str]) -> dict[str, Any]:
    kept = {key: str(said[key]) for key in ("kind", "electrode", "reference") if said.get(key) is not None}
    if kept.get("electrode"):
        kept["electrode"] = electrode(kept["electrode"])
    return kept
