"""Relations of a text: the drawing and the sentences they were read off, how sure, why, and the whole list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.literature.relation_words import in_words
from pages.parts.bench import bench
from pages.parts.choosing import choose_model
from pages.parts.markup import escape, html, kicker, some
from pages.parts.relations_view import choose, counted, draw_relations, how_often, list_relations, quote_relations, readable
from pages.parts.text_sure import read_facts, show_sure
from pages.parts.why_sites import show_sites

_OWN = "paper"


def settings(kind: str) -> dict[str, Any] | None:
    """Which model reads relations, who marks the things, and which pairs."""
    from backend.tasks import serving

    model = choose_model("literature.relations", "relations-model")
    if model is None:
        return None
    marking = {"": "The paper's own marks, else the first model here", _OWN: "The paper's own marks (PubTator, BioC)"}
    marking |= {card.name: card.title for card in serving(bench().context, "literature.entities")}
    if _writes(model):
        st.caption("This model writes relations by itself: nothing is marked or paired for it.")
        return {"model": model}
    with st.expander("More settings"):
        mentions = st.selectbox("Named things are marked by", list(marking), format_func=marking.__getitem__, key="relations-mentions")
        pairs = st.radio(
            "Pairs",
            ["different kinds", "all"],
            key="relations-pairs",
            horizontal=True,
            help="Two things of one sentence are put to the model.",
        )
    return {"model": model, "mentions": str(mentions), "pairs": str(pairs)}


def _writes(name: str) -> bool:
    """Whether the model, or the first that would be taken, writes relations in place of reading marked pairs."""
    from backend.models.registry import get_card
    from backend.tasks import serving

    card = get_card(name, bench().config) if name else next(iter(serving(bench().context, "literature.relations")), None)
    return card is not None and "literature.write" in card.tasks


def show(run: Run) -> None:
    """What is related first, with the sentences, beside how sure; then why, then the list."""
    found: Mapping[str, Any] = run.prediction or {}
    text = str(found["material"]["content"])
    source = found.get("source") or {"title": found["material"]["name"]}
    relations = [readable({**each, "quote": text}, at, source) for at, each in enumerate(found["relations"], start=1)]
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("Finding")
        if not relations:
            html(f"<p>The model relates nothing here. It knows: {escape(_known(found))}.</p>")
        shown = choose(relations, run.id)
        if relations:
            html(f"<p><b>{escape(counted(shown, relations))}</b></p>{how_often(shown)}")
        if shown:
            draw_relations(shown, run.id)
            kicker("The sentences they were read off")
            quote_relations(shown)
    with right:
        kicker("How sure")
        by = "written by the model itself" if found["generated"] else f"{some(int(found['pairs']), 'pair')}, marked by {found['marked_by']}"
        show_sure(run, [("Named things", by), *read_facts(found["material"])])
    if not shown:
        return
    kicker("Why")
    labels = {each["number"]: f"{each['number']}. {each['head'][:40]} - {in_words(each)} - {each['tail'][:40]}" for each in shown}
    at = int(st.selectbox("Relation", list(labels), format_func=lambda number: labels[number], key=f"relations-why-{run.id}"))
    where = relations[at - 1]["sentence"]
    show_sites(run, {"relation": at}, f"Explain relation {at}", text, (where[0], where[1]))
    kicker("Every relation")
    list_relations(shown)


def _known(found: Mapping[str, Any]) -> str:
    """What the model can state, in words."""
    labels = [in_words({"relation": label, "head_kind": "Chemical"}) for label in found["known"]]
    return ", ".join(dict.fromkeys(labels)) or "whatever it writes"
