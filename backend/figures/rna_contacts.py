"""Contacts of an RNA as a map, and its structure as arcs over the strand, beside another's below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.rna import pair_table
from backend.figures.style import BLUE, ORANGE, QUIET, VERMILLION, finish


def plot_map(one: Mapping[str, Json]) -> Any:
    """The score of every pair of bases; squares mark the pairs of the drawn structure."""
    import plotly.graph_objects as go

    places, step = _places(one), one["map"]["step"]
    cells = np.array([[np.nan if cell is None else cell for cell in row] for row in one["map"]["cells"]], dtype=float)
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            x=places[::step],
            y=places[::step],
            colorscale="Cividis",
            colorbar={"title": {"text": _unit(one)}, "thickness": 12, "len": 0.7},
            hovertemplate="%{y} with %{x}: %{z:.2f}<extra></extra>",
            hoverongaps=False,
        )
    )
    drawn = _pairs(one["structure"])
    figure.add_scatter(
        x=[places[j] for _, j in drawn],
        y=[places[i] for i, _ in drawn],
        name="pair of the structure",
        mode="markers",
        marker={
            "symbol": "square-open",
            "size": float(np.clip(450 / max(len(places), 1), 5, 12)),
            "color": VERMILLION,
            "line": {"width": 1.5},
        },
        customdata=[f"{one['sequence'][i]}{places[i]} with {one['sequence'][j]}{places[j]}" for i, j in drawn],
        hovertemplate="%{customdata}, in the structure<extra></extra>",
        showlegend=bool(drawn),
    )
    finish(figure, _title(one), 520)
    figure.update_xaxes(title="base, in your numbering", constrain="domain")
    figure.update_yaxes(title="base, in your numbering", autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_map(one: Mapping[str, Json]) -> str:
    """The map in words."""
    places, bases = _places(one), one["sequence"]
    listed = "; ".join(f"{bases[i]}{places[i]} with {bases[j]}{places[j]} {score:.2f}" for i, j, score, _ in one["contacts"][:5])
    less = f" Each cell is the largest of {one['map']['step']} by {one['map']['step']} bases." if one["map"]["step"] > 1 else ""
    highest = f"The highest scores ({_unit(one)}): {listed}." if listed else "The strand is too short for a contact."
    return f"{_title(one)}. {highest} Bases less than four apart are left blank. Squares mark pairs of the structure.{less}"


def map_rows(one: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The map's numbers, each pair once."""
    places, step = _places(one), one["map"]["step"]
    return [
        {"first": places[i * step], "second": places[j * step], "score": cell}
        for i, row in enumerate(one["map"]["cells"])
        for j, cell in enumerate(row)
        if j >= i and cell is not None
    ]


def plot_arcs(one: Mapping[str, Json]) -> Any:
    """Pairs as arcs: above the strand those drawn from attention, below it those of ViennaRNA where it is there."""
    import plotly.graph_objects as go

    places, figure = np.array(_places(one)), go.Figure()
    sides = [("from attention", _pairs(one["structure"]), 1, BLUE)]
    if one["vienna"]:
        sides.append(("ViennaRNA, least free energy", _pairs(one["vienna"]["structure"]), -1, ORANGE))
    turn, room = np.linspace(0, np.pi, 25), 0.02 * len(places)  # the letters stand between both sides
    for name, pairs, sign, colour in sides:
        x, y = [], []
        for i, j in pairs:
            middle, half = (places[i] + places[j]) / 2, (places[j] - places[i]) / 2
            x += [*(middle - half * np.cos(turn)).tolist(), None]
            y += [*(sign * (half * np.sin(turn) + room)).tolist(), None]
        figure.add_scatter(
            x=x, y=y, name=f"{name} ({len(pairs)})", mode="lines", line={"color": colour, "width": 1.5}, hoverinfo="skip", showlegend=True
        )
    figure.add_scatter(
        x=places,
        y=np.zeros(len(places)),
        mode="text" if len(places) <= 130 else "lines",
        text=list(one["sequence"]),
        textfont={"size": 10},
        line={"color": QUIET, "width": 2},
        customdata=list(one["sequence"]),
        hovertemplate="%{customdata}%{x}<extra></extra>",
        showlegend=False,
    )
    finish(figure, arcs_title(one), 400)
    figure.update_xaxes(title="base, in your numbering")
    figure.update_yaxes(visible=False)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_arcs(one: Mapping[str, Json]) -> str:
    """The arcs in words: both structures' pairs."""
    told = f"Above the strand, {_listed(one, one['structure'])}"
    if one["vienna"]:
        told += f" Below it, by ViennaRNA, {_listed(one, one['vienna']['structure'])}"
    return f"{arcs_title(one)}. {told}"


def arc_rows(one: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The arcs' numbers, a row each."""
    places = _places(one)
    sides = [("attention", one["structure"]), *([("ViennaRNA", one["vienna"]["structure"])] if one["vienna"] else [])]
    return [{"structure": name, "first": places[i], "second": places[j]} for name, structure in sides for i, j in _pairs(structure)]


def arcs_title(one: Mapping[str, Json]) -> str:
    """How far both structures agree."""
    count = len(_pairs(one["structure"]))
    own = "No pair stands out in the attention" if not count else f"{count} pair{'' if count == 1 else 's'} from attention"
    if not one["vienna"]:
        return own
    return f"{own}; agreement with ViennaRNA: F1 {one['vienna']['f1']:.2f}"


def _listed(one: Mapping[str, Json], structure: str) -> str:
    pairs, places = _pairs(structure), _places(one)
    if not pairs:
        return "no pairs."
    more = f" and {len(pairs) - 12} more" if len(pairs) > 12 else ""
    return f"pairs {', '.join(f'{places[i]}-{places[j]}' for i, j in pairs[:12])}{more}."


def _title(one: Mapping[str, Json]) -> str:
    above = [contact for contact in one["contacts"] if contact[2] >= one["threshold"]]
    count = f"{len(above):,} pairs" if len(above) < len(one["contacts"]) or not above else f"At least {len(above):,} pairs"
    return f"{count} of bases score {one['threshold']:g}{' standard deviations' if one['by'] == 'attention' else ''} or more"


def _unit(one: Mapping[str, Json]) -> str:
    return "probability" if one["by"] == "head" else "standard deviations"


def _pairs(structure: str) -> list[tuple[int, int]]:
    return [(i, j) for i, j in enumerate(pair_table(structure)) if j > i]


def _places(one: Mapping[str, Json]) -> list[int]:
    return list(one["places"] or range(1, len(one["sequence"]) + 1))
