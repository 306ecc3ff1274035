"""RNA contacts: the structure drawn from attention, how sure, arcs beside ViennaRNA's, the map, why two bases are taken to touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.choosing import choose_model
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.fold_words import blocks, energy
from pages.parts.markup import escape, facts, html, kicker, plain, some
from pages.parts.why_sites import show_sites

_LISTED = 500  # rows of the table; the CSV holds all
_WAYS = {"": "As the file has it", "alignment": "Together, as an alignment", "each": "Each by itself"}
_BY = {
    "": "The checkpoint's regression where it has one",
    "head": "The checkpoint's regression",
    "attention": "Attention without any fitting",
}


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, how the records are read, and how attention is read."""
    model = choose_model("rna.contacts", "rna-contacts-model")
    if model is None:
        return None
    st.caption("Records of equally many columns, gaps as - or ., are read together as an alignment; others each by itself.")
    with st.expander("Alignment and reading"):
        read = st.radio("Records", list(_WAYS), format_func=_WAYS.__getitem__, key="rna-contacts-read", horizontal=True)
        query = st.text_input("Contacts of (id of a record; empty for the first)", key="rna-contacts-query")
        rows = st.number_input(
            "Sequences of the alignment read at most",
            1,
            512,
            32,
            key="rna-contacts-rows",
            help="The first, and those that differ most. On one ordinary processor core 16 sequences of 76 bases take RNA-MSM some 5 s.",
        )
        by = st.selectbox("Read contacts from", list(_BY), format_func=_BY.__getitem__, key="rna-contacts-by")
        threshold = st.number_input(
            "Bases may pair from a score of (0: 0.5 for a probability, 3 for standard deviations)",
            0.0,
            100.0,
            0.0,
            0.1,
            key="rna-contacts-threshold",
        )
    return {"model": model, "read": read, "query": query.strip(), "rows": int(rows), "by": by, "threshold": float(threshold)}


def show(run: Run) -> None:
    """The structure first, then how sure, then arcs, then the map, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    results = found["results"]
    at = 0
    if len(results) > 1:
        at = st.selectbox("Record", range(len(results)), format_func=lambda i: results[i]["record"], key=f"rna-contacts-record-{run.id}")
    one, key = results[at], f"{run.id}-{at}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, one)
    with right:
        kicker("How sure")
        _sure(run, found, one)
    from backend.figures.rna_contacts import arc_rows, describe_arcs, describe_map, map_rows, plot_arcs, plot_map

    kicker("The structure")
    show_figure(plot_arcs(one), describe_arcs(one), f"rna-arcs-{key}", arc_rows(one))
    kicker("Every pair of bases")
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_figure(plot_map(one), describe_map(one), f"rna-contacts-{key}", map_rows(one))
    with right:
        _list(one)
    kicker("Why")
    _why(run, one, key)


def _finding(found: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    count = one["structure"].count("(")
    html(f"<h3>{escape(one['record'])}: {some(count, 'base pair')} drawn from attention</h3>")
    lines = [one["sequence"], one["structure"], *([one["vienna"]["structure"]] if one["vienna"] else [])]
    st.code(blocks(lines, one["places"]), language=None, height="content" if len(one["sequence"]) <= 240 else 340)
    words = "First line: the bases, numbered as yours. Second line: the structure from attention."
    if one["vienna"]:
        words += f" Third line: ViennaRNA's structure of least free energy, {energy(one['vienna']['energy'])}, from this strand alone."
    st.caption(plain(words))
    st.caption(plain(f"Method: {found['structure_method']}."))


def _sure(run: Run, found: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card
    from backend.sequences.rna_contacts_scores import READINGS

    card = get_card(str(run.model["name"]), bench().config)
    read = some(len(one["rows"]), "sequence")
    if len(one["rows"]) < one["given"]:
        read += f" of {one['given']:,}"
    facts(
        [
            ("By", card.title),
            ("Scores", f"{one['unit']}, {READINGS[one['by']].words}"),
            ("Read", read if found["read"] == "alignment" else "this strand by itself, without relatives"),
            ("Bases may pair from", f"{one['threshold']:g}"),
            ("Agreement with ViennaRNA", "not compared" if not one["vienna"] else f"F1 {one['vienna']['f1']:.2f} of base pairs"),
        ]
    )
    if one["by"] == "attention":
        html("<p>Scores from attention without fitting rank pairs; they are no probabilities.</p>")
    for limit in card.limits:
        html(f"<p class='bl-soft'>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _list(one: Mapping[str, Any]) -> None:
    from backend.sequences.rna_contacts_export import contact_rows

    rows = contact_rows(one)
    st.dataframe(
        [
            {
                "Base": f"{row['first_base']}{row['first']}",
                "Partner": f"{row['second_base']}{row['second']}",
                "Score": row["score"],
                "Drawn": row["in_structure"],
                "Vienna": row["in_viennarna"],
            }
            for row in rows[:_LISTED]
        ],
        hide_index=True,
        column_config={"Score": st.column_config.NumberColumn(f"Score ({one['unit']})", format="%.2f")},
        height=min(38 * (len(rows[:_LISTED]) + 1), 520),
    )
    if len(rows) > _LISTED:
        st.caption(f"The {_LISTED:,} highest of {len(rows):,} listed; the CSV holds all of these.")


def _why(run: Run, one: Mapping[str, Any], key: str) -> None:
    from backend.sequences.fold_why import name_target
    from backend.sequences.rna_contacts_why import MOST_EXPLAINED, find_pair

    if len(one["sequence"]) > MOST_EXPLAINED:
        st.caption(f"Up to {MOST_EXPLAINED} bases can be explained. Cut the part in question out.")
        return
    if not one["contacts"]:
        st.caption("The strand is too short for a contact: there is nothing to explain.")
        return
    places: Sequence[int] = one["places"] or list(range(1, len(one["sequence"]) + 1))
    with told():
        i, j = find_pair(one, {}, places)
        with st.form(f"rna-contacts-why-{key}"):
            typed = st.text_input("Which pair?", value=f"{places[i]}-{places[j]}", help="As 3-70, in your numbering.")
            st.form_submit_button("Choose")
        target = name_target(one["record"], find_pair(one, {"pair": typed.strip()}, places), places)
        show_sites(run, target, f"Explain {target['pair']}", one["sequence"], (0, len(one["sequence"])))
