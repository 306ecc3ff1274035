"""Power spectra: which band rules, how sure, the spectrum, the head, and the change over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, span

_WINDOWS = {2.0: "2 s (0.5 Hz apart)", 4.0: "4 s (0.25 Hz apart)", 8.0: "8 s (0.125 Hz apart)"}
_REFERENCES = {"recorded": "As recorded", "average": "Average of all EEG channels"}
_FIRST = ("O1", "O2", "C3", "C4", "Fz", "TP9", "TP10")
_MOST_DRAWN = 6
_LONG_S = 3600.0


def settings(recording: str) -> dict[str, Any]:
    """Stretch, window, reference, and what counts as an artefact."""
    from backend.eeg.inputs import effective_channels

    found = bench().storage.recordings.get(recording)
    names = [channel.name for channel in effective_channels(bench().context, recording)]
    key = f"spectrum-{recording}"
    channels = st.multiselect("Channels", names, placeholder="All EEG channels", key=f"{key}-channels")
    left, right = st.columns(2)
    start = left.number_input("From (s)", 0.0, found.duration_s, 0.0, key=f"{key}-from")
    stop = right.number_input("To (s)", 0.0, found.duration_s, found.duration_s, key=f"{key}-to")
    with st.expander("Window, reference, artefacts"):
        window = st.selectbox("Window", list(_WINDOWS), index=1, format_func=lambda size: _WINDOWS[size], key=f"{key}-window")
        reference = st.selectbox("Reference", list(_REFERENCES), format_func=lambda name: _REFERENCES[name], key=f"{key}-reference")
        reject = st.number_input("Leave out windows that swing over (µV; 0: none)", 0.0, 5000.0, 0.0, 10.0, key=f"{key}-reject")
    return {
        "channels": channels,
        "start_s": float(start),
        "stop_s": None if stop >= found.duration_s else float(stop),
        "window_s": window,
        "reference": reference,
        "reject_uv": float(reject) or None,
    }


def show(run: Run) -> None:
    """The finding first, then how sure, then the spectra."""
    found: Mapping[str, Any] = run.prediction or {}
    measured = {channel["name"]: channel for channel in found["channels"] if channel["power"]}
    left, right = st.columns([5, 3], gap="large")
    with right:
        _sure(run, found)
    with left:
        kicker("Finding")
        by_place = {channel["electrode"]: name for name, channel in measured.items()}
        first = [by_place[place] for place in _FIRST if place in by_place][:4] or list(measured)[:4]
        names = st.multiselect("Channels drawn", list(measured), default=first, max_selections=_MOST_DRAWN, key=f"spectrum-drawn-{run.id}")
        if names:
            from backend.figures.eeg_spectra import describe_spectrum, plot_spectrum, spectrum_rows

            show_figure(plot_spectrum(found, names), describe_spectrum(found, names), f"spectrum-{run.id}", spectrum_rows(found, names))
    kicker("Bands on the head")
    _maps(run, found)
    kicker("Over time")
    _over_time(run, found)
    with st.expander("Band powers of every channel, with 95% intervals"):
        _table(found)


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    start, stop = found["stretch"]
    left = ", ".join(f"{count:,} {reason}" for reason, count in found["left_out"].items() if count)
    facts(
        [
            ("Stretch", f"{start:,.0f} to {stop:,.0f} s"),
            ("Windows", f"{found['window_s']:g} s, Hann, half overlapping"),
            ("Left out", f"{left} (windows of all channels)" if left else "none"),
            ("Intervals", f"95%, from resampling blocks of {span(found['block_s'])}"),
            ("Reference", _REFERENCES[found["reference"]].lower()),
        ]
    )
    for limit in get_card("spectra").limits[:2]:
        html(f"<p>{escape(limit)}</p>")
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _maps(run: Run, found: Mapping[str, Any]) -> None:
    if found["map"]:
        st.info(found["map"], icon=":material/info:")
        return
    from backend.figures.eeg_spectra import band_maps

    kinds = {"relative": "Relative (share of 1 to 45 Hz)", "absolute": "Absolute (µV²)"}
    kind = st.segmented_control(
        "Power", list(kinds), default="relative", format_func=lambda kind: kinds[kind], key=f"spectrum-kind-{run.id}"
    )
    figure, rows, words = band_maps(found, kind or "relative")
    show_figure(figure, words, f"band-maps-{kind or 'relative'}-{run.id}", rows)


def _over_time(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.eeg_spectra import describe_spectrogram, plot_spectrogram, spectrogram_rows

    image = found["spectrogram"]
    names = [channel["name"] for channel in image["channels"] if any(channel["db"])]
    if not names:
        st.caption("No two seconds without a gap, so nothing is drawn over time.")
        return
    name = st.segmented_control("Channel", names, default=names[0], key=f"spectrogram-{run.id}") or names[0]
    span = image["times"][-1] - image["times"][0]
    show_figure(
        plot_spectrogram(image, name, span > _LONG_S),
        describe_spectrogram(image, name),
        f"spectrogram-{name}-{run.id}",
        spectrogram_rows(image, name),
    )


def _table(found: Mapping[str, Any]) -> None:
    rows = []
    for channel in found["channels"]:
        row: dict[str, Any] = {"Channel": channel["name"]}
        for band, number in (channel["bands"] or {}).items():
            row[f"{band} (%)"] = _told(number["relative"], 100) if number else "not shown by the rate"
            row[f"{band} (µV²)"] = _told(number["absolute"], 1) if number else "not shown by the rate"
        rows.append({**row, "Windows": channel["windows"]})
    st.dataframe(rows, hide_index=True, height=min(38 * (len(rows) + 1), 420))


def _told(number: Mapping[str, Any], scale: float) -> str:
    value = f"{scale * number['value']:.3g}"
    return value if number["low"] is None else f"{value} ({scale * max(number['low'], 0):.3g} to {scale * number['high']:.3g})"
