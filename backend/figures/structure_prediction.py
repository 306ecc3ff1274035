"""Confidence of a predicted structure: along the chain (pLDDT), and between any two of its residues (expected error)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.figures.structure_colours import PLDDT
from backend.figures.style import BLUE, finish

_FAR = 31.75  # ångströms: the largest error that the network tells
_MOST_CELLS = 400  # a side of the drawn square: beyond it neighbours are averaged


def plot_confidence(found: Mapping[str, Json]) -> Any:
    """pLDDT along the chain over AlphaFold's four bands, which carry their names."""
    import plotly.graph_objects as go

    places, values = _places(found), found["plddt"]
    figure = go.Figure()
    names = ("very low", "low", "confident", "very high")
    for low, high, colour, name in zip((0, 50, 70, 90), (50, 70, 90, 100), PLDDT, names, strict=True):
        figure.add_hrect(y0=low, y1=high, fillcolor=colour, opacity=0.22, line_width=0)
        figure.add_annotation(x=1, xref="paper", xanchor="left", y=(low + high) / 2, text=name, showarrow=False, font={"size": 11})
    figure.add_scatter(
        x=np.array(places),
        y=np.array(values),
        customdata=[f"{letter}{place}" for letter, place in zip(found["sequence"], places, strict=True)],
        mode="lines",
        line={"color": BLUE, "width": 1.6},
        hovertemplate="%{customdata}: %{y:.1f}<extra></extra>",
        showlegend=False,
    )
    finish(figure, _title(found), 250)
    figure.update_layout(margin={"l": 8, "r": 70, "t": 44, "b": 8})
    figure.update_xaxes(title="residue, in your numbering")
    figure.update_yaxes(title="pLDDT", range=[0, 100], tickvals=[0, 50, 70, 90, 100])
    return figure


def describe_confidence(found: Mapping[str, Json]) -> str:
    """The confidence in words."""
    places, values = _places(found), found["plddt"]
    least, most = int(np.argmin(values)), int(np.argmax(values))
    shares = ", ".join(f"{each['residues']} {each['band']}" for each in reversed(found["bands"]))
    return (
        f"{_title(found)}. From {values[least]:.1f} at {found['sequence'][least]}{places[least]} to {values[most]:.1f} at "
        f"{found['sequence'][most]}{places[most]}, mean {found['mean']:.1f}. Residues: {shares}."
    )


def plot_errors(found: Mapping[str, Json], errors: NDArray[np.float32]) -> Any:
    """Expected error of every residue's place (across) when the structures are laid upon each other at another (down).

    Parameters
    ----------
    errors : array (n, n)
        Ångströms.
    """
    import plotly.graph_objects as go

    shown, places = _thinned(errors, _places(found))
    figure = go.Figure(
        go.Heatmap(
            z=np.round(shown, 1),
            x=places,
            y=places,
            colorscale="Cividis_r",
            zmin=0,
            zmax=_FAR,
            hovertemplate="residue %{x}, laid upon each other at %{y}: %{z:.1f} Å<extra></extra>",
            colorbar={"title": {"text": "Å"}, "thickness": 12, "len": 0.8},
        )
    )
    finish(figure, _errors_title(errors), 460)
    figure.update_xaxes(title="residue whose place is judged", constrain="domain", showgrid=False)
    figure.update_yaxes(title="laid upon each other at", autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False)
    return figure


def describe_errors(found: Mapping[str, Json], errors: NDArray[np.float32]) -> str:
    """The expected errors in words, by thirds of the chain."""
    places = _places(found)
    thirds = np.array_split(np.arange(len(places)), 3)
    parts = [
        f"{places[one[0]]}-{places[one[-1]]} to {places[other[0]]}-{places[other[-1]]} "
        f"{(errors[np.ix_(one, other)].mean() + errors[np.ix_(other, one)].mean()) / 2:.1f} Å"
        for at, one in enumerate(thirds)
        for other in thirds[at:]
    ]
    return f"{_errors_title(errors)}. Mean expected error between thirds of the chain: {'; '.join(parts)}."


def error_rows(found: Mapping[str, Json], errors: NDArray[np.float32]) -> list[dict[str, Json]]:
    """The drawn numbers: one row a residue at which the structures are laid upon each other."""
    shown, places = _thinned(errors, _places(found))
    return [
        {"laid upon each other at": str(place)} | {str(other): round(float(value), 1) for other, value in zip(places, row, strict=True)}
        for place, row in zip(places, shown, strict=True)
    ]


def _thinned(errors: NDArray[np.float32], places: list[int]) -> tuple[NDArray[np.float32], list[int]]:
    step = -(-len(places) // _MOST_CELLS)
    if step == 1:
        return errors, places
    edges = np.arange(0, len(places), step)
    sums = np.add.reduceat(np.add.reduceat(errors, edges, 0), edges, 1)
    sizes = np.diff(np.append(edges, len(places)))
    return (sums / np.outer(sizes, sizes)).astype(np.float32), [places[at] for at in edges]


def _title(found: Mapping[str, Json]) -> str:
    share = sum(value >= 70 for value in found["plddt"]) / len(found["plddt"])
    return f"{found['record']}: {share:.0%} of residues have a confidence of 70 or more"


def _errors_title(errors: NDArray[np.float32]) -> str:
    return f"Two residues are expected {float(errors.mean()):.1f} Å off on average in how they stand to each other"


def _places(found: Mapping[str, Json]) -> list[int]:
    return list(found["places"] or range(1, len(found["sequence"]) + 1))
