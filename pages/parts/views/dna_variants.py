"""DNA substitutions: the map, how far the model beats the sequence's own words, the extremes, and why one got its score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, plain, some, strip
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """Model, strand and stretch."""
    model = choose_model("dna.variants", "dna-variants-model")
    if model is None:
        return None
    strand = choose_strand("dna-variants-strand")
    with st.expander("Only a stretch"):
        first = st.number_input("From place (0: the first base)", 0, 100_000_000, 0, key="dna-variants-first")
        last = st.number_input("To place (0: the last base)", 0, 100_000_000, 0, key="dna-variants-last")
        st.caption("Up to 2,000 bases are scored at once; what lies around them is read all the same.")
    st.caption(
        "Each base is hidden in turn. A model of DNABERT's size took 0.3 s a base in a record of 100 bases and 1.5 s where the record "
        "fills its window, on one core of a busy machine without a GPU."
    )
    return {"model": model, "strand": strand, "first": int(first), "last": int(last)}


def choose_strand(key: str) -> str:
    """Which strand the model reads."""
    return str(
        st.radio(
            "Strand",
            ["+", "-"],
            format_func=lambda sign: {"+": "as written", "-": "the other strand"}[sign],
            horizontal=True,
            key=key,
            help="The model reads one strand only.",
        )
    )


def show(run: Run) -> None:
    """The finding first, then how sure, then why."""
    data = run.prediction or {}
    found = choose_record(run, "dna-variants")
    key = f"{run.id}-{data['results'].index(found)}"
    html('<span class="bl-label bl-no">NO MEASURE OF DISEASE</span>')
    st.markdown(plain(data["meaning"]))
    stretch = found["stretch"]
    strip(
        [
            ("Record", found["record"]),
            ("Bases scored", f"{stretch[1] - stretch[0]:,} of {len(found['sequence']):,}"),
            ("Model", found["model"]),
            ("Words of", f"{found['k']} bases"),
            ("Strand", "as written" if found["strand"] == "+" else "the other, shown on yours"),
        ]
    )
    kicker("Finding")
    if not found["worst"]:
        st.info("No base of this record could be scored: none of its letters is A, C, G or T.")
        show_notices(run)
        return
    from backend.figures.dna import base_rows, describe_bases, plot_bases

    st.caption("Blue: less expected than what stands there; orange-red: more expected. Dots: what stands there.")
    show_figure(plot_bases(found, data["alphabet"]), describe_bases(found), f"dna-map-{key}", base_rows(found, data["alphabet"]))
    left, right = st.columns([5, 3], gap="large")
    with left:
        _extremes(key, found)
    with right:
        kicker("How sure")
        _sure(run, found)
    kicker("Why")
    _why(run, key, found)


def show_notices(run: Run, *told_elsewhere: str) -> None:
    """What the run warns of; that a model is untrained stands above every result already."""
    from backend.workbench import UNTRAINED

    for warning in run.warnings[:20]:
        if warning not in (UNTRAINED, *told_elsewhere):
            html(f"<div class='bl-notice'>{escape(warning)}</div>")


def choose_record(run: Run, name: str) -> Mapping[str, Any]:
    """The record of a run that is shown; asked for where there are several."""
    results: list[Mapping[str, Any]] = list((run.prediction or {})["results"])
    if len(results) == 1:
        return results[0]
    at = st.selectbox("Record", range(len(results)), format_func=lambda i: results[i]["record"], key=f"{name}-record-{run.id}")
    return results[at]


def _extremes(key: str, found: Mapping[str, Any]) -> None:
    kicker("Least and most expected")
    rows = [
        {"Substitution": item["mutant"], "Score (log-odds)": item["score"], "Own three-letter words": item["own_words"], "": word}
        for word, items in (("least expected", found["worst"]), ("most expected", found["best"]))
        for item in items
    ]
    st.dataframe(rows, hide_index=True, height=320, key=f"dna-extremes-{key}")


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    ours, chain = found["perplexity"], found["own_words_perplexity"]
    better = "better than" if ours < chain else "no better than"
    html(f"<p>The model foretells hidden bases {better} the sequence's own three-letter words do.</p>")
    rows = [
        ("Perplexity of the model", f"{ours:.2f} (1 foretells every base, 4 guesses)"),
        ("Of the sequence's own words", f"{chain:.2f}"),
        ("Bases foretold", f"{found['recovery']:.0%}; by its own words {found['own_words_recovery']:.0%}"),
        ("Agrees with the neighbours shown", f"{found['kept']:.1%} of the hidden word's probability"),
    ]
    if len(found["windows"]) > 1:
        rows.append(("Read in", some(len(found["windows"]), "overlapping window")))
    facts(rows)
    st.caption(
        "A base's probability: of the hidden word around it, the words that agree with the neighbours, divided among the four bases. "
        "Beside it a chain of order two learned from this record alone. Accuracy on known variants was not measured here."
    )
    show_notices(run)
    st.caption("Research use only.")


def _why(run: Run, key: str, found: Mapping[str, Any]) -> None:
    with st.form(f"dna-why-{key}"):
        typed = st.text_input("Which substitution?", value=found["worst"][0]["mutant"], help="As A23G: what stands there, place, new base.")
        st.form_submit_button("Choose")
    mutant = typed.strip().upper()
    with told():
        from backend.sequences.dna_variants_why import locate

        places = list(found["places"] or range(1, len(found["sequence"]) + 1))
        at, _ = locate(mutant, found["sequence"], places)
        window = (max(0, at - 120), min(len(places), at + 121))
        target = {"record": found["record"], "mutant": mutant}
        if show_sites(run, target, f"Explain {mutant}", found["sequence"], window) is None:
            st.caption(
                "Shares of the other bases: some 740 copies with bases hidden are read. Without a GPU that can take minutes, and a quarter "
                "of an hour where the record fills the model's window; it goes on in the background and can be stopped."
            )
