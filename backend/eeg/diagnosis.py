"""What can be the matter with a recording, each under a stable word, with its place, a sentence, and the repair that is offered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from backend.domain import Json

Level = Literal["refused", "repair", "note"]

# refused: it cannot be read. repair: it is read once the person agrees to what the repair says. note: it is read as it is.
WORDS: dict[str, Level] = {
    "empty-file": "refused",
    "not-eeg": "refused",
    "unsupported": "refused",
    "packed-damaged": "refused",
    "header-cut": "refused",
    "header-damaged": "refused",
    "record-duration": "refused",
    "no-signals": "refused",
    "annotations-only": "refused",
    "zero-length": "refused",
    "companion-missing": "refused",
    "companion-chosen": "refused",
    "epoched": "refused",
    "unreadable": "refused",
    "not-a-table": "refused",
    "rate-missing": "refused",
    "truncated": "repair",
    "record-count-open": "repair",
    "record-count-wrong": "repair",
    "header-size": "repair",
    "digital-range": "repair",
    "physical-range": "repair",
    "time-overlap": "repair",
    "mixed-rates": "note",
    "duplicate-names": "note",
    "odd-names": "note",
    "typed-by-name": "note",
    "montage-missing": "note",
    "no-eeg": "note",
    "inverted": "note",
    "unit-unknown": "note",
    "unit-assumed": "note",
    "implausible-range": "note",
    "beyond-range": "note",
    "flat": "note",
    "discontinuous": "note",
    "gaps-undeclared": "note",
    "plus-undeclared": "note",
    "segment-joined": "note",
    "annotation-unreadable": "note",
    "annotation-outside": "note",
    "annotations-free-text": "note",
    "identifiers-removed": "note",
    "triggers-read": "note",
    "long": "note",
    "wrong-extension": "note",
    "packed": "note",
    "rate-estimated": "note",
    "time-jitter": "note",
    "missing-values": "note",
    "columns-left-out": "note",
    "times-unknown": "note",
    "order-drawn": "note",
    "positions-approximate": "note",
    "days-mixed": "note",
    "simulated": "note",
}


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is the matter.

    Attributes
    ----------
    word : str
        A key of `WORDS`; what programs look for.
    place : str
        Where: the file, a part of the header, a channel, a record, a second.
    sentence : str
        What was found, for the reader.
    repair : str
        What will be done when the person agrees (level ``repair``), or what they can do.
    """

    word: str
    place: str
    sentence: str
    repair: str = ""

    def __post_init__(self) -> None:
        if self.word not in WORDS:
            raise KeyError(self.word)

    @property
    def level(self) -> Level:
        return WORDS[self.word]

    def json(self) -> dict[str, Json]:
        return {**asdict(self), "level": self.level}


class Refused(Exception):
    """Raised by readers when nothing of a file can be read; carries the diagnosis."""

    def __init__(self, word: str, place: str, sentence: str, repair: str = "") -> None:
        super().__init__(word)
        self.diagnosis = Diagnosis(word, place, sentence, repair)
