"""Independent components drawn: their maps side by side, the spectrum and trace of one, a page before and after, and shares of a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.eeg_head import Floats, interpolate, place, positions
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

COLUMNS = 6
_GRID = 41
_EDGE = np.deg2rad(92)  # just over the outline
_DIVERGING = [[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]]


def plot_maps(electrodes: Sequence[str], mixing: Floats, components: Sequence[Mapping[str, Json]]) -> Any:
    """Maps of components, six in a row, each on a scale of its own largest value.

    Parameters
    ----------
    mixing : ndarray, shape (electrodes, all components)
    components : sequence of mapping
        Those to draw, as the task's result lists them.
    """
    from plotly.subplots import make_subplots

    rows = -(-len(components) // COLUMNS)
    heads = [_heading(one) for one in components]
    figure = make_subplots(rows, COLUMNS, subplot_titles=heads, horizontal_spacing=0.015, vertical_spacing=0.19 / max(rows, 1))
    known = [n for n, name in enumerate(electrodes) if place(name) is not None]
    places = np.array([place(electrodes[n]) for n in known], np.float64)
    flat = positions([electrodes[n] for n in known])
    axis = np.linspace(-_EDGE, _EDGE, _GRID)
    x, y = np.meshgrid(axis, axis)
    angle = np.hypot(x, y)
    ratio = np.divide(np.sin(angle), angle, out=np.ones_like(angle), where=angle > 1e-9)
    sphere = np.stack([x * ratio, y * ratio, np.cos(angle)], -1).reshape(-1, 3)
    inside = angle.ravel() <= _EDGE
    for at, one in enumerate(components):
        row, column = at // COLUMNS + 1, at % COLUMNS + 1
        values = mixing[known, one["number"] - 1].astype(np.float64)
        drawn = np.full(len(sphere), np.nan)
        drawn[inside] = interpolate(places, values / np.abs(values).max(), sphere[inside])
        figure.add_heatmap(
            x=axis, y=axis, z=drawn.reshape(x.shape).astype(np.float32), zmin=-1, zmax=1, colorscale=_DIVERGING,
            showscale=at == 0, colorbar={"thickness": 10, "len": 0.9 / rows, "y": 1, "yanchor": "top", "tickvals": [-1, 0, 1],
                                              "title": {"text": "of its<br>largest"}},
            hoverinfo="skip", row=row, col=column,
        )  # fmt: skip
        turn = np.linspace(0, 2 * np.pi, 60)
        edge = np.deg2rad(90)
        for px, py in (
            (edge * np.cos(turn), edge * np.sin(turn)),
            (edge * np.array([-0.11, 0, 0.11]), edge * np.array([0.99, 1.13, 0.99])),
        ):
            figure.add_scatter(x=px, y=py, mode="lines", line={"color": QUIET, "width": 1.5}, hoverinfo="skip", row=row, col=column)
        figure.add_scatter(
            x=flat[:, 0], y=flat[:, 1], mode="markers", marker={"size": 2.5, "color": "#111111"},
            customdata=[f"{electrodes[n]}: {value:+.2f} uV" for n, value in zip(known, values, strict=True)],
            hovertemplate="%{customdata}<extra></extra>", row=row, col=column,
        )  # fmt: skip
    finish(figure, maps_title(components), 90 + 190 * rows)
    reach = np.deg2rad(105)
    figure.update_xaxes(visible=False, range=[-reach, reach], constrain="domain")
    figure.update_yaxes(visible=False, range=[-reach, reach])
    for at in range(rows * COLUMNS):
        name = "" if at == 0 else str(at + 1)
        figure.layout[f"yaxis{name}"].scaleanchor = f"x{name}"
    figure.update_annotations(font_size=12)
    figure.update_layout(showlegend=False, margin={"l": 8, "r": 8, "t": 92, "b": 8})
    return figure


def maps_title(components: Sequence[Mapping[str, Json]]) -> str:
    """What the maps show."""
    counts: dict[str, int] = {}
    for one in components:
        counts[one["label"]] = counts.get(one["label"], 0) + 1
    numbers = [one["number"] for one in components]
    row = len(numbers) > 1 and numbers == list(range(numbers[0], numbers[-1] + 1))
    named = f"{numbers[0]} to {numbers[-1]}" if row else ", ".join(map(str, numbers))
    head = f"Component{'' if len(numbers) == 1 else 's'} {named}"
    return f"{head}: " + ", ".join(f"{count} {name}" for name, count in counts.items())


def percent(probability: float) -> str:
    """A probability that is never called certain."""
    return "over 99%" if probability >= 0.995 else f"{probability:.0%}"


def describe_maps(electrodes: Sequence[str], mixing: Floats, components: Sequence[Mapping[str, Json]]) -> str:
    """The maps in words."""
    parts = []
    for one in components:
        values = mixing[:, one["number"] - 1]
        parts.append(
            f"{one['number']}, {one['label']} {percent(one['probability'])}, {one['variance']:.1%} of the variance, "
            f"strongest at {electrodes[int(np.abs(values).argmax())]}"
        )
    return f"{maps_title(components)}. " + "; ".join(parts) + "."


def map_rows(electrodes: Sequence[str], mixing: Floats, components: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """The maps' numbers: microvolts for one standard deviation of the component."""
    return [
        {"component": one["number"], "label": one["label"], "electrode": name, "uV": round(float(mixing[n, one["number"] - 1]), 4)}
        for one in components
        for n, name in enumerate(electrodes)
    ]


