"""Evoked responses: one channel with its interval, all channels as a butterfly, the head at one latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

_COLOURS = (BLUE, VERMILLION)
_DASHES = ("solid", "dash")
_FAINT = ("rgba(0,114,178,0.18)", "rgba(213,94,0,0.18)")


def plot_evoked(prediction: Mapping[str, Json], channel: str) -> Any:
    """The mean of each kind of event in one channel, with its 95% interval; clusters that differ are shaded."""
    import plotly.graph_objects as go

    at, times = _row(prediction, channel), 1000 * np.array(prediction["times"])
    figure = go.Figure()
    for n, condition in enumerate(prediction["conditions"]):
        mean, half = np.array(condition["mean"][at]), np.array(condition["half"][at])
        figure.add_scatter(
            x=np.concatenate([times, times[::-1]]),
            y=np.concatenate([mean + half, (mean - half)[::-1]]),
            fill="toself",
            fillcolor=_FAINT[n],
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=times,
            y=mean,
            name=f"{_safe(condition['label'])} (n = {condition['trials']:,})",
            line={"color": _COLOURS[n], "width": 2, "dash": _DASHES[n]},
            hovertemplate="%{x:.0f} ms: %{y:.2f} µV<extra></extra>",
        )
    for cluster in _clusters(prediction, channel):
        figure.add_vrect(x0=1000 * cluster["from_s"], x1=1000 * cluster["to_s"], fillcolor=QUIET, opacity=0.18, line_width=0)
    finish(figure, _safe(title_of(prediction, channel)), 360)
    _axes(figure)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_evoked(prediction: Mapping[str, Json], channel: str) -> str:
    """The figure in words."""
    told = []
    for condition in prediction["conditions"]:
        second, height, half = _peak(prediction, condition, channel)
        told.append(f"{condition['label']}: largest {height:+.1f} µV (95% interval ± {half:.1f}) at {1000 * second:.0f} ms")
    differ = _clusters(prediction, channel)
    shaded = f" Shaded: {len(differ)} cluster{'s' if len(differ) != 1 else ''} in which the two differ." if differ else ""
    return f"{title_of(prediction, channel)}. {'; '.join(told)}.{shaded}"


def evoked_rows(prediction: Mapping[str, Json], channel: str) -> list[dict[str, Json]]:
    """The numbers, a row a time."""
    at = _row(prediction, channel)
    return [
        {
            "time_s": second,
            **{
                f"{condition['label']} {kind}": round(condition["mean"][at][n] + sign * condition["half"][at][n], 3)
                for condition in prediction["conditions"]
                for kind, sign in (("mean uV", 0), ("low 95", -1), ("high 95", 1))
            },
        }
        for n, second in enumerate(prediction["times"])
    ]


def plot_butterfly(prediction: Mapping[str, Json], condition: int, latency_s: float) -> Any:
    """The means of all channels over each other, the latency of the map marked."""
    import plotly.graph_objects as go

    found = prediction["conditions"][condition]
    times = 1000 * np.array(prediction["times"])
    figure = go.Figure()
    for channel, mean in zip(prediction["channels"], found["mean"], strict=True):
        figure.add_scatter(
            x=times,
            y=np.array(mean),
            line={"color": _COLOURS[condition], "width": 1},
            opacity=0.55,
            name=channel["name"],
            hovertemplate=f"{channel['name']}, %{{x:.0f}} ms: %{{y:.2f}} µV<extra></extra>",
        )
    figure.add_vline(x=1000 * latency_s, line={"color": QUIET, "width": 2, "dash": "dash"})
    finish(figure, f"{_safe(found['label'])}: the means of all {len(prediction['channels'])} channels", 330)
    _axes(figure)
    figure.update_layout(showlegend=False)
    return figure


def describe_butterfly(prediction: Mapping[str, Json], condition: int) -> str:
    """The figure in words."""
    found = prediction["conditions"][condition]
    means = np.abs(np.array(found["mean"]))
    channel, at = np.unravel_index(int(means.argmax()), means.shape)
    return (
        f"Means of all {len(means)} channels after {found['label']}; the largest is {found['mean'][int(channel)][int(at)]:+.1f} µV at "
        f"{prediction['channels'][int(channel)]['name']}, {1000 * prediction['times'][int(at)]:.0f} ms."
    )


def butterfly_rows(prediction: Mapping[str, Json], condition: int) -> list[dict[str, Json]]:
    """The numbers, a row a time and a column a channel; microvolts."""
    means = prediction["conditions"][condition]["mean"]
    names = [channel["name"] for channel in prediction["channels"]]
    return [
        {"time_s": second, **{name: mean[n] for name, mean in zip(names, means, strict=True)}}
        for n, second in enumerate(prediction["times"])
    ]


def latency_maps(prediction: Mapping[str, Json], latency_s: float) -> tuple[Any, list[dict[str, Json]], str]:
    """The head at one latency, a map for each kind of event, and for their difference where there are two."""
    from backend.figures.eeg_topomap import topomaps

    times = np.array(prediction["times"])
    at = int(np.abs(times - latency_s).argmin())
    placed = [n for n, channel in enumerate(prediction["channels"]) if channel["electrode"]]
    maps = {_safe(found["label"]): [found["mean"][n][at] for n in placed] for found in prediction["conditions"]}
    if len(prediction["conditions"]) == 2:
        one, two = (found["mean"] for found in prediction["conditions"])
        maps["difference"] = [one[n][at] - two[n][at] for n in placed]
    electrodes = [str(prediction["channels"][n]["electrode"]) for n in placed]
    return topomaps(electrodes, maps, f"{1000 * times[at]:.0f} ms after the event", "µV", symmetric=True)


def title_of(prediction: Mapping[str, Json], channel: str) -> str:
    """What the figure of one channel shows."""
    if len(prediction["conditions"]) == 2:
        differ = _clusters(prediction, channel)
        one, two = (found["label"] for found in prediction["conditions"])
        return f"{channel}: {one} and {two} differ here" if differ else f"{channel}: no difference between {one} and {two} found here"
    second, height, _ = _peak(prediction, prediction["conditions"][0], channel)
    return f"{channel}: largest {height:+.1f} µV, {1000 * second:.0f} ms after the event"


def _safe(text: Json) -> str:
    """A person's words without what Plotly takes for markup."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _peak(prediction: Mapping[str, Json], condition: Mapping[str, Json], channel: str) -> tuple[float, float, float]:
    at, times = _row(prediction, channel), np.array(prediction["times"])
    mean, half = np.array(condition["mean"][at]), np.array(condition["half"][at])
    after = np.flatnonzero(times >= 0.05)
    top = int(after[np.abs(mean[after]).argmax()])
    return float(times[top]), float(mean[top]), float(half[top])


def _clusters(prediction: Mapping[str, Json], channel: str) -> Sequence[Mapping[str, Json]]:
    return [cluster for cluster in (prediction["comparison"] or {}).get("clusters", []) if channel in cluster["channels"]]


def _row(prediction: Mapping[str, Json], channel: str) -> int:
    return [each["name"] for each in prediction["channels"]].index(channel)


def _axes(figure: Any) -> None:
    figure.add_vline(x=0, line={"color": QUIET, "width": 1})
    figure.add_hline(y=0, line={"color": QUIET, "width": 1})
    figure.update_xaxes(title="time from the event (ms)")
    figure.update_yaxes(title="mean (µV), positive up")
