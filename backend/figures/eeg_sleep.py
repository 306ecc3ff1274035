"""A staged night drawn: its stages, the hypnogram with probabilities, one epoch's traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.eeg.sleep.export import clock_at
from backend.eeg.sleep.statistics import NAMES, STAGES
from backend.figures.style import BLUE, GREEN, ORANGE, QUIET, SKY, VERMILLION, finish

COLOURS: Mapping[str, str] = {"W": ORANGE, "R": VERMILLION, "N1": SKY, "N2": BLUE, "N3": GREEN}
"""Colour of each sleep stage, everywhere; a hypnogram's height and its labels say the same."""
LEVELS = ("N3", "N2", "N1", "R", "W")  # from below
_GAP_UV = 150.0


def plot_night(found: Mapping[str, Any], epoch: int | None = None) -> Any:
    """Hypnogram above, probabilities of the stages below, on one axis of time; REM sleep is drawn thick.

    Parameters
    ----------
    found : mapping
        Prediction of eeg.sleep.
    epoch : int, optional
        The chosen epoch, counted from 1, marked by a line.
    """
    from plotly.subplots import make_subplots

    length, stages = found["epoch_s"], found["stages"]
    x = (np.arange(len(stages)) + 0.5) * length / 3600
    heights = np.array([np.nan if stage is None else LEVELS.index(stage) for stage in stages])
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.55, 0.45])
    step = {"color": QUIET, "width": 1.5, "shape": "hvh"}
    figure.add_scatter(x=x, y=heights, mode="lines", line=step, hoverinfo="skip", showlegend=False, row=1, col=1)
    for stage in reversed(LEVELS):
        there = np.array([one == stage for one in stages])
        if there.any():
            figure.add_scatter(
                x=x[there],
                y=heights[there],
                mode="markers",
                name=NAMES[stage],
                legendgroup=stage,
                marker={"color": COLOURS[stage], "size": 9 if stage == "R" else 6, "symbol": "square"},
                customdata=[_of_epoch(found, int(place)) for place in np.flatnonzero(there)],
                hovertemplate="epoch %{customdata[0]}, %{customdata[1]}<br>%{customdata[2]}, %{customdata[3]:.2f}<extra></extra>",
                row=1,
                col=1,
            )
    odd = sorted({int(one["epoch"]) for one in found["flags"]})
    if odd:
        figure.add_scatter(
            x=[(one - 0.5) * length / 3600 for one in odd],
            y=[-0.75] * len(odd),
            mode="markers",
            name="flagged or not scored",
            marker={"symbol": "x-thin", "size": 7, "line": {"color": QUIET, "width": 1.5}},
            hovertemplate="epoch with a flag<extra></extra>",
            row=1,
            col=1,
        )
    chances = np.array([row or [np.nan] * len(STAGES) for row in found["probabilities"]], float)
    for stage in LEVELS:
        figure.add_scatter(
            x=x,
            y=np.nan_to_num(chances[:, STAGES.index(stage)]),
            mode="lines",
            line={"width": 0, "shape": "hvh"},
            stackgroup="one",
            fillcolor=COLOURS[stage],
            name=NAMES[stage],
            legendgroup=stage,
            showlegend=False,
            hovertemplate=f"{NAMES[stage]} %{{y:.2f}}<extra></extra>",
            row=2,
            col=1,
        )
    for key, name in (("off_epoch", "lights off"), ("on_epoch", "lights on")):
        at = found["lights"][key] - (key == "off_epoch")
        if 0 < at < len(stages):
            figure.add_vline(x=at * length / 3600, line={"color": QUIET, "dash": "dash", "width": 1.5}, annotation_text=name)
    if epoch is not None:
        figure.add_vline(x=(epoch - 0.5) * length / 3600, line={"color": "#000000", "width": 3})
        figure.add_vline(x=(epoch - 0.5) * length / 3600, line={"color": "#FFFFFF", "width": 1})
    finish(figure, _title(found), 470)
    ticks = np.arange(0, len(stages) * length / 3600 + 1e-9, 1 if len(stages) * length > 5400 else 0.25)
    clock = str(found["clock"])
    shown = [clock_at(clock, float(tick) * 3600)[:5] if clock else f"{tick:g}" for tick in ticks]
    limits = [0, len(stages) * length / 3600]
    figure.update_xaxes(range=limits, tickvals=ticks, ticktext=shown)
    figure.update_xaxes(title="time of day" if clock else "hours from the beginning", row=2, col=1)
    names = [NAMES[stage] for stage in LEVELS]
    figure.update_yaxes(tickvals=list(range(5)), ticktext=names, range=[-1.1 if odd else -0.5, 4.5], row=1, col=1)
    figure.update_yaxes(title="probability", range=[0, 1], tickvals=[0, 0.5, 1], row=2, col=1)
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemclick": False, "itemdoubleclick": False},
        margin={"l": 8, "r": 8, "t": 80, "b": 8},
    )
    return figure


def describe_night(found: Mapping[str, Any]) -> str:
    """The night in words."""
    minutes = {stage: found["statistics"][f"min_{stage}"]["value"] for stage in STAGES}
    listed = ", ".join(f"{NAMES[stage]} {minutes[stage]:.0f} min" for stage in STAGES)
    return f"{_title(found)}. {listed}. The band below gives the probability of each stage in every epoch of 30 s."


