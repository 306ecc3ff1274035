"""Disorder of proteins: how much, where, how sure; the sequence and its structure; why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import escape, html, kicker
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any]:
    """What counts as a stretch."""
    with st.expander("What counts as a disordered stretch"):
        threshold = st.slider(
            "Score from which a residue counts", 0.1, 0.9, 0.5, 0.05, help="0.5 is the published one.", key="disorder-from"
        )
        shortest = st.number_input("Shortest stretch (residues)", 1, 500, 12, key="disorder-shortest")
        gap = st.number_input("Gaps up to this length are closed (residues)", 0, 100, 10, key="disorder-gap")
    return {"threshold": float(threshold), "shortest": int(shortest), "gap": int(gap)}


def show(run: Run) -> None:
    """The finding first, then how sure, then the residues, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    results, rule = found["results"], found["rule"]
    names = [each["record"] for each in results]
    result = results[0]
    if len(results) > 1:
        _table(results)
        result = results[names.index(st.selectbox("Protein", names, key=f"disorder-record-{run.id}"))]
    name = f"{run.id}-{names.index(result['record'])}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _stretches(result)
    with right:
        _sure(run, rule)
    if result["disorder"] is None:
        st.caption("The scores of this protein's residues are not saved with the run. Run it alone to see them.")
        return
    from backend.figures.disorder import describe_disorder, plot_disorder
    from backend.figures.track import Track

    places = result["places"] or range(1, result["length"] + 1)
    rows = [
        {"place": place, "residue": letter, "disorder": score, "expected pLDDT": plddt}
        for place, letter, score, plddt in zip(places, result["sequence"], result["disorder"], result["plddt"], strict=True)
    ]
    show_figure(plot_disorder(result, rule), describe_disorder(result), f"disorder-{name}", rows)
    kicker("The residues")
    tracks = [
        Track("Disorder", result["disorder"], "0 to 1", "sequential", "metapredict V3", bounds=(0, 1)),
        Track("Expected pLDDT", result["plddt"], "", "plddt", "metapredict's second network"),
    ]
    show_living(name, result["sequence"], result["places"], tracks)
    kicker("Why")
    _why(run, result, name)


def _table(results: list[dict[str, Any]]) -> None:
    rows = [
        {"Protein": each["record"], "Residues": each["length"], "Disordered": each["share"], "Stretches": len(each["stretches"])}
        for each in results
    ]
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(rows, hide_index=True, column_config={"Disordered": percent}, height=min(38 * (len(rows) + 1), 300))


def _stretches(result: Mapping[str, Any]) -> None:
    head = f"{result['share']:.0%} of {result['length']:,} residues lie in disordered stretches"
    html(f"<h3>{escape(result['record'])}: {escape(head)}</h3>")
    if not result["stretches"]:
        html(f"<p>No stretch is long enough. Mean disorder {result['mean']:.2f}.</p>")
        return
    st.dataframe(
        [
            {
                "From": each["start"],
                "To": each["end"],
                "Residues": each["length"],
                "Mean disorder": each["disorder"],
                "Expected pLDDT": each["plddt"],
            }
            for each in result["stretches"]
        ],
        hide_index=True,
        height=min(38 * (len(result["stretches"]) + 1), 300),
    )


def _sure(run: Run, rule: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    st.caption(
        f"A stretch: {rule['shortest']} residues or more that score {rule['threshold']:g} or more, gaps of up to {rule['gap']} closed."
    )
    for limit in get_card("metapredict").limits[:3]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _why(run: Run, result: Mapping[str, Any], name: str) -> None:
    places = result["places"] or list(range(1, result["length"] + 1))
    spans = {f"Stretch {each['start']}-{each['end']}": each for each in result["stretches"]}
    choice = st.selectbox("Explain", [*spans, "One residue"], key=f"disorder-target-{name}")
    target: dict[str, Any] = {"record": result["record"]}
    if choice in spans:
        target |= {"start": spans[choice]["start"], "end": spans[choice]["end"]}
    else:
        place = st.number_input("Residue, in your numbering", min(places), max(places), places[0], key=f"disorder-place-{name}")
        target["place"] = int(place)
    label = f"Explain {choice.lower()}" if choice in spans else f"Explain residue {target['place']}"
    made = show_sites(run, target, label, result["sequence"])
    if made and (scan := made.get("mutagenesis")):
        from backend.figures.disorder import describe_substitutions, plot_substitutions, substitution_rows

        words = f"the disorder of {choice.lower() if choice in spans else target['place']}"
        mark = "-".join(str(value) for key, value in target.items() if key != "record")
        show_figure(
            plot_substitutions(scan, words), describe_substitutions(scan, words), f"substitutions-{name}-{mark}", substitution_rows(scan)
        )
