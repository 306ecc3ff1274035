"""Writes a kept recording as EDF+ or BDF+: the amplifier's own numbers, marks at their true time, and nobody's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from backend.eeg import store
from backend.eeg.recording import Channel
from backend.eeg.signal import Signal
from backend.errors import InputError
from backend.storage.recordings import StoredAnnotation

_RECORDS = 64  # written at once


def can_write(signal: Signal) -> bool:
    """Whether the recording can be written without changing a value: it came from EDF or BDF."""
    return signal.meta.record_s > 0 and all(channel.ends for channel in signal.channels)


def write_edf(signal: Signal, marks: Sequence[StoredAnnotation], out: BinaryIO) -> None:
    """Write all of a recording; values and times are those that were read.

    Raises
    ------
    InputError
        When its values are no amplifier's numbers; see `can_write`.
    """
    meta = signal.meta
    if not can_write(signal):
        raise InputError("This recording did not come from EDF or BDF, so that its values would change.", "Take the arrays instead.")
    wide = meta.dtype == "int32"
    starts = [segment.start_s + n * meta.record_s for segment in meta.segments for n in range(round(segment.duration_s / meta.record_s))]
    lists = _lists(starts, marks)
    width = 3 if wide else 2
    note_samples = -(-max(len(one) for one in lists) // width)
    out.write(_header(meta, wide, len(starts), note_samples))
    per_record = {n: round(group.rate * meta.record_s) for n, group in enumerate(meta.groups)}
    place = {channel: (n, row) for n, group in enumerate(meta.groups) for row, channel in enumerate(group.channels)}
    values = [store.open_group(signal.folder, meta, n) for n in range(len(meta.groups))]
    for first in range(0, len(starts), _RECORDS):
        count = min(_RECORDS, len(starts) - first)
        parts = []
        for channel in range(len(meta.channels)):
            group, row = place[channel]
            step = per_record[group]
            piece = np.ascontiguousarray(values[group][row, first * step : (first + count) * step])
            raw = piece.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3] if wide else piece.astype("<i2").view(np.uint8)
            parts.append(raw.reshape(count, step * width))
        notes = b"".join(one.ljust(note_samples * width, b"\0") for one in lists[first : first + count])
        parts.append(np.frombuffer(notes, np.uint8).reshape(count, note_samples * width))
        out.write(np.concatenate(parts, axis=1).tobytes())


def _lists(starts: list[float], marks: Sequence[StoredAnnotation]) -> list[bytes]:
    """For every record its own time and the marks that begin in it."""
    lists = [f"+{start:.6f}".rstrip("0").rstrip(".").encode() + b"\x14\x14\0" for start in starts]
    begins = np.array(starts)
    for mark in marks:
        at = max(int(np.searchsorted(begins, mark.onset_s + 1e-9, side="right")) - 1, 0)
        onset = f"+{mark.onset_s:.6f}".rstrip("0").rstrip(".")
        length = f"\x15{mark.duration_s:.6f}".rstrip("0").rstrip(".") if mark.duration_s else ""
        lists[at] += f"{onset}{length}\x14{mark.label}\x14\0".encode()
    return lists


def _header(meta: store.Meta, wide: bool, records: int, note_samples: int) -> bytes:
    signals = len(meta.channels) + 1
    name = "BDF" if wide else "EDF"
    first = b"\xffBIOSEMI" if wide else b"0".ljust(8)
    clock = meta.clock.replace(":", ".") or "00.00.00"
    kind = f"{name}+{'D' if len(meta.segments) > 1 else 'C'}"
    fixed = [("X X X X", 80), ("Startdate X X X X", 80), ("01.01.85", 8), (clock, 8), (256 * (signals + 1), 8), (kind, 44), (records, 8),
             (_short(meta.record_s), 8), (signals, 4)]  # fmt: skip
    low, high = (-8388608, 8388607) if wide else (-32768, 32767)
    rows = [_row(channel, round(channel.rate * meta.record_s)) for channel in meta.channels]
    rows.append((f"{name} Annotations", "", "", "-1", "1", str(low), str(high), "", str(note_samples), ""))
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    table = b"".join(_field(row[column], width) for column, width in enumerate(widths) for row in rows)
    return first + b"".join(_field(value, width) for value, width in fixed) + table


def _row(channel: Channel, count: int) -> tuple[str, ...]:
    below, above, low, high = channel.ends or (0.0, 0.0, 0.0, 0.0)
    filters = [
        f"{name}:{_short(value)}Hz"
        for name, value in (("HP", channel.high_pass), ("LP", channel.low_pass), ("N", channel.notch))
        if value is not None
    ]
    unit = channel.unit.replace("°C", "degC")
    return (channel.name, "", unit, _short(below), _short(above), str(int(low)), str(int(high)), " ".join(filters), str(count), "")


def _short(value: float) -> str:
    """A number in at most eight characters, as exactly as these allow."""
    if value == int(value) and len(str(int(value))) <= 8:
        return str(int(value))
    return next(text for digits in range(8, -1, -1) if len(text := f"{value:.{digits}g}") <= 8)


def _field(value: object, width: int) -> bytes:
    return str(value).encode("latin-1", "replace")[:width].ljust(width)