def night_rows(found: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The numbers of the night, a row an epoch."""
    return [
        {
            "epoch": place + 1,
            "onset_s": place * found["epoch_s"],
            "clock": clock_at(str(found["clock"]), place * found["epoch_s"]),
            "stage": stage or "",
            **{f"p_{name}": (row or [""] * len(STAGES))[at] for at, name in enumerate(STAGES)},
        }
        for place, (stage, row) in enumerate(zip(found["stages"], found["probabilities"], strict=True))
    ]


def plot_epoch(names: Sequence[str], values: np.ndarray, rate: float, title: str, before_s: float = 0.0) -> Any:
    """Traces of one epoch, negative is up as everywhere in clinical EEG, each on its own line.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Microvolts.
    before_s : float
        Seconds shown before and after the epoch; they are shaded.
    """
    import plotly.graph_objects as go

    time = np.arange(values.shape[1]) / rate - before_s
    figure = go.Figure()
    inner = np.nan_to_num(values[:, round(before_s * rate) : values.shape[1] - round(before_s * rate)])
    gap = max(_GAP_UV, float(np.ceil(np.abs(inner).max() / 50) * 50)) if inner.size else _GAP_UV
    for row, name in enumerate(names):
        shift = -row * gap
        figure.add_scatter(
            x=time,
            y=shift - values[row],
            mode="lines",
            name=name,
            line={"color": BLUE if row == 0 else QUIET, "width": 1.1},
            customdata=values[row],
            hovertemplate=f"{name} %{{customdata:.0f}} µV at %{{x:.1f}} s<extra></extra>",
        )
    length = values.shape[1] / rate - 2 * before_s
    for low, high in ((-before_s, 0.0), (length, length + before_s)):
        if before_s:
            figure.add_vrect(x0=low, x1=high, fillcolor=QUIET, opacity=0.15, line_width=0)
    finish(figure, title, 120 + 110 * len(names))
    figure.update_yaxes(tickvals=[-row * gap for row in range(len(names))], ticktext=list(names), showgrid=False)
    figure.update_yaxes(range=[-(len(names) - 0.4) * gap, 0.75 * gap])  # a burst beside the epoch must not make it small
    figure.update_xaxes(
        title=f"seconds of the epoch; negative is up, lines are {gap:.0f} µV apart", dtick=5, range=[-before_s, length + before_s]
    )
    figure.update_layout(showlegend=False)
    return figure


def describe_epoch(names: Sequence[str], values: np.ndarray, title: str) -> str:
    """The traces in words."""
    spread = ", ".join(f"{name} {np.nanstd(row):.0f} µV" for name, row in zip(names, values, strict=True))
    return f"{title}. Standard deviations: {spread}."


def epoch_rows(names: Sequence[str], values: np.ndarray, rate: float, start_s: float) -> list[dict[str, Json]]:
    """The traces' numbers, a row a sample."""
    return [
        {"time_s": round(start_s + place / rate, 4), **{name: round(float(values[row, place]), 2) for row, name in enumerate(names)}}
        for place in range(values.shape[1])
    ]


def _of_epoch(found: Mapping[str, Any], place: int) -> list[Json]:
    clock = clock_at(str(found["clock"]), place * found["epoch_s"]) or f"{place * found['epoch_s'] / 3600:.2f} h"
    return [int(place) + 1, clock, NAMES[found["stages"][place]], max(found["probabilities"][place])]


def _title(found: Mapping[str, Any]) -> str:
    told = found["statistics"]
    if not told["tst"]["value"]:
        return "No sleep was found"
    rem = told["rem_latency"]["value"]
    dreams = "no REM sleep" if rem is None else f"REM sleep {rem:.0f} min later"
    return f"Sleep began {told['sol']['value']:.0f} min after lights off, {dreams}"


def plot_stages(found: Mapping[str, Any]) -> Any:
    """One bar of the night between lights off and lights on, parted by stage, with minutes and shares of sleep in it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    whole = sum(row["minutes"] for row in stages_rows(found))
    for row in stages_rows(found):
        if row["minutes"] == 0:
            continue
        share = f"<br>{row['share_of_sleep_pct']:.0f}%" if row["share_of_sleep_pct"] is not None else ""
        figure.add_bar(
            x=[row["minutes"]],
            y=[""],
            orientation="h",
            name=row["stage"],
            marker={"color": COLOURS[row["key"]], "line": {"width": 0}},
            text=f"{row['stage']} {row['minutes']:.0f} min{share}" if row["minutes"] >= 0.11 * whole else row["stage"],
            constraintext="none",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": "#ffffff" if row["key"] == "N2" else "#000000", "size": 12},
            hovertemplate=f"{row['stage']} {row['minutes']:.1f} min<extra></extra>",
        )
    finish(figure, _largest(found), 150)
    figure.update_layout(barmode="stack", showlegend=False)
    figure.update_xaxes(title="minutes; percentages are of total sleep time")
    return figure


def describe_stages(found: Mapping[str, Any]) -> str:
    """The bar in words."""
    return f"{_largest(found)}. " + ", ".join(f"{row['stage']} {row['minutes']:.1f} min" for row in stages_rows(found)) + "."


def stages_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Minutes of each stage with their interval, and the share of total sleep time (None for wake)."""
    told = found["statistics"]
    return [
        {
            "key": stage,
            "stage": NAMES[stage],
            "minutes": told[f"min_{stage}"]["value"],
            "low": told[f"min_{stage}"]["low"],
            "high": told[f"min_{stage}"]["high"],
            "share_of_sleep_pct": None if stage == "W" else told[f"pct_{stage}"]["value"],
        }
        for stage in STAGES
    ]


def _largest(found: Mapping[str, Any]) -> str:
    rows = [row for row in stages_rows(found) if row["key"] != "W"]
    best = max(rows, key=lambda row: row["minutes"])
    if not best["minutes"]:
        return "No epoch was called sleep"
    return f"Most of the sleep is {best['stage']}, {best['share_of_sleep_pct']:.0f}%"
