"""The contradiction meter: studies on each side as a small diagram, what it says of them, and how often it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.profiles.verdict_words import error_words, sides_words
from backend.profiles.wording import Level
from pages.parts.markup import escape
from pages.parts.verdict_card import paper_line, sign

_SIDES = {"supports": ("says yes", "say yes"), "unclear": ("has no clear side", "have no clear side"), "opposes": ("says no", "say no")}


def meter(found: Mapping[str, Any], level: Level) -> str:
    """The meter as HTML; '' for fewer than two studies, since one has nothing to disagree with.

    Parameters
    ----------
    found : mapping
        The answer's ``contradiction``.
    """
    sides = by_side(found["papers"])
    if len(found["papers"]) < 2:
        return ""
    blocks = "".join(
        f"<span class='bl-side bl-of-{side}'><span>{''.join(f'<b>{at}</b>' for at, _ in members)}</span>"
        f"<span>{sign(side)} {len(members)} {_words(side, len(members))}</span></span>"
        for side, members in sides.items()
        if members
    )
    said = sides_words(found)
    return (
        f"<section class='bl-meter'><p><b>{escape(said)}</b></p>"
        f"<div class='bl-sides' role='img' aria-label='Studies on each side: {escape(said)}'>{blocks}</div>"
        f"<p class='bl-soft'>{escape(error_words(found.get('error'), level))}</p>{_papers(sides)}</section>"
    )


def by_side(papers: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[int, Mapping[str, Any]]]]:
    """The papers, numbered in their order, on the side that each was read to stand on."""
    sides: dict[str, list[tuple[int, Mapping[str, Any]]]] = {side: [] for side in _SIDES}
    for at, each in enumerate(papers, start=1):
        sides[str(each["said"])].append((at, each))
    return sides


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The numbers of the diagram, one row a paper."""
    return [
        {
            "paper": at,
            "side": side,
            "yes": each["probabilities"][0],
            "no": each["probabilities"][1],
            "maybe": each["probabilities"][2],
            "year": each.get("year"),
            "pmid": each.get("pmid"),
            "title": each.get("title"),
        }
        for side, members in by_side(found["papers"]).items()
        for at, each in members
    ]


def _words(side: str, count: int) -> str:
    one, many = _SIDES[side]
    return one if count == 1 else many


def _papers(sides: Mapping[str, Sequence[tuple[int, Mapping[str, Any]]]]) -> str:
    parts = [
        f"<p>{sign(side)} <b>{_words(side, len(members)).capitalize()}</b></p>"
        f"<ol class='bl-papers'>{''.join(_paper(at, each) for at, each in members)}</ol>"
        for side, members in sides.items()
        if members
    ]
    return f"<details><summary>The papers, side by side</summary>{''.join(parts)}</details>"


def _paper(at: int, each: Mapping[str, Any]) -> str:
    yes, no, _ = each["probabilities"]
    return f"<li value='{at}'>{paper_line(each)} <span class='bl-soft'>yes {yes:.2f}, no {no:.2f}</span></li>"
