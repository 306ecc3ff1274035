"""Two RNAs against each other: the cosine of every base with every other, and the ways that two alignments take through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import SKY, VERMILLION, finish

_WAYS = (("vectors", "alignment by vectors", VERMILLION, "solid"), ("letters", "alignment by letters", SKY, "dot"))


def plot_near(reference: Mapping[str, Json], one: Mapping[str, Json]) -> Any:
    """The table of cosines with both alignments drawn over it; the reference runs downwards."""
    import plotly.graph_objects as go

    cells, steps = np.array(one["map"]["cells"], dtype=float), one["map"]["steps"]
    down, across = (_places(side) for side in (reference, one))
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            x=across[:: steps[1]],
            y=down[:: steps[0]],
            colorscale="Cividis",
            zmax=1,
            zmin=float(min(cells.min(), 0)),
            colorbar={"title": {"text": "cosine"}, "thickness": 12, "len": 0.7},
            hovertemplate=f"{_safe(reference['record'])} %{{y}}, {_safe(one['record'])} %{{x}}: %{{z:.2f}}<extra></extra>",
        )
    )
    for way, name, colour, dash in _WAYS:
        pairs = columns(one[way])
        figure.add_scatter(
            x=[across[j] for _, j in pairs],
            y=[down[i] for i, _ in pairs],
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5},
            hoverinfo="skip",
        )
    finish(figure, near_title(one), 520)
    figure.update_xaxes(title=f"base of {_short(one['record'])}, in your numbering", constrain="domain")
    figure.update_yaxes(title=f"base of {_short(reference['record'])}", autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_near(reference: Mapping[str, Json], one: Mapping[str, Json]) -> str:
    """The table in words."""
    cells = np.array(one["map"]["cells"], dtype=float)
    beside = one["vectors"]["cosine"]
    told = "no bases stand side by side" if beside is None else f"bases that it sets side by side have a mean cosine of {beside:.2f}"
    blocks = one["map"]["steps"]
    less = f" Each cell is the largest of {blocks[0]} by {blocks[1]} bases." if max(blocks) > 1 else ""
    return (
        f"{near_title(one)}. Rows are bases of {reference['record']}, columns bases of {one['record']}; brighter is nearer. Over the "
        f"table cosines run from {cells.min():.2f} to {cells.max():.2f}; {told}. The solid line is the alignment by vectors, the dotted "
        f"one that by letters.{less}"
    )


def near_rows(reference: Mapping[str, Json], one: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The table's numbers, a row each."""
    down, across, steps = _places(reference), _places(one), one["map"]["steps"]
    return [
        {"reference_place": down[i * steps[0]], "place": across[j * steps[1]], "cosine": value}
        for i, row in enumerate(one["map"]["cells"])
        for j, value in enumerate(row)
    ]


def near_title(one: Mapping[str, Json]) -> str:
    """What the two alignments have in common."""
    shared = one["shared"]
    word = "the same way" if shared == 1 else f"{shared:.0%} of their way together"
    return f"The alignments by vectors and by letters go {word}"


def columns(rows: Mapping[str, Json]) -> list[tuple[int, int]]:
    """Indices of the letters that stand side by side."""
    made, i, j = [], -1, -1
    for a, b in zip(rows["first"], rows["second"], strict=True):
        i, j = i + (a != "-"), j + (b != "-")
        if a != "-" and b != "-":
            made.append((i, j))
    return made


def _places(side: Mapping[str, Json]) -> list[int]:
    return list(side["places"] or range(1, len(side["sequence"]) + 1))


def _short(name: str) -> str:
    return _safe(name if len(name) <= 28 else f"{name[:25]}...")


def _safe(name: str) -> str:
    """A name that Plotly shows as it stands."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
