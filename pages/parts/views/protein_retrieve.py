"""The proteins of a set that fit a description best: the ranking, how far chance goes, why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.views.protein_function import show_fit, told_of


def settings(kind: str) -> dict[str, Any] | None:
    """The model and the description."""
    model = choose_model("protein.retrieve", "retrieve-model")
    if model is None:
        return None
    description = st.text_area(
        "Which proteins do you look for?",
        key="retrieve-description",
        height=80,
        placeholder="For example: Binds oxygen and transports it in the blood.",
        help="Statements as a protein database writes them are understood best.",
    )
    return {"model": model, "description": description}


def show(run: Run) -> None:
    """The ranking first, then how sure, then why one of them fits."""
    found: Mapping[str, Any] = run.prediction or {}
    results = found["results"]
    best = results[0]
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        html(f"<h3>{escape(best['record'])} fits best of {len(results):,}</h3><p>Looked for: {escape(found['description'])}</p>")
        rows = [
            {
                "Protein": each["record"],
                "Cosine": each["cosine"],
                "Shuffled": each.get("shuffled_mean"),
                "By chance": each.get("shuffled_share"),
            }
            for each in results
        ]
        chance = st.column_config.NumberColumn(
            format="%.2f", help="Share of 20, this protein and 19 shuffled copies, that fit at least as well."
        )
        st.dataframe(rows, hide_index=True, column_config={"By chance": chance}, height=min(38 * (len(rows) + 1), 420))
    with right:
        kicker("How sure")
        _sure(run, found, best)
    kicker("Why")
    names = [each["record"] for each in results]
    at = names.index(st.selectbox("Explain the fit of", names, key=f"retrieve-why-{run.id}"))
    target = {"record": names[at]}
    show_fit(run, target, f"Explain the fit of {names[at][:40]}", results[at]["sequence"], found["description"])


def _sure(run: Run, found: Mapping[str, Any], best: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card
    from pages.parts.bench import bench

    card = get_card(found["model"], bench().config)
    facts(
        [
            ("By", card.title),
            ("Cosine of the best", f"{best['cosine']:.3f}"),
            ("Its shuffled copies, mean", f"{best['shuffled_mean']:.3f}"),
            ("By chance", f"{best['shuffled_share']:.2f} (of 20, itself included, fit at least as well)"),
        ]
    )
    if best["shuffled_share"] > 0.05:
        html("<div class='bl-notice'>Shuffled copies of the best protein fit as well: the ranking may be chance.</div>")
    html("<p>The first ten were compared with shuffled copies of themselves. Something always comes first, even where nothing fits.</p>")
    for line in (*card.limits[2:3], *told_of(run)):
        html(f"<p>{escape(line)}</p>")
