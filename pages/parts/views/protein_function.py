"""Descriptions fitted to a protein: which fits best, how much of that composition alone would give, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run, canonical, digest
from backend.profiles.wording import reading_level
from pages.parts.bench import profile
from pages.parts.choosing import choose_model
from pages.parts.explanation import show_explanation
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """The model, the descriptions, and the form that they are put into."""
    from backend.sequences.words_fit import LOCATION_FORM, LOCATIONS

    model = choose_model("protein.function", "function-model")
    if model is None:
        return None
    descriptions = st.text_area(
        "Descriptions, one a line",
        "\n".join(LOCATIONS),
        height=200,
        key="function-descriptions",
        help="They are compared with each other: the shares add up to 100%, whether or not one of them is true.",
    )
    form = st.text_input(
        "Form", LOCATION_FORM, key="function-form", help="What each description is put into, at {}. Only {} leaves them as they are."
    )
    return {"model": model, "descriptions": descriptions, "form": form}


def show(run: Run) -> None:
    """The best first, then how sure, then all as a table, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    results = found["results"]
    at = 0
    if len(results) > 1:
        _overview(results)
        at = st.selectbox("Protein", range(len(results)), format_func=lambda i: results[i]["record"], key=f"function-record-{run.id}")
    result = results[at]
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _figure(run, result)
    with right:
        kicker("How sure")
        _sure(run, found, result)
    kicker("Why")
    known = [each["description"] for each in result["fits"]]
    chosen = st.selectbox("Explain the fit of", known, key=f"function-why-{run.id}-{at}")
    target = {"record": result["record"], "description": chosen}
    show_fit(run, target, f"Explain '{chosen[:60]}'", result["sequence"], str(found["form"]).replace("{}", chosen))


def show_fit(run: Run, target: Mapping[str, Any], label: str, sequence: str, description: str) -> None:
    """An explained fit: on the residues, then on the words."""
    made = show_sites(run, target, label, sequence)
    if made is not None:
        st.markdown("**Which words of the description**")
        show_explanation(
            made["words"], description, f"{run.id}-{digest(canonical(dict(target)))[:12]}-words", reading_level(asdict(profile()))
        )


def told_of(run: Run) -> list[str]:
    """The run's warnings, without the one that stands above every view."""
    return [warning for warning in run.warnings if not warning.startswith("UNTRAINED")][:20]


def _overview(results: list[dict[str, Any]]) -> None:
    rows = [
        {
            "Protein": each["record"],
            "Fits best": each["fits"][0]["description"],
            "Share": each["fits"][0]["probability"],
            "Shuffled copies": each["fits"][0]["shuffled"],
        }
        for each in results
    ]
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(rows, hide_index=True, column_config={"Share": percent, "Shuffled copies": percent}, height=min(38 * (len(rows) + 1), 300))


def _figure(run: Run, result: Mapping[str, Any]) -> None:
    from backend.figures.function import describe_fits, plot_fits

    rows = [{"rank": rank, **each} for rank, each in enumerate(result["fits"], start=1)]
    show_figure(plot_fits(result), describe_fits(result), f"function-{run.id}-{result['record'][:20]}", rows)


def _sure(run: Run, found: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card
    from pages.parts.bench import bench

    card, best = get_card(found["model"], bench().config), result["fits"][0]
    facts(
        [
            ("By", card.title),
            ("Cosine of the best", f"{best['cosine']:.3f}"),
            ("Same residues in random order", f"{best['shuffled']:.0%} for this description"),
            ("Form of each description", found["form"]),
            ("Calibration", "none: the shares were not checked against the truth here"),
        ]
    )
    if best["probability"] < best["shuffled"] + 0.05:
        html(
            "<div class='bl-notice'>Shuffled copies of this protein fit as well: its composition explains the finding, not its order.</div>"
        )
    for line in (*card.limits[:2], *told_of(run)):
        html(f"<p>{escape(line)}</p>")
