"""A result in the words of a reading level: what is said and in what order changes, never a figure or a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backend.domain import Json

Level = Literal["plain", "professional", "expert"]
_METHODS = {"bm25": "words (BM25)", "minilm": "meaning (MiniLM)"}
_PLAIN_METHODS = {"bm25": "their words", "minilm": "their meaning"}


@dataclass(frozen=True)
class Line:
    """One thing that is known: in words, and its figure where it has one."""

    words: str
    figure: str = ""
    soft: bool = False


def reading_level(profile: Mapping[str, Json]) -> Level:
    """The level that a profile reads at."""
    found: Level = profile["reading_level"] if profile.get("reading_level") in ("plain", "expert") else "professional"
    return found


def confidence_words(level: Level) -> Line:
    """What stands under the confidence of an answer."""
    if level == "plain":
        return Line(
            "chance that the library holds an answer",
            "Judged from questions whose answers are known. It tells whether these papers speak about the question, "
            "not whether what they say is true.",
        )
    return Line("chance that the library holds an answer")


def how_sure(found: Mapping[str, Json], level: Level) -> list[Line]:
    """What is known of how far an answer can be relied on.

    Parameters
    ----------
    found : mapping
        Prediction of a literature.ask run.
    """
    support, coverage = found.get("support", {}), found.get("coverage", {})
    rates = _rates(support, level)
    quoting = _quoting(support.get("quoting") or {}, level)
    searched = _searched(coverage, level)
    measured = [Line(f"Measured on {support['data']}", soft=True)] if support.get("data") else []
    if level == "expert":
        return [*_measures(support), *rates, *quoting, *measured, *searched]
    return [*rates, *measured, *quoting, *searched]


def _measures(support: Mapping[str, Json]) -> list[Line]:
    names = (
        ("similarity", "Nearest passage, cosine similarity"),
        ("words", "Question's words in one sentence, largest share"),
        ("threshold", "Answers from a chance of"),
    )
    return [Line(label, f"{float(support[name]):.2f}") for name, label in names if support.get(name) is not None]


def _rates(support: Mapping[str, Json], level: Level) -> list[Line]:
    words = {
        "plain": ("When the papers hold no answer, sentences are shown all the same in", "When they do hold one, it is missed in"),
        "professional": ("Answers although the library lacks it", "Refuses although the library has it"),
        "expert": ("Answers although the library lacks it", "Refuses although the library has it"),
    }[level]
    return [
        Line(line, _rate(support[name]))
        for name, line in zip(("answered_wrongly", "refused_wrongly"), words, strict=True)
        if support.get(name)
    ]


def _quoting(quoting: Mapping[str, Json], level: Level) -> list[Line]:
    if "least" not in quoting:
        return []
    least = f"{float(quoting['least']):.2f}"
    rates = [quoting.get(name) for name in ("kept_from_answering_papers", "kept_from_other_papers")]
    if not all(rates):
        return [Line(f"Quoted are papers whose best sentence scores {least} or more for the question.")]
    theirs, others = (_share(rate, level) for rate in rates if rate)
    if level == "plain":
        return [
            Line(
                f"Each sentence has a score for how well it fits the question, and is quoted from a score of {least}. In papers that "
                f"answer a question {theirs} of the sentences reach it; in other papers {others}."
            )
        ]
    return [
        Line(f"A sentence is quoted from a score of {least}; of sentences from papers that answer, {theirs} pass; of others, {others}.")
    ]


def _share(rate: Mapping[str, Json], level: Level) -> str:
    interval = f" (95% interval {rate['low']:.0%} to {rate['high']:.0%})" if level == "expert" else ""
    return f"{rate['value']:.0%}{interval}"


def _searched(coverage: Mapping[str, Json], level: Level) -> list[Line]:
    if not coverage:
        return []
    names = _PLAIN_METHODS if level == "plain" else _METHODS
    methods = " and ".join(names.get(name, str(name)) for name in coverage.get("methods", ()))
    line = f"Searched {coverage['matching']:,} of {coverage['works']:,} papers by {methods}"
    if "minilm" in coverage.get("methods", ()) and coverage["with_vectors"] < coverage["matching"]:
        line += f"; {coverage['with_vectors']:,} of them by meaning"
    return [Line(f"{line}.")]


def _rate(rate: Mapping[str, Json]) -> str:
    n = f", n\u00a0=\u00a0{int(rate['n']):,}" if rate.get("n") is not None else ""
    return f"{rate['value']:.1%}, 95% interval {rate['low']:.1%} to {rate['high']:.1%}{n}"


def holds(reliable: bool) -> str:
    """The word over an explanation: on the explanation alone, never on the answer."""
    return "This explanation holds" if reliable else "This explanation may not hold"


HOLDS_MEANS = "Tested is where the score comes from, by taking parts away. That says nothing on whether the answer is right."


def points(unit: str, level: Level) -> str:
    """The unit of shares in the words of a reading level."""
    return "points" if unit == "ln odds" and level != "expert" else unit


def why(explanation: Mapping[str, Json], level: Level) -> list[Line]:
    """What an explanation explains: the score and where it starts; for an expert how it was made and tested as well.

    Parameters
    ----------
    explanation : mapping
        JSON of `backend.domain.Explanation`.
    """
    unit, baseline = str(explanation["unit"]), str(explanation["baseline"])
    told = [
        Line("What is explained", str(explanation["target"])),
        Line("Score", _scored(float(explanation["score"]), unit, level)),
        _start(float(explanation["base_value"]), baseline, unit, level),
    ]
    return [*why_details(explanation, level), *told] if level == "expert" else told


def why_details(explanation: Mapping[str, Json], level: Level) -> list[Line]:
    """How an explanation was made and tested: shown to an expert, folded for others."""
    trust, unit = explanation["faithfulness"], str(explanation["unit"])
    others = [float(area) for area in trust["random_areas"]]
    meant = [Line("Points", "ln odds: one more multiplies the odds by 2.72")] if points(unit, level) != unit else []
    test = [
        Line("Deletion test, p", f"{trust['p_value']:.3f}"),
        Line("Area in its own order", f"{trust['deletion_area']:.4f} {unit}"),
        Line("Areas in random orders", f"{min(others, default=0):.4f} to {max(others, default=0):.4f} {unit}, {len(others)} orders"),
    ]
    return [
        *meant,
        Line("Sum differs from score by", f"{trust['additivity_residual']:.1e}"),
        *(test if others else []),
        Line("Versions of it scored", f"{trust['evaluations']:,}"),
        Line("Method", str(explanation["method"])),
    ]


def _scored(value: float, unit: str, level: Level) -> str:
    """A score as a share where it is one; ln odds beside it for an expert."""
    if unit != "ln odds":
        return f"{value:.3f} {unit}"
    share = f"{1 / (1 + math.exp(-value)):.1%}"
    return f"{share}, {value:.3f} {unit}" if level == "expert" else share


def _start(base: float, baseline: str, unit: str, level: Level) -> Line:
    """Where the score starts; of a reader without any text, that this is no finding on the text."""
    figure = _scored(base, unit, level)
    if baseline != "the empty text":
        return Line("Without any of it", f"{figure} ({baseline})")
    if unit != "ln odds":
        return Line("With no text at all", figure)
    leaning = f"the reader leans {'towards' if base > 0 else 'away from'} it before it has read anything"
    return Line("With no text at all", f"{figure}: {leaning}, which comes from its training")


def why_means(level: Level) -> str:
    """What shares and their test mean, for a reader who has not met them; nothing for others."""
    if level != "plain":
        return ""
    return (
        "Each part has a share of the score: how much the score owes to it. The shares and the score without any part add up to the score "
        "(additivity). The deletion test checks the shares: parts are taken away, the most important first. If the shares are right, "
        "the score falls faster than when parts go in a random order. In the figure: the further left the diamond, the better."
    )
