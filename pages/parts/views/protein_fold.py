"""A predicted structure: how sure first, then the molecule, its confidence along and between residues, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import escape, facts, html, kicker, some
from pages.parts.why_sites import show_sites

_BANDS = {"very high": "#0053D6", "confident": "#65CBF3", "low": "#FFDB13", "very low": "#FF7D45"}
_WORDS = {
    "very high": "backbone and side chains can be relied on",
    "confident": "the backbone can be relied on",
    "low": "to be read with caution",
    "very low": "not to be read; often no fixed fold",
}


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, and how often it reads its own result."""
    model = choose_model("protein.fold", "fold-model")
    if model is None:
        return None
    with st.expander("More settings"):
        recycles = st.number_input(
            "Recycles", 0, 8, 3, help="How often the network reads its own result again; 3 as published.", key="fold-recycles"
        )
    from backend.models.families.esmfold import SLOW

    st.caption(f"{SLOW} The work can be stopped at any time.")
    return {"model": model, "recycles": int(recycles)}


def show(run: Run) -> None:
    """The confidence decides what may be read: it comes first."""
    data: Mapping[str, Any] = run.prediction or {}
    results = data["results"]
    at = 0
    if len(results) > 1:
        at = st.selectbox("Chain", range(len(results)), format_func=lambda i: results[i]["record"], key=f"folded-record-{run.id}")
    found = results[at]
    key = f"{run.id}-{at}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, key)
    with right:
        kicker("How sure")
        _sure(run, found)
    kicker("The molecule")
    _molecule(found, key)
    from backend.figures.structure_prediction import (
        describe_confidence,
        describe_errors,
        error_rows,
        plot_confidence,
        plot_errors,
    )
    from backend.sequences.structure_pdb import unpack_errors

    places = found["places"] or range(1, len(found["sequence"]) + 1)
    rows = [
        {"place": place, "residue": letter, "pLDDT": value}
        for place, letter, value in zip(places, found["sequence"], found["plddt"], strict=True)
    ]
    show_figure(plot_confidence(found), describe_confidence(found), f"plddt-{key}", rows)
    errors = unpack_errors(found["pae"])
    show_figure(plot_errors(found, errors), describe_errors(found, errors), f"pae-{key}", error_rows(found, errors))
    st.caption(
        "Squares of low error along the diagonal are parts that fold by themselves; high error between two means that how they "
        "stand to each other is not known."
    )
    kicker("Why")
    _why(run, found, key)


def _finding(found: Mapping[str, Any], key: str) -> None:
    total = len(found["sequence"])
    good = sum(each["residues"] for each in found["bands"] if each["from"] >= 70)
    html(f"<h3>{escape(found['record'])}: {good / total:.0%} of {some(total, 'residue')} are placed with confidence</h3>")
    rows = "".join(
        f"<dt><span style='display:inline-block;width:.8rem;height:.8rem;border-radius:2px;background:{_BANDS[each['band']]}'></span> "
        f"{escape(each['band'])}</dt><dd>{each['residues'] / total:.0%}, {some(each['residues'], 'residue')}: "
        f"{escape(_WORDS[each['band']])}</dd>"
        for each in reversed(found["bands"])
    )
    html(f"<dl>{rows}</dl>")
    st.download_button(
        "Structure as PDB",
        found["pdb"],
        f"{''.join(sign if sign.isalnum() else '-' for sign in found['record'])[:60]}-predicted.pdb",
        "chemical/x-pdb",
        key=f"pdb-{key}",
        on_click="ignore",
    )


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    card = get_card(found["model"], bench().config)
    html(f"<div class='bl-big'>{found['mean']:.0f}</div><p>mean pLDDT of 100; pTM {found['ptm']:.2f} of 1</p>")
    facts([("By", card.title), ("pLDDT", "the model's own estimate of local accuracy"), ("pTM", "its estimate for the fold as a whole")])
    for limit in card.limits[:3]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")
    st.caption("A prediction, not an experiment. Research use only.")


def _molecule(found: Mapping[str, Any], key: str) -> None:
    from backend.figures.track import Track
    from backend.sequences.view import keep_structure

    name = f"{found['record'][:40]} predicted.pdb"
    sha256, _ = keep_structure(bench().context, found["pdb"].encode(), name)
    tracks = [Track("Confidence (pLDDT)", found["plddt"], "", "plddt", f"{found['model']}, own estimate")]
    show_living(f"{key}-fold", found["sequence"], found["places"], tracks, structure=(sha256, name))


def _why(run: Run, found: Mapping[str, Any], key: str) -> None:
    places = found["places"] or list(range(1, len(found["sequence"]) + 1))
    what = st.radio("Explain", ["the confidence of the whole chain", "one residue's"], horizontal=True, key=f"folded-why-{key}")
    target: dict[str, Any] = {"record": found["record"]}
    label = "Explain the mean pLDDT"
    if what != "the confidence of the whole chain":
        place = int(st.number_input("Residue, in your numbering", min(places), max(places), places[0], key=f"folded-place-{key}"))
        if place not in places:
            st.caption(f"The chain has no residue {place}.")
            return
        target["place"] = place
        label = f"Explain the pLDDT of {found['sequence'][places.index(place)]}{place}"
    st.caption(
        "Six stretches are made unknown in all 64 selections, and the chain is folded anew each time. Where that would take "
        "more than an hour it is not begun, and the estimate is told."
    )
    show_sites(run, target, label, found["sequence"])
