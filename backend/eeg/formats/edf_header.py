"""The header of EDF and BDF files, read field by field, and what is the matter with it.

Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7 (EDF); Kemp and Olivan 2003, doi:10.1016/S1388-2457(03)00123-8 (EDF+).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from backend.eeg.diagnosis import Diagnosis, Refused

_FIELDS = (("label", 16), ("transducer", 80), ("unit", 8), ("physical_min", 8), ("physical_max", 8), ("digital_min", 8),
           ("digital_max", 8), ("filters", 80), ("samples", 8), ("reserved", 32))  # fmt: skip
MOST_SIGNALS = 4096


@dataclass(frozen=True)
class Signal:
    """One signal of the header. Ranges are None where the header holds no number."""

    index: int
    label: str
    unit: str
    filters: str
    physical_min: float | None
    physical_max: float | None
    digital_min: float | None
    digital_max: float | None
    samples: int  # in one data record
    offset: int  # bytes from the beginning of a data record

    @property
    def place(self) -> str:
        return f"header, signal {self.index + 1}"


@dataclass(frozen=True)
class Header:
    """A whole header.

    Attributes
    ----------
    bdf, plus, discontinuous : bool
        24-bit samples; EDF+ or BDF+; declared discontinuous.
    clock : str
        Time of day, 'HH:MM:SS', or ''.
    records : int
        Complete data records that the file holds and that are read.
    record_s : float
        Seconds of one.
    private : tuple of str
        The fields that may tell who was recorded; for `identifiers` only, never kept.
    """

    bdf: bool
    plus: bool
    discontinuous: bool
    clock: str
    bytes: int
    records: int
    record_s: float
    record_bytes: int
    signals: tuple[Signal, ...]
    private: tuple[str, ...]
    diagnoses: tuple[Diagnosis, ...]

    @property
    def width(self) -> int:
        """Bytes of one sample."""
        return 3 if self.bdf else 2

    @property
    def format(self) -> str:
        return ("BDF" if self.bdf else "EDF") + (("+D" if self.discontinuous else "+C") if self.plus else "")

    def annotations(self, signal: Signal) -> bool:
        """Whether the signal carries annotations instead of samples."""
        return signal.label == ("BDF Annotations" if self.bdf else "EDF Annotations")


def read_header(file: BinaryIO, size: int) -> Header:
    """Read the header of an EDF or BDF file of `size` bytes.

    Raises
    ------
    Refused
        When the header is cut off or holds no numbers where it must.
    """
    file.seek(0)
    fixed = file.read(256)
    if len(fixed) < 256:
        raise Refused("header-cut", "header", f"The file ends after {len(fixed)} bytes, within its header of at least 512.", _AGAIN)
    found: list[Diagnosis] = []
    bdf = fixed[0] == 0xFF
    reserved = _text(fixed[192:236])
    count = _whole(fixed[252:256])
    if count is None or not 0 <= count <= MOST_SIGNALS:
        raise Refused("header-damaged", "header, bytes 253-256", "The number of signals cannot be read.", _AGAIN)
    if count == 0:
        raise Refused("no-signals", "header, bytes 253-256", "The file holds no signal at all.", "Check that it is the file you meant.")
    table = file.read(256 * count)
    if len(table) < 256 * count:
        text = f"The header should have {256 * (count + 1):,} bytes for {count} signals; the file ends after {256 + len(table):,}."
        raise Refused("header-cut", "header", text, _AGAIN)
    length = _whole(fixed[184:192])
    if length != 256 * (count + 1):
        said = "is unreadable" if length is None else f"is {length:,}"
        text = f"The header's length {said}; with {count} signals it must be {256 * (count + 1):,} bytes."
        found.append(Diagnosis("header-size", "header, bytes 185-192", text, "Read the signals from where they must begin."))
    width = 3 if bdf else 2
    signals, record_bytes = _signals(table, count, width)
    kinds = {signal.label in ("EDF Annotations", "BDF Annotations") for signal in signals}
    plus = reserved[:5] in ("EDF+C", "EDF+D", "BDF+C", "BDF+D")
    if not plus and True in kinds:
        plus = True
        found.append(
            Diagnosis("plus-undeclared", "header, bytes 193-236", "An annotation signal is there although the header does not say EDF+.")
        )
    record_s = _number(fixed[244:252])
    if kinds == {True}:
        text = "The file holds annotations only, no signals: a hypnogram or a list of events that belongs to another recording."
        raise Refused("annotations-only", "file", text, "Import the recording that it belongs to.")
    if record_s is None or not 1e-6 <= record_s <= 1e6:
        raise Refused(
            "record-duration", "header, bytes 245-252", "The duration of a data record is no number of seconds that could be.", _AGAIN
        )
    records = _records(_whole(fixed[236:244]), size - 256 * (count + 1), record_bytes, record_s, found)
    transducers = tuple(_text(table[16 * count + 80 * n : 16 * count + 80 * (n + 1)]) for n in range(count))
    # the transducer column names electrodes, and in some hospitals people
    private = (_text(fixed[8:88]), _text(fixed[88:168]), fixed[168:176].decode("latin-1"), *_people(transducers))
    return Header(
        bdf, plus, reserved[:5] in ("EDF+D", "BDF+D"), _clock(fixed[176:184]), 256 * (count + 1),
        records, record_s, record_bytes, signals, private, tuple(found),
    )  # fmt: skip


_AGAIN = "Export or copy the recording again from the system that made it."


def _signals(table: bytes, count: int, width: int) -> tuple[tuple[Signal, ...], int]:
    columns: dict[str, list[bytes]] = {}
    at = 0
    for name, size in _FIELDS:
        columns[name] = [table[at + n * size : at + (n + 1) * size] for n in range(count)]
        at += count * size
    signals, offset = [], 0
    for n in range(count):
        samples = _whole(columns["samples"][n])
        if samples is None or samples < 0:
            place = f"header, signal {n + 1}"
            raise Refused("header-damaged", place, f"The number of samples in a record of signal {n + 1} cannot be read.", _AGAIN)
        below, above, low, high = (_number(columns[name][n]) for name in ("physical_min", "physical_max", "digital_min", "digital_max"))
        label = " ".join(columns["label"][n].decode("latin-1").replace("\0", " ").split())
        signals.append(Signal(n, label, _text(columns["unit"][n]), _text(columns["filters"][n]), below, above, low, high, samples, offset))
        offset += samples * width
    if offset == 0:
        raise Refused("no-signals", "header", "No signal of the file has any sample.", _AGAIN)
    return tuple(signals), offset


def _records(said: int | None, data: int, record_bytes: int, record_s: float, found: list[Diagnosis]) -> int:
    """The complete records that are there, with what does not agree with the header."""
    there, rest = divmod(max(data, 0), record_bytes)
    readable = f"{there:,} complete records, {_minutes(there * record_s)},"
    if said is None or said < 0:
        shown = "nothing readable" if said is None else said
        text = f"The header leaves the number of records open (it says {shown}): the recording was not closed."
        found.append(
            Diagnosis("record-count-open", "header, bytes 237-244", text, f"Count them from the file's size: {readable} are there.")
        )
        wanted = there
    elif said > there:
        text = (
            f"The file is cut short: {readable} of the {said:,} records ({_minutes(said * record_s)}) that the header promises can be read."
        )
        found.append(Diagnosis("truncated", f"record {there + 1}", text, f"Read the {_minutes(there * record_s)} that are there."))
        wanted = there
    elif said < there or rest:
        text = f"The header promises {said:,} records; the file holds {readable} and {rest:,} bytes more."
        found.append(Diagnosis("record-count-wrong", "header, bytes 237-244", text, f"Read all {there:,} complete records."))
        wanted = there
    else:
        wanted = said
    if wanted == 0:
        raise Refused("zero-length", "file", "The file has a header but not one complete data record.", _AGAIN)
    return wanted


def _minutes(seconds: float) -> str:
    return f"{seconds:.4g} s" if seconds < 60 else f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.2f} h"


def _text(field: bytes) -> str:
    return " ".join(field.decode("latin-1").replace("\0", " ").split())


def _number(field: bytes) -> float | None:
    text = _text(field).replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None  # neither infinity, nor what would become one


def _whole(field: bytes) -> int | None:
    value = _number(field)
    return int(value) if value is not None and value == int(value) else None


def _clock(field: bytes) -> str:
    found = re.fullmatch(r"(\d\d)[.:](\d\d)[.:](\d\d)", _text(field))
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3]) > 59:
        return ""
    return ":".join(found.groups())


def _people(transducers: tuple[str, ...]) -> tuple[str, ...]:
    """Transducer texts without the words that describe electrodes."""
    plain = r"(?i)\b(?:ag(?:-?agcl)?|agcl|cup|gold|silver|electrodes?|active|pin|type|triggers?|and|status|thermistor|sensor|ear|finger)\b"
    return tuple(re.sub(plain, " ", text) for text in dict.fromkeys(transducers))
