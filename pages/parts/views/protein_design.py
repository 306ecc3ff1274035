"""Sequences designed for a backbone: the designs, how sure, each residue, why a residue was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.why_sites import explained, show_sites

_NOISE = {
    "002": "0.02 Å: for the best crystal structures",
    "010": "0.10 Å",
    "020": "0.20 Å: the usual choice",
    "030": "0.30 Å: for predicted or coarse backbones",
}


def settings(kind: str) -> dict[str, Any]:
    """How many, how free, what stays."""
    left, right = st.columns(2)
    designs = left.number_input("Sequences", 1, 64, 4, key="design-number")
    temperature = right.slider(
        "Temperature", 0.05, 1.0, 0.1, 0.05, help="Low keeps to the likeliest residues; high gives more variety.", key="design-temperature"
    )
    chains = st.text_input(
        "Chains to design",
        placeholder="A B; empty: the record chosen above",
        help="Other protein chains keep their sequence.",
        key="design-chains",
    )
    fixed = st.text_input("Residues that stay", placeholder="A:1-10 A:25, numbered as in the file", key="design-fixed")
    with st.expander("More settings"):
        omit = st.text_input("Residues never to use", placeholder="C", key="design-omit")
        noise = st.selectbox("Network, by the noise of its training", list(_NOISE), 2, format_func=_NOISE.__getitem__, key="design-noise")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, help="The same seed gives the same sequences.", key="design-seed")
    return {
        "chains": chains,
        "fixed": fixed,
        "designs": int(designs),
        "temperature": float(temperature),
        "seed": int(seed),
        "omit": omit,
        "noise": str(noise),
    }


def show(run: Run) -> None:
    """The designs first, then how sure, then the residues, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _designs(found)
    with right:
        kicker("How sure")
        _sure(run, found)
    kicker("The residues")
    names = [each["record"] for each in found["results"]]
    at = names.index(st.selectbox("Chain", names, key=f"design-chain-{run.id}")) if len(names) > 1 else 0
    result = found["results"][at]
    _aligned(found, result)
    _residues(run, found, result, f"{run.id}-{at}")
    kicker("Why")
    _why(run, found)


def _designs(found: Mapping[str, Any]) -> None:
    mean, native = found["recovery"], found["native"]["score"]
    if mean:
        html(
            f"<h3>Designs keep {mean['value']:.0%} of the native residues</h3>"
            f"<p>95% interval of the mean {mean['low']:.0%} to {mean['high']:.0%}, n = {mean['n']} designs of this one backbone.</p>"
        )
    rows = [{"Sequence": "native", "Score": native, "Native residues kept": None}]
    rows += [
        {"Sequence": f"design {each['number']}", "Score": each["score"], "Native residues kept": each["recovery"]}
        for each in found["designs"]
    ]
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(rows, hide_index=True, column_config={"Native residues kept": percent}, height=min(38 * (len(rows) + 1), 300))
    st.caption(
        "Score: mean negative log-likelihood of a designed residue; lower suits the backbone better. Designs are drawn to score low, "
        "so a native that scores higher is no fault of the native."
    )


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    card, native = get_card("proteinmpnn"), found["native"]
    for quality in card.quality:
        html(f"<p>Published {escape(quality.metric)}: {quality.value:.1%} ({escape(quality.data)}; {escape(quality.origin)}).</p>")
    if native["score"] is not None:
        facts([("Native score over random orders", f"{native['low']:.2f} to {native['high']:.2f}, n = {native['orders']}")])
    for limit in card.limits:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _aligned(found: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Native above designs, in lines of 60; a point where a design keeps the native residue."""
    native, name = result["sequence"], result["record"]
    shown = found["designs"][:12]
    lines = []
    for start in range(0, len(native), 60):
        part = native[start : start + 60]
        first, last = result["labels"][start], result["labels"][start + len(part) - 1]
        lines.append(f"{'native':<10} {first:>6} {part} {last}")
        for each in shown:
            letters = each["chains"][name][start : start + 60]
            lines.append(
                f"{'design ' + str(each['number']):<10} {'':>6} {''.join('.' if a == b else b for a, b in zip(part, letters, strict=True))}"
            )
        lines.append("")
    with st.expander(f"Chain {name}: the sequences, a point where the native residue is kept", expanded=len(native) <= 240):
        st.code("\n".join(lines), language=None)
        if len(found["designs"]) > len(shown):
            st.caption(f"The first {len(shown)} of {len(found['designs'])} designs; all are in the FASTA export.")


def _residues(run: Run, found: Mapping[str, Any], result: Mapping[str, Any], key: str) -> None:
    from backend.figures.track import Track

    span = slice(result["offset"], result["offset"] + len(result["sequence"]))
    kept = [
        sum(each["chains"][result["record"]][at] == letter for each in found["designs"]) / len(found["designs"])
        for at, letter in enumerate(result["sequence"])
    ]
    sure = [sum(values) / len(values) for values in zip(*(each["sure"][span] for each in found["designs"]), strict=True)]
    tracks = [
        Track("Openness among designs", result["entropy"], "bits, 0 to 4.32", "sequential", "ProteinMPNN", bounds=(0, 4.32)),
        Track("Confidence in the residue chosen", sure, "probability, mean over designs", "sequential", "ProteinMPNN", bounds=(0, 1)),
        Track("Native residue kept", kept, "share of designs", "sequential", "ProteinMPNN", bounds=(0, 1)),
    ]
    file = found["file"]
    places = result["places"] if sorted(set(result["places"])) == result["places"] else None
    show_living(f"design-{key}", result["sequence"], places, tracks, [_map(result, key)], structure=(file["sha256"], file["name"]))


def _map(result: Mapping[str, Any], key: str) -> Callable[[int | None], int | None]:
    def draw(chosen: int | None) -> int | None:
        from backend.figures.design import describe_probabilities, plot_probabilities, probability_rows

        show_figure(plot_probabilities(result, chosen), describe_probabilities(result), f"design-map-{key}", probability_rows(result))
        return None

    return draw


def _why(run: Run, found: Mapping[str, Any]) -> None:
    sites = [f"{each['record']}:{label}" for each in found["results"] for label in each["labels"]]
    whole = {0: "".join(each["sequence"] for each in found["results"]), **{each["number"]: each["sequence"] for each in found["designs"]}}
    left, right = st.columns(2)
    which = left.selectbox(
        "Sequence", [*range(1, len(whole)), 0], format_func=lambda n: f"design {n}" if n else "native", key=f"why-of-{run.id}"
    )
    at = right.selectbox("Residue", range(len(sites)), format_func=lambda n: f"{sites[n]} ({whole[which][n]})", key=f"why-at-{run.id}")
    target = {"residue": sites[at], "design": which}
    label = f"Explain {whole[which][at]} at {sites[at]}"
    show_sites(run, target, label, whole[which])
    made = explained(run, target, label) if _have(run, target) else None
    if made:
        rows = [
            {"Residue": each["letter"], "Backbone alone": each["backbone"], "With its neighbours' letters": each["neighbours"]}
            for each in made["substitutions"]
        ]
        st.dataframe(sorted(rows, key=lambda row: -row["With its neighbours' letters"]), hide_index=True, height=240)


def _have(run: Run, target: Mapping[str, Any]) -> bool:
    from pages.parts.why_sites import find_explanation

    return find_explanation(run, target) is not None
