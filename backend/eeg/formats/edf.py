"""EDF, EDF+, BDF and BDF+ as a source: channels with their gains, and digital values exactly as they are stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import numpy as np

from backend.eeg.describing import Draft, describe
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.formats.edf_header import Header, Signal, read_header
from backend.eeg.formats.edf_time import Times, read_times
from backend.eeg.formats.triggers import read_triggers
from backend.eeg.identifiers import identifiers
from backend.eeg.recording import Inspection
from backend.progress import Progress

_CHUNK = 8 * 2**20  # bytes read at once


@dataclass(frozen=True)
class EdfSource:
    """An opened EDF or BDF file."""

    file: BinaryIO
    header: Header
    kept: tuple[Signal, ...]
    inspection: Inspection

    @property
    def dtype(self) -> str:
        return "int32" if self.header.bdf else "int16"

    @property
    def record_s(self) -> float:
        return self.header.record_s

    @cached_property
    def _groups(self) -> dict[float, list[Signal]]:
        groups: dict[float, list[Signal]] = {}
        for signal, channel in zip(self.kept, self.inspection.channels, strict=True):
            groups.setdefault(channel.rate, []).append(signal)
        return groups

    def blocks(self, progress: Progress) -> Iterator[Mapping[float, np.ndarray]]:
        header = self.header
        most = max(1, _CHUNK // header.record_bytes)
        self.file.seek(header.bytes)
        for first in range(0, header.records, most):
            progress.check()
            progress.update(first, header.records, "Reading signals")
            count = min(most, header.records - first)
            data = np.frombuffer(self.file.read(count * header.record_bytes), np.uint8)
            if data.size != count * header.record_bytes:
                raise Refused("unreadable", f"record {first + 1}", "The file became shorter while it was read.", "Copy it again.")
            records = data.reshape(count, header.record_bytes)
            yield {rate: np.stack([self._decode(records, signal) for signal in group]) for rate, group in self._groups.items()}

    def _decode(self, records: np.ndarray, signal: Signal) -> np.ndarray:
        raw = np.ascontiguousarray(records[:, signal.offset : signal.offset + signal.samples * self.header.width])
        if not self.header.bdf:
            return raw.view("<i2").ravel()
        wide = np.zeros((raw.size // 3, 4), np.uint8)
        wide[:, 1:] = raw.reshape(-1, 3)
        values: np.ndarray = wide.view("<i4").ravel() >> 8  # the sign comes down with the shift
        return values


def open_edf(file: BinaryIO, size: int, progress: Progress) -> EdfSource:
    """Open an EDF or BDF file.

    Raises
    ------
    Refused
        When nothing of it can be read.
    """
    header = read_header(file, size)
    times = read_times(file, header, progress)
    found: list[Diagnosis] = [*header.diagnoses, *times.diagnoses]
    drafts: list[Draft] = []
    kept: list[Signal] = []
    for signal in header.signals:
        if header.annotations(signal):
            continue
        scale = _scale(signal, found)
        if scale is None:
            continue
        rate = signal.samples / header.record_s
        ends = (signal.physical_min or 0.0, signal.physical_max or 0.0, signal.digital_min or 0.0, signal.digital_max or 0.0)
        drafts.append(Draft(signal.label, signal.unit, rate, *scale, None, ends, *_filters(signal.filters)))
        kept.append(signal)
    if header.bdf:
        times = Times(times.segments, (*times.marks, *read_triggers(file, header, times.segments, found)))
    who = identifiers(header.private)
    inspection = describe(header.format, header.clock, drafts, times.segments, times.marks, found, who)
    return EdfSource(file, header, tuple(kept), inspection)


def _scale(signal: Signal, found: list[Diagnosis]) -> tuple[float, float] | None:
    """Gain and offset of a signal; None when it has none, which is told."""
    low, high, below, above = signal.digital_min, signal.digital_max, signal.physical_min, signal.physical_max
    leave = f"Leave signal {signal.index + 1} out."
    if not signal.samples:
        found.append(Diagnosis("digital-range", signal.place, f"Signal {signal.index + 1} has no samples.", leave))
        return None
    if low is None or high is None or low == high:
        said = "is not given in numbers" if low is None or high is None else f"is empty (from {low:g} to {high:g})"
        text = f"The digital range of signal {signal.index + 1} {said}, so its values stand for nothing."
        found.append(Diagnosis("digital-range", signal.place, text, leave))
        return None
    if below is None or above is None or below == above:
        said = "is not given in numbers" if below is None or above is None else f"is empty (from {below:g} to {above:g})"
        text = f"The physical range of signal {signal.index + 1} {said}, so its values have no unit."
        found.append(Diagnosis("physical-range", signal.place, text, leave))
        return None
    gain = (above - below) / (high - low)
    if gain < 0:
        text = f"The range of signal {signal.index + 1} runs from high to low: its polarity is turned, as the header asks."
        found.append(Diagnosis("inverted", signal.place, text))
    return gain, below - low * gain


def _filters(text: str) -> tuple[float | None, float | None, float | None]:
    """High-pass, low-pass and notch in Hz of a prefiltering field such as 'HP:0.1Hz LP:75Hz N:50Hz'."""

    def number(name: str) -> float | None:
        found = re.search(rf"(?i)(?<![a-z]){name}[:= ]*(\d+(?:[.,]\d+)?)\s*(?:hz)?(?![a-z\d])", text)
        return float(found[1].replace(",", ".")) if found else None

    return number("HP"), number("LP"), number("N(?:otch)?")
