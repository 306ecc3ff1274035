"""Background activity: the rhythm first, then how sure, then spectra, bands and sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker

_STATES = {
    "annotated": "As annotated",
    "closed": "Closed throughout",
    "open": "Open throughout",
    "unknown": "Not known",
}
_REFERENCES = {"auto": "Average from 12 electrodes on, else as recorded", "average": "Average", "recorded": "As recorded"}


def settings(recording: str) -> dict[str, Any]:
    """Where the eyes were closed, the reference, and what counts as an artefact."""
    labels = sorted({mark.label for mark in bench().storage.recordings.annotations(recording)})[:200]
    state = st.radio("The eyes", list(_STATES), format_func=lambda name: _STATES[name], horizontal=True, key=f"baseline-eyes-{recording}")
    closed = opened = ""
    if state == "annotated":
        st.caption(
            "Annotations such as 'eyes closed' and 'eyes open' are understood. Others can be named here; "
            "without any the whole recording is measured as one."
        )
        left, right = st.columns(2)
        named = ["", *labels]
        closed = left.selectbox("Closed from", named, format_func=_label, key=f"baseline-closed-{recording}")
        opened = right.selectbox("Open from", named, format_func=_label, key=f"baseline-open-{recording}")
    with st.expander("Reference and artefacts"):
        reference = st.selectbox(
            "Reference", list(_REFERENCES), format_func=lambda name: _REFERENCES[name], key=f"baseline-reference-{recording}"
        )
        reject = st.number_input(
            "Windows are left out over this swing (µV), when it is also twice the channel's own",
            20.0,
            2000.0,
            200.0,
            10.0,
            key=f"baseline-reject-{recording}",
        )
    return {"state": state, "closed_label": closed, "open_label": opened, "reference": reference, "reject_uv": float(reject)}


def show(run: Run) -> None:
    """The finding first, then how sure, then the numbers."""
    found: Mapping[str, Any] = run.prediction or {}
    measured = [state for state in found["states"] if not state["reason"]]
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, measured)
    with right:
        _sure(run, found)
    state = measured[0]
    if len(measured) > 1:
        names = [one["state"] for one in measured]
        chosen = st.segmented_control("State", names, default=names[0], key=f"baseline-state-{run.id}") or names[0]
        state = measured[names.index(chosen)]
    _draw(state, f"baseline-{run.id}-{state['state'].replace(' ', '-')}")


def _finding(found: Mapping[str, Any], measured: list[Mapping[str, Any]]) -> None:
    rhythm = measured[0]["rhythm"]
    state = measured[0]["state"]
    if rhythm["found"]:
        head = f"Alpha peak {rhythm['peak']['value']:.1f} Hz ({rhythm['peak']['low']:.1f} to {rhythm['peak']['high']:.1f})"
    else:
        head = "No alpha peak found"
    eyes = {"not said": "eyes not said to be open or closed"}.get(state, state)
    html(f"<h3>{escape(head)}, {escape(eyes)}</h3>" + "".join(f"<p>{escape(line)}</p>" for line in found["text"]))


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    awake = found["awake"]
    facts(
        [
            ("Intervals", "95%, from resampling blocks of time"),
            ("Reference", found["reference"]),
            ("Awake", f"by {awake['source']}, {awake['seconds']:.0f} s" if awake["known"] else "not known"),
            *((state["state"].capitalize(), _counted(state)) for state in found["states"]),
        ]
    )
    html(f"<p>{escape(get_card('background-spectra').limits[0])}</p>")
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _counted(state: Mapping[str, Any]) -> str:
    lost = ", ".join(f"{why} {share:.1%}" for why, share in state["left_out"].items() if share)
    told = f"{state['clean_s']:.0f} of {state['seconds']:.0f} s clean, {state['blocks']} blocks of {state['block_s']:.0f} s"
    unused = f"; not used: {', '.join(state['unused'])}" if state.get("unused") else ""
    return f"{told}; windows left out: {lost or 'none'}{unused}"


def _draw(state: Mapping[str, Any], key: str) -> None:
    from backend.figures.eeg_baseline import (
        forest_rows,
        forest_words,
        plot_powers,
        plot_sides,
        plot_spectra,
        spectra_rows,
        spectra_words,
    )

    kicker("Spectra")
    show_figure(plot_spectra(state), spectra_words(state), f"{key}-spectra", spectra_rows(state))
    left, right = st.columns(2, gap="large")
    with left:
        kicker("Bands")
        rows = forest_rows(state["powers"], "relative")
        show_figure(plot_powers(state), forest_words(state["powers"], "relative"), f"{key}-bands", rows)
    with right:
        kicker("Left against right")
        if state["sides"]:
            rows = forest_rows(state["sides"], "ratio")
            show_figure(plot_sides(state), forest_words(state["sides"], "ratio"), f"{key}-sides", rows)
        else:
            st.caption("No region has electrodes on both sides.")
    with st.expander("All numbers"):
        st.dataframe(
            [
                {
                    "Region": power["region"],
                    "Band": power["band"],
                    "Power (µV²)": _interval(power["absolute"], 1),
                    "Share of 1 to 30 Hz (%)": _interval(power["relative"], 1, 100),
                    "Electrodes": ", ".join(power["channels"]),
                }
                for power in state["powers"]
            ],
            hide_index=True,
        )


def _interval(number: Mapping[str, Any], digits: int, factor: float = 1) -> str:
    body = f"{number['value'] * factor:.{digits}f}"
    return body if number["low"] is None else f"{body} ({number['low'] * factor:.{digits}f} to {number['high'] * factor:.{digits}f})"


def _label(label: str) -> str:
    return label or "by its name"
