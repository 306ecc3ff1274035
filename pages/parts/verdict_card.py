"""The verdict as a card: the word, its probability, the prediction set, all three answers as bars, and the papers that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.models.abilities import VERDICTS
from backend.profiles.verdict_words import NOT_HERE, head, is_yes_no, means, set_words, shares_words
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
    papers = verdict.get("papers") or []
    if said == "open":
        figure = f"likeliest: {VERDICTS[shares.index(max(shares))]}, probability {max(shares):.2f}"
    else:
        figure = f"probability {shares[VERDICTS.index(said)]:.2f}"
    ground = "<b>The evidence does not decide.</b> " if said == "open" else ""
    meaning = f"<p>{ground}{escape(means(said, level))}</p>" if means(said, level) else ""
    return (
        f"<section class='bl-verdict bl-of-{escape(said)}' aria-label='Verdict: {escape(head(answer))}'>"
        f"<p class='bl-said'><b>{sign(said)} {escape(head(answer))}</b> "
        f"<span>{escape(figure)}, from {some(len(papers), 'paper')}</span></p>"
        f"{meaning}<p class='bl-set'>{escape(set_words(verdict, level))}</p>{bars(shares, verdict.get('set'))}"
        f"{_measured(verdict)}{_rests_on(papers)}</section>"
    )


def _measured(verdict: Mapping[str, Any]) -> str:
    """How far the reader can be trusted, on the card itself: a large word may not look surer than it is."""
    said = str(verdict.get("measured") or "")
    return f"<p class='bl-soft'><b>A hint, not a finding.</b> {escape(said)}</p>" if said else ""


def sign(said: str) -> str:
    """The sign of an answer or a side, coloured; what it stands for must be written beside it."""
    return f"<i class='bl-sign bl-of-{escape(said)}' aria-hidden='true'>{SIGNS.get(said, '◇')}</i>"


def bars(shares: Sequence[float], held: Sequence[str] | None) -> str:
    """Yes, no and maybe as bars with their numbers; those of the prediction set are said to be in it."""
    rows = []
    for name, p in zip(VERDICTS, shares, strict=True):
        mark = "" if held is None else "in the set" if name in held else "ruled out"
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
        line = "<b>No verdict.</b> The question can be answered with yes or no, but no paper here could be judged: see the notes beside."
    else:
        line = "<b>This question has no yes or no.</b> The sentences below answer it, the most telling first."
    return f"<p>{line}</p>"


def _rests_on(papers: Sequence[Mapping[str, Any]]) -> str:
    if not papers:
        return ""
    rows = "".join(
        f"<li value='{at}'>{sign(str(each['said']))} <b>{escape(str(each['said']).capitalize())}</b> <span class='bl-soft'>"
        f"({escape(shares_words(each['probabilities']))}{_weight(each, len(papers))})</span><br>{paper_line(each)}</li>"
        for at, each in enumerate(papers, start=1)
    )
    return f"<details><summary>Paper by paper</summary><ol class='bl-papers'>{rows}</ol></details>"


def paper_line(each: Mapping[str, Any]) -> str:
    """Title, year and PMID of a judged paper as HTML."""
    about = " · ".join(part for part in (str(each.get("year") or ""), f"PMID {each['pmid']}" if each.get("pmid") else "") if part)
    return f"{escape(each.get('title') or 'Untitled')} <span class='bl-soft'>{escape(about)}</span>"


def _weight(each: Mapping[str, Any], count: int) -> str:
    weight = each.get("weight")
    return f"; weight {float(weight):.0%}" if weight is not None and count > 1 else ""
