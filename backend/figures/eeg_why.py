"""Why a decoder decides: shares by channel and band, by band and by time, on the head, and weights beside activation patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

MOST_ROWS = 20
_ROOM = 1.4  # the scale goes so much further than the values: dark figures keep their contrast on every cell
_NAMED = 4  # features of a weight plot that carry their name


def plot_cells(found: Mapping[str, Any]) -> Any:
    """Channel x band, the channels with the largest shares first; a ring marks parts that tell nothing alone."""
    import plotly.graph_objects as go

    rows = _leading(found)
    values = np.array(found["cells"]["values"])[rows]
    helps = {(part["channel"], part["band"]) for part in found["helpers"]}
    names, bands = [group_name(found["groups"][row]) for row in rows], [band["name"] for band in found["bands"]]
    most = _ROOM * max(float(np.abs(values).max()), 1e-6)
    text = [
        [f"{value:+.2f}{' ○' if (name, band) in helps else ''}" for value, band in zip(line, bands, strict=True)]
        for name, line in zip(names, values, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[f"{band['name']}<br>{band['low']:g}-{band['high']:g} Hz" for band in found["bands"]],
            y=names,
            zmin=-most,
            zmax=most,
            colorscale=[[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]],
            colorbar={"title": {"text": found["unit"]}, "thickness": 12},
            text=text,
            texttemplate="%{text}",
            textfont={"color": "#1F2A2C", "size": 11},
            customdata=np.array(found["cells"]["errors"])[rows],
            hovertemplate="%{y}, %{x}: %{z:+.3f} ± %{customdata:.3f} log-odds<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    finish(figure, _cells_title(found), 130 + 24 * max(len(rows), 4))
    figure.update_yaxes(autorange="reversed")
    return figure


def describe_cells(found: Mapping[str, Any]) -> str:
    """The heatmap in words."""
    told = "; ".join(
        f"{part['channel']} in {part['band']} {part['value']:+.2f} ± {part['error']:.2f}"
        + (", tells nothing alone" if part["carries"] is False else "")
        for part in found["by_share"][:6]
    )
    return f"{_cells_title(found)}. Shares of channels and bands in {found['unit']}: {told}."


def cell_rows(found: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The heatmap's numbers with what other ways of asking give, a row a channel and band."""
    return [
        {
            "channel": group_name(group),
            "band": band["name"],
            "low_hz": band["low"],
            "high_hz": band["high"],
            "share": found["cells"]["values"][g][b],
            "standard_error": found["cells"]["errors"][g][b],
            "second_seed": found["second"][g][b],
            "occlusion": found["occlusion"][g][b],
            "activation_pattern": found["pattern_strength"][g][b],
        }
        for g, group in enumerate(found["groups"])
        for b, band in enumerate(found["bands"])
    ]


def plot_margins(found: Mapping[str, Any]) -> Any:
    """Sums of the shares by band and by window of time, with two standard errors."""
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=("By band", "By time"), horizontal_spacing=0.06)
    for column, (key, names) in enumerate(_margins(found).items(), 1):
        values, errors = (np.array(found[key][name]) for name in ("values", "errors"))
        figure.add_bar(
            x=names,
            y=values,
            marker={"color": [VERMILLION if value >= 0 else BLUE for value in values]},
            error_y={"type": "data", "array": 2 * errors, "color": QUIET, "thickness": 1.5},
            hovertemplate="%{x}: %{y:+.3f} log-odds<extra></extra>",
            row=1,
            col=column,
        )
    finish(figure, _margins_title(found), 300)
    figure.update_layout(showlegend=False, margin={"l": 8, "r": 8, "t": 72, "b": 8})
    figure.update_yaxes(title=found["unit"], col=1)
    figure.update_yaxes(zeroline=True, zerolinecolor=QUIET)
    return figure


def describe_margins(found: Mapping[str, Any]) -> str:
    """The bars in words."""
    told = [
        f"{name} {value:+.2f} ± {2 * error:.2f}"
        for key, names in _margins(found).items()
        for name, value, error in zip(names, found[key]["values"], found[key]["errors"], strict=True)
    ]
    return f"{_margins_title(found)}. Shares in {found['unit']} with two standard errors: {'; '.join(told)}."


