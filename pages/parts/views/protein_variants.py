"""Variant effects: how far the model can be trusted, the map, the residues, the extremes, and why one substitution got its score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.choosing import asked_for
from pages.parts.figure import show_figure
from pages.parts.living import show_living
from pages.parts.markup import facts, html, kicker, plain, some, strip
from pages.parts.why_sites import show_sites

_METHODS = {"masked": "Accurate: each residue hidden in turn", "wildtype": "Quick preview: one look at the whole protein"}


def settings(kind: str) -> dict[str, Any]:
    """Model and way of scoring."""
    from backend.models.registry import get_card
    from backend.sequences.variants import standing, variant_models

    here = [name for name in variant_models(bench().context) if bench().runtime.present(name)]
    titles = {name: get_card(name, bench().config).title for name in here}
    model = st.selectbox(
        "Model",
        ["", *here],
        index=asked_for(["", *here]),
        format_func=lambda name: titles.get(name, "The best on this machine for this protein"),
        key="variants-model",
    )
    if model:
        st.caption(plain(standing(get_card(model, bench().config))["sentence"]))
    method = st.radio("Scores", list(_METHODS), format_func=lambda name: _METHODS[name], key="variants-method")
    st.caption("More models: ESM-2 can be fetched, or added from a folder, on the Models page.")
    return {"model": model, "method": method}


def show(run: Run) -> None:
    """Draw a saved run."""
    data = run.prediction or {}
    results = list(data["results"])
    found = results[0]
    if len(results) > 1:
        at = st.selectbox("Protein", range(len(results)), format_func=lambda i: results[i]["record"], key=f"variants-record-{run.id}")
        found = results[at]
    quality = data["quality"]
    _standing(quality, found)
    for warning in run.warnings:
        st.warning(plain(warning), icon=":material/info:")
    if found["model"] == "blosum62":
        st.page_link("pages/models.py", label="Fetch or add a protein language model", icon=":material/deployed_code:")
    key = f"{run.id}-{results.index(found)}"
    _map(key, found, data["alphabet"])
    left, right = st.columns([5, 3], gap="large")
    with left:
        _extremes(key, found)
    with right:
        kicker("How sure")
        _sure(quality, found)
    kicker("Why")
    _why(run, key, found, data["alphabet"])


def _standing(quality: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Above the map: what the model is worth."""
    word = {True: "VARIANT PREDICTOR", False: "NOT A VARIANT PREDICTOR", None: "NOT MEASURED"}[quality["predictor"]]
    if found["model"] == "blosum62":
        word = "BASELINE"
    elif quality["predictor"] is None and quality["value"] is not None:
        word = "MEASURED"
    css = "" if quality["predictor"] else " bl-no"
    html(f'<span class="bl-label{css}">{word}</span>')
    st.markdown(plain(quality["sentence"]))
    strip(
        [
            ("Protein", found["record"]),
            ("Residues", f"{len(found['sequence']):,}"),
            ("Substitutions", f"{found['substitutions']:,}"),
            ("Model", found["model"]),
            ("Scores", {"table": "table", "masked": "each residue hidden", "wildtype": "preview"}[found["method"]]),
        ]
    )


def _map(key: str, found: Mapping[str, Any], alphabet: str) -> None:
    from backend.figures.track import Track
    from backend.figures.variants import describe_map, plot_map

    kicker("Finding")
    st.caption(
        "Blue: less likely than what stands there; orange-red: likelier. Dots: what stands there. Click a cell to go to its residue."
    )
    tabs = [False] if found["model"] == "blosum62" else [False, True]

    def panel(plain_table: bool) -> Any:
        def draw(selected: int | None) -> int | None:
            figure = plot_map(found, alphabet, plain=plain_table, chosen=selected)
            ground = st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")
            figure.update_layout(paper_bgcolor=ground)
            name = f"variants-map-{key}-{plain_table}"
            event = st.plotly_chart(figure, on_select="rerun", selection_mode="points", alt=describe_map(found, plain_table), key=name)
            points = event["selection"]["points"] if event else []
            clicked = int(points[0]["x"]) if points else None
            # a chart keeps its selection over reruns: only a new one moves the residue
            fresh = clicked if clicked != st.session_state.get(f"{name}-last") else None
            st.session_state[f"{name}-last"] = clicked
            return fresh

        return draw

    tracks = [Track("Mean effect of a substitution", found["mean"], found["unit"], "diverging", found["model"])]
    show_living(f"{key}", found["sequence"], found["places"], tracks, [panel(table) for table in tabs])


