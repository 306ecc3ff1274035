"""Sleep spindles: how many and how sure, how far two detectors agree, and every event with its trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.explanation import show_trust
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, plain, span

_AROUND_S = 3.0
_WHO = {"all": "All", "both": "Both", "network": "Network only", "second": "YASA only"}


def settings(recording: str) -> dict[str, Any] | None:
    """Where the stages come from, channels, stages, threshold; None where nothing stages the recording and nothing is said."""
    from backend.eeg.inputs import effective_channels
    from backend.eeg.sleep.staged import MARKS, WHOLE, marked_stages, saved_stagings

    context, key = bench().context, f"spindles-{recording}"
    sources: dict[str, str] = {}
    if marked_stages(context, recording) is not None:
        sources[MARKS] = "Stage marks on the recording"
    for run in saved_stagings(context, recording)[:5]:
        sources[run] = f"Sleep staging {run}"
    if not sources:
        st.info(
            "Spindles are sought in N2 and N3 sleep, and nothing says yet where those are. Run sleep staging on this recording first, "
            "or say that all of it is NREM sleep.",
            icon=":material/info:",
        )
    sources[WHOLE] = "All of it is NREM sleep"
    staging = st.radio("Sleep stages from", list(sources), format_func=lambda source: sources[source], key=f"{key}-{len(sources)}")
    names = [channel.name for channel in effective_channels(context, recording) if channel.kind == "eeg"]
    channels = st.multiselect("Channels", names, placeholder="Up to four central and frontal ones", key=f"{key}-channels")
    with st.expander("Stages and threshold"):
        within = st.multiselect("Within", ["N1", "N2", "N3"], default=["N2", "N3"], key=f"{key}-within")
        threshold = st.slider(
            "Probability from which the network's mark counts",
            0.1,
            0.95,
            0.5,
            0.05,
            help="0.5 is the published one.",
            key=f"{key}-threshold",
        )
    st.caption("About ten seconds of computing for each hour of N2 and N3 and each channel.")
    return {"stages": staging, "channels": channels, "within": within or ["N2", "N3"], "threshold": float(threshold)}


def show(run: Run) -> None:
    """The finding first, then how sure, then the events."""
    found: Mapping[str, Any] = run.prediction or {}
    groups = [part["stages"] for part in found["channels"][0]["summary"]]
    left, right = st.columns([5, 3], gap="large")
    with right:
        _sure(run, found)
    with left:
        kicker("Finding")
        stages = groups[0]
        if len(groups) > 1:
            names = [" and ".join(group) for group in groups]
            chosen = st.segmented_control("Stages", names, default=names[0], key=f"spindles-stages-{run.id}") or names[0]
            stages = groups[names.index(chosen)]
        _densities(run, found, stages)
    kicker("Events")
    _events(run, found)


def _densities(run: Run, found: Mapping[str, Any], stages: list[str]) -> None:
    from backend.eeg.spindles.detection import density_rows
    from backend.eeg.spindles.words import agreement_words
    from backend.figures.eeg_spindles import describe_densities, plot_densities

    show_figure(
        plot_densities(found, stages), describe_densities(found, stages), f"densities-{'-'.join(stages)}-{run.id}", density_rows(found)
    )
    for channel in found["channels"]:
        part = next(one for one in channel["summary"] if one["stages"] == stages)
        html(f"<p><b>{escape(channel['name'])}</b>, {part['minutes']:.0f} min searched. {escape(agreement_words(part))}</p>")


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    minutes = ", ".join(f"{stage} {count:.0f} min" for stage, count in found["stages"]["minutes"].items())
    facts(
        [
            ("Stages from", found["stages"]["source"]),
            ("In the recording", minutes),
            ("Network", f"{get_card('openspindlenet').title}, marks from probability {found['threshold']:g}"),
            ("Second opinion", get_card("yasa-spindles").title),
            ("The same spindle", "two marks that share a fifth of their union"),
            ("Intervals", "95%, from resampling blocks of 3 min of sleep; exact Poisson where there are few"),
        ]
    )
    for limit in get_card("openspindlenet").limits[:2]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _events(run: Run, found: Mapping[str, Any]) -> None:
    channels = {channel["name"]: channel for channel in found["channels"]}
    left, middle, right = st.columns([2, 4, 2])
    name = left.selectbox("Channel", list(channels), key=f"spindles-channel-{run.id}")
    with middle:
        who = st.segmented_control("Found by", list(_WHO), default="all", format_func=lambda who: _WHO[who], key=f"spindles-who-{run.id}")
    events = [event for event in channels[name]["events"] if _by(event, who or "all")]
    if not events:
        st.caption("No such event in this channel.")
        return
    key = f"spindles-at-{run.id}-{name}-{who}"
    number = right.number_input(f"Event, 1 to {len(events):,}", 1, len(events), 1, key=key)
    event = events[int(number) - 1]
    _trace(run, found, channels[name], event)
    with st.container(horizontal=True):
        if st.button("See it in the reader", icon=":material/ecg:", key=f"spindles-reader-{run.id}"):
            from pages.parts.eeg.viewer import go_to

            go_to(str(found["recording"]), event["start"], event["end"] - event["start"])
            st.switch_page("pages/eeg.py", query_params={"recording": str(found["recording"]), "show": "signal"})
        if st.button(f"Set these {len(events):,} events as annotations", icon=":material/edit_note:", key=f"spindles-write-{run.id}"):
            from backend.eeg.spindles.trace import write_spindles

            with st.spinner("Setting annotations"):
                made = write_spindles(bench().context, str(found["recording"]), channels[name]["plus"], events)
            st.success(f"{made:,} annotations set.", icon=":material/check:")
    _why(run, name, event)
    with st.expander(f"All {len(events):,} events as a table"):
        st.dataframe(
            [
                {
                    "At": span(each["start"]),
                    "Start (s)": each["start"],
                    "Length (s)": round(each["end"] - each["start"], 2),
                    "Stage": each["stage"],
                    "Frequency (Hz)": each["frequency"],
                    "Amplitude (µV)": each["amplitude"],
                    "Probability": each["probability"],
                    "OpenSpindleNet": each["network"] is not None,
                    "YASA": each["second"] is not None,
                }
                for each in events
            ],
            hide_index=True,
            height=min(38 * (len(events) + 1), 420),
        )


def _by(event: Mapping[str, Any], who: str) -> bool:
    network, second = event["network"] is not None, event["second"] is not None
    return {"all": True, "both": network and second, "network": network and not second, "second": second and not network}[who]


def _trace(run: Run, found: Mapping[str, Any], channel: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    from backend.eeg.spindles.trace import read_trace
    from backend.errors import BioloomError
    from backend.figures.eeg_spindles import describe_event, plot_event

    try:
        trace = read_trace(
            bench().context,
            found["recording"],
            channel["plus"],
            channel["minus"],
            event["start"] - _AROUND_S,
            event["end"] + _AROUND_S,
            bool(run.settings["clean"]),
        )
    except BioloomError as error:
        st.caption(f"The trace cannot be shown: {plain(error)}")
        return
    rows = [
        {"time_s": round(float(second), 4), "broad_uv": round(float(broad), 2), "sigma_uv": round(float(sigma), 2)}
        for second, broad, sigma in zip(trace["time"], trace["broad"], trace["sigma"], strict=True)
    ]
    show_figure(
        plot_event(trace, event, channel["name"]), describe_event(event, channel["name"]), f"spindle-{event['start']}-{run.id}", rows
    )


def _why(run: Run, name: str, event: Mapping[str, Any]) -> None:
    from backend.figures.deletion import describe_deletion
    from backend.figures.eeg_spindles import parts_rows, parts_title, plot_parts
    from pages.parts.why_sites import explained

    made = explained(run, {"channel": name, "start": event["start"]}, f"Why does the network call this a spindle ({event['start']:.1f} s)?")
    if not made:
        return
    kicker("Why")
    sites = made["sites"]
    trust = sites["faithfulness"]
    left, right = st.columns([5, 3], gap="large")
    with left:
        words = f"{parts_title(made)}. " + "; ".join(f"{part['label']} {part['value']:+.3f}" for part in sites["attributions"]) + "."
        show_figure(plot_parts(made), words, f"why-{event['start']}-{run.id}", parts_rows(made))
    with right:
        show_trust(bool(trust["reliable"]), str(trust["reason"]))
        st.caption(plain(f"{sites['method']} {sites['baseline']}"))
        st.caption(plain(describe_deletion(trust, str(sites["unit"]))))
