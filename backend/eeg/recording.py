"""The words of a recording: channels, segments of unbroken time, marks, and the source that a reader makes of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from backend.domain import Json
from backend.eeg.diagnosis import Diagnosis
from backend.progress import Progress

Kind = Literal[
    "eeg", "eog", "ecg", "emg", "resp", "spo2", "pulse", "photic", "trigger", "sound", "position", "temperature", "motion", "meg", "other"
]
ELECTRIC: tuple[Kind, ...] = ("eeg", "eog", "ecg", "emg")  # kept in microvolts
DTYPES = ("int16", "int32", "float32")


@dataclass(frozen=True)
class Channel:
    """One channel. A stored value v stands for ``v * gain + offset`` in `unit`.

    Attributes
    ----------
    name : str
        Unique in the recording; normalised to the 10-20 spelling where it is an electrode.
    original : str
        As the file spells it, unless that could name a person.
    electrode, reference : str
        10-20 or 10-05 position, and what it is measured against; '' where unknown.
    unit : str
        ``uV`` for everything electric; '' where the file does not say.
    rate : float
        Samples a second.
    high_pass, low_pass, notch : float or None
        Filters of the amplifier in Hz, where the file says so.
    ends : tuple or None
        Physical range in `unit` and digital range, where values are an amplifier's own numbers.
    """

    name: str
    original: str
    kind: Kind
    unit: str
    rate: float
    gain: float = 1.0
    offset: float = 0.0
    electrode: str = ""
    reference: str = ""
    high_pass: float | None = None
    low_pass: float | None = None
    notch: float | None = None
    ends: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Segment:
    """Unbroken time: seconds from the beginning of the recording."""

    start_s: float
    duration_s: float

    @property
    def stop_s(self) -> float:
        return self.start_s + self.duration_s


@dataclass(frozen=True)
class Mark:
    """An annotation of the file, seconds from the beginning of the recording."""

    onset_s: float
    duration_s: float
    label: str
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What a file holds, before anything of it is kept. Carries nothing of who was recorded."""

    format: str
    duration_s: float
    clock: str  # time of day at the beginning, 'HH:MM:SS'; '' where unknown. The date is not kept.
    channels: tuple[Channel, ...]
    segments: tuple[Segment, ...]
    marks: tuple[Mark, ...]
    diagnoses: tuple[Diagnosis, ...]

    @property
    def gaps(self) -> tuple[tuple[float, float], ...]:
        """Where nothing was recorded: (start_s, stop_s)."""
        return tuple((one.stop_s, two.start_s) for one, two in zip(self.segments, self.segments[1:], strict=False))

    @property
    def rates(self) -> tuple[float, ...]:
        """The sampling rates, in the order of their first channel: one stored file each."""
        return tuple(dict.fromkeys(channel.rate for channel in self.channels))

    @property
    def refused(self) -> Diagnosis | None:
        return next((found for found in self.diagnoses if found.level == "refused"), None)

    @property
    def repairs(self) -> tuple[str, ...]:
        """The words of the repairs that need agreement."""
        return tuple(dict.fromkeys(found.word for found in self.diagnoses if found.level == "repair"))

    def json(self) -> dict[str, Json]:
        from dataclasses import asdict

        data = asdict(self)
        data["diagnoses"] = [found.json() for found in self.diagnoses]
        return {**data, "gaps": [list(gap) for gap in self.gaps]}


class Source(Protocol):
    """A file opened by its reader."""

    @property
    def inspection(self) -> Inspection: ...

    @property
    def dtype(self) -> str:
        """One of `DTYPES`: what the values are kept as."""

    @property
    def record_s(self) -> float:
        """Seconds of one data record, for files made of records; 0 for others."""

    def blocks(self, progress: Progress) -> Iterator[Mapping[float, np.ndarray]]:
        """The values from first to last: for each rate an array (channels of that rate, samples)."""


def samples(segments: tuple[Segment, ...], rate: float) -> list[int]:
    """Samples that each segment holds at `rate`."""
    return [round(segment.duration_s * rate) for segment in segments]
