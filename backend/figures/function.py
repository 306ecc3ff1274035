"""How well descriptions fit a protein: bars of its own share beside those of its shuffled copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, finish

_SHOWN = 20


def plot_fits(found: Mapping[str, Json]) -> Any:
    """Bars of the probabilities of one record's descriptions, best first; a mark where its shuffled copies stand.

    Parameters
    ----------
    found : mapping
        One result of ``protein.function``.
    """
    import plotly.graph_objects as go

    fits = found["fits"][:_SHOWN][::-1]
    names = [_short(str(each["description"])) for each in fits]
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=[each["probability"] for each in fits],
        orientation="h",
        name="this protein",
        marker={"color": BLUE},
        text=[f"{each['probability']:.0%}" for each in fits],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    figure.add_scatter(
        y=names,
        x=[each["shuffled"] for each in fits],
        mode="markers",
        name="its shuffled copies",
        marker={"symbol": "line-ns-open", "size": 16, "color": QUIET, "line": {"width": 3}},
        hovertemplate="shuffled: %{x:.1%}<extra></extra>",
    )
    finish(figure, describe_title(found), 110 + 30 * len(fits))
    figure.update_xaxes(range=[0, 1.08], tickformat=".0%", title="share of all descriptions given")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_title(found: Mapping[str, Json]) -> str:
    """The finding in a line."""
    best = found["fits"][0]
    return f"{_short(str(found['record']))}: '{_short(str(best['description']))}' fits best of {len(found['fits'])}"


def describe_fits(found: Mapping[str, Json]) -> str:
    """The bars in words."""
    listed = "; ".join(
        f"{each['description']}: {each['probability']:.0%}, shuffled copies {each['shuffled']:.0%}" for each in found["fits"][:_SHOWN]
    )
    return f"{describe_title(found)}. {listed}."


def _short(text: str) -> str:
    return text if len(text) <= 44 else f"{text[:30]}...{text[-11:]}"
