"""A calibration applied to a recording: whether it still fits, what was decoded, how sure of each trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker
from pages.parts.views.eeg_calibrate import verdict_label

_STATES = {"same": ("● SAME SIGNAL", ""), "shifted": ("◐ SHIFTED", ""), "changed": ("○ CHANGED", " bl-no")}
_CERTAIN = {"clear": "clear, 80% or more", "likely": "likely, 60 to 80%", "open": "open, under 60%"}


def settings(recording: str) -> dict[str, Any] | None:
    """Which calibration, which events; None when the patient has no calibration that may be used."""
    from backend.eeg.decoding.trials import labels_of

    context, key = bench().context, f"decode-{recording}"
    storage = context.storage
    patient = storage.patients.visit(storage.recordings.get(recording).visit).patient
    usable = [one for one in storage.calibrations.list(patient=patient) if one.data["verdict"] != "undecodable"]
    if not usable:
        st.info(
            "There is no calibration of this patient that could be applied. Calibrate a decoder on labelled trials first.",
            icon=":material/info:",
        )
        return None
    names = {
        one.id: f"{one.name}, {one.data['verdict']}, {one.data['next_session']['value']:.0%} expected"
        + (" (made of this recording)" if recording in one.recordings else "")
        for one in usable
    }
    chosen = st.selectbox("Calibration", list(names), format_func=lambda id: names[id], key=f"{key}-calibration")
    about = next(one for one in usable if one.id == chosen)
    counts = labels_of(context, [recording])
    if not counts:
        st.info("This recording has no events to decode. Mark them in the signal as annotations.", icon=":material/info:")
        return None
    known = [label for label in counts if label.casefold() in {name.casefold() for name in about.data["labels"]}]
    events = st.multiselect(
        "Events to decode",
        list(counts),
        default=known,
        format_func=lambda label: f"{label} ({counts.get(label, 0)})",
        key=f"{key}-events-{chosen}",
    )
    if not events:
        st.caption("Choose the events whose trials are to be decoded.")
        return None
    recentre = st.checkbox(
        "Recentre on this recording's trials, without their labels",
        True,
        help="Allows for another fit of the cap and for slow change. Switch it off where one class comes far more often than the others.",
        key=f"{key}-recentre",
    )
    return {"calibration": chosen, "events": events, "recentre": recentre}


def show(run: Run) -> None:
    """The signal check and the counts first, then every trial, then why."""
    from backend.figures.eeg_decode import decoded_rows, decoded_words, drift_rows, plot_decoded, plot_drift

    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found)
    with right:
        _sure(run, found)
    kicker("Trials")
    show_figure(plot_decoded(found), decoded_words(found), f"decode-trials-{run.id}", decoded_rows(found))
    with st.expander("All trials"):
        st.dataframe(
            [
                {
                    "Trial": row["trial"],
                    "Onset (s)": row["onset_s"],
                    "Decoded": row["decoded"],
                    "Confidence (%)": round(100 * row["confidence"], 1),
                    "Certainty": row["certainty"],
                    "Annotated": row["annotated"],
                }
                for row in decoded_rows(found)
            ],
            hide_index=True,
        )
    kicker("Is it still the same signal?")
    drift = found["drift"]
    one, two = st.columns([5, 3], gap="large")
    with one:
        show_figure(
            plot_drift(found), f"{drift['sentence']} {drift['farther']:.0%} farther out.", f"decode-drift-{run.id}", drift_rows(found)
        )
    with two:
        if drift["channels"]:
            st.dataframe(
                [{"Channel": row["channel"], "Band": row["band"], "Moved by (SD)": row["deviations"]} for row in drift["channels"]],
                hide_index=True,
            )
        st.caption(drift["rule"])
    kicker("Why")
    from pages.parts.eeg import why_decoder

    last = len(found["trials"]) - 1
    number = int(st.number_input("Trial, counted from 0", 0, last, 0, key=f"decode-trial-{run.id}", width=220)) if last else 0
    why_decoder.show(run, {"trial": number}, f"Explain trial {number}")


def _finding(found: Mapping[str, Any]) -> None:
    word, css = _STATES[found["drift"]["state"]]
    counts = ", ".join(f"{escape(name)} <b>{count}</b>" for name, count in found["counts"].items())
    html(
        f'<span class="bl-label{css}">{word}</span><p style="margin:.4rem 0">{escape(found["drift"]["sentence"])}</p>'
        f"<h3>{len(found['trials'])} trials decoded</h3><p>{counts}</p>"
    )
    if (measured := found["measured"]) is not None:
        figure = measured["balanced_accuracy"]
        html(
            f"<p>The annotations say what the trials were: <b>{figure['value']:.0%}</b> are right, each class counting the same (95% "
            f"interval {figure['low']:.0%} to {figure['high']:.0%}, p = {measured['p']:.2g}, n = {measured['n']}).</p>"
        )


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    kicker("How sure")
    about = found["calibration"]
    verdict_label(about["verdict"])
    expected = about["next_session"]
    facts(
        [
            ("Calibration", f"{about['name']} ({about['id']})"),
            ("Expected right", f"{expected['value']:.0%}, 95% interval {expected['low']:.0%} to {expected['high']:.0%}"),
            *((_CERTAIN[word].capitalize(), f"{count} trials") for word, count in found["certainties"].items()),
            ("Recentred", "on this recording's trials, without labels" if found["recentred"] else "no"),
            ("Left out", "; ".join(f"{reason}: {count}" for reason, count in found["cut"]["left_out"].items()) or "none"),
        ]
    )
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")
