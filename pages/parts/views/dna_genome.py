"""Codon likelihood: how expected each codon is, against the gene's own usage; the strangest codons; and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.views.dna_variants import choose_record, show_notices
from pages.parts.why_sites import show_sites

_FRAMES = {
    "auto": "The longest reading frame from an ATG",
    "1": "From the first base",
    "2": "From the second base",
    "3": "From the third base",
}


def settings(kind: str) -> dict[str, Any] | None:
    """Model, frame and genetic code."""
    model = choose_model("dna.genome", "dna-genome-model")
    if model is None:
        return None
    frame = st.radio("Read as codons", list(_FRAMES), format_func=lambda name: _FRAMES[name], key="dna-genome-frame")
    return {"model": model, "frame": frame, "code": choose_code("dna-genome-code")}


def choose_code(key: str) -> int:
    """One of NCBI's genetic codes; bacteria's unless another is chosen."""
    from backend.sequences.overview_orfs import genetic_codes

    codes = genetic_codes()
    names = list(codes)
    at = names.index(11) if 11 in names else 0
    return int(st.selectbox("Genetic code", names, index=at, format_func=lambda number: f"{number}: {codes[number]}", key=key))


def show(run: Run) -> None:
    """The finding first, then how sure, then every codon, then why."""
    data = run.prediction or {}
    found = choose_record(run, "dna-genome")
    key = f"{run.id}-{data['results'].index(found)}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, key)
    with right:
        kicker("How sure")
        _sure(run, found)
    if found["perplexity"] is None:
        return
    from backend.figures.codons import codon_rows, describe_codons, plot_codons

    kicker("Along the gene")
    rows = codon_rows(found)
    show_figure(plot_codons(found), describe_codons(found), f"codons-{key}", rows)
    with st.expander("Every codon"):
        st.dataframe(rows, hide_index=True, height=380, key=f"codon-table-{key}")
    kicker("Why")
    _why(run, found, key)


def _finding(found: Mapping[str, Any], key: str) -> None:
    if found["perplexity"] is None:
        html(f"<h3>{escape(found['record'])}: no codon could be judged</h3>")
        return
    less = found["perplexity"] < found["usage_perplexity"]
    head = "more expected than its codon usage alone explains" if less else "no more expected than by its own codon usage"
    html(f"<h3>{escape(found['record'])}: {head}</h3>")
    html(
        f"<p>Perplexity {found['perplexity']:.1f} over {found['judged']:,} codons; by the gene's own codon usage "
        f"{found['usage_perplexity']:.1f} (64 guesses). Read {escape(found['frame'])}.</p>"
    )
    rows = [
        {
            "Place": item["place"],
            "Codon": item["codon"],
            "Residue": item["residue"],
            "ln p": item["log_p"],
            "Expected instead": ", ".join(f"{name} {chance:.2f}" for name, chance in item["expected"]),
        }
        for item in found["strange"]
    ]
    st.caption("The least expected codons")
    st.dataframe(rows, hide_index=True, height=35 * (len(rows) + 1) + 3, key=f"codon-strange-{key}")


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    places = found["codon_places"]
    rows = [
        ("Model", found["model"]),
        ("Read", f"{len(found['codons']):,} codons, the first at {places[0]:,}"),
    ]
    if found["judged"]:
        rows += [
            ("Codon is the model's first choice", f"{found['first_choice']:.0%}"),
            ("First choice codes for the same residue", f"{found['same_residue']:.0%}"),
        ]
    facts(rows)
    html(
        "<p>What is unexpected for the model need not be wrong: it knows the genes it learned from, not this organism or what the gene "
        "does.</p>"
    )
    show_notices(run)


def _why(run: Run, found: Mapping[str, Any], key: str) -> None:
    judged = [i for i, value in enumerate(found["log_probs"]) if value is not None and i > 0]
    if not judged:
        st.caption("No codon with others before it was judged: there is nothing to explain.")
        return
    strangest = min(judged, key=lambda i: found["log_probs"][i])

    def words(at: int) -> str:
        return f"{found['codons'][at]} at {found['codon_places'][at]:,} (ln p {found['log_probs'][at]:.2f})"

    at = st.selectbox("Which codon?", judged, index=judged.index(strangest), format_func=words, key=f"codon-why-{key}")
    place = found["codon_places"][at]
    first = found["start"] + 3 * max(0, at - 80)
    window = (first, found["start"] + 3 * at + 3)
    target = {"record": found["record"], "place": place}
    if show_sites(run, target, f"Explain {found['codons'][at]} at {place:,}", found["sequence"], window) is None:
        st.caption("Shares of the codons before it; absent ones are read as the model's sign for an unknown codon.")
