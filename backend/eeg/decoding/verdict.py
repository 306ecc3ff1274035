"""The verdict on a patient's decoder: usable, uncertain, or cannot be decoded; with its thresholds and their reasons.

For two classes: *usable* from a predicted 70% for the next session, the accuracy below which people cannot steer a communication aid
(Kuebler et al. 2001, doi:10.1006/exnr.2001.7714; Perelmouter and Birbaumer 2000, doi:10.1109/86.847824), when the interval stays above 60%
and the permutation test finds the classes (p <= 0.05). For more classes the same shares of the way from chance to perfect are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.domain import Json
from backend.metrics import Interval

Word = Literal["usable", "uncertain", "undecodable"]
FEWEST = 6  # trials of each class below which nothing is computed
ENOUGH = 20  # of each class for 'usable': with fewer, chance alone reaches 65% (Mueller-Putz et al. 2008, IJBEM 10(1):52-55)
TELLING = 40  # of each class from which the absence of any effect is told as 'cannot be decoded'
ALPHA = 0.05
_GOOD, _FLOOR = 0.4, 0.2  # of the way from chance to perfect: 70% and 60% for two classes


@dataclass(frozen=True)
class Verdict:
    """``word``, and why, as sentences."""

    word: Word
    reasons: tuple[str, ...]
    good: float
    floor: float
    chance: float

    def json(self) -> dict[str, Json]:
        return {
            "word": self.word,
            "sentence": SENTENCES[self.word],
            "reasons": list(self.reasons),
            "criterion": self.good,
            "floor": self.floor,
            "chance": self.chance,
            "rule": f"Usable: at least {ENOUGH} trials of each class, p at most {ALPHA:g}, {self.good:.0%} or more expected in the next "
            f"session, and its 95% interval above {self.floor:.0%}. Cannot be decoded: the whole interval lies below {self.good:.0%}, or "
            f"p is above {ALPHA:g} although there were {TELLING} trials of each class. Uncertain: everything else.",
        }


SENTENCES: dict[str, str] = {
    "usable": "This patient's trials can be decoded.",
    "uncertain": "It is not certain that this patient's trials can be decoded.",
    "undecodable": "This patient's trials cannot be decoded.",
}


def decide(fewest: int, p: float, expected: Interval, classes: int, confounded: bool = False) -> Verdict:
    """Decide on a decoder.

    Parameters
    ----------
    fewest : int
        Trials of the rarest class.
    p : float
        Of the permutation test.
    expected : Interval
        Balanced accuracy in the next session.
    confounded : bool
        Class and time cannot be told apart in these recordings.
    """
    chance = 1 / classes
    good, floor = chance + _GOOD * (1 - chance), chance + _FLOOR * (1 - chance)
    interval = f"{expected.value:.0%} expected in the next session, 95% interval {expected.low:.0%} to {expected.high:.0%}"

    def made(word: Word, *reasons: str) -> Verdict:
        return Verdict(word, reasons, good, floor, chance)

    if confounded:
        return made("uncertain", "The classes follow one another in time, so that any slow change of the signal looks like a class.")
    if expected.high < good:
        told = "The classes differ" if p <= ALPHA else "No difference between the classes was found"
        return made("undecodable", f"{told} (p = {p:.3f}), and the interval lies below {good:.0%}.", interval + ".")
    if p > ALPHA and fewest >= TELLING:
        return made("undecodable", f"No difference between the classes was found (p = {p:.3f}) in {fewest} or more trials of each.")
    reasons = []
    if fewest < ENOUGH:
        reasons.append(f"There are {fewest} trials of the rarer class; {ENOUGH} of each are needed.")
    if p > ALPHA:
        reasons.append(f"The classes do not differ more than chance allows (p = {p:.3f}).")
    if expected.value < good:
        reasons.append(f"Less than {good:.0%} is expected in the next session ({expected.value:.0%}).")
    if expected.low <= floor:
        reasons.append(f"The interval reaches down to {expected.low:.0%}; {floor:.0%} or less is too little.")
    return made("uncertain", *reasons) if reasons else made("usable", interval + ".")
