"""Predicted contacts as a map: both axes the chain, one mark a pair; below the diagonal what touches in a structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.pair_map import add_pairs
from backend.figures.style import QUIET, VERMILLION, finish

_MOST_DRAWN = 6_000


def plot_contacts(found: Mapping[str, Json], chosen: tuple[int, int] | None = None) -> Any:
    """The map of one record.

    Parameters
    ----------
    found : mapping
        One of the results of `protein.contacts`.
    chosen : (int, int), optional
        Letters (from 0) of a pair that is marked.
    """
    import plotly.graph_objects as go

    letters, places = found["sequence"], np.array(_places(found))
    shown = sorted(found["contacts"][:_MOST_DRAWN], key=lambda pair: pair[2])
    largest = float(np.clip(450 / max(len(letters), 1), 4, 11))
    figure = go.Figure()
    add_pairs(
        figure,
        shown,
        places,
        label="predicted, above the diagonal",
        name=lambda pairs: _names(letters, places, pairs),
        largest=largest,
    )
    if truth := found["truth"]:
        pairs = truth["pairs"]
        figure.add_scatter(
            x=places[[i for i, _ in pairs]],
            y=places[[j for _, j in pairs]],
            name="touch in the structure, below it",
            mode="markers",
            marker={"symbol": "square-open", "size": largest * 0.8, "color": VERMILLION, "line": {"width": 1.2}},
            customdata=_names(letters, places, pairs),
            hovertemplate="%{customdata}: touch in the structure<extra></extra>",
        )
    if chosen is not None:
        figure.add_scatter(
            x=[places[chosen[1]]],
            y=[places[chosen[0]]],
            name="explained below",
            mode="markers",
            marker={"symbol": "circle-open", "size": 18, "color": QUIET, "line": {"width": 2.5}},
            hoverinfo="skip",
        )
    edge = [int(places[0]), int(places[-1])]
    figure.add_scatter(x=edge, y=edge, mode="lines", line={"color": QUIET, "width": 1}, hoverinfo="skip", showlegend=False)
    finish(figure, _title(found), 560)
    margin = 0.02 * len(letters) + 1
    span = [edge[0] - margin, edge[1] + margin]
    figure.update_xaxes(title="residue, in your numbering", range=span, constrain="domain")
    figure.update_yaxes(title="residue, in your numbering", range=span[::-1], scaleanchor="x", constrain="domain")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_contacts(found: Mapping[str, Json]) -> str:
    """The map in words."""
    letters, places = found["sequence"], _places(found)
    best = "; ".join(f"{letters[i]}{places[i]} with {letters[j]}{places[j]} {chance:.0%}" for i, j, chance in found["contacts"][:8])
    truth = f" {len(found['truth']['pairs']):,} pairs touch in the structure, drawn below the diagonal." if found["truth"] else ""
    return f"{_title(found)}. The {len(found['contacts']):,} strongest pairs are kept. Strongest: {best}.{truth}"


def contact_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The numbers of the map, the strongest first."""
    letters, places = found["sequence"], _places(found)
    real = {tuple(pair) for pair in found["truth"]["pairs"]} if found["truth"] else None
    rows: list[dict[str, Json]] = []
    for i, j, chance in found["contacts"]:
        row = {"first": f"{letters[i]}{places[i]}", "second": f"{letters[j]}{places[j]}", "apart": j - i, "probability": chance}
        rows.append(row if real is None else row | {"touch in the structure": "yes" if (i, j) in real else "no"})
    return rows


def _title(found: Mapping[str, Json]) -> str:
    count = found["likely"]
    return f"{found['record']}: {count:,} {'pair is' if count == 1 else 'pairs are'} likelier than not to touch"


def _names(letters: str, places: Sequence[int] | Any, pairs: Any) -> list[str]:
    return [f"{letters[i]}{places[i]} with {letters[j]}{places[j]}" for i, j in pairs]


def _places(found: Mapping[str, Json]) -> list[int]:
    return list(found["places"] or range(1, len(found["sequence"]) + 1))
