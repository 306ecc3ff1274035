"""A set of proteins compared: map and groups, how sure, nearest neighbours, two side by side, why they are near."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import asked_for
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any]:
    """By which model, and how many groups."""
    from backend.sequences.similar import models
    from pages.parts.bench import bench

    with st.expander("More settings", expanded="model" in st.query_params):
        names = ["", *models(bench().context)]
        model = st.selectbox("By", names, index=asked_for(names), format_func=_model_name, key="similar-model")
        groups = st.number_input("Groups (0: as many as separate best)", 0, 2000, 0, key="similar-groups")
        near = st.number_input("Neighbours listed for each protein", 1, 20, 5, key="similar-neighbours")
    return {"model": model, "groups": int(groups), "neighbours": int(near)}


def show(run: Run) -> None:
    """The map first, then how sure, then neighbours and alignment, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    results = found["results"]
    names = [each["record"] for each in results]
    at = names.index(st.selectbox("Protein", names, key=f"similar-record-{run.id}"))
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _map(run, found, at)
    with right:
        kicker("How sure")
        _sure(run, found)
    kicker(f"Nearest to {names[at]}")
    _neighbours(results, at)
    others = [each["index"] for each in results[at]["neighbours"]]
    others += [other for other in range(len(results)) if other != at and other not in others]
    other = st.selectbox("Compare with", others, format_func=names.__getitem__, key=f"similar-other-{run.id}-{at}")
    _alignment(results[at], results[other])
    kicker("Why near")
    target = {"first": names[at], "second": names[other]}
    show_sites(run, target, f"Explain the nearness of {names[at]} to {names[other]}", results[at]["sequence"])


def _model_name(name: str) -> str:
    from backend.models.registry import get_card
    from pages.parts.bench import bench

    return get_card(name, bench().config).title if name else "the first learned model here, else three-letter words"


def _map(run: Run, found: Mapping[str, Any], at: int) -> None:
    from backend.figures.similar import describe_similar, plot_similar

    rows = [{"protein": each["record"], "x": each["x"], "y": each["y"], "group": each["group"] + 1} for each in found["results"]]
    show_figure(plot_similar(found, at), describe_similar(found), f"similar-map-{run.id}", rows)


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card
    from pages.parts.bench import bench

    card, groups = get_card(found["embedding"]["model"], bench().config), found["groups"]
    share = sum(found["map"]["explained"])
    told = [
        ("By", card.title),
        ("The map carries", f"{share:.0%} of the variance"),
        ("Groups", "none: no split is clear and steady enough" if groups["number"] == 1 else str(groups["number"])),
        ("How they are made", f"{groups['method']}; number: {groups['chosen']}"),
    ]
    if groups["silhouette"] is not None:
        told.append(("Silhouette", f"{groups['silhouette']:.2f} (1: groups stand far apart, 0: they touch)"))
    if groups["stability"] is not None:
        told.append(
            ("Stability of the best groups", f"{groups['stability']:.2f} (adjusted Rand index over 20 draws of 80%; 1: always the same)")
        )
    facts(told)
    if share < 0.5:
        html("<p>Most of the variance is not on the map: trust the neighbours' cosines before the picture.</p>")
    for limit in card.limits[:3]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _neighbours(results: list[dict[str, Any]], at: int) -> None:
    rows = [
        {
            "Protein": results[each["index"]]["record"],
            "Cosine": each["cosine"],
            "Identity": each.get("identity"),
            "Columns": each.get("columns"),
            "Group": results[each["index"]]["group"] + 1,
        }
        for each in results[at]["neighbours"]
    ]
    percent = st.column_config.NumberColumn(format="percent", help="Same letters over all columns of the global alignment, gaps included.")
    st.dataframe(rows, hide_index=True, column_config={"Identity": percent}, height=min(38 * (len(rows) + 1), 300))


def _alignment(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    from backend.errors import InputError
    from backend.sequences.similar_align import METHOD, align, blocks

    try:
        found = align(first["sequence"], second["sequence"])
    except InputError as error:
        st.info(str(error))
        return
    counts = found.counts
    html(
        f"<p><b>{counts.identity:.1%} identical</b> ({counts.identical:,} of {counts.columns:,} columns), {counts.similar:,} alike, "
        f"{counts.gaps:,} gaps, score {counts.score:,}.</p>"
    )
    lines = []
    for block in blocks(found, _places(first), _places(second)):
        for letters, places in ((block.first, block.first_places), (block.between, None), (block.second, block.second_places)):
            ends = places or ("", "")
            lines.append(f"{ends[0]:>7} {letters:<60} {ends[1]}".rstrip())
        lines.append("")
    with st.expander("Alignment", expanded=len(lines) <= 60):
        st.caption(
            f"Above {first['record']}, below {second['record']}; | the same, + alike. {METHOD[:1].upper()}{METHOD[1:]}.".replace("|", "\\|")
        )
        st.code("\n".join(lines), language=None)


def _places(result: Mapping[str, Any]) -> list[int]:
    return result["places"] or list(range(1, len(result["sequence"]) + 1))
