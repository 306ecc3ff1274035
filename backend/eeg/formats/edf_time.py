"""Time in EDF+ files: the annotation lists of every record, the unbroken segments, and marks at their true time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

from backend.eeg.diagnosis import Diagnosis
from backend.eeg.formats.edf_header import Header
from backend.eeg.recording import Mark, Segment
from backend.progress import Progress

_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?")
MOST_MARKS = 200_000


@dataclass
class Times:
    """What the annotation signals say: segments, their records, marks (redacted by the caller), and what is the matter."""

    segments: tuple[Segment, ...]
    marks: tuple[Mark, ...]
    diagnoses: list[Diagnosis] = field(default_factory=list)


def read_times(file: BinaryIO, header: Header, progress: Progress) -> Times:
    """Read the annotation signals of all records; without any, the records follow one another.

    Times count from the beginning of the first record.
    """
    carriers = [signal for signal in header.signals if header.annotations(signal) and signal.samples]
    whole = (Segment(0.0, header.records * header.record_s),)
    if not carriers:
        return Times(whole, ())
    found: list[Diagnosis] = []
    starts: list[float | None] = []
    marks: list[Mark] = []
    bad = 0
    first_bad = ""
    for record in range(header.records):
        if record % 2048 == 0:
            progress.check()
            progress.update(record, header.records, "Reading annotations")
        start: float | None = None
        for n, signal in enumerate(carriers):
            file.seek(header.bytes + record * header.record_bytes + signal.offset)
            data = file.read(signal.samples * header.width)
            lists, faults = parse_lists(data)
            if faults:
                bad += faults
                first_bad = first_bad or f"record {record + 1}"
            if n == 0 and lists and not lists[0][2]:
                start = lists[0][0]
            marks += [Mark(onset, duration, text) for onset, duration, text in lists if text]
        starts.append(start)
    if len(marks) > MOST_MARKS:
        found.append(
            Diagnosis("annotation-unreadable", "file", f"The file has {len(marks):,} annotations; the first {MOST_MARKS:,} are kept.")
        )
        marks = sorted(marks, key=lambda mark: mark.onset_s)[:MOST_MARKS]
    if bad:
        found.append(Diagnosis("annotation-unreadable", first_bad, f"{bad:,} annotations cannot be read and are left out."))
    if starts[0] is None or not header.plus:
        if header.discontinuous:
            text = "The header says that the recording is interrupted, but the records carry no time; they are taken to follow one another."
            found.append(Diagnosis("annotation-unreadable", "record 1", text))
        return Times(whole, _sorted(marks, 0.0), found)
    zero = starts[0]
    segments = _segments([None if start is None else start - zero for start in starts], header, found)
    return Times(segments, _sorted(marks, zero), found)


def parse_lists(data: bytes) -> tuple[list[tuple[float, float, str]], int]:
    """The time-stamped annotations of one record as (onset_s, duration_s, text), and how many could not be read.

    A record's own time has the text ''.
    """
    found: list[tuple[float, float, str]] = []
    faults = 0
    for part in data.split(b"\0"):
        if not part:
            continue
        head, *texts = part.split(b"\x14")
        onset = _ONSET.fullmatch(head)
        if onset is None or not texts:
            faults += 1
            continue
        at, duration = float(onset[1]), float(onset[2] or 0)
        for n, text in enumerate(texts[:-1] or [b""]):
            shown = _utf8(text)
            if shown or n == 0:
                found.append((at, duration, shown))
    return found, faults


def _segments(starts: list[float | None], header: Header, found: list[Diagnosis]) -> tuple[Segment, ...]:
    fastest = max(signal.samples for signal in header.signals if not header.annotations(signal)) / header.record_s
    tolerance = 0.5 / fastest
    segments: list[Segment] = []
    begin, count, behind = 0.0, 0, 0
    first_behind = ""
    for record, start in enumerate(starts):
        expected = begin + count * header.record_s
        if start is None or abs(start - expected) <= tolerance:
            count += 1
        elif start < expected:
            behind += 1
            first_behind = first_behind or f"record {record + 1}"
            count += 1
        else:
            segments.append(Segment(begin, count * header.record_s))
            begin, count = start, 1
    segments.append(Segment(begin, count * header.record_s))
    if behind:
        text = f"{behind:,} records say that they begin before the one before them has ended."
        found.append(Diagnosis("time-overlap", first_behind, text, "Place each of them right after the one before it."))
    if len(segments) > 1:
        lost = segments[-1].stop_s - sum(segment.duration_s for segment in segments)
        first = segments[0].stop_s
        text = f"The recording is interrupted {len(segments) - 1:,} times; {lost:,.1f} s in all were not recorded."
        found.append(Diagnosis("discontinuous", f"second {first:g}", text))
        if not header.discontinuous:
            text = "The header says that the recording is not interrupted, but the records' own times leave gaps; the records are believed."
            found.append(Diagnosis("gaps-undeclared", f"second {first:g}", text))
    return tuple(segments)


def _sorted(marks: list[Mark], zero: float) -> tuple[Mark, ...]:
    moved = (Mark(round(mark.onset_s - zero, 6), mark.duration_s, mark.label, mark.channels) for mark in marks)
    return tuple(sorted(moved, key=lambda mark: mark.onset_s))


def _utf8(text: bytes) -> str:
    try:
        shown = text.decode("utf-8")
    except UnicodeDecodeError:
        shown = text.decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in shown).split())
