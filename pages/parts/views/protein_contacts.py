"""Contacts of a protein: the strongest pairs, how sure, the map, the molecule, why two residues are expected to touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import escape, facts, html, kicker, plain, some
from pages.parts.why_sites import show_sites

_SHOWN = 200  # rows of the table


def settings(kind: str) -> dict[str, Any] | None:
    """Which model."""
    model = choose_model("protein.contacts", "contacts-model")
    return None if model is None else {"model": model}


def show(run: Run) -> None:
    """The strongest pairs first, then how sure, the map, the molecule, and why."""
    data: Mapping[str, Any] = run.prediction or {}
    results = data["results"]
    at = 0
    if len(results) > 1:
        at = st.selectbox("Protein", range(len(results)), format_func=lambda i: results[i]["record"], key=f"contacts-record-{run.id}")
    found = results[at]
    key = f"{run.id}-{at}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, data["apart"])
    with right:
        kicker("How sure")
        _sure(run, found)
    from backend.figures.contacts import contact_rows, describe_contacts, plot_contacts

    kicker("The map")
    show_figure(plot_contacts(found), describe_contacts(found), f"contacts-{key}", contact_rows(found))
    kicker("The residues")
    _molecule(run, found, key)
    kicker("Why")
    _why(run, found, key)


def _finding(found: Mapping[str, Any], apart: int) -> None:
    from backend.figures.contacts import contact_rows

    count = found["likely"]
    html(f"<h3>{escape(found['record'])}: {some(count, 'pair')} likelier than not to touch</h3>")
    expected = f"{found['expected']:,.0f} contacts are expected in all between residues {apart} or more apart."
    html(f"<p>{escape(expected)} Contact: CB atoms within 8 Å.</p>")
    rows = contact_rows(found)[: max(_SHOWN, len(found["sequence"]))]
    names = {"first": "First", "second": "Second", "apart": "Apart", "probability": "Probability", "touch in the structure": "Touch"}
    st.dataframe(
        [{names[name]: cell for name, cell in row.items()} for row in rows],
        hide_index=True,
        height=min(38 * (len(rows) + 1), 420),
        column_config={"Probability": st.column_config.NumberColumn(format="%.2f")},
    )


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    card = get_card(found["model"], bench().config)
    told = [("By", card.title), ("From", "the attention of all layers, by the checkpoint's own regression")]
    if len(found["windows"]) > 1:
        told.append(("Read in", some(len(found["windows"]), "overlapping window")))
        told.append(("Never read together", some(found["unseen_pairs"], "pair")))
    facts(told)
    if truth := found["truth"]:
        _precision(truth)
    else:
        html("<p>Give a structure file (PDB or mmCIF) instead of a sequence, and the contacts are compared with it.</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _precision(truth: Mapping[str, Any]) -> None:
    """Share of the strongest pairs that touch in the structure."""
    rows = truth["precision"]
    if not rows:
        st.caption("The chain is too short, or too much of it lacks atoms, to compare with its structure.")
        return
    best = next((row for row in rows if row["range"] == "long" and row["top"] == "L/5"), rows[0])
    html(
        f"<div class='bl-big'>{best['value']:.0%}</div><p>of the strongest {best['pairs']} pairs {best['from']} or more apart touch in "
        f"the structure (95% interval {best['low']:.0%} to {best['high']:.0%})</p>"
    )
    st.dataframe(
        [
            {
                "Apart": f"{row['from']} or more",
                "Strongest": f"{row['top']} ({row['pairs']})",
                "Touch": f"{row['value']:.0%} ({row['low']:.0%} to {row['high']:.0%})",
                "Any pair": "" if row["any_pair"] is None else f"{row['any_pair']:.0%}",
            }
            for row in rows
        ],
        hide_index=True,
    )
    missing = f" {some(truth['missing'], 'residue')} without whole backbone left out." if truth["missing"] else ""
    st.caption(
        plain(f"L: length of the chain; in brackets the 95% interval. Contacts come in patches, so it is narrower than the truth.{missing}")
    )


def _molecule(run: Run, found: Mapping[str, Any], key: str) -> None:
    from backend.figures.track import Track

    places = found["places"] or list(range(1, len(found["sequence"]) + 1))
    strongest = found["contacts"][0][0]
    place = st.number_input(
        "Colour by contacts of residue, in your numbering", min(places), max(places), places[strongest], key=f"contacts-of-{key}"
    )
    tracks = []
    if place in places:
        of = places.index(place)
        values: list[float | None] = [0.0] * len(places)
        values[of] = None
        for first, second, chance in found["contacts"]:
            if of in (first, second):
                values[second if first == of else first] = chance
        name = f"Contact with {found['sequence'][of]}{place}"
        tracks.append(Track(name, values, "probability", "sequential", "pairs that were kept; others 0", bounds=(0, 1)))
    else:
        st.caption(f"The chain has no residue {place}.")
    tracks.append(Track("Contacts expected", found["along"], "contacts", "sequential", "sum of probabilities"))
    file = (str(run.input["file"]), str(run.input["name"])) if found["truth"] else None
    show_living(f"{key}-contacts", found["sequence"], found["places"], tracks, structure=file)


def _why(run: Run, found: Mapping[str, Any], key: str) -> None:
    letters = found["sequence"]
    places = found["places"] or list(range(1, len(letters) + 1))
    pairs = found["contacts"][:30]
    at = st.selectbox(
        "Explain the contact of",
        range(len(pairs)),
        format_func=lambda i: f"{letters[pairs[i][0]]}{places[pairs[i][0]]} and {letters[pairs[i][1]]}{places[pairs[i][1]]}",
        key=f"contacts-why-{key}",
    )
    i, j, chance = pairs[at]
    target = {"record": found["record"], "first": places[i], "second": places[j]}
    st.caption(f"Probability {chance:.2f}. Residues are hidden and the contact is predicted again.")
    show_sites(run, target, f"Explain {letters[i]}{places[i]} with {letters[j]}{places[j]}", letters)
