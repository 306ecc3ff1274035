"""The verdict as a card: the word, its probability, the prediction set, all three answers as bars, and the papers that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.models.abilities import VERDICTS
from backend.profiles.verdict_words import (
    NOT_HERE,
    apart_words,
    figure_words,
    head,
    is_yes_no,
    means,
    measured_words,
    set_words,
    shares_words,
)
from backend.profiles.wording import Level
from pages.parts.markup import escape, some

SIGNS = {"yes": "▲", "no": "▼", "maybe": "◆", "open": "◇", "supports": "▲", "opposes": "▼", "unclear": "◆"}
"""A sign for each answer and each side, the same wherever they are shown; colour comes only in addition."""


def verdict_card(answer: Mapping[str, Any], level: Level) -> str:
    """The card as HTML; '' for runs that were made without readers.

    Parameters
    ----------
    answer : mapping
        The ``answer`` of a literature.ask prediction.
    """
    verdict = answer.get("verdict")
    if answer.get("ground") == NOT_HERE or (verdict is None and answer.get("abstained")):
        return ""
    if verdict is None:
        return _without(answer)
    said, shares = str(verdict["said"]), [float(p) for p in verdict["probabilities"]]
    joined, others = verdict.get("papers") or [], beside(answer)
    source = f"joined from {len(joined)} of {some(len(joined) + len(others), 'paper')}" if others else f"from {some(len(joined), 'paper')}"
    ground = "<b>The evidence does not decide.</b> " if said == "open" else ""
    meaning = f"<p>{ground}{escape(means(answer, level))}</p>" if means(answer, level) else ""
    apart = f"<p><b>{escape(apart_words(answer))}</b></p>" if apart_words(answer) else ""
    return (
        f"<section class='bl-verdict bl-of-{escape(said)}' aria-label='Verdict: {escape(head(answer))}'>"
        f"<p class='bl-said'><b>{sign(said)} {escape(head(answer))}</b> "
        f"<span>{escape(figure_words(verdict))}; {source}</span></p>"
        f"{meaning}{apart}<p class='bl-set'>{escape(set_words(verdict, level))}</p>{bars(shares, verdict.get('set'))}"
        f"{_measured(verdict)}{_rests_on(joined, others)}</section>"
    )


def _measured(verdict: Mapping[str, Any]) -> str:
    """How far the reader can be trusted, on the card itself: a large word may not look surer than it is."""
    said = measured_words(verdict)
    return f"<p class='bl-soft'><b>A hint, not a finding.</b> {escape(said)}</p>" if said else ""


def sign(said: str) -> str:
    """The sign of an answer or a side, coloured; what it stands for must be written beside it."""
    return f"<i class='bl-sign bl-of-{escape(said)}' aria-hidden='true'>{SIGNS.get(said, '◇')}</i>"


def bars(shares: Sequence[float], held: Sequence[str] | None) -> str:
    """Yes, no and maybe as bars with their numbers; those of the prediction set are said to be in it.

    That 'maybe' is not in it says nothing: the reader seldom calls it.
    """
    rows = []
    for name, p in zip(VERDICTS, shares, strict=True):
        mark = "" if held is None else "in the set" if name in held else "" if name == "maybe" else "ruled out"
        rows.append(
            f"<span>{sign(name)} {name.capitalize()}</span>"
            f"<span class='bl-track'><i class='bl-fill bl-of-{name}' style='width:{p:.1%}'></i></span>"
            f"<span class='bl-p'>{p:.2f}</span><span class='bl-soft'>{mark}</span>"
        )
    return f"<div class='bl-shares' role='img' aria-label='Probabilities: {escape(shares_words(shares))}'>{''.join(rows)}</div>"


def _without(answer: Mapping[str, Any]) -> str:
    """Why an answered question has no verdict."""
    if is_yes_no(answer) is None:
        return ""
    if is_yes_no(answer):
        line = (
            "<b>No verdict.</b> No paper that was found could be judged: none is likely enough to answer the question, "
            "or those that are were retracted."
        )
    else:
        line = (
            "<b>This question has no yes or no.</b> The sentences below are numbered: papers as the search ranks them, within each first "
            "the sentence that bears most on the question. Whether they answer it was not judged."
        )
    return f"<p>{line}</p>"


def beside(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Papers that were judged too, and do not enter the joined verdict."""
    entered = {each.get("document") for each in (answer.get("verdict") or {}).get("papers") or ()}
    return [each for each in (answer.get("contradiction") or {}).get("papers") or () if each.get("document") not in entered]


def _rests_on(joined: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> str:
    """Every judged paper; the numbers are those of the meter."""
    if not joined:
        return ""
    notes = [_weight(each, len(joined)) for each in joined] + ["; not in the joined verdict"] * len(others)
    rows = "".join(
        f"<li value='{at}'>{_said(str(each['said']))} <span class='bl-soft'>({escape(shares_words(each['probabilities']))}{note})</span>"
        f"<br>{paper_line(each)}</li>"
        for at, (each, note) in enumerate(zip([*joined, *others], notes, strict=True), start=1)
    )
    return f"<details><summary>Paper by paper</summary><ol class='bl-papers'>{rows}</ol></details>"


def _said(said: str) -> str:
    """What one paper was read to say, by the verdict's names or the meter's."""
    name = {"supports": "yes", "opposes": "no", "unclear": "open"}.get(said, said)
    return f"{sign('unclear')} <b>No clear side</b>" if name == "open" else f"{sign(name)} <b>{escape(name.capitalize())}</b>"


def paper_line(each: Mapping[str, Any]) -> str:
    """Title, year and PMID of a judged paper as HTML."""
    about = " · ".join(part for part in (str(each.get("year") or ""), f"PMID {each['pmid']}" if each.get("pmid") else "") if part)
    return f"{escape(each.get('title') or 'Untitled')} <span class='bl-soft'>{escape(about)}</span>"


def _weight(each: Mapping[str, Any], count: int) -> str:
    weight = each.get("weight")
    return f"; weight {float(weight):.0%}" if weight is not None and count > 1 else ""
