"""Variant effects as a map: positions across, substitutions down, a colour for what is borne and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.figures.style import finish

ORDER = "GAVLIMCPFYWSTNQHKRDE"
"""Rows of the map: small, greasy, aromatic, polar, charged, so that like stands beside like."""
MOST_CLICKABLE = 600  # residues up to which every cell can be clicked; beyond, the marks of what stands there
DIVERGING = [[0.0, "#0072B2"], [0.5, "#F4F4F0"], [1.0, "#D55E00"]]


def plot_map(found: Mapping[str, Json], alphabet: str, *, plain: bool = False, chosen: int | None = None) -> Any:
    """The map of one record.

    Parameters
    ----------
    found : mapping
        One of a prediction's ``results``.
    plain : bool
        Draw BLOSUM62 rather than the model's scores.
    chosen : int, optional
        Letter (from 0) that is marked.
    """
    import plotly.graph_objects as go

    scores, other = _matrix(found["blosum62"], alphabet), _matrix(found["scores"], alphabet)
    shown = scores if plain else other
    places = _places(found)
    sequence = str(found["sequence"])
    rows = [ORDER.index(letter) if letter in ORDER else -1 for letter in sequence]
    for at, row in enumerate(rows):
        if row >= 0:
            shown[row, at] = np.nan  # what stands there is no substitution
    most = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 1.0
    names = np.array([[f"{own}{place}{letter}" for own, place in zip(sequence, places, strict=True)] for letter in ORDER])
    unit = "half bits" if plain or found["unit"] == "half bits" else "log-odds"
    hover = "%{customdata[0]}: %{z:+.2f} " + unit + ("" if plain else "<br>BLOSUM62 %{customdata[1]:+d}") + "<extra></extra>"
    figure = go.Figure()
    figure.add_heatmap(
        z=shown,
        x=np.arange(len(sequence)),
        y=list(ORDER),
        customdata=np.dstack([names.astype(object), np.nan_to_num(scores).astype(int).astype(object)]),
        colorscale=DIVERGING,
        zmid=0,
        zmin=-most,
        zmax=most,
        hoverongaps=False,
        hovertemplate=hover,
        colorbar={"title": {"text": unit, "side": "right"}, "thickness": 12, "len": 0.9},
    )
    held = [(at, letter) for at, letter in enumerate(sequence) if letter in ORDER]
    figure.add_scatter(
        x=np.array([at for at, _ in held]),
        y=[letter for _, letter in held],
        mode="markers",
        marker={
            "symbol": "circle",
            "size": 5 if len(sequence) <= 150 else 3,
            "color": "#222222",
            "line": {"width": 0.5, "color": "#ffffff"},
        },
        customdata=[f"{letter}{places[at]}" for at, letter in held],
        hovertemplate="%{customdata}, what stands there<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    if len(sequence) <= MOST_CLICKABLE:
        _add_handles(figure, shown, names, scores, unit, plain)
    if chosen is not None:
        figure.add_vrect(x0=chosen - 0.5, x1=chosen + 0.5, line={"width": 2, "color": "#222222"}, fillcolor="rgba(0,0,0,0)")
    finish(figure, _title(found, plain), 430)
    step = max(1, round(len(sequence) / 12))
    ticks = list(range(0, len(sequence), step))
    figure.update_xaxes(
        title="position", tickvals=ticks, ticktext=[str(places[at]) for at in ticks], showgrid=False, range=[-0.5, len(sequence) - 0.5]
    )
    figure.update_yaxes(title="substitution", autorange="reversed", showgrid=False, tickfont={"size": 11})
    figure.update_layout(plot_bgcolor="rgba(138,151,153,0.15)")
    return figure


def _add_handles(figure: Any, shown: NDArray[np.float64], names: Any, scores: NDArray[np.float64], unit: str, plain: bool) -> None:
    """Invisible marks over the cells: a heat map cannot be selected, marks can. They carry its hover text, being above it."""
    rows, columns = np.nonzero(np.isfinite(shown))
    beside = [f"<br>BLOSUM62 {int(base):+d}" if not plain and np.isfinite(base) else "" for base in scores[rows, columns]]
    figure.add_scattergl(
        x=columns,
        y=[ORDER[row] for row in rows],
        mode="markers",
        marker={"symbol": "square", "size": 8, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        text=[f"{names[i, j]}: {shown[i, j]:+.2f} {unit}{more}" for i, j, more in zip(rows, columns, beside, strict=True)],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def describe_map(found: Mapping[str, Json], plain: bool = False) -> str:
    """The figure in words."""
    if plain:
        return f"{_title(found, True)}: the same row for the same amino acid, wherever it stands."
    worst = ", ".join(f"{item['mutant']} {item['score']:+.1f}" for item in found["worst"][:5])
    best = ", ".join(f"{item['mutant']} {item['score']:+.1f}" for item in found["best"][:5])
    return f"{_title(found, False)}. Of {found['substitutions']:,} substitutions the least borne are {worst}; the best borne {best}."


def plot_neighbours(explained: Mapping[str, Json], alphabet: str) -> Any:
    """How the explained score changes when one neighbour at a time is substituted."""
    import plotly.graph_objects as go

    made = explained["mutagenesis"]
    changes = _matrix(made["changes"], alphabet)
    most = float(np.abs(changes).max()) if changes.size else 1.0
    labels = [f"{letter}{place}" for letter, place in zip(made["letters"], made["places"], strict=True)]
    figure = go.Figure()
    figure.add_heatmap(
        z=changes,
        x=labels,
        y=list(ORDER),
        colorscale=DIVERGING,
        zmid=0,
        zmin=-most,
        zmax=most,
        hovertemplate="%{x} to %{y}: %{z:+.3f}<extra></extra>",
        colorbar={"title": {"text": "change in log-odds", "side": "right"}, "thickness": 12},
    )
    finish(figure, _neighbour_title(explained), 400)
    figure.update_xaxes(title="neighbour", showgrid=False)
    figure.update_yaxes(title="substituted by", autorange="reversed", showgrid=False, tickfont={"size": 11})
    return figure


def describe_neighbours(explained: Mapping[str, Json]) -> str:
    """The figure in words."""
    return f"{_neighbour_title(explained)}. {explained['mutagenesis']['evaluations']:,} copies of the protein were scored."


def _neighbour_title(explained: Mapping[str, Json]) -> str:
    made = explained["mutagenesis"]
    strength = [max(map(abs, row)) for row in made["changes"]]
    if not strength:
        return "No neighbour was substituted"
    at = int(np.argmax(strength))
    return f"{made['letters'][at]}{made['places'][at]} moves {explained['target']['mutant']} most, by up to {strength[at]:.2f} log-odds"


def _title(found: Mapping[str, Json], plain: bool) -> str:
    if plain:
        return "BLOSUM62 of every substitution"
    if found["model"] == "blosum62":
        return "BLOSUM62 scores an exchange of residues, not its place in this protein"
    means = [(mean, at) for at, mean in enumerate(found["mean"]) if mean is not None]
    if not means:
        return "No residue could be scored"
    at = min(means)[1]
    return f"{found['sequence'][at]}{_places(found)[at]} bears substitutions least"


def _places(found: Mapping[str, Json]) -> list[int]:
    return list(found["places"] or range(1, len(found["sequence"]) + 1))


def _matrix(rows: Json, alphabet: str) -> NDArray[np.float64]:
    """Rows of twenty by residue as an array of `ORDER` by residue, NaN where a residue has none."""
    made = np.array([row if row is not None else [np.nan] * len(alphabet) for row in rows], dtype=np.float64).reshape(-1, len(alphabet))
    return np.ascontiguousarray(made[:, [alphabet.index(letter) for letter in ORDER]].T)
