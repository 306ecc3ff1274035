"""The deletion test of an explanation: its own order of removal against random orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain import Json
from backend.figures.style import QUIET, VERMILLION, finish


def plot_deletion(faithfulness: Mapping[str, Json], unit: str) -> Any:
    """A strip: every random order a grey dot, the explanation's order a diamond. Further left is better.

    Parameters
    ----------
    faithfulness : mapping
        The JSON of `backend.domain.Faithfulness`.
    unit : str
        Unit of the score.
    """
    import plotly.graph_objects as go

    area, others = float(faithfulness["deletion_area"]), [float(value) for value in faithfulness["random_areas"]]
    # spread so that equal orders do not hide each other
    heights = [0.18 * ((at * 7) % 5 - 2) for at in range(len(others))]
    figure = go.Figure()
    figure.add_scatter(
        x=others,
        y=heights,
        mode="markers",
        name="random order",
        marker={"color": QUIET, "size": 8, "symbol": "circle-open", "line": {"width": 1.5}},
        hovertemplate="random order: %{x:.4f}<extra></extra>",
    )
    figure.add_scatter(
        x=[area],
        y=[0],
        mode="markers",
        name="this explanation",
        marker={"color": VERMILLION, "size": 13, "symbol": "diamond"},
        hovertemplate="this explanation: %{x:.4f}<extra></extra>",
    )
    finish(figure, _title(faithfulness), 190)
    figure.update_yaxes(visible=False, range=[-0.8, 0.8])
    figure.update_xaxes(title=f"mean {unit} during removal")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 66, "b": 8})
    return figure


def describe_deletion(faithfulness: Mapping[str, Json], unit: str) -> str:
    """The figure in words."""
    others = [float(value) for value in faithfulness["random_areas"]]
    if not others:
        return f"{_title(faithfulness)}."
    own = float(faithfulness["deletion_area"])
    return (
        f"{_title(faithfulness)}. Mean {unit} while parts are taken away: {own:.3f} in the explanation's order, "
        f"{min(others):.3f} to {max(others):.3f} in {len(others)} random orders."
    )


def _title(faithfulness: Mapping[str, Json]) -> str:
    others = faithfulness["random_areas"]
    if not others:
        return "No random orders were tried"
    beaten = sum(float(faithfulness["deletion_area"]) < float(value) for value in others)
    return f"Beats {beaten} of {len(others)} random orders"
