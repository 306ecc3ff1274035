"""Evoked responses: what was averaged, whether two events differ, the waves and the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, plain


def settings(recording: str) -> dict[str, Any] | None:
    """Which events, the time around them, filters, and what counts as an artefact; None where there is no event."""
    from backend.eeg.inputs import effective_channels
    from backend.eeg.spectra.evoked import labels

    found = labels(bench().context, recording)
    if not found:
        st.info("This recording has no events to average over. Add annotations in the signal view.", icon=":material/info:")
        return None
    key = f"evoked-{recording}"
    told = {label: f"{label} ({count:,})" for label, count in found.items()}
    left, right = st.columns(2)
    label = left.selectbox("Event", list(found), format_func=lambda label: told[label], key=f"{key}-label")
    others = ["", *(other for other in found if other != label)]
    compare = right.selectbox("Compare with", others, format_func=lambda other: told.get(other, "Nothing"), key=f"{key}-compare-{label}")
    names = [channel.name for channel in effective_channels(bench().context, recording)]
    channels = st.multiselect("Channels", names, placeholder="All EEG channels", key=f"{key}-channels")
    with st.expander("Time, baseline, filters, artefacts"):
        one, two = st.columns(2)
        before = one.number_input("Before the event (s)", 0.0, 5.0, 0.2, 0.1, key=f"{key}-before")
        after = two.number_input("After the event (s)", 0.1, 10.0, 0.8, 0.1, key=f"{key}-after")
        low = one.number_input("Baseline from (s)", -5.0, 10.0, -min(0.2, before), 0.1, key=f"{key}-low-{before}")
        high = two.number_input("Baseline to (s)", -5.0, 10.0, 0.0 if before else 0.05, 0.1, key=f"{key}-high-{before}")
        cut_low = one.number_input("Low cut (Hz; 0: none)", 0.0, 10.0, 0.1, 0.1, key=f"{key}-hp")
        cut_high = two.number_input("High cut (Hz; 0: none)", 0.0, 100.0, 30.0, 5.0, key=f"{key}-lp")
        reject = one.number_input("Leave out trials that swing over (µV; 0: none)", 0.0, 5000.0, 150.0, 10.0, key=f"{key}-reject")
        reference = two.selectbox(
            "Reference",
            ["recorded", "average"],
            format_func=lambda name: {"recorded": "As recorded", "average": "Average of all EEG channels"}[name],
            key=f"{key}-reference",
        )
    return {
        "label": label,
        "compare": compare,
        "channels": channels,
        "before_s": float(before),
        "after_s": float(after),
        "baseline_from_s": float(low),
        "baseline_to_s": float(high),
        "high_pass": float(cut_low) or None,
        "low_pass": float(cut_high) or None,
        "reject_uv": float(reject) or None,
        "reference": reference,
    }


def show(run: Run) -> None:
    """The finding first, then how sure, then the waves, then the head."""
    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([5, 3], gap="large")
    with right:
        _sure(run, found)
    with left:
        kicker("Finding")
        html("".join(f"<p>{escape(line)}</p>" for line in found["text"]))
        names = [channel["name"] for channel in found["channels"]]
        name = st.selectbox("Channel", names, index=_first(found, names), key=f"evoked-channel-{run.id}")
        from backend.figures.eeg_evoked import describe_evoked, evoked_rows, plot_evoked

        show_figure(plot_evoked(found, name), describe_evoked(found, name), f"evoked-{name}-{run.id}", evoked_rows(found, name))
    kicker("All channels, and the head at one moment")
    _whole(run, found)
    if found["comparison"] and found["comparison"]["clusters"]:
        kicker("Where and when they differ")
        _clusters(found)
    with st.expander("Trials left out, and why"):
        _left_out(found)


def _first(found: Mapping[str, Any], names: list[str]) -> int:
    """The channel that is shown first: of the strongest cluster, else the one with the largest mean."""
    clusters = (found["comparison"] or {}).get("clusters")
    if clusters:
        return names.index(clusters[0]["channels"][0])
    import numpy as np

    after = np.array(found["times"]) >= 0.05
    return int(np.abs(np.array(found["conditions"][0]["mean"])[:, after]).max(axis=1).argmax())


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    used = found["settings"]
    rows = [(one["label"], f"{one['trials']:,} trials, {one['rejected']:,} left out") for one in found["conditions"]]
    cuts = [
        f"{used['high_pass']:g} Hz low cut" if used["high_pass"] else "",
        f"{used['low_pass']:g} Hz high cut" if used["low_pass"] else "",
    ]
    rows += [
        ("Baseline", f"{1000 * used['baseline_from_s']:.0f} to {1000 * used['baseline_to_s']:.0f} ms"),
        ("Filters", ", ".join(filter(None, cuts)) or "none"),
        ("Intervals", "95% of the mean, from the spread of trials, each time on its own"),
    ]
    if found["comparison"]:
        rows.append(("Difference", f"p {found['comparison']['p']:.2g}, {found['comparison']['permutations']:,} permutations"))
    facts(rows)
    for limit in get_card("evoked-average").limits[: 2 if found["comparison"] else 0] or get_card("evoked-average").limits[1:]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _whole(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.eeg_evoked import butterfly_rows, describe_butterfly, latency_maps, plot_butterfly

    times = found["times"]
    labels = [condition["label"] for condition in found["conditions"]]
    chosen = 0
    if len(labels) > 1:
        chosen = labels.index(
            st.segmented_control("Event", labels, default=labels[0], format_func=plain, key=f"evoked-event-{run.id}") or labels[0]
        )
    latency = st.slider(
        "Latency of the map (ms)", round(1000 * times[0]), round(1000 * times[-1]), 300 if times[-1] > 0.3 else 100, key=f"latency-{run.id}"
    )
    show_figure(
        plot_butterfly(found, chosen, latency / 1000),
        describe_butterfly(found, chosen),
        f"butterfly-{chosen}-{run.id}",
        butterfly_rows(found, chosen),
    )
    if found["map"]:
        st.info(found["map"], icon=":material/info:")
        return
    figure, rows, words = latency_maps(found, latency / 1000)
    show_figure(figure, words, f"latency-{latency}-{run.id}", rows)


def _clusters(found: Mapping[str, Any]) -> None:
    labels = [condition["label"] for condition in found["conditions"]]
    st.dataframe(
        [
            {
                "p": cluster["p"],
                "From (ms)": round(1000 * cluster["from_s"]),
                "To (ms)": round(1000 * cluster["to_s"]),
                "Higher in": labels[cluster["higher"] - 1],
                "Channels": ", ".join(cluster["channels"]),
            }
            for cluster in found["comparison"]["clusters"]
        ],
        hide_index=True,
    )
    st.caption("The test holds for all channels and times together. It says that the two differ; extent and borders are descriptions.")


def _left_out(found: Mapping[str, Any]) -> None:
    rows = [
        {"Event": condition["label"], "At (s)": lost["onset_s"], "Why": lost["reason"], "Channel": lost["channel"]}
        for condition in found["conditions"]
        for lost in condition["left_out"]
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height=min(38 * (len(rows) + 1), 300))
    else:
        st.caption("None.")
