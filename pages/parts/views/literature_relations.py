"""Relations of a text: the drawing and the sentences that state them, how sure, why, and the whole list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, some
from pages.parts.text_sure import read_facts, show_sure
from pages.parts.why_sites import show_sites

_CARDS = 12  # relations quoted in full; the table lists all
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
    """What is related first, then how sure, then why, then the list."""
    found: Mapping[str, Any] = run.prediction or {}
    relations, text = [_shown(each) for each in found["relations"]], str(found["material"]["content"])
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker(f"Finding: {some(len(relations), 'stated relation')}")
        if not relations:
            html(f"<p>The model relates nothing here. It knows: {escape(', '.join(found['known']) or 'whatever it writes')}.</p>")
        else:
            _drawing(run, relations)
    with right:
        kicker("How sure")
        by = "written by the model itself" if found["generated"] else f"{some(int(found['pairs']), 'pair')}, marked by {found['marked_by']}"
        show_sure(run, [("Named things", by), *read_facts(found["material"])])
    if not relations:
        return
    kicker("The sentences that state them")
    html("".join(_card(at, each, text) for at, each in enumerate(relations[:_CARDS], start=1)))
    if len(relations) > _CARDS:
        st.caption(f"The {_CARDS} most probable of {len(relations):,}; all are listed below.")
    kicker("Why")
    labels = [f"{at}. {each['head'][:40]} - {each['relation']} - {each['tail'][:40]}" for at, each in enumerate(relations, start=1)]
    at = labels.index(st.selectbox("Relation", labels, key=f"relations-why-{run.id}"))
    where = relations[at]["sentence"]
    show_sites(run, {"relation": at + 1}, f"Explain relation {at + 1}", text, (where[0], where[1]))
    kicker("Every relation")
    _table(relations, text)


def _shown(each: Mapping[str, Any]) -> dict[str, Any]:
    """A relation as it is drawn: a generator may have written signs that cannot be seen."""
    from backend.literature.visible import visible

    return {**each, **{name: visible(str(each[name])) for name in ("head", "relation", "tail")}}


def _drawing(run: Run, relations: Sequence[Mapping[str, Any]]) -> None:
    from backend.figures.relations import describe_relations, plot_relations

    rows = [{name: each[name] for name in ("head", "relation", "tail", "score", "verified")} for each in relations]
    show_figure(plot_relations(relations), describe_relations(relations), f"relations-{run.id}", rows)


def _card(at: int, each: Mapping[str, Any], text: str) -> str:
    start, end = each["sentence"]
    spots = sorted((spot, name) for spot, name in ((each["head_at"], "head"), (each["tail_at"], "tail")) if spot is not None)
    out, place = [], start
    for spot, _ in spots:
        if spot[0] < place:
            continue
        out += [escape(text[place : spot[0]]), f"<mark>{escape(text[spot[0] : spot[1]])}</mark>"]
        place = spot[1]
    gone = " and ".join(f"“{escape(each[side])}”" for side in ("head", "tail") if each[f"{side}_at"] is None)
    note = (
        f"<div class='bl-notice'><b>Not verified.</b> The model writes {gone}, which this part of the text does not hold.</div>"
        if gone
        else ""
    )
    return (
        f"<article class='bl-paper'><h4>{at}. {escape(each['head'])} <span class='bl-tag'>{escape(each['relation'])}</span> "
        f"{escape(each['tail'])} <span class='bl-soft'>probability {each['score']:.2f}</span></h4>"
        f"<div class='bl-text' style='border:0;padding:.2rem 0'>{''.join(out)}{escape(text[place:end])}</div>{note}</article>"
    )


def _table(relations: Sequence[Mapping[str, Any]], text: str) -> None:
    rows = [
        {
            "Head": each["head"],
            "Relation": each["relation"],
            "Tail": each["tail"],
            "Probability": each["score"],
            "Words in the text": "yes" if each["verified"] else "no",
            "Sentence": text[each["sentence"][0] : each["sentence"][1]],
        }
        for each in relations
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.2f"), "Sentence": st.column_config.TextColumn(width="large")},
        height=min(38 * (len(rows) + 1), 400),
    )
