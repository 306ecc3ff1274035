"""A verdict, its prediction set and what studies say against each other, in the words of a reading level: never another figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.domain import Json
from backend.models.abilities import VERDICTS
from backend.profiles.wording import Level

NOT_HERE, UNDECIDED = "not in library", "does not decide"
"""The two grounds on which no answer is given."""
SO_FAR, IN_ENGLISH = "Not found so far", "Ask again in English"

_HEADS = {"yes": "Yes", "no": "No", "maybe": "Maybe", "open": "Open"}
_MEANS = {
    "yes": "The papers below, read one by one and taken together, answer the question with yes.",
    "no": "The papers below, read one by one and taken together, answer the question with no.",
    "maybe": "The papers below answer the question with both, or only under conditions.",
    "open": "The papers speak about the question, but none of the three answers stands out enough to be given.",
}
_AGREEMENT = {
    "agree": "they more likely agree than disagree",
    "disagree": "they more likely disagree than agree",
    "too few": "too few to tell whether studies agree",
    "unclear": "whether they disagree cannot be told",
}
SIDES = {"supports": "supports", "opposes": "opposes", "unclear": "no clear side"}
"""What the side of a sentence is called; 'unclear' is also said where no side is likely enough."""
SIDE_RULE = "A sentence or a paper has a side where that reaches a probability of 0.50, else no clear side."


def is_yes_no(answer: Mapping[str, Json]) -> bool | None:
    """Whether the question can be answered with yes or no; None for a run that was made before questions were told apart."""
    kind = answer.get("question_kind")
    return None if kind is None else bool(kind == "yes/no")


def not_found(found: Mapping[str, Json]) -> str:
    """The words that stand over an answer without evidence; they say no more than what was searched.

    Parameters
    ----------
    found : mapping
        Prediction of a literature.ask run.
    """
    coverage = found.get("coverage") or {}
    if found["answer"].get("language"):
        return IN_ENGLISH
    if coverage.get("methods") and "minilm" not in coverage["methods"]:
        return "Not found by words alone"
    return SO_FAR if coverage.get("with_vectors", 0) < coverage.get("matching", 0) else "Not in this library"


def head(answer: Mapping[str, Json]) -> str:
    """The word that stands over a verdict: Yes or No only where the prediction set holds nothing else; '' where nothing was judged."""
    verdict = answer.get("verdict")
    if not verdict:
        return ""
    said = str(verdict["said"])
    return f"Leans to {said}" if _leans(verdict) else _HEADS.get(said, said)


def figure_words(verdict: Mapping[str, Json]) -> str:
    """The probability of what is said, and in the same breath what is not ruled out."""
    said, shares = str(verdict["said"]), dict(zip(VERDICTS, (float(p) for p in verdict["probabilities"]), strict=True))
    if said == "open":
        likeliest = max(shares, key=lambda name: shares[name])
        return f"likeliest: {likeliest}, probability {shares[likeliest]:.2f}"
    figure = f"probability {shares[said]:.2f}"
    others = [f"{name} ({shares[name]:.2f})" for name in VERDICTS if name != said and name in (verdict.get("set") or ())]
    if others:
        return f"{figure}; {in_words(others)} is not ruled out"
    return f"{figure}; nothing is ruled out" if verdict.get("set") is None else figure


def _leans(verdict: Mapping[str, Json]) -> bool:
    return verdict["said"] != "open" and list(verdict.get("set") or ()) != [verdict["said"]]


def means(answer: Mapping[str, Json], level: Level) -> str:
    """What the word means, for a reader who has not met it; nothing for others, but always for an answer that is withheld."""
    verdict = answer["verdict"]
    said = str(verdict["said"])
    if level != "plain" and said != "open":
        return ""
    if _leans(verdict):
        return f"The papers below, read one by one and taken together, speak most for {said}, but not enough to rule the rest out."
    return _MEANS.get(said, "")


def measured_words(verdict: Mapping[str, Json]) -> str:
    """How often such verdicts were right, and on what that was measured; '' where it was not measured."""
    if not (said := str(verdict.get("measured") or "")):
        return ""
    if len(verdict.get("papers") or ()) < 2:
        return f"{said} That, like the 90% set, was measured on one study read alone."
    return f"{said} That, like the 90% set, was measured on one study read alone, not on several joined as here."


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
    # 'maybe' is called so seldom that its absence says nothing
    outside = [f"“{name}”" for name in VERDICTS if name not in held and name != "maybe"]
    if not inside:
        said = f"{share} set: empty. No answer is likely enough; the question or its papers are unlike those of the calibration."
    elif outside:
        said = f"{share} set: {in_words(inside)}{' alone' if len(inside) == 1 else ''}; {in_words(outside, 'and')} could be ruled out."
    else:
        said = f"{share} set: {in_words(inside)}; {'neither' if len(inside) == 2 else 'none'} of them could be ruled out."
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
    yes, no = int(found["supports"]), int(found["opposes"])
    p = found.get("probability")
    sure = f" (probability that they truly disagree {float(p):.2f})" if p is not None and found["said"] != "too few" else ""
    said = _AGREEMENT.get(str(found["said"]), str(found["said"]))
    if found["said"] == "disagree" and not (yes and no):  # the probabilities of several may add up to what no single paper says
        said += f", though no paper alone clearly {'takes a side' if not yes and not no else 'says no' if yes else 'says yes'}"
    return f"Of {_papers(found)}: {said}{sure}."


def apart_words(answer: Mapping[str, Json]) -> str:
    """Where papers one by one, or the sentences, do not point where the verdict points: that, in a sentence; else ''."""
    verdict, meter = answer.get("verdict"), answer.get("contradiction")
    if not verdict or verdict["said"] not in ("yes", "no", "open"):
        return ""
    parts = []
    if meter and len(meter["papers"]) > 1:
        agree = _points(verdict["said"], int(meter["supports"]), int(meter["opposes"]), len(meter["papers"]))
        if not agree or (meter["said"] == "disagree" and verdict["said"] != "open"):
            more = ", and more likely disagree than agree" if agree else ""
            parts.append(f"of {_papers(meter)}{more}")
    sides = [str(item["stance"]["said"]) for item in answer.get("evidence", ()) if item.get("stance")]
    yes, no = sides.count("supports"), sides.count("opposes")
    if sides and not _points(verdict["said"], yes, no, len(sides)):
        rest = len(sides) - yes - no
        parts.append(
            f"of {_some(len(sides), 'sentence')} {yes or 'none'} for yes, {no or 'none'} for no, {rest or 'none'} without a clear side"
        )
    to = "is open" if verdict["said"] == "open" else f"{'leans to' if _leans(verdict) else 'says'} {verdict['said']}"
    return f"Not all of this points the same way: the verdict {to}; {'; '.join(parts)}." if parts else ""


def _points(said: str, yes: int, no: int, every: int) -> bool:
    """Whether counted sides point where a verdict does: more of its side than of the other; for 'open', no side beyond one half."""
    if said == "open":
        return 2 * max(yes, no) <= every
    return yes > no if said == "yes" else no > yes


def _papers(meter: Mapping[str, Json]) -> str:
    """'8 papers 7 say yes and 1 has no clear side'."""
    yes, no, unclear = (int(meter[name]) for name in ("supports", "opposes", "unclear"))
    sides = [(yes, "says yes", "say yes"), (no, "says no", "say no"), (unclear, "has no clear side", "have no clear side")]
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in sides if count]
    return f"{_some(yes + no + unclear, 'paper')} {in_words(parts, 'and')}"


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def error_words(error: Mapping[str, Json] | None, level: Level) -> str:
    """How often the meter is wrong, on data that it has not seen; said in the same place as what it says."""
    if not error:
        return "How often this is wrong was not measured."
    alarm, missed = _rate(error["false_alarm"]), _rate(error["missed"])
    open_ = f"; of all, it leaves open {_rate(error['unclear'])}" if error.get("unclear") else ""
    right = f" Where it does not leave it open, it is right in {_right(error):.0%}; a coin would be in 50%." if error.get("unclear") else ""
    where = f"{int(error['n']):,} groups of studies; {error['data']}"
    if level == "plain":
        return (
            f"How often this is wrong: where studies agree, it says that they disagree in {alarm}; "
            f"where they disagree, it does not notice in {missed}{open_} ({where}).{right}"
        )
    by = f" Measured by: {error['command']}." if level == "expert" and error.get("command") else ""
    return f"Measured: called disagreement where studies agree, {alarm}; missed where they disagree, {missed}{open_} ({where}).{right}{by}"


def _right(error: Mapping[str, Json]) -> float:
    """Share that is right of the groups on which the meter takes a side, from its rates; half of the groups are of both sides."""
    told = 1 - float(error["unclear"]["value"])
    wrong = (float(error["false_alarm"]["value"]) + float(error["missed"]["value"])) / 2
    return 1 - wrong / told if told > 0 else 0.5


def _rate(rate: Mapping[str, Json]) -> str:
    return f"{rate['value']:.0%} (95% interval {rate['low']:.0%} to {rate['high']:.0%})"
