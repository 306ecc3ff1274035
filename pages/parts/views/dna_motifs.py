"""Binding motifs: which, where, against what chance gives; how sure; why one matches; all matches as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import escape, html, kicker, plain, selection_key
from pages.parts.why_sites import show_sites

_GROUPS = ("vertebrates", "plants", "insects", "fungi", "nematodes", "urochordates", "diatoms", "all")
_MOST_NOTICES = 20


def settings(kind: str) -> dict[str, Any]:
    """Which motifs, and from which p-value a place counts as a match."""
    left, right = st.columns(2)
    with left:
        group = st.selectbox("Motifs of", _GROUPS, key="motifs-group")
        p_value = st.select_slider(
            "A match has a p-value of at most",
            [1e-6, 1e-5, 1e-4, 1e-3],
            1e-4,
            format_func=lambda value: f"{value:g}",
            help="The probability that one place of random DNA matches one motif as well.",
            key="motifs-p",
        )
    with right:
        names = st.text_input(
            "Only these motifs", placeholder="CTCF, TP53, MA0108", help="Names or accessions; empty for all.", key="motifs-names"
        )
        background = st.selectbox(
            "Chance is judged by",
            ("uniform", "record"),
            format_func={"uniform": "DNA with a quarter of each base", "record": "DNA with the record's own base shares"}.__getitem__,
            key="motifs-background",
        )
    both = st.checkbox("Search both strands", True, key="motifs-both")
    return {
        "group": group,
        "motifs": [part.strip() for part in names.split(",") if part.strip()],
        "p_value": float(p_value),
        "both_strands": both,
        "background": background,
    }


def show(run: Run) -> None:
    """The finding first, then how sure, then why, then every match."""
    found: Mapping[str, Any] = run.prediction or {}
    results, catalogue = found["results"], found["motifs"]
    names = [each["record"] for each in results]
    result = results[0]
    if len(results) > 1:
        st.dataframe(
            [{"Record": r["record"], "Bases": r["length"], "Matches": r["found"], "By chance": r["expected"]} for r in results],
            hide_index=True,
            height=min(38 * (len(results) + 1), 300),
        )
        result = results[names.index(st.selectbox("Record", names, key=f"motifs-record-{run.id}"))]
    name = f"{run.id}-{names.index(result['record'])}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(result, catalogue)
    with right:
        _sure(run, result, found["rule"])
    if not result["hits"]:
        return
    from backend.figures.motifs import describe_matches, match_rows, plot_matches

    show_figure(plot_matches(result, catalogue), describe_matches(result, catalogue), f"motifs-{name}", match_rows(result))
    kicker("Every match")
    hit = _table(result, catalogue, name)
    kicker("Why")
    _why(run, result, hit, name)
    _strip(result, name)


def _finding(result: Mapping[str, Any], catalogue: Mapping[str, Any]) -> None:
    head = f"{result['found']:,} matches of {len(result['motifs']):,} motifs; chance alone gives about {result['expected']:,.0f}"
    html(f"<h3>{escape(result['record'])}: {escape(head)}</h3>")
    if not result["motifs"]:
        html("<p>No motif reaches its threshold. A larger p-value finds weaker matches.</p>")
        return
    st.dataframe(
        [
            {
                "Motif": catalogue[motif["id"]]["name"],
                "Accession": motif["id"],
                "Matches": motif["found"],
                "By chance": motif["expected"],
                "Lowest p": motif["best"],
                "Family": catalogue[motif["id"]]["family"],
                "Consensus": catalogue[motif["id"]]["consensus"],
            }
            for motif in result["motifs"]
        ],
        hide_index=True,
        column_config={"Lowest p": st.column_config.NumberColumn(format="%.1e"), "By chance": st.column_config.NumberColumn(format="%.2f")},
        height=min(38 * (len(result["motifs"]) + 1), 300),
    )


def _sure(run: Run, result: Mapping[str, Any], rule: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    html("<p><b>A match says that a factor could bind here, not that it does.</b></p>")
    strong = sum(hit["by_chance"] < 1 for hit in result["hits"])
    html(
        f"<p>{strong:,} of the matches {'is' if strong == 1 else 'are'} so good that chance would give less than one as good in this whole "
        f"scan of {result['tests']:,} places and motifs. The others may well be chance.</p>"
    )
    own = result["expected_by_composition"]
    html(f"<p>With this record's own base shares chance gives about {own:,.0f} matches.</p>")
    strands = "both strands" if rule["both_strands"] else "the strand as given"
    st.caption(
        plain(
            f"{rule['scanned']:,} motifs of {rule['group']}, {strands}, p at most {rule['p_value']:g} at each place, exact for its matrix."
        )
    )
    for limit in get_card("jaspar").limits[1:3]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:_MOST_NOTICES]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")
    if len(run.warnings) > _MOST_NOTICES:
        st.caption(f"{len(run.warnings) - _MOST_NOTICES:,} further notes are kept with the run.")


def _table(result: Mapping[str, Any], catalogue: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """All kept matches, filtered by name; gives the chosen one, or the strongest."""
    wanted = st.text_input("Show only motifs whose name, family or accession has", key=f"motifs-filter-{name}").strip().lower()
    hits = [
        hit for hit in result["hits"] if not wanted or wanted in f"{hit['name']} {hit['motif']} {catalogue[hit['motif']]['family']}".lower()
    ]
    if not hits:
        st.caption("No match has that. The strongest of all is explained below.")
        return dict(result["hits"][0])
    if result["found"] > result["kept"]:
        st.caption(f"{result['kept']:,} of {result['found']:,} matches are kept, the least likely ones.")
    chosen = st.dataframe(
        [
            {
                "Motif": hit["name"],
                "Accession": hit["motif"],
                "From": hit["start"],
                "To": hit["end"],
                "Strand": hit["strand"],
                "Score (bits)": hit["score"],
                "p": hit["p_value"],
                "As good by chance": hit["by_chance"],
                "Match": hit["match"],
            }
            for hit in hits
        ],
        hide_index=True,
        column_config={
            "Score (bits)": st.column_config.NumberColumn(format="%.2f"),
            "p": st.column_config.NumberColumn(format="%.1e"),
            "As good by chance": st.column_config.NumberColumn(
                format="%.2g", help="In the whole scan, over all motifs, places and strands"
            ),
        },
        height=min(38 * (len(hits) + 1), 320),
        on_select="rerun",
        selection_mode="single-row",
        key=selection_key(f"motifs-hits-{name}", [wanted]),
    )
    rows = chosen["selection"]["rows"]
    return dict(hits[rows[0] if rows and rows[0] < len(hits) else 0])


def _why(run: Run, result: Mapping[str, Any], hit: Mapping[str, Any], name: str) -> None:
    words = f"{hit['name']} at {hit['start']:,}-{hit['end']:,} ({hit['strand']})"
    st.caption(plain(f"{words}, {hit['match']}. Choose another match in the table above."))
    target = {"record": result["record"], "motif": hit["motif"], "start": hit["start"], "strand": hit["strand"]}
    places = result["places"]
    at, end = (places.index(hit["start"]), places.index(hit["end"])) if places else (hit["start"] - 1, hit["end"] - 1)
    from backend.sequences.motifs_why import FLANK

    letters = result["sequence"][max(0, at - FLANK) : end + 1 + FLANK]
    made = show_sites(run, target, f"Explain {words}", letters, (0, len(letters)))
    if made and (scan := made.get("mutagenesis")):
        from backend.figures.motifs import describe_exchanges, exchange_rows, plot_exchanges

        mark = f"{name}-{hit['motif']}-{hit['start']}{'r' if hit['strand'] == '-' else 'f'}"
        about = f"{hit['name']}"
        told = describe_exchanges(scan, about)
        show_figure(plot_exchanges(scan, about), told, f"exchanges-{mark}", exchange_rows(scan))
        st.caption(plain(told))


def _strip(result: Mapping[str, Any], name: str) -> None:
    from backend.figures.motifs import MOST_TRACK, strongest_track
    from backend.figures.track import Track

    if result["length"] > MOST_TRACK:
        return
    kicker("The bases")
    track = Track("Least likely match", strongest_track(result), "-log10 p", "sequential", "of the listed matches over each base")
    show_living(name, result["sequence"], result["places"], [track], kind="dna")
