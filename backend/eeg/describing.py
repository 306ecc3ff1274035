"""From what a reader found to what may be kept: names, kinds and units of channels, marks without identifiers, and the diagnoses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.eeg.channels import Named, amplifier_inputs, may_keep, read_label, unique
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.identifiers import Identifiers
from backend.eeg.recording import ELECTRIC, Channel, Inspection, Kind, Mark, Segment

_MICROVOLTS = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "microv": 1.0, "mv": 1e3, "v": 1e6, "nv": 1e-3}
_UNITS = {"%": "%", "c": "°C", "°c": "°C", "degc": "°C", "bpm": "1/min", "1/min": "1/min", "hz": "Hz", "cmh2o": "cmH2O", "mmhg": "mmHg",
          "l/min": "L/min", "l/s": "L/s", "db": "dB", "g": "g", "m/s^2": "m/s2", "deg": "deg", "ohm": "Ohm", "kohm": "kOhm", "t": "T",
          "t/m": "T/m", "boolean": "", "": ""}  # fmt: skip
_LARGEST_UV = 1e6  # an EEG amplifier's range ends far below one volt
_SMALLEST_UV = 1.0
_LONG_S = 20 * 3600
_JOINED = 12  # names listed in a sentence


@dataclass(frozen=True)
class Draft:
    """A channel as the file tells it; `kind` where the format itself does."""

    label: str
    unit: str
    rate: float
    gain: float = 1.0
    offset: float = 0.0
    kind: Kind | None = None
    ends: tuple[float, float, float, float] | None = None
    high_pass: float | None = None
    low_pass: float | None = None
    notch: float | None = None


def describe(
    format: str,
    clock: str,
    drafts: Sequence[Draft],
    segments: tuple[Segment, ...],
    marks: Sequence[Mark],
    found: Sequence[Diagnosis],
    who: Identifiers,
) -> Inspection:
    """The inspection of a file.

    Parameters
    ----------
    clock : str
        Time of day at the beginning, or ''.
    who : Identifiers
        What the header says of who was recorded; removed from labels and marks.

    Raises
    ------
    Refused
        When no channel is left, or no time.
    """
    diagnoses = list(found)
    if not drafts:
        raise Refused("no-signals", "header", "No signal of the file can be read.", "Export the recording again.")
    duration = segments[-1].stop_s if segments else 0.0
    if duration <= 0:
        raise Refused("zero-length", "file", "The recording has no samples.", "Check that it is the file you meant.")
    channels = _channels(drafts, who, diagnoses)
    kept = _marks(marks, duration, who, diagnoses)
    rates = list(dict.fromkeys(channel.rate for channel in channels))
    if len(rates) > 1:
        told = ", ".join(f"{rate:g} Hz ({sum(channel.rate == rate for channel in channels)})" for rate in rates)
        diagnoses.append(Diagnosis("mixed-rates", "header", f"Channels have different sampling rates, each kept as it is: {told}."))
    if duration >= _LONG_S:
        diagnoses.append(Diagnosis("long", "file", f"The recording covers {duration / 3600:.1f} h; it is read piece by piece."))
    return Inspection(format, duration, clock, channels, segments, kept, tuple(diagnoses))


def _channels(drafts: Sequence[Draft], who: Identifiers, diagnoses: list[Diagnosis]) -> tuple[Channel, ...]:
    counted = amplifier_inputs([draft.label for draft in drafts])
    odd: list[str] = []
    channels: list[Channel] = []
    for n, draft in enumerate(drafts):
        shown = " ".join(draft.label.split())
        keep = bool(shown) and may_keep(shown) and who.redact(shown) == shown
        named = read_label(shown) if keep else Named(f"Ch {n + 1}", None)
        if not keep:
            odd.append(f"Ch {n + 1}")
        if counted and named.name[:1] in "ABDEGH" and named.name[1:].isdigit():
            named = Named(named.name, "eeg")
        channels.append(_channel(draft, named, shown if keep else "", diagnoses, n))
    if odd:
        text = f"{_listed(odd)}: the label in the file is empty or holds more than a channel's name, so it is not kept; they are numbered."
        diagnoses.append(Diagnosis("odd-names", "header", text))
    names = unique([channel.name for channel in channels])
    if twice := [new for new, channel in zip(names, channels, strict=True) if new != channel.name]:
        diagnoses.append(
            Diagnosis("duplicate-names", "header", f"Some names are there more than once; the later ones are {_listed(twice)}.")
        )
    channels = [replace(channel, name=name) for channel, name in zip(channels, names, strict=True)]
    _tell_kinds(channels, diagnoses)
    return tuple(channels)


def _channel(draft: Draft, named: Named, original: str, diagnoses: list[Diagnosis], n: int) -> Channel:
    factor, unit = _unit(draft.unit)
    kind = named.kind or draft.kind or ("eeg" if unit == "uV" or draft.unit == "" else "other")
    place = f"channel {named.name}"
    if kind in ELECTRIC and unit != "uV":
        word = "has no unit" if not draft.unit.strip() else "has a unit that is no voltage"
        text = f"{named.name} {word}; its values are taken as they are, as microvolts."
        diagnoses.append(Diagnosis("unit-unknown", place, text, "Check the scale against a known recording."))
        factor, unit = 1.0, "uV"
    if kind == "eeg" and draft.ends is not None:
        reach = max(abs(value) * factor for value in draft.ends[:2])
        if not _SMALLEST_UV <= reach <= _LARGEST_UV:
            text = f"The range of {named.name} reaches {reach:g} uV; EEG amplifiers reach from some tens to some hundred thousands."
            diagnoses.append(Diagnosis("implausible-range", place, text, "Check the unit in the system that made the file."))
    return Channel(
        name=named.name, original=original, kind=kind, unit=unit, rate=draft.rate, gain=draft.gain * factor, offset=draft.offset * factor,
        electrode=named.electrode, reference=named.reference, high_pass=draft.high_pass, low_pass=draft.low_pass, notch=draft.notch,
        ends=draft.ends and (draft.ends[0] * factor, draft.ends[1] * factor, *draft.ends[2:]),
    )  # fmt: skip


def _unit(text: str) -> tuple[float, str]:
    folded = text.strip().casefold().replace(" ", "")
    if folded in _MICROVOLTS:
        return _MICROVOLTS[folded], "uV"
    return 1.0, _UNITS.get(folded, "")


def _tell_kinds(channels: Sequence[Channel], diagnoses: list[Diagnosis]) -> None:
    others = [f"{channel.name} ({channel.kind})" for channel in channels if channel.kind != "eeg"]
    if others:
        diagnoses.append(Diagnosis("typed-by-name", "header", f"Told apart from EEG by their names: {_listed(others)}."))
    eeg = [channel for channel in channels if channel.kind == "eeg"]
    if not eeg:
        diagnoses.append(Diagnosis("no-eeg", "header", "No channel is EEG by its name.", "Say which are, if some are."))
        return
    lost = [channel.name for channel in eeg if not channel.electrode]
    if lost:
        text = f"{len(lost)} of {len(eeg)} EEG channels are at no known electrode position: {_listed(lost)}."
        diagnoses.append(Diagnosis("montage-missing", "header", text, "Give the positions, or go without bipolar montages and topomaps."))


def _marks(marks: Sequence[Mark], duration: float, who: Identifiers, diagnoses: list[Diagnosis]) -> tuple[Mark, ...]:
    kept: list[Mark] = []
    outside = removed = 0
    for mark in marks:
        label = who.redact(mark.label)
        removed += label != mark.label
        if not -1e-6 <= mark.onset_s <= duration + 1e-6:
            outside += 1
            continue
        onset = min(max(mark.onset_s, 0.0), duration)
        kept.append(replace(mark, label=label, onset_s=onset, duration_s=min(mark.duration_s, duration - onset)))
    if outside:
        text = f"{outside:,} annotations lie before or after the signals and are left out."
        diagnoses.append(Diagnosis("annotation-outside", "annotations", text))
    if removed:
        text = f"{removed:,} annotations held words of the header's patient or recording fields; these words were removed."
        diagnoses.append(Diagnosis("identifiers-removed", "annotations", text))
    free = sum(len(mark.label) > 40 for mark in kept)
    if free:
        text = f"{free:,} annotations are longer notes. They are kept as written."
        diagnoses.append(Diagnosis("annotations-free-text", "annotations", text, "Read them: a name in free text is not recognised."))
    return tuple(sorted(kept, key=lambda mark: mark.onset_s))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _JOINED} more" if len(names) > _JOINED else ""
    return ", ".join(names[:_JOINED]) + more
