"""A structure: what it is and how sure, the molecule itself, what is missing, distances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import escape, html, kicker, plain, some, strip

_BANDS = {"very high": "#0053D6", "confident": "#65CBF3", "low": "#FFDB13", "very low": "#FF7D45"}


def settings(kind: str) -> dict[str, Any]:
    """Pairs of residues to measure."""
    pairs = st.text_input(
        "Distances to measure (may stay empty)",
        placeholder="A:48 A:63; A:6 A:68",
        help="Pairs of residues by chain and the authors' number, several with semicolons.",
        key="structure-view-distances",
    )
    return {"distances": pairs}


def show(run: Run) -> None:
    """The finding first, then the molecule."""
    found: Mapping[str, Any] = run.prediction or {}
    structure, results = found["structure"], found["results"]
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("What it is")
        title = str(structure["title"] or run.title)
        html(f"<h3>{escape(title.capitalize() if title.isupper() else title)}</h3>")  # old files write their titles in capitals
        strip(_facts(structure))
        for result in results[:12]:
            html(f"<p>{escape(_chain(result))}</p>")
        if len(results) > 12:
            st.caption(f"{len(results) - 12} chains more; the table of residues holds them all.")
    with right:
        kicker("How sure")
        _confidence(structure, results)
        for warning in run.warnings:
            html(f"<div class='bl-notice'>{escape(warning)}</div>")
    kicker("The molecule")
    result = results[0]
    if len(results) > 1:
        names = [each["record"] for each in results]
        chosen = st.selectbox("Sequence of chain", names, key=f"structure-chain-{run.id}")
        result = results[names.index(chosen)]
    from backend.figures.track import Track

    column = structure["column"].split(" (")[0]
    track = Track(
        "Confidence (pLDDT)" if column == "pLDDT" else column,
        result["b"],
        "" if column == "pLDDT" else "Å²",
        "plddt" if column == "pLDDT" else "sequential",
        "the file's B-factor column",
    )
    tracks = [track] if len(set(result["b"])) > 1 else []
    file = (run.input["file"], run.input["name"])
    show_living(f"{run.id}-{result['record']}", result["sequence"], result["places"], tracks, structure=file, kind=result["kind"])
    _profile(run, result, structure["column"])
    _distances(found["distances"])
    with st.expander("The structure in words"):
        for line in found["text"]:
            html(f"<p>{escape(line)}</p>")
        for note in structure["notes"]:
            html(f"<p>{escape(note)}</p>")


def _facts(structure: Mapping[str, Any]) -> list[tuple[str, str]]:
    made = [("Residues", f"{structure['residues']:,}"), ("Chains", str(structure["chains"])), ("Atoms", f"{structure['atoms']:,}")]
    if structure["prediction"]:
        made.append(("From", "a predictor"))
    elif structure["method"]:
        made.append(("From", structure["method"]))
    if structure["resolution"]:
        made.append(("Resolution", f"{structure['resolution']:g} Å"))
    if structure["models"] > 1:
        made.append(("Models", f"{structure['models']}, the first shown"))
    if structure["ligands"]:
        made.append(("Ligands and ions", ", ".join(f"{item['count']} {item['name']}" for item in structure["ligands"][:6])))
    return made


def _chain(result: Mapping[str, Any]) -> str:
    kind = {"protein": "protein", "dna": "DNA", "rna": "RNA"}[result["kind"]]
    missing = "; ".join(gap["text"] for gap in result["missing"][:3])
    more = f"; {len(result['missing']) - 3} stretches more" if len(result["missing"]) > 3 else ""
    ends = f"numbered {result['labels'][0]} to {result['labels'][-1]}"
    return f"Chain {result['record']}: {kind}, {some(len(result['sequence']), 'residue')}, {ends}. " + (
        f"Missing: {missing}{more}." if missing else "Nothing is missing between its ends."
    )


def _confidence(structure: Mapping[str, Any], results: list[Mapping[str, Any]]) -> None:
    if not structure["prediction"]:
        words = "An experiment's model" if structure["method"] else "The file names neither an experiment nor a predictor"
        sharp = structure["resolution"]
        html(f"<p>{escape(words)}{f', resolved to {sharp:g} Å' if sharp else ''}. B-factors tell how far atoms are smeared out.</p>")
        return
    share = sum(item["share"] for item in structure["bands"] if item["from"] >= 70)
    html(f"<div class='bl-big'>{share:.0%}</div><p>of residues are placed with confidence (pLDDT 70 or more)</p>")
    rows = "".join(
        f"<dt><span style='display:inline-block;width:.8rem;height:.8rem;border-radius:2px;background:{_BANDS[item['band']]}'></span> "
        f"{escape(item['band'])}</dt><dd>{item['share']:.0%}, {some(item['residues'], 'residue')}</dd>"
        for item in reversed(structure["bands"])
    )
    html(f"<dl>{rows}</dl>")
    st.caption(plain(structure["how"]))
    st.caption("Confidence is the predictor's own estimate of local accuracy; it says nothing of how domains stand to each other.")


def _profile(run: Run, result: Mapping[str, Any], column: str) -> None:
    if len(set(result["b"])) < 2:
        return
    from backend.figures.structure import describe_profile, plot_profile

    rows = [
        {"residue": label, "component": name, column: value}
        for label, name, value in zip(result["labels"], result["names"], result["b"], strict=True)
    ]
    key = f"profile-{run.id}-{result['record']}"
    show_figure(plot_profile(result, column), describe_profile(result, column), key, rows)


def _distances(distances: list[Mapping[str, Any]]) -> None:
    if not distances:
        return
    kicker("Distances")
    st.dataframe(
        [
            {
                "From": item["first"],
                "To": item["second"],
                "CA to CA (Å)": item["anchors"],
                "Nearest atoms (Å)": item["nearest"],
                "Which": " and ".join(item["atoms"]),
            }
            for item in distances
        ],
        hide_index=True,
    )
