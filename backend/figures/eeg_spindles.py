"""Spindles: densities with intervals by channel, the event itself with both detectors' marks, and what the network's answer rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, GREEN, QUIET, VERMILLION, finish

WHO = {"network": ("OpenSpindleNet", BLUE, "circle"), "second": ("YASA", VERMILLION, "diamond"), "both": ("both", GREEN, "square")}


def plot_densities(prediction: Mapping[str, Json], stages: Sequence[str]) -> Any:
    """Spindles a minute in some stages, a row a channel, each detector with its 95% interval."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for n, (who, (title, colour, symbol)) in enumerate(WHO.items()):
        found = [(channel["name"], _density(channel, stages, who)) for channel in prediction["channels"]]
        rows = [(name, density) for name, density in found if density]
        figure.add_scatter(
            x=[density["value"] for _, density in rows],
            y=[_place(prediction, name) + 0.22 * (1 - n) for name, _ in rows],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [density["high"] - density["value"] for _, density in rows],
                "arrayminus": [density["value"] - density["low"] for _, density in rows],
                "color": colour,
                "thickness": 1.5,
            },
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 10},
            name=title,
            customdata=[[name, density["low"], density["high"]] for name, density in rows],
            hovertemplate="%{customdata[0]}, "
            + title
            + ": %{x:.2f} a minute (%{customdata[1]:.2f} to %{customdata[2]:.2f})<extra></extra>",
        )
    names = [channel["name"] for channel in prediction["channels"]]
    finish(figure, densities_title(prediction, stages), 150 + 60 * len(names))
    figure.update_xaxes(title="spindles a minute, 95% interval", rangemode="tozero")
    figure.update_yaxes(tickvals=[_place(prediction, name) for name in names], ticktext=names, range=[-0.6, len(names) - 0.4])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_densities(prediction: Mapping[str, Json], stages: Sequence[str]) -> str:
    """The densities in words."""
    told = []
    for channel in prediction["channels"]:
        parts = []
        for who, (title, _, _) in WHO.items():
            density = _density(channel, stages, who)
            if density:
                parts.append(f"{title} {density['value']:.1f} ({density['low']:.1f} to {density['high']:.1f})")
        told.append(f"{channel['name']}: {', '.join(parts) or 'not searched'}")
    return f"Spindles a minute of {' and '.join(stages)}, with 95% intervals. {'; '.join(told)}."


def densities_title(prediction: Mapping[str, Json], stages: Sequence[str]) -> str:
    """The channel with the highest density, in words."""
    found = [
        (channel["name"], _density(channel, stages, "network"), _density(channel, stages, "second")) for channel in prediction["channels"]
    ]
    known = [(float(one["value"]), name, two) for name, one, two in found if one]
    if not known:
        return f"No {' and '.join(stages)} was searched"
    most, name, two = max(known, key=lambda item: item[0])
    other = f", {two['value']:.1f} by YASA" if two else ""
    return f"{name}: {most:.1f} spindles a minute by OpenSpindleNet{other}"


def plot_event(trace: Mapping[str, Any], event: Mapping[str, Json], channel: str) -> Any:
    """The signal around an event, as recorded (0.3 to 35 Hz) and its 11 to 16 Hz band, with the marks of both detectors.

    Parameters
    ----------
    trace : mapping
        ``time`` (s from the recording's beginning), ``broad`` and ``sigma`` (uV), each an array of shape (samples,).
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.6, 0.4])
    for row, (key, title) in enumerate((("broad", "0.3 to 35 Hz"), ("sigma", "11 to 16 Hz")), 1):
        figure.add_scatter(
            x=trace["time"],
            y=trace[key],
            line={"color": QUIET if row == 1 else BLUE, "width": 1.3},
            name=title,
            hovertemplate="%{x:.2f} s: %{y:.1f} µV<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
        figure.update_yaxes(title=f"{title} (µV)", row=row, col=1)
    top = max(float(np.nanmax(np.abs(trace["broad"]))), 1.0)
    for n, who in enumerate(("network", "second")):
        title, colour, _ = WHO[who]
        if event[who]:
            height = top * (1.2 + 0.4 * n)
            figure.add_scatter(
                x=event[who],
                y=[height, height],
                mode="lines+text",
                line={"color": colour, "width": 6},
                text=["", f" {title}"],
                textposition="middle right",
                hovertemplate=f"{title}: %{{x:.2f}} s<extra></extra>",
                showlegend=False,
                row=1,
                col=1,
            )
            figure.add_vrect(x0=event[who][0], x1=event[who][1], fillcolor=colour, opacity=0.1, line_width=0)
    finish(figure, _event_title(event, channel), 380)
    figure.update_xaxes(title="time from the beginning (s)", row=2, col=1)
    return figure


def describe_event(event: Mapping[str, Json], channel: str) -> str:
    """The event in words."""
    marks = [f"{WHO[who][0]} marks {event[who][0]:.2f} to {event[who][1]:.2f} s" for who in ("network", "second") if event[who]]
    without = [WHO[who][0] for who in ("network", "second") if not event[who]]
    missed = f"; {without[0]} marks nothing here" if without else ""
    return f"{_event_title(event, channel)}. {', '.join(marks)}{missed}."


def plot_parts(made: Mapping[str, Any]) -> Any:
    """Shares of bands and times in the network's probability: rows are bands, columns times; orange-red for, blue against."""
    import plotly.graph_objects as go

    bands, times = made["bands"], made["times"]
    shares = np.array([part["value"] for part in made["sites"]["attributions"]], np.float64).reshape(len(bands), len(times))
    most = max(float(np.abs(shares).max()), 1e-6)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=times,
            y=bands,
            zmin=-most,
            zmax=most,
            colorscale=[[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]],
            colorbar={"title": {"text": "share"}, "thickness": 12},
            text=[["0.00" if abs(share) < 0.005 else f"{share:+.2f}" for share in row] for row in shares],
            texttemplate="%{text}",
            textfont={"color": "#111111"},
            hovertemplate="%{y}, %{x}: %{z:+.3f}<extra></extra>",
        )
    )
    finish(figure, parts_title(made), 300)
    figure.update_xaxes(side="bottom")
    return figure


def parts_title(made: Mapping[str, Any]) -> str:
    """Which part speaks most for the spindle."""
    best = max(made["sites"]["attributions"], key=lambda part: part["value"])
    return f"Most for it: {best['label']} ({best['value']:+.2f} of probability {made['sites']['score']:.2f})"


def parts_rows(made: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The shares, a row a part."""
    return [{"part": part["label"], "share": part["value"]} for part in made["sites"]["attributions"]]


def _event_title(event: Mapping[str, Json], channel: str) -> str:
    sure = "" if event["probability"] is None else f", probability {event['probability']:.2f}"
    size = "" if event["amplitude"] is None else f", {event['amplitude']:.0f} µV from trough to crest"
    hertz = "" if event["frequency"] is None else f", {event['frequency']:.1f} Hz"
    return f"{channel}, {event['stage']}: {event['end'] - event['start']:.2f} s{hertz}{size}{sure}"


def _density(channel: Mapping[str, Json], stages: Sequence[str], who: str) -> Mapping[str, Json] | None:
    found = next((part for part in channel["summary"] if part["stages"] == list(stages)), None)
    density: Mapping[str, Json] | None = found["density"][who] if found else None
    return density


def _place(prediction: Mapping[str, Json], name: str) -> int:
    names = [channel["name"] for channel in prediction["channels"]]
    return len(names) - 1 - names.index(name)