def margin_rows(found: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The bars' numbers."""
    return [
        {"of": key.removeprefix("per_"), "part": name, "share": value, "standard_error": error}
        for key, names in _margins(found).items()
        for name, value, error in zip(names, found[key]["values"], found[key]["errors"], strict=True)
    ]


def pattern_map(found: Mapping[str, Any], output: str, band: str) -> tuple[list[float], str, str]:
    """Values at the electrodes, what they are, and their unit: of the slow band the mean, whose sign matters, else power."""
    patterns, at = found["patterns"], [one["name"] for one in found["bands"]].index(band)
    row = patterns["outputs"].index(output)
    if at == 0 and at in patterns["mean_bands"]:
        return [values[patterns["mean_bands"].index(at)] for values in patterns["mean_uv"][row]], "Mean", "uV"
    return [values[at] for values in patterns["power_db"][row]], "Power", "dB"


def share_map(found: Mapping[str, Any]) -> tuple[list[str], list[float]]:
    """Electrodes with their shares over all bands and times; channels that were weighed together share alike."""
    each = dict.fromkeys(found["channels"], 0.0)
    for names, value in zip(found["groups"], found["per_group"]["values"], strict=True):
        each |= dict.fromkeys(names, value / len(names))
    return list(found["electrodes"]), [each[name] for name in found["channels"]]


def plot_weights(found: Mapping[str, Any]) -> Any:
    """Each feature of one channel: what the decoder weighs it with, against how it moves with the decoder's output."""
    import plotly.graph_objects as go

    rows = found["weights"]
    named = sorted(range(len(rows)), key=lambda n: -abs(rows[n]["weight"]))[:_NAMED]
    figure = go.Figure(
        go.Scatter(
            x=[row["weight"] for row in rows],
            y=[row["pattern"] for row in rows],
            mode="markers+text",
            text=[feature_name(row) if n in named else "" for n, row in enumerate(rows)],
            textposition="top center",
            textfont={"size": 11},
            marker={"color": BLUE, "size": 8},
            customdata=[feature_name(row) for row in rows],
            hovertemplate="%{customdata}<br>weight %{x:+.3f}, pattern %{y:+.2f}<extra></extra>",
            cliponaxis=False,
        )
    )
    finish(figure, "What is weighed, and what moves with the output", 340)
    figure.update_xaxes(title="weight, log-odds for one standard deviation", zeroline=True, zerolinecolor=QUIET)
    figure.update_yaxes(title="activation pattern, correlation", zeroline=True, zerolinecolor=QUIET, range=[-1.15, 1.15])
    return figure


def describe_weights(found: Mapping[str, Any]) -> str:
    """The plot in words."""
    rows = sorted(found["weights"], key=lambda row: -abs(row["weight"]))[:5]
    told = "; ".join(f"{feature_name(row)}: weight {row['weight']:+.2f}, pattern {row['pattern']:+.2f}" for row in rows)
    return f"Weights of the linear decoder against activation patterns. The largest weights: {told}."


def weight_rows(found: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The plot's numbers."""
    return [{"feature": feature_name(row), "weight": row["weight"], "pattern": row["pattern"]} for row in found["weights"]]


def feature_name(row: Mapping[str, Any]) -> str:
    """C3 8-13 Hz; C3 0.4-0.8 s."""
    band = f" {row['band'][0]:g}-{row['band'][1]:g} Hz" if row["band"] else ""
    window = f" {row['window'][0]:.2g}-{row['window'][1]:.2g} s" if row["window"] else ""
    return f"{row['channel']}{band}{window}"


def group_name(names: list[str]) -> str:
    """C3; or, for channels that were weighed together, FC5, C5 and 2 more."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"


def _leading(found: Mapping[str, Any]) -> list[int]:
    size = np.abs(np.array(found["cells"]["values"])).max(axis=1)
    return [int(n) for n in np.argsort(-size, kind="stable")[:MOST_ROWS]]


def _margins(found: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "per_band": [band["name"] for band in found["bands"]],
        "per_window": [f"{low:.2g} to {high:.2g} s" for low, high in found["windows"]],
    }


def _cells_title(found: Mapping[str, Any]) -> str:
    if not found["reliable"]:
        return "Shares of channels and bands"
    part = (found["ranking"] or found["by_share"])[0]
    return f"{part['channel']} in {part['band']} counts most{_side(found, part['value'])}"


def _margins_title(found: Mapping[str, Any]) -> str:
    if not found["reliable"]:
        return "Shares of bands and times"
    signed = [found[key]["values"] for key in ("per_band", "per_window")]
    band, window = (int(np.argmax(np.abs(values) if "trial" in found["target"] else values)) for values in signed)
    title = f"Most lies in {found['bands'][band]['name']}{_side(found, signed[0][band])}"
    if len(found["windows"]) > 1:
        low, high = found["windows"][window]
        title += f", from {low:.2g} to {high:.2g} s{_side(found, signed[1][window])}"
    return title


def _side(found: Mapping[str, Any], value: float) -> str:
    """Of a single trial, which way a share goes."""
    if "trial" not in found["target"]:
        return ""
    return f" for {found['class']}" if value > 0 else f" against {found['class']}"
