"""The sentences of an answer with what a reader can do with them: one side only, another order, named things marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.models.abilities import STANCES
from backend.profiles.arrange import arrange, why_this_order
from backend.profiles.verdict_words import SIDE_RULE, SIDES
from pages.parts.bench import profile
from pages.parts.evidence import Marks, show_evidence
from pages.parts.markup import html, plain
from pages.parts.named import kinds_of, legend
from pages.parts.verdict_card import SIGNS

_ORDERS = {"profile": "For this profile", "rank": "As ranked"}
_ALL = "all"
_DOES = {"supports": "supports a yes", "opposes": "opposes a yes", "unclear": "is without a clear side"}
_READ = "As ranked: papers by the search; in each paper first the sentence that a reader finds most likely to bear on the question."


@st.fragment
def show_quotes(run_id: str, answer: Mapping[str, Any]) -> None:
    """The evidence cards under their controls; only this part is drawn anew when one of them is used."""
    evidence: list[dict[str, Any]] = answer["evidence"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        side = _choose_side(run_id, evidence)
        shown = evidence if side == _ALL else [item for item in evidence if item["stance"]["said"] == side]
        shown, reason = _ordered(shown, run_id)
        marks = _choose_marks(run_id, answer, evidence)
    st.caption(plain(f"{reason} {SIDE_RULE}" if any(item.get("stance") for item in evidence) else reason))
    if marks:
        kept = [marks[int(item["rank"])] for item in shown if int(item["rank"]) in marks]
        html(legend(kinds_of(list(marks.values())), kept))
    if not shown:
        html(f"<p>{SIGNS[side]} None of the {len(evidence)} sentences {_DOES[side]}.</p>")
        return
    show_evidence(shown, marks)


def _choose_side(run_id: str, evidence: Sequence[Mapping[str, Any]]) -> str:
    """Which side is shown; all of them where sentences have none."""
    if len(evidence) == 1 or not all(item.get("stance") for item in evidence):
        return _ALL
    counts = {name: sum(item["stance"]["said"] == name for item in evidence) for name in STANCES}
    names = {_ALL: f"All {len(evidence)}"} | {name: f"{SIGNS[name]} {SIDES[name]} {count}" for name, count in counts.items()}
    return str(
        st.segmented_control("Show", list(names), default=_ALL, required=True, format_func=names.__getitem__, key=f"side-{run_id}") or _ALL
    )


def _ordered(evidence: list[dict[str, Any]], run_id: str) -> tuple[list[dict[str, Any]], str]:
    """The evidence in the order of whoever looks, or as ranked when they ask for that; always with the reason."""
    asker = asdict(profile())
    arranged = arrange(evidence, asker)
    ranked = _READ if any(item.get("bearing") is not None for item in evidence) else why_this_order({})
    if arranged == evidence:
        return evidence, ranked if asker["role"] == "both" else f"{why_this_order(asker)} Here that is the order of the ranks too."
    order = st.segmented_control(
        "Order", list(_ORDERS), default="profile", required=True, format_func=_ORDERS.__getitem__, key=f"order-{run_id}"
    )
    return (arranged, f"{why_this_order(asker)} The numbers are the ranks.") if order == "profile" else (evidence, ranked)


def _choose_marks(run_id: str, answer: Mapping[str, Any], evidence: Sequence[Mapping[str, Any]]) -> Marks:
    """Named things by rank; none where no reader marked them, or where they are not wanted."""
    found = (answer.get("named") or {}).get("mentions") or []
    if not any(found) or not _wants_marks(run_id):
        return {}
    return {int(item["rank"]): group for item, group in zip(evidence, found, strict=True)}


def _wants_marks(run_id: str) -> bool:
    return st.toggle("Mark names", value=True, key=f"marks-{run_id}", help="Chemicals, diseases and genes, as a reader found them.")
