"""Where in a recording which sleep stage is: from a saved staging, or from stage marks on the recording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.tasks import Context

STAGES = ("W", "N1", "N2", "N3", "R")
WHOLE, NREM = "whole", "NREM"
MARKS = "marks"
_SPELT = {"w": "W", "wake": "W", "0": "W", "1": "N1", "n1": "N1", "s1": "N1", "2": "N2", "n2": "N2", "s2": "N2", "3": "N3", "n3": "N3",
          "s3": "N3", "4": "N3", "n4": "N3", "s4": "N3", "r": "R", "rem": "R"}  # fmt: skip
_MARK = re.compile(r"(?:sleep[ _-]*)?stage[ _-]*(?P<stage>[a-z]?\d|w|wake|r|rem)|(?P<bare>n[123]|rem|wake)", re.IGNORECASE)
_EPOCH_S = 30.0


@dataclass(frozen=True)
class Staged:
    """Stretches of one stage each.

    Attributes
    ----------
    spans : tuple of (float, float, str)
        First second, last second, stage; none overlap.
    source : str
        Where they come from, in words.
    """

    spans: tuple[tuple[float, float, str], ...]
    source: str

    def mask(self, stages: Sequence[str], rate: float, samples: int) -> NDArray[np.bool_]:
        """Which of the samples from the recording's beginning lie in these stages, shape (samples,)."""
        found = np.zeros(samples, bool)
        for start, stop, stage in self.spans:
            if stage in stages:
                found[max(0, round(start * rate)) : max(0, round(stop * rate))] = True
        return found

    def at(self, second: float) -> str:
        """The stage at a time, '' where none is known."""
        return next((stage for start, stop, stage in self.spans if start <= second < stop), "")


def stage_of(label: str) -> str:
    """The stage that a mark's label names, '' for other marks; stages 3 and 4 of Rechtschaffen and Kales are N3."""
    found = _MARK.fullmatch(label.strip())
    return "" if found is None else _SPELT.get((found["stage"] or found["bare"]).casefold(), "")


def name_stages(context: Context, recording: str, wanted: str = "") -> str:
    """Where stages are taken from: `MARKS`, `WHOLE`, or the id of a saved staging; '' asks for what there is, marks first.

    Raises
    ------
    InputError
        When nothing stages the recording.
    """
    if wanted in (MARKS, WHOLE):
        return wanted
    if wanted:
        saved_stages(context, recording, wanted)
        return wanted
    if marked_stages(context, recording) is not None:
        return MARKS
    if saved := saved_stagings(context, recording):
        return saved[0]
    raise InputError(
        "Nothing says which parts of this recording are sleep, and of which stage.",
        "Run sleep staging on it first, or take the whole recording where all of it is NREM sleep.",
    )


def find_stages(context: Context, recording: str, source: str) -> Staged:
    """The stages from a source that `name_stages` named.

    Raises
    ------
    InputError
        When the marks or the staging are not there any more.
    """
    if source == WHOLE:
        end = context.storage.recordings.get(recording).duration_s
        return Staged(((0.0, end, NREM),), "said by the person: all of it NREM sleep")
    if source == MARKS:
        found = marked_stages(context, recording)
        if found is None:
            raise InputError("The recording's stage marks are not there any more.", "Stage it, or put the marks back.")
        return found
    return saved_stages(context, recording, source)


def marked_stages(context: Context, recording: str) -> Staged | None:
    """The stages that the recording's own marks tell, if there are any; a mark without duration holds to the next, 30 s at most."""
    marks = [mark for mark in context.storage.recordings.annotations(recording) if stage_of(mark.label)]
    if not marks:
        return None
    marks = sorted(marks, key=lambda mark: mark.onset_s)
    end = context.storage.recordings.get(recording).duration_s
    spans = []
    for mark, following in zip(marks, [*[mark.onset_s for mark in marks[1:]], end], strict=True):
        stop = min(mark.onset_s + (mark.duration_s or _EPOCH_S), following, end)
        if stop > mark.onset_s:
            spans.append((float(mark.onset_s), float(stop), stage_of(mark.label)))
    return Staged(tuple(spans), f"{len(marks)} stage marks on the recording")


def saved_stagings(context: Context, recording: str) -> list[str]:
    """Ids of the saved sleep stagings of this recording, the latest first."""
    return [run.id for run in context.storage.runs.list(task="eeg.sleep", limit=500) if _is_of(context, run.id, recording)]


def saved_stages(context: Context, recording: str, run: str) -> Staged:
    """The stages of a saved staging.

    Raises
    ------
    InputError
        When the run is no staging of this recording.
    """
    found = context.storage.runs.get(run)
    if found.task != "eeg.sleep" or found.prediction is None or found.input.get("recording") != recording:
        raise InputError(f"Run {run} is no sleep staging of this recording.", "Choose a staging of this recording, or stage it first.")
    return staged_from(found.prediction, f"sleep staging {run}")


def staged_from(prediction: dict[str, Json], source: str) -> Staged:
    """The stages that a prediction of ``eeg.sleep`` tells."""
    size = float(prediction["epoch_s"])
    spans = [(n * size, (n + 1) * size, str(stage)) for n, stage in enumerate(prediction["stages"]) if stage in STAGES]
    return Staged(tuple(spans), source)


def _is_of(context: Context, run: str, recording: str) -> bool:
    found = context.storage.runs.get(run)
    return found.kind == "run" and found.input.get("recording") == recording and found.prediction is not None
