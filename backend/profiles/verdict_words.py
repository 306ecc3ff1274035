"""A verdict, its prediction set and what studies say against each other, in the words of a reading level: never another figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.domain import Json
from backend.models.abilities import VERDICTS
from backend.profiles.wording import Level

NOT_HERE, UNDECIDED = "not in library", "does not decide"
"""The two grounds on which no answer is given."""

_HEADS = {"yes": "Yes", "no": "No", "maybe": "Maybe", "open": "Open"}
_MEANS = {
    "yes": "The papers below, read one by one and taken together, answer the question with yes.",
    "no": "The papers below, read one by one and taken together, answer the question with no.",
    "maybe": "The papers below answer the question with both, or only under conditions.",
    "open": "The papers speak about the question, but none of the three answers stands out enough to be given.",
}
_AGREEMENT = {
    "agree": "they agree",
    "disagree": "they disagree",
    "too few": "too few to tell whether studies agree",
    "unclear": "whether they disagree cannot be told",
}


def is_yes_no(answer: Mapping[str, Json]) -> bool | None:
    """Whether the question can be answered with yes or no; None for a run that was made before questions were told apart."""
    kind = answer.get("question_kind")
    return None if kind is None else bool(kind == "yes/no")


def head(answer: Mapping[str, Json]) -> str:
    """The word that stands over the answer: Yes, No, Maybe, Open, or that the library does not hold one; '' where nothing was judged."""
    if answer.get("ground") == NOT_HERE:
        return "Not in this library"
    verdict = answer.get("verdict")
    return _HEADS.get(str(verdict["said"]), str(verdict["said"])) if verdict else ""


def means(said: str, level: Level) -> str:
    """What the word means, for a reader who has not met it; nothing for others, but always for an answer that is withheld."""
    return _MEANS.get(said, "") if level == "plain" or said == "open" else ""


def in_words(names: Sequence[str], last: str = "or") -> str:
    """'yes', 'yes or maybe', 'yes, no or maybe'."""
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def set_words(verdict: Mapping[str, Json], level: Level) -> str:
    """The prediction set, and what it leaves possible."""
    held = verdict.get("set")
    if held is None:
        return "No prediction set: this reader's sets were not calibrated."
    share = f"{float(verdict.get('level') or 0.9):.0%}"
    inside = [name for name in VERDICTS if name in held]
    outside = [f"“{name}”" for name in VERDICTS if name not in held]
    said = {
        0: f"{share} set: empty. No answer is likely enough; the question or its papers are unlike those of the calibration.",
        1: f"{share} set: {in_words(inside)} alone; {in_words(outside, 'and')} could be ruled out.",
        2: f"{share} set: {in_words(inside)}. Only {in_words(outside)} could be ruled out.",
        3: f"{share} set: {in_words(inside)}. No answer could be ruled out.",
    }[len(inside)]
    if level == "plain" and inside:
        said += f" Sets made in this way hold the right answer in about {share} of questions."
    return said


def shares_words(probabilities: Sequence[float]) -> str:
    """All three answers with their probabilities: what the bars show."""
    return ", ".join(f"{name} {p:.2f}" for name, p in zip(VERDICTS, probabilities, strict=True))


def sides_words(found: Mapping[str, Json]) -> str:
    """How many studies stand on each side, and whether they disagree.

    Parameters
    ----------
    found : mapping
        The answer's ``contradiction``.
    """
    yes, no, unclear = (int(found[name]) for name in ("supports", "opposes", "unclear"))
    sides = [(yes, "says yes", "say yes"), (no, "says no", "say no"), (unclear, "is unclear", "are unclear")]
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in sides if count]
    counts = f"Of {yes + no + unclear:,} papers {in_words(parts, 'and')}"
    p = found.get("probability")
    sure = f" (probability that they truly disagree {float(p):.2f})" if p is not None and found["said"] != "too few" else ""
    said = _AGREEMENT.get(str(found["said"]), str(found["said"]))
    if found["said"] == "disagree" and not (yes and no):  # the probabilities of several may add up to what no single paper says
        said += f", though no paper alone clearly {'takes a side' if not yes and not no else 'says no' if yes else 'says yes'}"
    return f"{counts}: {said}{sure}."


def error_words(error: Mapping[str, Json] | None, level: Level) -> str:
    """How often the meter is wrong, on data that it has not seen; said in the same place as what it says."""
    if not error:
        return "How often this is wrong was not measured."
    alarm, missed = _rate(error["false_alarm"]), _rate(error["missed"])
    open_ = f"; of all, it leaves open {_rate(error['unclear'])}" if error.get("unclear") else ""
    where = f"{int(error['n']):,} groups of studies; {error['data']}"
    if level == "plain":
        return (
            f"How often this is wrong: where studies agree, it says that they disagree in {alarm}; "
            f"where they disagree, it does not notice in {missed}{open_} ({where})."
        )
    by = f" Measured by: {error['command']}." if level == "expert" and error.get("command") else ""
    return f"Measured: called disagreement where studies agree, {alarm}; missed where they disagree, {missed}{open_} ({where}).{by}"


def _rate(rate: Mapping[str, Json]) -> str:
    return f"{rate['value']:.0%} (95% interval {rate['low']:.0%} to {rate['high']:.0%})"
