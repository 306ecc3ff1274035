"""Relations wherever they are shown: the drawing, the sentences that state them, and the table with its CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.figure import show_figure
from pages.parts.markup import escape, html

CARDS = 12  # relations quoted in full; the table lists all


def show_relations(relations: Sequence[Mapping[str, Any]] | None, key: str) -> None:
    """All of it, most probable first; says so where there is none, or where none could be read.

    Parameters
    ----------
    relations : sequence of mapping, or None
        None where the reader of relations was not on this machine. As in literature.relations, each with ``quote``, the text in
        which its places count, and ``evidence``, the number of the sentence of an answer, where it is one's.
    key : str
        Tells this drawing and its downloads from others of the page.
    """
    if relations is None:
        html("<p>Relations were not read: the reader of relations is not on this machine.</p>")
        return
    if not relations:
        html("<p>No sentence states a relation that the model knows: a chemical with a disease, a gene or a protein.</p>")
        return
    seen = [readable(each) for each in relations]
    draw_relations(seen, key)
    state_relations(seen)
    list_relations(seen)


def readable(each: Mapping[str, Any]) -> dict[str, Any]:
    """A relation as it is shown: a generator may have written signs that cannot be seen."""
    from backend.literature.visible import visible

    return {**each, **{name: visible(str(each[name])) for name in ("head", "relation", "tail")}}


def draw_relations(relations: Sequence[Mapping[str, Any]], key: str) -> None:
    """Who is related to whom, with the words of the drawing and its downloads."""
    from backend.figures.relations import describe_relations, plot_relations

    show_figure(plot_relations(relations), describe_relations(relations), f"relations-{key}", [_row(each) for each in relations])


def state_relations(relations: Sequence[Mapping[str, Any]]) -> None:
    """The sentence that states each of the most probable relations, both names marked in it."""
    html("".join(_card(at, each) for at, each in enumerate(relations[:CARDS], start=1)))
    if len(relations) > CARDS:
        st.caption(f"The {CARDS} most probable of {len(relations):,}; all are listed in the table.")


def list_relations(relations: Sequence[Mapping[str, Any]]) -> None:
    """Every relation, one a row."""
    rows = [_row(each) for each in relations]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Probability": st.column_config.NumberColumn(format="%.2f"),
            "Denied by": st.column_config.TextColumn(help="The words of the sentence that deny one of the two, found by a rule."),
            "Sentence": st.column_config.TextColumn(width="large"),
        },
        height=min(38 * (len(rows) + 1), 400),
    )


def _row(each: Mapping[str, Any]) -> dict[str, Any]:
    from backend.literature.relation_words import in_words

    named = {
        "Head": each["head"],
        "Head is a": each["head_kind"],
        "Relation": in_words(each),
        "Tail": each["tail"],
        "Tail is a": each["tail_kind"],
        "Probability": each["score"],
        "Denied by": each.get("denied", ""),
        "Words in the text": "yes" if each["verified"] else "no",
    }
    return named | ({"Evidence": each["evidence"]} if "evidence" in each else {}) | {"Sentence": each["quote"][slice(*each["sentence"])]}


def _card(at: int, each: Mapping[str, Any]) -> str:
    from backend.literature.relation_words import in_words

    text, (start, end) = each["quote"], each["sentence"]
    spots = sorted(spot for spot in (each["head_at"], each["tail_at"]) if spot is not None)
    out, place = [], start
    for spot in spots:
        if spot[0] < place:
            continue
        out += [escape(text[place : spot[0]]), f"<mark>{escape(text[spot[0] : spot[1]])}</mark>"]
        place = spot[1]
    gone = " and ".join(f"“{escape(each[side])}”" for side in ("head", "tail") if each[f"{side}_at"] is None)
    denied = each.get("denied")
    note = _notice("Not verified.", f"The model writes {gone}, which this part of the text does not hold.") if gone else ""
    note += _notice("Denied.", f"The sentence says “{escape(denied)}”: it may state that this is not so.") if denied else ""
    source = f", evidence {each['evidence']}" if "evidence" in each else ""
    return (
        f"<article class='bl-paper'><h4>{at}. {escape(each['head'])} <span class='bl-tag'>{escape(in_words(each))}</span> "
        f"{escape(each['tail'])} <span class='bl-soft'>probability {each['score']:.2f}{source}</span></h4>"
        f"<div class='bl-text' style='border:0;padding:.2rem 0'>{''.join(out)}{escape(text[place:end])}</div>{note}</article>"
    )


def _notice(title: str, words: str) -> str:
    return f"<div class='bl-notice'><b>{title}</b> {words}</div>"
