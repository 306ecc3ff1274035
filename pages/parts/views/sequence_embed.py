"""Vectors of sequences: the map, each one's nearest, the table to go on with, why two are near."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import asked_for, untrained_notice
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.views.protein_function import told_of
from pages.parts.why_sites import show_sites

_SHOWN = 8  # numbers of a vector in the table on the page; the CSV holds all


def settings(kind: str) -> dict[str, Any] | None:
    """The model that makes the vectors, of those that read this kind."""
    from backend.sequences.embed import models
    from pages.parts.bench import bench

    able = models(bench().context, kind)
    if not able:
        st.info("No model on this machine makes vectors of this kind of sequence. On the Models page, fetch one or add a folder of yours.")
        st.page_link("pages/models.py", label="Models", icon=":material/deployed_code:")
        return None
    titles = {card.name: f"{card.title}{' (untrained)' if card.untrained else ''}" for card in able}
    names = list(titles)
    chosen = str(st.selectbox("By", names, index=asked_for(names), format_func=titles.__getitem__, key=f"embed-model-{kind}"))
    if any(card.untrained for card in able if card.name == chosen):
        untrained_notice()
    return {"model": chosen, "kind": kind}


def show(run: Run) -> None:
    """The map first, then how sure, then neighbours and numbers, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    results = found["results"]
    names = [each["record"] for each in results]
    at = names.index(st.selectbox("Record", names, key=f"embed-record-{run.id}"))
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _map(run, found, at)
    with right:
        kicker("How sure")
        _sure(run, found)
        _neighbours(results, at)
    kicker("The vectors")
    rows = [
        {"Record": each["record"], **{str(number + 1): value for number, value in enumerate(each["vector"][:_SHOWN])}} for each in results
    ]
    st.dataframe(rows, hide_index=True, height=min(38 * (len(rows) + 1), 300))
    st.caption(f"The first {min(_SHOWN, found['width'])} of {found['width']:,} numbers; 'Export' below saves all of them.")
    if len(results) > 1:
        kicker("Why near")
        others = [each["index"] for each in results[at]["neighbours"]]
        other = st.selectbox("Nearness to", others, format_func=names.__getitem__, key=f"embed-other-{run.id}-{at}")
        target = {"first": names[at], "second": names[other]}
        show_sites(run, target, f"Explain the nearness of {names[at][:40]} to {names[other][:40]}", results[at]["sequence"])


def _map(run: Run, found: Mapping[str, Any], at: int) -> None:
    from backend.figures.similar import describe_similar, plot_similar

    rows = [{"record": each["record"], "x": each["x"], "y": each["y"]} for each in found["results"]]
    show_figure(plot_similar(found, at), describe_similar(found), f"embed-map-{run.id}", rows)


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card
    from pages.parts.bench import bench

    card, share = get_card(found["model"], bench().config), sum(found["map"]["explained"])
    facts([("By", card.title), ("Numbers a vector", f"{found['width']:,}"), ("The map carries", f"{share:.0%} of the variance")])
    html("<p>A vector is no finding. Whether near ones share a structure or a function must be checked on sequences that you know.</p>")
    for line in (*card.limits[:2], *told_of(run)):
        html(f"<p>{escape(line)}</p>")


def _neighbours(results: list[dict[str, Any]], at: int) -> None:
    if results[at]["neighbours"]:
        rows = [{"Cosine": each["cosine"], "Nearest": results[each["index"]]["record"]} for each in results[at]["neighbours"]]
        st.dataframe(rows, hide_index=True, height=min(38 * (len(rows) + 1), 260))
