"""A set of proteins as a flat map: near proteins near, groups by colour and symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import CATEGORIES, SYMBOLS, finish

_MOST_NAMED = 40


def plot_similar(found: Mapping[str, Json], chosen: int | None = None) -> Any:
    """Scatter of the first two principal components.

    Parameters
    ----------
    found : mapping
        Prediction of the task.
    chosen : int, optional
        Number of a protein to name and to draw lines from to its neighbours.
    """
    import plotly.graph_objects as go

    results, figure = found["results"], go.Figure()
    x, y = np.array([each["x"] for each in results]), np.array([each["y"] for each in results])
    if chosen is not None:
        for other in (each["index"] for each in results[chosen]["neighbours"]):
            figure.add_shape(
                type="line", x0=x[chosen], y0=y[chosen], x1=x[other], y1=y[other], line={"width": 1, "dash": "dot"}, layer="below"
            )
    names = np.array([each["record"] for each in results], dtype=object)
    groups = np.array([each["group"] for each in results])
    for at, size in enumerate(found["groups"]["sizes"]):
        rows = groups == at
        figure.add_scatter(
            x=x[rows],
            y=y[rows],
            mode="markers+text" if len(results) <= _MOST_NAMED else "markers",
            text=[_short(name) for name in names[rows]],
            textposition="top center",
            textfont={"size": 11},
            name=f"group {at + 1} ({size:,})" if len(found["groups"]["sizes"]) > 1 else f"{size:,} {found.get('noun', 'proteins')}",
            marker={
                "color": CATEGORIES[at % len(CATEGORIES)],
                "symbol": SYMBOLS[(at + at // len(CATEGORIES)) % len(SYMBOLS)],
                "size": np.where(np.flatnonzero(rows) == (-1 if chosen is None else chosen), 15, 9),
            },
            customdata=np.column_stack([np.flatnonzero(rows).astype(object), [_safe(name) for name in names[rows]]]),
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    finish(figure, _title(found), 480)
    first, second = found["map"]["explained"]
    figure.update_xaxes(title=f"first component ({first:.0%} of the variance)")
    figure.update_yaxes(title=f"second component ({second:.0%})")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_similar(found: Mapping[str, Json]) -> str:
    """The map in words."""
    share = sum(found["map"]["explained"])
    sizes = ", ".join(f"{size:,}" for size in found["groups"]["sizes"])
    groups = "" if "noun" in found else f" Sizes of groups: {sizes}."
    return f"{_title(found)}. The map carries {share:.0%} of the variance; what lies apart in the rest is not seen.{groups}"


def _title(found: Mapping[str, Json]) -> str:
    number, count, noun = found["groups"]["number"], len(found["results"]), found.get("noun", "proteins")
    if "noun" in found:
        return f"{count:,} {noun} by their vectors"
    return f"{count:,} {noun}, no groups that hold" if number == 1 else f"{count:,} {noun} in {number} groups"


def _short(name: str) -> str:
    return _safe(name if len(name) <= 18 else f"{name[:8]}...{name[-7:]}")


def _safe(name: str) -> str:
    """A name as Plotly shows it: it reads a few HTML tags of its own."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