def _extremes(key: str, found: Mapping[str, Any]) -> None:
    kicker("Least and best borne")
    if found["model"] == "blosum62":
        tied = len({item["score"] for item in found["worst"]}) == 1
        st.caption(
            "Not listed: the table gives the same exchange the same score wherever it stands"
            + (f", so that many substitutions share the lowest, {found['worst'][0]['score']:g}." if tied else ".")
        )
    unit = found["unit"]
    rows = [
        {"Substitution": item["mutant"], f"Score ({unit})": item["score"], "BLOSUM62": item["blosum62"], "": word}
        for word, items in (("least borne", found["worst"]), ("best borne", found["best"]))
        for item in items
    ]
    if found["model"] != "blosum62":
        st.dataframe(rows, hide_index=True, height=320, key=f"variants-extremes-{key}")
    from backend.sequences.variants import to_csv as whole

    st.download_button(
        f"All {found['substitutions']:,} as CSV",
        lambda: whole({"results": [found]}),
        f"bioloom-{key}-variants.csv",
        "text/csv",
        key=f"variants-csv-{key}",
        on_click="ignore",
    )


def _sure(quality: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    rows = []
    if quality["value"] is None:
        rows.append(("Rank correlation", "not measured"))
    else:
        interval = f" ({quality['low']:.2f} to {quality['high']:.2f})" if quality["low"] is not None else ""
        rows += [("Rank correlation", f"{quality['value']:.2f}{interval}"), ("On", quality["data"]), ("From", quality["origin"])]
    if quality["baseline"] is not None:
        rows.append(("Site-independent model", f"{quality['baseline']:.2f}"))
    if found["agreement"] is not None:
        rows.append(("Agreement with BLOSUM62", f"{found['agreement']:.2f}"))
    if found["perplexity"] is not None:
        rows.append(("Perplexity of this protein", f"{found['perplexity']:.1f} (1 knows it, 20 guesses)"))
    if len(found["windows"]) > 1:
        rows.append(("Read in", some(len(found["windows"]), "overlapping window")))
    facts(rows)
    st.caption("Research use only: a score is no verdict on a patient's variant.")


def _why(run: Run, key: str, found: Mapping[str, Any], alphabet: str) -> None:
    if found["model"] == "blosum62":
        st.caption("BLOSUM62 scores a substitution by its two amino acids alone; no other residue has a share in it.")
        return
    with st.form(f"variants-why-{key}"):
        typed = st.text_input(
            "Which substitution?", value=found["worst"][0]["mutant"], help="As K48R: what stands there, position, substitution."
        )
        st.form_submit_button("Choose")
    mutant = typed.strip().upper()
    target = {"record": found["record"], "mutant": mutant}
    made = show_sites(run, target, f"Explain {mutant}", found["sequence"])
    if made is None:
        return
    from backend.figures.variants import describe_neighbours, plot_neighbours

    rows = [
        {"neighbour": f"{letter}{place}", "substitution": other, "change": change}
        for letter, place, changes in zip(
            made["mutagenesis"]["letters"], made["mutagenesis"]["places"], made["mutagenesis"]["changes"], strict=True
        )
        for other, change in zip(alphabet, changes, strict=True)
    ]
    show_figure(plot_neighbours(made, alphabet), describe_neighbours(made), f"neighbours-{key}-{mutant}", rows)
    own = mutant[0]
    st.caption(
        plain(f"BLOSUM62 of {own}: " + ", ".join(f"{letter} {score:+d}" for letter, score in made["blosum62"].items() if letter != own))
    )
