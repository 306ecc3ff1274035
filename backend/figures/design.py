"""What a backbone asks for: the probability of every residue at every position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import VERMILLION, finish

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
ORDER = "GPCMVILFWYATSNQHKRDE"  # small and special, greasy, aromatic, polar, charged


def plot_probabilities(result: Mapping[str, Json], chosen: int | None = None) -> Any:
    """Heatmap, a column a residue and a row a letter, from the backbone alone; the native letter ringed.

    Parameters
    ----------
    result : mapping
        One chain of the task's results.
    chosen : int, optional
        Residue to mark, from 0.
    """
    import plotly.graph_objects as go

    rows = [LETTERS.index(letter) for letter in ORDER]
    shares = np.array(result["alone"], dtype=np.float32)[:, rows].T
    names = np.array([f"{letter}{label}" for letter, label in zip(result["sequence"], result["labels"], strict=True)])
    x = np.arange(len(names))
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=x,
            y=list(ORDER),
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            colorbar={"title": {"text": "probability"}, "thickness": 12},
            customdata=np.broadcast_to(names, shares.shape),
            hovertemplate="%{customdata}: %{y} %{z:.2f}<extra></extra>",
        )
    )
    known = [at for at, letter in enumerate(result["sequence"]) if letter in LETTERS]
    figure.add_scatter(
        x=x[known],
        y=[result["sequence"][at] for at in known],
        mode="markers",
        name="native",
        marker={"symbol": "circle-open", "size": 6, "color": "#FFFFFF", "line": {"width": 1.2}},
        hovertemplate="native %{y}<extra></extra>",
    )
    if chosen is not None:
        figure.add_vline(x=chosen, line={"color": VERMILLION, "width": 1.5})
    finish(figure, _title(result), 480)
    ticks = x[:: max(1, len(x) // 25)]
    figure.update_xaxes(
        title="residue, as the file numbers it", tickvals=ticks, ticktext=[result["labels"][at] for at in ticks], range=[-0.5, len(x) - 0.5]
    )
    figure.update_yaxes(title="residue proposed", autorange="reversed", dtick=1)
    figure.update_layout(showlegend=False)
    return figure


def describe_probabilities(result: Mapping[str, Json]) -> str:
    """The heatmap in words."""
    shares = np.array(result["alone"])
    sure = np.argsort(-shares.max(axis=1), kind="stable")[:5]
    listed = ", ".join(f"{result['labels'][at]} {LETTERS[int(shares[at].argmax())]} {shares[at].max():.2f}" for at in sure)
    return f"{_title(result)}. The surest: {listed}."


def probability_rows(result: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The heatmap's numbers, a row a residue."""
    return [
        {"number": label, "native": native, **dict(zip(LETTERS, row, strict=True)), "entropy among designs (bits)": bits}
        for label, native, row, bits in zip(result["labels"], result["sequence"], result["alone"], result["entropy"], strict=True)
    ]


def _title(result: Mapping[str, Json]) -> str:
    shares = np.array(result["alone"])
    same = sum(LETTERS[int(best)] == native for best, native in zip(shares.argmax(axis=1), result["sequence"], strict=True))
    return f"Chain {_safe(result['record'])}: the backbone alone asks for the native residue at {same} of {len(shares)} positions"


def _safe(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
