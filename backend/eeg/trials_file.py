"""Reads published trials (.ts text: a line a trial, colons between channels, the class at the end) as a recording of short stretches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.eeg.diagnosis import Diagnosis
from backend.eeg.recording import Channel, Inspection, Mark, Segment
from backend.errors import InputError
from backend.progress import Progress


@dataclass(frozen=True)
class ArraySource:
    """Signals in memory on their way into the store.

    Attributes
    ----------
    values : ndarray of `dtype`, shape (channels, samples)
        Before each channel's gain, segments one after the other.
    """

    values: np.ndarray
    rate: float
    inspection: Inspection
    dtype: str = "float32"
    record_s: float = 0.0

    def blocks(self, progress: Progress) -> Iterator[Mapping[float, np.ndarray]]:
        progress.check()
        yield {self.rate: self.values}


@dataclass(frozen=True)
class PublishedTrials:
    """Trials as a file gives them: values (trials, channels, samples) in float32, and the class of each."""

    values: np.ndarray
    labels: tuple[str, ...]

    @property
    def sorted_by_class(self) -> bool:
        return sum(one != two for one, two in zip(self.labels, self.labels[1:], strict=False)) < len(set(self.labels))


def read_trials(path: Path, progress: Progress) -> PublishedTrials:
    """Read the trials of a .ts file of equal lengths.

    Raises
    ------
    InputError
        When a line is not as long as the first one.
    """
    trials: list[np.ndarray] = []
    labels: list[str] = []
    began = False
    with path.open(encoding="latin-1") as file:
        for number, line in enumerate(file, 1):
            if not began:
                began = line.strip().casefold() == "@data"
                continue
            if not line.strip():
                continue
            progress.check()
            *channels, label = line.strip().split(":")
            rows = [np.array(channel.split(","), np.float32) for channel in channels]
            if not rows or any(len(row) != len(rows[0]) for row in rows) or (trials and trials[0].shape != (len(rows), len(rows[0]))):
                raise InputError(f"Line {number} of the trials has another length than the first.", "Fetch the data again.")
            trials.append(np.stack(rows))
            labels.append(label.strip())
    if not trials:
        raise InputError("The file holds no trial.", "Fetch the data again.")
    return PublishedTrials(np.stack(trials), tuple(labels))


def as_recording(
    trials: PublishedTrials, order: Sequence[int], channels: tuple[Channel, ...], spacing_s: float, found: Sequence[Diagnosis]
) -> ArraySource:
    """A recording of one unbroken segment for each trial, a gap after it, and a mark with its class on it.

    Parameters
    ----------
    order : sequence of int
        Which trial comes first, second and so on.
    spacing_s : float
        Seconds from the beginning of one trial to that of the next.
    """
    rate = channels[0].rate
    long = trials.values.shape[2] / rate
    segments = tuple(Segment(n * spacing_s, long) for n in range(len(order)))
    marks = tuple(Mark(segment.start_s, long, trials.labels[trial]) for segment, trial in zip(segments, order, strict=True))
    inspection = Inspection("trials", segments[-1].stop_s, "", channels, segments, marks, tuple(found))
    values = np.ascontiguousarray(np.concatenate(list(trials.values[list(order)]), axis=1))
    return ArraySource(values, rate, inspection)