def plot_spectrum(frequencies: Floats, power: Floats, number: int, label: str) -> Any:
    """Spectrum of one component."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(x=frequencies, y=power, line={"color": BLUE, "width": 2}, hovertemplate="%{x:.1f} Hz: %{y:.1f} dB<extra></extra>")
    finish(figure, spectrum_title(frequencies, power, number, label), 300)
    figure.update_xaxes(title="frequency (Hz)")
    figure.update_yaxes(title="power (dB, 0: variance over 1 Hz)")
    return figure


def spectrum_title(frequencies: Floats, power: Floats, number: int, label: str) -> str:
    """The highest peak between 2 and 45 Hz above a falling line, and mains where it stands out, in words."""
    band = (frequencies >= 2) & (frequencies <= 45)
    slope = np.polyfit(np.log10(frequencies[band]), power[band], 1)
    above = power[band] - np.polyval(slope, np.log10(frequencies[band]))
    at = int(above.argmax())
    told = [f"peak at {frequencies[band][at]:.1f} Hz"] if above[at] > 3 else []
    for hum in (50, 60):
        off = np.abs(frequencies - hum)
        beside = (off >= 3) & (off <= 6)
        if (off <= 1).any() and beside.any() and power[off <= 1].max() > np.median(power[beside]) + 5:
            told.append(f"mains at {hum} Hz")
    return f"Component {number} ({label}): {' and '.join(told) or 'no peak'}"


def plot_trace(times: Floats, source: Floats, number: int, label: str) -> Any:
    """Ten seconds of one component."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(x=times, y=source, line={"color": BLUE, "width": 1}, hovertemplate="%{x:.2f} s: %{y:.1f}<extra></extra>")
    finish(figure, f"Component {number} ({label}) from {times[0]:.0f} to {times[-1]:.0f} s", 220)
    figure.update_xaxes(title="time (s)")
    figure.update_yaxes(title="standard deviations")
    return figure


