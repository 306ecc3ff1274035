"""Splicing of a gene: which sites are there, what a variant does to them, and which bases made the networks think so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, plain, some
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any]:
    """Variants, strand and what is known of the gene."""
    variants = st.text_area(
        "Variants, one a line (may stay empty)",
        placeholder="143G>A\nc.92+1G>A\n143_145del\n143_144insT",
        help="In the record's own places from 1. Positions with c. need the exons and the start codon: from the record's annotation "
        "(GenBank), or given below. Letters of a variant without c. are those of the record as written, also on the other strand.",
        key="splice-variants",
    )
    strand = st.radio(
        "The gene is read", ["+", "-"], format_func=_strand, horizontal=True, key="splice-strand", help="Only one strand is judged."
    )
    with st.expander("Known exons, start codon, threshold", expanded="c." in variants):
        exons = st.text_input("Exons, in the record's places", placeholder="1-142, 273-495, 1346-1606", key="splice-exons")
        coding = st.number_input("First base of the start codon (0: not known)", 0, 1_000_000, 0, key="splice-cds")
        threshold = st.slider("List sites from this probability on", 0.05, 0.95, 0.2, 0.05, key="splice-threshold")
    return {"variants": variants, "strand": strand, "exons": exons, "cds_start": int(coding), "threshold": float(threshold)}


def show(run: Run) -> None:
    """The finding first, then how sure, why, and all numbers."""
    found: Mapping[str, Any] = run.prediction or {}
    results = found["results"]
    names = [each["record"] for each in results]
    result = results[0]
    if len(results) > 1:
        result = results[names.index(st.selectbox("Record", names, key=f"splice-record-{run.id}"))]
    name = f"{run.id}-{names.index(result['record'])}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(result)
    with right:
        kicker("How sure")
        _sure(run, found, result)
    from backend.figures.splice import describe_splice, plot_splice, track_rows

    show_figure(plot_splice(result), describe_splice(result), f"splice-{name}", track_rows(result))
    if result["tracks"]["form"] == "sparse":
        st.caption(f"Of a record this long, probabilities below {result['tracks']['least']} are not kept.")
    if result["variants"]:
        kicker("Variants")
        _variants(result)
    kicker("Why")
    _why(run, result, name)
    kicker("All sites")
    _sites(result)


def _finding(result: Mapping[str, Any]) -> None:
    if result["variants"]:
        worst = sorted(result["variants"], key=lambda made: -made["score"])
        for made in worst[:6]:
            html(
                f"<h3>{escape(made['variant'])}: {escape(made['verdict'].lower())} ({made['score']:.2f})</h3><p>{escape(made['words'])}</p>"
            )
        if len(worst) > 6:
            html(f"<p>{len(worst) - 6} more in the table below.</p>")
        return
    count = len(result["sites"])
    html(f"<h3>{escape(result['record'])}: {some(count, 'splice site')} with a probability of {result['threshold']:g} or more</h3>")
    known = [site for site in result["sites"] if site["known"]]
    if result["exons"]:
        missed = ", ".join(f"{site['kind']} {site['place']:,} ({site['probability']:.2f})" for site in result["missed"])
        total = len(known) + len(result["missed"])
        html(f"<p>{len(known)} of {total} sites of the known exons are found. {escape('Not found: ' + missed if missed else '')}</p>")
    elif not count:
        html("<p>None was found. Is this the strand that the gene is read from? A transcript without introns has none.</p>")


def _detail(made: Mapping[str, Any]) -> str:
    """The finding's words without the verdict, which stands above them."""
    words = str(made["words"]).partition(": ")[2]
    return words[:1].upper() + words[1:]


def _sure(run: Run, found: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    if result["variants"]:
        html(f"<p>{escape(found['meaning'])}</p>")
    html(
        "<p>Mean of five networks that read 5,000 bases on each side. Outside the record they see unknown letters: a gene cut out without "
        "its flanks can look weaker than it is, and a low score does not rule a splice change out.</p>"
        "<p>Acceptor: first base of an exon; donor: last base. For research; a variant's effect is shown by RNA.</p>"
    )
    for warning in run.warnings:
        st.caption(plain(warning))


def _variants(result: Mapping[str, Any]) -> None:
    rows = [
        {
            "Variant": made["variant"],
            "Place": made["place"],
            "Delta score": made["score"],
            "Verdict": made["verdict"],
            **{
                f"{effect.replace('_', ' ').capitalize()}": f"{made[effect]['delta']:.2f} at {made[effect]['place']:,}"
                for effect in ("acceptor_gain", "acceptor_loss", "donor_gain", "donor_loss")
            },
        }
        for made in result["variants"]
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"Delta score": st.column_config.NumberColumn(format="%.2f"), "Place": st.column_config.NumberColumn(format="%d")},
        height=min(38 * (len(rows) + 1), 380),
    )
    st.caption(
        "A score below 0.2 does not rule a splice change out: some known disease variants score below it, such as beta-globin's "
        "IVS1-110 G>A (0.07 here), whose new site the networks place rightly but hold for weak."
    )


def _why(run: Run, result: Mapping[str, Any], name: str) -> None:
    targets: dict[str, dict[str, Any]] = {}
    for made in result["variants"]:
        words = f"{made['variant']}: {made['effect'].replace('_', ' ')} ({made['score']:.2f})"
        targets[words] = {"record": result["record"], "variant": made["variant"], "effect": made["effect"]}
    for site in result["sites"]:
        words = f"{site['kind']} at {site['place']:,} ({site['probability']:.2f})"
        targets[words] = {"record": result["record"], "site": site["kind"], "place": site["place"]}
    if not targets:
        st.caption("There is no site to explain.")
        return
    chosen = st.selectbox("What is to be explained", list(targets), key=f"splice-why-{name}")
    explained = show_sites(run, targets[chosen], f"Explain {chosen}", result["sequence"])
    if explained is None:
        st.caption("Takes half a minute or more: about 1,600 versions of the bases near the site are judged by all five networks.")
        return
    from backend.figures.splice import describe_exchanges, exchange_rows, plot_exchanges

    found, what = explained["mutagenesis"], explained["sites"]["target"]
    kicker("In-silico mutagenesis: every exchange of one base")
    show_figure(plot_exchanges(found, what), describe_exchanges(found, what), f"exchanges-{name}", exchange_rows(found))


def _sites(result: Mapping[str, Any]) -> None:
    words = {True: "known", False: "not among the exons given", None: ""}
    rows = [
        {"Kind": site["kind"], "Place": site["place"], "Probability": site["probability"], "Exon border": words[site["known"]]}
        for site in result["sites"]
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.3f"), "Place": st.column_config.NumberColumn(format="%d")},
        height=min(38 * (len(rows) + 1), 380),
    )


def _strand(sign: str) -> str:
    return "as written" if sign == "+" else "on the other strand"
