"""The alpha peak from visit to visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, SYMBOLS, VERMILLION, finish

_LOOKS = {"eyes closed": (BLUE, SYMBOLS[0]), "eyes open": (VERMILLION, SYMBOLS[1]), "not said": (QUIET, SYMBOLS[2])}
Point = tuple[str, Mapping[str, Json]]


def plot_peaks(points: Sequence[Point]) -> Any:
    """A mark with its 95% interval for each recording and state: name of the recording, state as a profile lists it."""
    import plotly.graph_objects as go

    names = list(dict.fromkeys(name for name, _ in points))
    figure = go.Figure()
    for state, (colour, symbol) in _LOOKS.items():
        mine = [(names.index(name), one["alpha_peak"]) for name, one in points if one["state"] == state and one["alpha_peak"]]
        if not mine:
            continue
        values = np.array([peak["value"] for _, peak in mine])
        low, high = (np.array([peak[end] for _, peak in mine]) for end in ("low", "high"))
        figure.add_scatter(
            x=np.array([place for place, _ in mine]),
            y=values,
            name={"not said": "eyes not said to be open or closed"}.get(state, state),
            mode="lines+markers",
            line={"color": colour, "width": 1, "dash": "dot"},
            marker={"color": colour, "symbol": symbol, "size": 10},
            error_y={"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low, "thickness": 1.5, "width": 6},
            customdata=np.stack([low, high], axis=-1),
            hovertemplate="%{y:.1f} Hz (%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
        )
    finish(figure, "Alpha peak by recording, in time order, with 95% intervals", 300)
    shown = [name if len(name) <= 28 else f"{name[:27]}…" for name in names]
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=shown, range=[-0.5, len(names) - 0.5])
    figure.update_yaxes(title="Hz")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def visit_words(points: Sequence[Point]) -> str:
    """The figure in words."""
    return "Alpha peak: " + "; ".join(
        f"{name}, {one['state']}: " + (f"{one['alpha_peak']['value']:.1f} Hz" if one["alpha_peak"] else "none found")
        for name, one in points
    )


def visit_rows(points: Sequence[Point]) -> list[dict[str, Json]]:
    """The figure's numbers."""
    return [
        {"recording": name, "state": one["state"], **{key: (one["alpha_peak"] or {}).get(key) for key in ("value", "low", "high")}}
        for name, one in points
    ]