def plot_before_after(times: Floats, names: Sequence[str], before: Floats, after: Floats, numbers: Sequence[int]) -> Any:
    """Traces before (dotted, orange-red) and after (solid, blue), one channel below the other, the scale from the traces after."""
    import plotly.graph_objects as go

    step = max(float(np.nanpercentile(np.abs(after - np.nanmedian(after, axis=1, keepdims=True)), 98)) * 2.5, 20.0)
    figure = go.Figure()
    for kind, values, line in (
        ("before", before, {"color": VERMILLION, "width": 1, "dash": "dot"}),
        ("after", after, {"color": BLUE, "width": 1.2}),
    ):
        for row, name in enumerate(names):
            figure.add_scatter(
                x=times, y=values[row] - np.nanmedian(values[row]) - row * step,
                name=kind, legendgroup=kind, showlegend=row == 0, line=line,
                customdata=values[row], hovertemplate=f"{name} {kind}: %{{customdata:.0f}} uV at %{{x:.2f}} s<extra></extra>",
            )  # fmt: skip
    finish(figure, before_after_title(times, names, before, after, numbers), 120 + 34 * len(names))
    figure.update_yaxes(tickvals=[-row * step for row in range(len(names))], ticktext=list(names), showgrid=False,
                        range=[-(len(names) - 0.2) * step, 1.2 * step])  # fmt: skip
    figure.update_xaxes(title="time (s)", range=[times[0], times[-1]])
    figure.add_shape(type="line", x0=times[0], x1=times[0], y0=0.2 * step, y1=0.2 * step + 100, line={"color": QUIET, "width": 3})
    figure.add_annotation(x=times[0], y=0.2 * step + 50, text="100 uV", showarrow=False, xanchor="left", xshift=6, font={"size": 11})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 84, "b": 8})
    return figure


def before_after_title(times: Floats, names: Sequence[str], before: Floats, after: Floats, numbers: Sequence[int]) -> str:
    """What changed, in words."""
    was, now = float(np.nanmean(np.nanvar(before, axis=1))), float(np.nanmean(np.nanvar(after, axis=1)))
    which = f"component{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}" if numbers else "no component"
    return f"Without {which}: {times[0]:.0f} to {times[-1]:.0f} s, variance {1 - now / was:.0%} less" if was > 0 else f"Without {which}"


def before_after_rows(times: Floats, names: Sequence[str], before: Floats, after: Floats) -> list[dict[str, Json]]:
    """The traces' numbers."""
    return [
        {"time_s": round(float(at), 4), **{f"{name} {kind} (uV)": round(float(values[row, n]), 2)
         for row, name in enumerate(names) for kind, values in (("before", before), ("after", after))}}
        for n, at in enumerate(times)
    ]  # fmt: skip


def plot_shares(explanation: Mapping[str, Json], title: str) -> Any:
    """Shares of a label as bars: orange-red and to the right for, blue and to the left against."""
    import plotly.graph_objects as go

    items = list(reversed(explanation["attributions"]))
    values = [float(item["value"]) for item in items]
    figure = go.Figure(
        go.Bar(
            x=values, y=[item["label"] for item in items], orientation="h",
            marker_color=[VERMILLION if value >= 0 else BLUE for value in values],
            text=[f"{value:+.2f}" for value in values], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        )
    )  # fmt: skip
    finish(figure, title, 90 + 34 * len(items))
    most = max(0.05, *(abs(value) for value in values)) * 1.3
    figure.update_xaxes(
        title="share of the probability", range=[min(0.0, *values) - (0.2 * most if min(values) < 0 else 0.0), most], zeroline=True
    )
    figure.update_yaxes(showgrid=False)
    return figure


def describe_shares(explanation: Mapping[str, Json], title: str) -> str:
    """The bars in words."""
    told = "; ".join(f"{item['label']} {item['value']:+.2f}" for item in explanation["attributions"])
    return f"{title}. From {explanation['base_value']:.2f} without any of them to {explanation['score']:.2f} with all: {told}."


def share_rows(explanation: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The bars' numbers."""
    return [{"part": item["label"], "share": item["value"]} for item in explanation["attributions"]]


def _heading(one: Mapping[str, Json]) -> str:
    mark = ", suggested" if one["suggested"] else ""
    return f"<b>{one['number']}</b> {one['label']} {percent(one['probability'])}<br>{one['variance']:.1%} of variance{mark}"
