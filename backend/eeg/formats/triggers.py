"""The Status signal of BioSemi files: a mark wherever the trigger lines change to a new code."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from backend.eeg.diagnosis import Diagnosis
from backend.eeg.formats.edf_header import Header
from backend.eeg.recording import Mark, Segment

_LINES = 0xFFFF  # the lower 16 of 24 bits are triggers, the rest the amplifier's own state
MOST = 50_000


def read_triggers(file: BinaryIO, header: Header, segments: tuple[Segment, ...], found: list[Diagnosis]) -> list[Mark]:
    """Marks 'trigger N' at every change of the trigger code to a value other than zero."""
    status = next((signal for signal in header.signals if signal.label.casefold() == "status" and signal.samples), None)
    if status is None:
        return []
    rate = status.samples / header.record_s
    marks: list[Mark] = []
    last = -1
    for record, start in enumerate(_starts(header, segments)):
        file.seek(header.bytes + record * header.record_bytes + status.offset)
        raw = np.frombuffer(file.read(status.samples * 3), np.uint8).reshape(-1, 3).astype(np.int64)
        codes = (raw[:, 0] | raw[:, 1] << 8) & _LINES
        before = np.concatenate([[codes[0] if last < 0 else last], codes[:-1]])
        for at in np.flatnonzero((codes != before) & (codes != 0)):
            marks.append(Mark(round(start + float(at) / rate, 6), 0.0, f"trigger {int(codes[at])}"))
        last = int(codes[-1])
        if len(marks) > MOST:
            text = f"The Status signal changes more than {MOST:,} times: it does not carry single triggers, and none is read."
            found.append(Diagnosis("triggers-read", status.place, text))
            return []
    if marks:
        found.append(Diagnosis("triggers-read", status.place, f"{len(marks):,} triggers were read from the Status signal."))
    return marks


def _starts(header: Header, segments: tuple[Segment, ...]) -> list[float]:
    return [segment.start_s + n * header.record_s for segment in segments for n in range(round(segment.duration_s / header.record_s))]
