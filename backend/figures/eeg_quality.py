"""Signal quality as a grid: channels down, minutes across, a colour and a letter for what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, GREEN, ORANGE, PINK, QUIET, SKY, VERMILLION, YELLOW, finish

COLOURS = {"F": "#4D4D4D", "C": VERMILLION, "D": ORANGE, "N": BLUE, "A": PINK, "U": GREEN, "M": YELLOW, "B": "#999999", "S": SKY}
_GOOD = "#E4E9EA"
_DARK = ("F", "N", "C", "U")  # white letters stand on these
_LETTERS = 90  # so many letters find room beside each other


def plot_quality(found: Mapping[str, Json]) -> Any:
    """One cell a channel and minute. Light: nothing found. Blank: not recorded. Letters where there is room, else on hover."""
    import plotly.graph_objects as go

    channels, limits = found["channels"], found["limits"]
    order = ["."] + [limit["code"] for limit in limits]
    grid = np.array([[order.index(code) if code in order else -1 for code in one["codes"]] for one in channels], np.float64)
    grid[grid < 0] = np.nan
    shades = [_GOOD, *(COLOURS[code] for code in order[1:])]
    scale = [[edge, shade] for n, shade in enumerate(shades) for edge in (n / len(shades), (n + 1) / len(shades))]
    names = {".": "nothing found", " ": "not recorded", **{limit["code"]: limit["name"] for limit in limits}}
    minutes = found["minutes"]
    x = np.arange(1, minutes + 1)
    y = [one["name"] for one in channels]
    figure = go.Figure(
        go.Heatmap(
            x=x, y=y, z=grid, zmin=-0.5, zmax=len(shades) - 0.5, colorscale=scale, showscale=False, xgap=1 if minutes <= 240 else 0, ygap=1,
            customdata=[[names[code] for code in one["codes"]] for one in channels],
            hovertemplate="%{y}, minute %{x}: %{customdata}<extra></extra>",
        )
    )  # fmt: skip
    for dark in (True, False):
        cells = [(at, one["name"], code) for one in channels for at, code in _letters(one["codes"]) if (code in _DARK) == dark]
        if cells:
            figure.add_scatter(
                x=[cell[0] for cell in cells], y=[cell[1] for cell in cells], text=[cell[2] for cell in cells], mode="text",
                textfont={"size": 11, "color": "#FFFFFF" if dark else "#111111"}, hoverinfo="skip", showlegend=False,
            )  # fmt: skip
    for limit in limits:  # the key: letter and colour together
        if any(limit["code"] in one["codes"] for one in channels):
            figure.add_scatter(
                x=[None], y=[y[0]], mode="markers", name=f"{limit['code']} {limit['name']}",
                marker={"symbol": "square", "size": 11, "color": COLOURS[limit["code"]]},
            )  # fmt: skip
    row = 20 if len(channels) <= 40 and any(one["counts"] for one in channels) else 13  # nothing wrong needs no room for letters
    finish(figure, quality_title(found), 150 + row * len(channels))
    figure.update_yaxes(autorange="reversed", dtick=1, showgrid=False, tickfont={"size": 11 if row == 20 else 9})
    figure.update_xaxes(title="minute of the recording", showgrid=False, range=[0.5, minutes + 0.5], dtick=1 if minutes <= 20 else None)
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, showlegend=True, margin={"l": 8, "r": 8, "t": 104, "b": 8}
    )
    figure.update_shapes(line_color=QUIET)
    return figure


def _letters(codes: str) -> list[tuple[float, str]]:
    """Where letters stand: in every faulty minute, or, of a long recording, in the middle of each stretch that is wide enough."""
    found: list[tuple[float, str]] = []
    at = 1
    for code, members in groupby(codes):
        count = len(list(members))
        if code not in ". ":
            if len(codes) <= _LETTERS:
                found += [(float(at + n), code) for n in range(count)]
            elif count >= len(codes) / _LETTERS:
                found.append((at + (count - 1) / 2, code))
        at += count
    return found


def quality_title(found: Mapping[str, Json]) -> str:
    """What the grid shows."""
    faulty = [one["name"] for one in found["channels"] if one["counts"]]
    total, minutes = len(found["channels"]), found["minutes"]
    if not faulty:
        return f"Nothing is wrong with {total} channels in {minutes} minute{'' if minutes == 1 else 's'}"
    return f"{total - len(faulty)} of {total} channels show no fault; {len(found['suggested'])} suggested as bad"


def describe_quality(found: Mapping[str, Json]) -> str:
    """The grid in words."""
    told = [f"{one['name']}: {'; '.join(one['why'])}" for one in found["channels"] if one["why"]]
    return f"{quality_title(found)}. " + (". ".join(told) + "." if told else "")


def quality_rows(found: Mapping[str, Json]) -> Sequence[dict[str, Json]]:
    """The grid's cells that are not good, and each channel once if all are."""
    names = {limit["code"]: limit["name"] for limit in found["limits"]}
    rows: list[dict[str, Json]] = []
    for one in found["channels"]:
        bad = [(n, code) for n, code in enumerate(one["codes"], 1) if code not in ". "]
        rows += [{"channel": one["name"], "minute": n, "fault": names[code]} for n, code in bad]
        if not bad:
            rows.append({"channel": one["name"], "minute": None, "fault": "none"})
    return rows
