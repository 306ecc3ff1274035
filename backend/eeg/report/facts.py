"""What is said of a recording as such: how it was made, and what was altered, repaired or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.eeg.inputs import bad_channels, effective_channels, is_bad
from backend.eeg.report.parts import Block, Facts, Lines
from backend.eeg.signal import open_recording
from backend.tasks import Context

_KINDS = {"eeg": "EEG", "eog": "EOG", "ecg": "ECG", "emg": "EMG", "spo2": "SpO2", "resp": "respiration"}


def recording_facts(context: Context, recording: str) -> list[Block]:
    """Length, format, rate, reference, filters and channels, with the person's corrections."""
    found = context.storage.recordings.get(recording)
    channels = effective_channels(context, recording)
    kinds: dict[str, list[str]] = {}
    for channel in channels:
        kinds.setdefault(channel.kind, []).append(channel.name)
    rates = ", ".join(f"{rate:g} Hz" for rate in sorted({channel.rate for channel in channels}))
    clock = clock_of(context, recording)
    rows = [
        ("Beginning", clock or "time of day not recorded"),
        ("Duration", length(found.duration_s)),
        ("Format", found.format),
        ("Sampling rate", rates),
        ("Reference", _references(channels)),
        ("Filters of the amplifier", _filters(channels)),
        *((f"{_KINDS.get(kind, kind)} channels ({len(names)})", ", ".join(names)) for kind, names in kinds.items()),
    ]
    return [Facts(tuple(rows))]


def altered_facts(context: Context, recording: str) -> list[Block]:
    """Everything between the file and the numbers: repairs, gaps, bad channels and stretches, corrections, cleaning."""
    found = context.storage.recordings.get(recording)
    lines = [f"{one['sentence']} {one.get('repair') or ''}".strip() for one in found.diagnoses]
    repaired = [one for one in found.diagnoses if one.get("level") == "repair"]
    facts = context.storage.recordings.facts(recording)
    bad = bad_channels(context, recording)
    stretches = [mark for mark in context.storage.recordings.annotations(recording) if is_bad(mark.label)]
    gaps = sum(stop - start for start, stop in found.gaps)
    seconds = sum(mark.duration_s for mark in stretches)
    changed = facts.get("channel_map") or {}
    cleaning = facts.get("cleaning") or {}
    rows = (
        ("Names and dates in the file", "not kept at import"),
        ("Repairs agreed to", ", ".join(str(one["word"]) for one in repaired) or "none"),
        ("Gaps", f"{len(found.gaps)}, together {length(gaps)}" if found.gaps else "none"),
        ("Channels called bad", ", ".join(bad) or "none"),
        ("Stretches called bad", f"{len(stretches)}, together {length(seconds)}" if stretches else "none"),
        ("Channels corrected by hand", ", ".join(_correction(name, said) for name, said in changed.items()) or "none"),
        ("Cleaning by components (ICA)", _cleaning(cleaning)),
    )
    blocks: list[Block] = [Facts(rows)]
    if lines:
        blocks.append(Lines(("Found when the file was read in:",), "text"))
        blocks.append(Lines(tuple(lines), "list"))
    return blocks


def _cleaning(cleaning: Mapping[str, Any]) -> str:
    taken = cleaning.get("exclude") or ()
    if not taken:
        return "none"
    if not cleaning.get("on"):
        return f"{len(taken)} components chosen, switched off"
    return f"{len(taken)} components taken out of the results computed since, and of the pages here"


def _correction(name: str, said: Mapping[str, str]) -> str:
    return f"{name} ({', '.join(f'{key} {value}' for key, value in said.items())})"


def _references(channels: Sequence[Any]) -> str:
    eeg = [channel for channel in channels if channel.kind == "eeg"]
    counts: dict[str, int] = {}
    for channel in eeg:
        name = {"": "not named", "Ref": "common, not named", "LE": "linked ears", "Avg": "average"}.get(
            channel.reference, channel.reference
        )
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(name if count == len(eeg) else f"{name} ({count})" for name, count in counts.items()) or "no EEG channel"


def _filters(channels: Sequence[Any]) -> str:
    told = dict.fromkeys(
        ", ".join(
            part
            for part in (
                f"low cut {channel.high_pass:g} Hz" if channel.high_pass else "",
                f"high cut {channel.low_pass:g} Hz" if channel.low_pass else "",
                f"notch {channel.notch:g} Hz" if channel.notch else "",
            )
            if part
        )
        for channel in channels
        if channel.kind == "eeg"
    )
    return "; ".join(one or "not told by the file" for one in told) or "not told by the file"


def clock_of(context: Context, recording: str) -> str:
    """Time of day at the beginning, 'HH:MM:SS'; '' where the file does not say."""
    return open_recording(context.config, recording).meta.clock


def of_day(clock: str, seconds: float) -> str:
    """Time of day that many seconds after `clock`."""
    if not clock:
        return ""
    hours, minutes, left = (int(part) for part in clock.split(":"))
    whole = int(hours * 3600 + minutes * 60 + left + seconds) % 86400
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def length(seconds: float) -> str:
    """A duration: 8 h 02 min, 4 min 30 s."""
    whole = round(seconds)
    hours, minutes, left = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {left:02d} s" if minutes else f"{seconds:.1f} s"


def elapsed(seconds: float) -> str:
    """Seconds as h:mm:ss.t."""
    tenths = round(seconds * 10)
    whole = tenths // 10
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}.{tenths % 10}"
