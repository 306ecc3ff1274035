"""RNA folding: the structure and how sure it is, its drawing with the strand, every probable pair, why a pair forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.errors import told
from pages.parts.figure import show_figure, show_saves
from pages.parts.fold_words import blocks, energy, known_accuracy, percent, selected_base, sentence
from pages.parts.living import Panel, show_living
from pages.parts.markup import escape, facts, html, kicker, plain
from pages.parts.why_sites import show_sites

_NAMES = {"mfe": "Minimum free energy", "centroid": "Centroid"}
_COLOURS = {"drawn": "Probability of what is drawn", "paired": "Probability of being paired"}
_LISTED = 2_000  # rows of the table of pairs; the CSV holds all
_DRAWN = 1_500  # bases; more would be a drawing of dots


def settings(kind: str) -> dict[str, Any]:
    """Temperature, dangles and constraint, with the licence above them."""
    from importlib.util import find_spec

    from backend.models.registry import get_card

    if find_spec("RNA") is None:
        st.error("ViennaRNA is not installed. Install it with: pip install 'bioloom\\[rna\\]', then start Bioloom anew.")
    st.caption(plain(f"Folded by ViennaRNA. {get_card('viennarna').licence}. By running it you accept that licence."))
    with st.expander("Temperature and constraint"):
        temperature = st.number_input("Temperature (°C)", 0.0, 100.0, 37.0, 1.0, key="fold-temperature")
        dangles = st.radio(
            "Bases beside a helix",
            [2, 0],
            format_func=lambda value: "Count towards its energy" if value else "Do not count",
            key="fold-dangles",
            horizontal=True,
        )
        constraint = st.text_input(
            "Constraint, one sign a base (optional; for one record)",
            key="fold-constraint",
            help="A dot leaves a base free, x keeps it unpaired, | has it paired, ( and ) have two bases paired with each other. "
            "It is met in full, or refused.",
        )
        st.caption(
            "On one ordinary processor core about 1 s for up to 500 bases, 4 s for 1,000, 25 s for 2,000 and over a minute for 3,000, "
            "which is the most."
        )
    return {"temperature": float(temperature), "dangles": int(dangles), "constraint": constraint.strip()}


def show(run: Run) -> None:
    """The finding first, then how sure, then the drawing, then every pair, then why."""
    results: Sequence[Mapping[str, Any]] = (run.prediction or {})["results"]
    at = 0
    if len(results) > 1:
        _table(results)
        at = st.selectbox("Record", range(len(results)), format_func=lambda i: results[i]["record"], key=f"fold-record-{run.id}")
    result, key = results[at], f"{run.id}-{at}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(run, result)
    with right:
        _sure(run, result)
    kicker("The structure")
    _structure(result, key)
    kicker("Every probable pair")
    _pairs(result, key)
    kicker("Why")
    _why(run, result, key)


def _table(results: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "Record": each["record"],
            "Bases": len(each["sequence"]),
            "Least free energy (kcal/mol)": each["mfe"]["energy"],
            "Of the ensemble": each["mfe"]["frequency"],
            "Expected wrong bases": each["mfe"]["defect"],
        }
        for each in results
    ]
    shares = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"Of the ensemble": shares, "Expected wrong bases": shares},
        height=min(38 * (len(rows) + 1), 300),
    )


def _finding(run: Run, result: Mapping[str, Any]) -> None:
    mfe, centroid = result["mfe"], result["centroid"]
    share = 1 - mfe["structure"].count(".") / len(mfe["structure"])
    warmth = f"{run.settings['temperature']:g}\u00a0°C"
    head = f"{share:.0%} of {len(result['sequence']):,} bases pair, {energy(mfe['energy'])} at {warmth}"
    html(f"<h3>{escape(result['record'])}: {escape(head)}</h3>")
    same = mfe["structure"] == centroid["structure"]
    lines = [str(result["sequence"]), f"{mfe['structure']}"] + ([] if same else [f"{centroid['structure']}"])
    st.code(blocks(lines, result["places"]), language=None, height="content" if len(result["sequence"]) <= 240 else 340)
    words = "The centroid structure is the same." if same else "Third line: the centroid, the structure nearest to all others."
    st.caption(f"First line: the bases, numbered as yours. Second line: the structure of minimum free energy. {words}")


def _sure(run: Run, result: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    mfe, centroid = result["mfe"], result["centroid"]
    kicker("How sure")
    html(f"<p>{escape(sentence(result))}</p>")
    facts(
        [
            ("Share of the best structure", percent(mfe["frequency"])),
            ("Bases expected to be drawn wrongly", f"{mfe['defect']:.0%}; centroid {centroid['defect']:.0%}"),
            ("Mean probability of its pairs", "none pair" if mfe["pair_probability"] is None else f"{mfe['pair_probability']:.0%}"),
            ("Energy of the ensemble", energy(result["ensemble_energy"])),
            ("Mean distance of two structures", f"{result['diversity']:.1f} pairs"),
        ]
    )
    html(f"<p>{escape(known_accuracy(get_card('viennarna')))}</p>")
    for limit in get_card("viennarna").limits:
        html(f"<p class='bl-soft'>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")
    st.caption(plain(f"{get_card('viennarna').licence}."))


def _structure(result: Mapping[str, Any], key: str) -> None:
    from backend.figures.track import Track

    tracks = [
        Track("Probability of being paired", result["paired"], "0 to 1", "sequential", "ViennaRNA, over all structures", bounds=(0, 1)),
        Track("Undecided", result["entropy"], "bits", "sequential", "ViennaRNA, entropy of each base's partner", bounds=(0, 2)),
    ]
    panels: list[Panel] = []
    if len(result["sequence"]) <= _DRAWN:
        panels.append(lambda selected: _drawing(result, key, selected))
    else:
        st.caption(f"A strand of more than {_DRAWN:,} bases is not drawn flat; its pairs are below.")
    show_living(f"fold-{key}", result["sequence"], result["places"], tracks, panels, kind="rna")


def _drawing(result: Mapping[str, Any], key: str, selected: int | None) -> int | None:
    """The flat drawing; gives the base that was clicked."""
    from backend.figures.rna import base_rows, describe_drawing, plot_drawing
    from backend.figures.style import CONFIG

    left, right = st.columns(2)
    which = left.segmented_control(
        "Structure", list(_NAMES), default="mfe", required=True, format_func=lambda name: _NAMES[name], key=f"fold-which-{key}"
    )
    colour = right.segmented_control(
        "Colour", list(_COLOURS), default="drawn", required=True, format_func=lambda name: _COLOURS[name], key=f"fold-colour-{key}"
    )
    figure = plot_drawing(result, which, colour, selected)
    words, name = describe_drawing(result, which), f"fold-drawing-{key}-{which}-{colour}"
    ground = st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")
    figure.update_layout(paper_bgcolor=ground, plot_bgcolor=ground)
    event = st.plotly_chart(figure, config=CONFIG | {"scrollZoom": True}, on_select="rerun", selection_mode="points", alt=words, key=name)
    st.caption(plain(selected_base(result, selected)))
    show_saves(name, base_rows(result, which))
    points = [point for point in (event["selection"]["points"] if event else []) if point.get("customdata")]
    return int(points[0]["customdata"][0]) if points else None


def _pairs(result: Mapping[str, Any], key: str) -> None:
    from backend.figures.rna_pairs import describe_mountain, describe_pairs, mountains, plot_mountain, plot_pairs
    from backend.sequences.fold_export import pair_rows

    rows = pair_rows(result)
    plot, mountain = st.tabs(["Dot plot and table", "Mountain and entropy"])
    with plot:
        left, right = st.columns([3, 2], gap="large")
        with left:
            show_figure(plot_pairs(result), describe_pairs(result), f"fold-pairs-{key}", rows)
        with right:
            _list(rows)
    with mountain:
        places = result["places"] or range(1, len(result["sequence"]) + 1)
        heights = mountains(result)
        numbers = [
            {
                "place": place,
                "base": base,
                "paired": paired,
                "entropy": entropy,
                **{name: float(line[at]) for name, line in heights.items()},
            }
            for at, (place, base, paired, entropy) in enumerate(
                zip(places, result["sequence"], result["paired"], result["entropy"], strict=True)
            )
        ]
        show_figure(plot_mountain(result), describe_mountain(result), f"fold-mountain-{key}", numbers)


def _list(rows: Sequence[Mapping[str, Any]]) -> None:
    st.dataframe(
        [
            {
                "Base": f"{row['first_base']}{row['first']}",
                "Partner": f"{row['second_base']}{row['second']}",
                "Probability": row["probability"],
                "MFE": row["in_mfe"],
                "Centroid": row["in_centroid"],
            }
            for row in rows[:_LISTED]
        ],
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="percent")},
        height=min(38 * (len(rows) + 1), 560),
    )
    if len(rows) > _LISTED:
        st.caption(f"The {_LISTED:,} most probable of {len(rows):,}; the CSV holds all.")


def _why(run: Run, result: Mapping[str, Any], key: str) -> None:
    from backend.figures.rna import places_of
    from backend.sequences.fold_why import MOST_EXPLAINED, find_target, name_target

    if len(result["sequence"]) > MOST_EXPLAINED:
        st.caption(f"Up to {MOST_EXPLAINED} bases can be explained. Fold the part in question by itself.")
        return
    if not result["pairs"]:
        st.caption("No pair is probable: there is nothing to explain.")
        return
    places = places_of(result)
    best = max(result["pairs"], key=lambda pair: pair[2])
    with st.form(f"fold-why-{key}"):
        typed = st.text_input(
            "Which pair, or which base?", value=f"{places[best[0]]}-{places[best[1]]}", help="As 3-70 for a pair or 3 for a base."
        )
        st.form_submit_button("Choose")
    with told():
        target = name_target(result["record"], find_target({"pair": typed}, result, places), places)
        asked = target.get("pair") or target["position"]
        made = show_sites(run, target, f"Explain {asked}", result["sequence"], (0, len(result["sequence"])))
        if made is not None:
            from backend.figures.rna_pairs import change_rows, describe_changes, plot_changes

            show_figure(plot_changes(made), describe_changes(made), f"fold-changes-{key}-{asked}", change_rows(made))
