"""A patient's profile: what is known over the visits, what changed from one to the next, and the channels as the person corrects them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.bench import bench
from pages.parts.eeg.choosing import length
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, plain

_KINDS = ("eeg", "eog", "ecg", "emg", "resp", "spo2", "pulse", "photic", "trigger", "sound", "position", "temperature", "motion", "other")


def show_profile(patient: str) -> None:
    """Everything in time order, newest results of each recording."""
    from backend.eeg.profile import profile

    found = profile(bench().context, patient)
    rows = found["recordings"]
    kicker("Profile")
    if not rows:
        st.caption("There is no recording yet, so nothing is known.")
        return
    measured = [row for row in rows if row["states"]]
    if not measured:
        st.caption("Alpha peak and band powers appear here once the background activity of a recording has been measured.")
    for row in rows:
        if not row["states"]:
            st.page_link(
                "pages/eeg.py",
                label=f"Measure the background activity of {plain(row['visit_label'])}, {plain(row['name'])}",
                icon=":material/arrow_forward:",
                query_params={"recording": row["recording"], "show": "decode", "task": "eeg.baseline"},
            )
    _table(rows)
    if measured:
        _trend(patient, measured)
        _bands(measured)
    _changes(found)
    _calibrations(found["calibrations"], rows)
    _channels(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    st.dataframe(
        [
            {
                "Visit": row["visit_label"],
                "When": row["when"],
                "Recording": row["name"] + (" (simulated)" if row["simulated"] else ""),
                "Length": length(row["duration_s"]),
                "Alpha peak (Hz)": "; ".join(_peak(state) for state in row["states"]) or "not measured",
                "Bad channels": ", ".join(row["bad_channels"]) or "none",
                "Bad stretches": f"{row['bad_stretches']}, {row['bad_s']:.0f} s" if row["bad_stretches"] else "none",
                "Cleaned (ICA)": row["cleaned"],
                "Channels corrected": ", ".join(row["channel_map"]) or "none",
            }
            for row in rows
        ],
        hide_index=True,
    )


def _peak(state: Mapping[str, Any]) -> str:
    eyes = {"eyes closed": "closed", "eyes open": "open"}.get(state["state"], "eyes not said")
    number = state["alpha_peak"]
    return f"none found ({eyes})" if number is None else f"{number['value']:.1f} ({number['low']:.1f} to {number['high']:.1f}), {eyes}"


def _trend(patient: str, rows: Sequence[Mapping[str, Any]]) -> None:
    from backend.figures.eeg_visits import plot_peaks, visit_rows, visit_words

    points = [(f"{row['visit_label']}, {row['name']}", state) for row in rows for state in row["states"]]
    if sum(state["alpha_peak"] is not None for _, state in points) >= 2:
        show_figure(plot_peaks(points), visit_words(points), f"profile-peaks-{patient}", visit_rows(points))


def _bands(rows: Sequence[Mapping[str, Any]]) -> None:
    """Baseline band powers at the back of the head."""
    kicker("Baseline band powers")
    st.dataframe(
        [
            {
                "Visit": row["visit_label"],
                "Recording": row["name"],
                "Eyes": {"not said": "not said"}.get(state["state"], state["state"].removeprefix("eyes ")),
                "Electrodes": state["region"],
                **{f"{band.capitalize()} (%)": _share(number) for band, number in state["posterior"].items()},
                "Alpha amplitude (µV)": "" if state["amplitude"] is None else f"{state['amplitude']['value']:.0f}",
                "Reference": row["reference"],
            }
            for row in rows
            for state in row["states"]
        ],
        hide_index=True,
    )
    st.caption("Share of the power from 1 to 30 Hz with 95% intervals. All regions and bands are in the result of each recording.")


def _share(number: Mapping[str, Any]) -> str:
    body = f"{100 * number['value']:.0f}"
    return body if number["low"] is None else f"{body} ({100 * number['low']:.0f} to {100 * number['high']:.0f})"


def _changes(found: Mapping[str, Any]) -> None:
    if not found["changes"]:
        return
    kicker("From visit to visit")
    for change in found["changes"]:
        eyes = {"not said": "eyes not said to be open or closed"}.get(change["state"], change["state"])
        lines = change["text"]
        body = "".join(f"<p>{escape(line)}</p>" for line in lines[:7])
        more = f"<p class='bl-soft'>and {len(lines) - 7} more under 'Visits side by side'</p>" if len(lines) > 7 else ""
        html(f"<h4>{escape(change['first_name'])} to {escape(change['second_name'])}, {escape(eyes)}</h4>{body}{more}")
        if change["differs"]:
            differs = "; ".join(one["what"].lower() for one in change["differs"])
            html(f"<div class='bl-notice'>The recordings differ in: {escape(differs)}. A change may come from that alone.</div>")
    st.caption(plain(found["caveat"]))


def _calibrations(calibrations: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> None:
    if not calibrations:
        return
    names = {row["recording"]: f"{row['visit_label']}, {row['name']}" for row in rows}
    kicker("Calibrations")
    st.dataframe(
        [
            {
                "Calibration": one["name"],
                "Verdict": one["judged"],
                "Made of": "; ".join(names.get(id, "a recording that is gone") for id in one["recordings"]),
                "Made": one["created"][:10],
                "Id": one["id"],
            }
            for one in calibrations
        ],
        hide_index=True,
    )


def _channels(rows: Sequence[Mapping[str, Any]]) -> None:
    """The channel map: what each channel is, and where it lies."""
    with st.expander("Correct what the channels are"):
        by_id = {row["recording"]: row for row in rows}
        chosen = st.selectbox(
            "Recording",
            list(by_id),
            format_func=lambda id: f"{by_id[id]['visit_label']}, {by_id[id]['name']}",
            key=f"channel-map-of-{rows[0]['recording']}",
        )
        with told():
            _edit(str(chosen))


def _edit(recording: str) -> None:
    from backend.eeg.inputs import CHANNEL_MAP, channels_of, check_map, corrected

    storage = bench().storage
    channels = channels_of(storage.recordings.get(recording))
    now = corrected(channels, storage.recordings.fact(recording, CHANNEL_MAP))
    st.caption("Names stay as they are. An electrode is a place of the 10-20 or 10-10 system, such as C3 or FC5.")
    edited = st.data_editor(
        [
            {"Channel": one.name, "Kind": one.kind, "Electrode": one.electrode, "Against": one.reference, "Rate (Hz)": one.rate}
            for one in now
        ],
        hide_index=True,
        disabled=["Channel", "Rate (Hz)"],
        column_config={"Kind": st.column_config.SelectboxColumn(options=list(_KINDS), required=True)},
        height=min(38 * (len(now) + 1), 420),
        key=f"channel-map-{recording}",
    )
    changed: dict[str, dict[str, str]] = {}
    for row, own in zip(edited, channels, strict=True):
        said = {"kind": row["Kind"], "electrode": (row["Electrode"] or "").strip(), "reference": (row["Against"] or "").strip()}
        differing = {key: text for key, text in said.items() if text != getattr(own, key)}
        if differing:
            changed[own.name] = differing
    held = storage.recordings.fact(recording, CHANNEL_MAP) or {}
    left, right = st.columns(2)
    if left.button("Keep these corrections", disabled=changed == held, key=f"channel-map-keep-{recording}"):
        storage.recordings.set_fact(recording, CHANNEL_MAP, check_map(channels, changed) or None)
        st.rerun()
    if right.button("Back to what the file says", disabled=not held, key=f"channel-map-undo-{recording}"):
        storage.recordings.set_fact(recording, CHANNEL_MAP, None)
        st.session_state.pop(f"channel-map-{recording}", None)
        st.rerun()
    if held:
        st.caption("Results computed before a correction were made of the channels as they were then.")
