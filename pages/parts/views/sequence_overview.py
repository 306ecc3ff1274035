"""What a sequence is: numbers with their bounds, composition, profiles, reading frames, codons, sites, features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker

_NAMES = {
    "weight": ("Weight", 1),
    "pi": ("Isoelectric point (pI)", 2),
    "gravy": ("Hydropathy (GRAVY)", 3),
    "aromaticity": ("Aromatic share (F, W, Y)", 3),
    "instability": ("Instability index", 1),
    "extinction_reduced": ("Extinction at 280 nm, reduced", 0),
    "extinction_cystines": ("Extinction at 280 nm, cystines", 0),
    "gc": ("GC share", 3),
}
_BEGINS = {"ATG": "ATG", "table": "any start of the code", "any": "from stop to stop"}


def settings(kind: str) -> dict[str, Any]:
    """Windows, genetic code, shortest frame, enzymes."""
    if kind == "protein":
        window = st.number_input("Hydropathy window (residues)", 1, 99, 9, 2, help="19 shows membrane segments.", key="overview-kd")
        return {"hydropathy_window": int(window)}
    from backend.sequences.overview_orfs import genetic_codes

    codes = genetic_codes()
    with st.expander("Frames, windows and enzymes"):
        code = st.selectbox("Genetic code", list(codes), format_func=lambda number: f"{number}: {codes[number]}", key="overview-code")
        begin = st.selectbox("A reading frame begins with", list(_BEGINS), format_func=_BEGINS.__getitem__, key="overview-begin")
        shortest = st.number_input("Shortest reading frame (residues)", 1, 10_000, 30, key="overview-shortest")
        window = st.number_input("GC window (letters; 0: chosen to fit)", 0, 1_000_000, 0, key="overview-window")
        enzymes = st.text_input(
            "Restriction enzymes", "usual", help="usual, all, none, or names such as EcoRI, NotI", key="overview-enzymes"
        )
    return {"code": int(code), "begin": begin, "shortest_orf": int(shortest), "window": int(window), "enzymes": enzymes}


def show(run: Run) -> None:
    """A table of all records, then one of them in detail."""
    results = (run.prediction or {})["results"]
    at = 0
    if len(results) > 1:
        kicker("All records")
        _table(results)
        at = st.selectbox("Record", range(len(results)), format_func=lambda i: results[i]["record"], key=f"overview-{run.id}")
    result: Mapping[str, Any] = results[at]
    name = f"{run.id}-{at}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("What it is")
        unit = "residues" if result["kind"] == "protein" else "bases"
        html(f"<h3>{escape(result['record'])}: {result['length']:,} {unit}</h3>")
        facts([(_NAMES[key][0], _value(number, _NAMES[key][1])) for key, number in result["numbers"].items()])
    with right:
        kicker("How these numbers are meant")
        notes = [f"{_NAMES[key][0]}: {number['note']}." for key, number in result["numbers"].items() if number["note"]]
        notes += ["Weights and pI are those of a plain, unfolded chain."] if result["kind"] == "protein" else []
        notes += ["Weight is that of one linear strand with a 5' phosphate."] if result["kind"] != "protein" else []
        for note in notes:
            html(f"<p>{escape(note)}</p>")
        for warning in run.warnings[:20]:
            html(f"<div class='bl-notice'>{escape(warning)}</div>")
    from backend.figures.composition import describe_composition, plot_composition

    rows = [{"letter": letter, "count": count} for letter, count in result["composition"].items()]
    show_figure(
        plot_composition(result["composition"], result["kind"]), describe_composition(result["composition"]), f"composition-{name}", rows
    )
    if result["details"] is None:
        st.caption("Profiles, frames and sites of this record are not in this run. Run it alone to see them.")
    elif result["kind"] == "protein":
        _protein(result, name)
    else:
        _nucleic(result, name)


def _table(results: list[dict[str, Any]]) -> None:
    st.dataframe(
        [
            {"Record": each["record"], "Kind": each["kind"], "Letters": each["length"]}
            | {_NAMES[key][0]: number["value"] for key, number in each["numbers"].items()}
            for each in results
        ],
        hide_index=True,
        height=min(38 * (len(results) + 1), 360),
    )
    st.caption("An empty cell: the letters leave the number open; its bounds stand below and in the CSV.")


def _value(number: Mapping[str, Any], digits: int) -> str:
    if number["low"] is None:
        return "not given"
    unit = f" {number['unit']}" if number["unit"] else ""
    if number["value"] is not None:
        return f"{number['value']:,.{digits}f}{unit}"
    return f"{number['low']:,.{digits}f} to {number['high']:,.{digits}f}{unit}"


def _protein(result: Mapping[str, Any], name: str) -> None:
    from backend.figures.composition import describe_hydropathy, plot_hydropathy
    from backend.figures.track import Track
    from pages.parts.living import show_living

    profile = result["details"]["hydropathy"]
    values, window = profile["values"], profile["window"]
    places = result["places"] or range(1, result["length"] + 1)
    rows = [{"place": place, "hydropathy": value} for place, value in zip(places, values, strict=False)]
    show_figure(plot_hydropathy(values, places, window), describe_hydropathy(values, places, window), f"hydropathy-{name}", rows)
    if result["sequence"] is not None and len(values) == result["length"]:
        kicker("The residues")
        show_living(
            name, result["sequence"], result["places"], [Track(f"Hydropathy over {window}", values, "", "hydropathy", "Kyte-Doolittle")]
        )
    _features(result)


def _nucleic(result: Mapping[str, Any], name: str) -> None:
    from backend.figures.composition import describe_gc, describe_map, plot_gc, plot_map

    details = result["details"]
    kicker("Reading frames and sites")
    last = result["places"][-1] if result["places"] else result["length"]
    frames = [{key: orf[key] for key in ("start", "end", "frame", "residues", "complete", "protein")} for orf in details["orfs"]]
    show_figure(plot_map(details, last), describe_map(details), f"map-{name}", frames)
    with st.expander(f"Reading frames ({details['orfs_found']:,}), genetic code {details['code']['number']}"):
        st.dataframe(frames, hide_index=True)
    with st.expander("Restriction enzymes"):
        left, right = st.columns(2)
        left.dataframe(details["enzymes"], hide_index=True)
        right.dataframe(details["sites"], hide_index=True)
        st.caption("The piece is taken as linear. A site with an ambiguous letter is not counted.")
    windows = details["windows"]
    rows = [
        {"start": start, "gc": gc, "skew": skew} for start, gc, skew in zip(windows["starts"], windows["gc"], windows["skew"], strict=True)
    ]
    show_figure(plot_gc(windows), describe_gc(windows), f"gc-{name}", rows)
    if usage := details["codons"]:
        with st.expander(f"Codon usage: {usage['codons']:,} codons"):
            st.text(f"Counted in {usage['of']}. {usage['ambiguous']:,} codons with ambiguous letters are left out.")
            st.dataframe(usage["rows"], hide_index=True)
    _features(result)


def _features(result: Mapping[str, Any]) -> None:
    if features := result["details"]["features"]:
        with st.expander(f"Features of the file ({len(features):,})"):
            st.dataframe(
                [
                    {
                        "Kind": each["kind"],
                        "Name": each["name"],
                        "Places": ", ".join(f"{start}-{end}" for start, end in each["spans"]),
                        "Strand": "+" if each["strand"] > 0 else "−",
                    }
                    for each in features
                ],
                hide_index=True,
            )
