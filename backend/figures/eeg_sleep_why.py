"""What a sleep stage rests on, drawn: shares by channel and band against the time around the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.eeg.sleep.groups import BANDS, CHANNELS, CONTEXTS
from backend.figures.style import BLUE, VERMILLION, finish

_FOR_AGAINST = [[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]]


def plot_shares(explanation: Mapping[str, Any]) -> Any:
    """Shares in the score: a row a channel and band, a column a span of time; orange-red for the stage, blue against it."""
    import plotly.graph_objects as go

    rows, table = shares_table(explanation)
    most = max(float(np.nanmax(np.abs(table))), 1e-6)
    text = [["" if np.isnan(cell) else "0.00" if abs(cell) < 0.005 else f"{cell:+.2f}" for cell in row] for row in table]
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=list(CONTEXTS.values()),
            y=[name for _, name in rows],
            zmin=-most,
            zmax=most,
            colorscale=_FOR_AGAINST,
            colorbar={"title": {"text": "score"}, "thickness": 12},
            text=text,
            texttemplate="%{text}",
            textfont={"color": "#1a1a1a"},
            hovertemplate="%{y}, %{x}: %{z:+.3f}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    finish(figure, _strongest(explanation), 110 + 24 * len(rows))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(side="top", showgrid=False, showline=False)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 70, "b": 8})
    return figure


def describe_shares(explanation: Mapping[str, Any]) -> str:
    """The shares in words, the largest first."""
    parts = sorted(explanation["shares"]["attributions"], key=lambda one: -abs(one["value"]))[:8]
    listed = "; ".join(f"{one['label']} {one['value']:+.2f}" for one in parts)
    return f"{_strongest(explanation)}. Largest shares in score: {listed}."


def shares_rows(explanation: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The shares' numbers."""
    pairs = zip(explanation["groups"], explanation["shares"]["attributions"], strict=True)
    return [{**group, "label": one["label"], "share": one["value"]} for group, one in pairs]


def shares_table(explanation: Mapping[str, Any]) -> tuple[list[tuple[tuple[str, str], str]], np.ndarray]:
    """Rows (key and name) and their shares by span of time, NaN where a row has none; time of night and person stand under the epoch."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for group, one in zip(explanation["groups"], explanation["shares"]["attributions"], strict=True):
        found.setdefault((group["channel"], group["band"]), {})[group["context"]] = float(one["value"])
    rows = [(key, _row_name(key)) for key in found]
    return rows, np.array([[found[key].get(context, np.nan) for context in CONTEXTS] for key, _ in rows])


def _row_name(key: tuple[str, str]) -> str:
    channel, band = key
    return {"night": "Time of the night", "person": "Age and sex"}.get(channel) or f"{CHANNELS[channel]} {BANDS[band]}"


def _strongest(explanation: Mapping[str, Any]) -> str:
    first = max(explanation["shares"]["attributions"], key=lambda one: one["value"])
    return f"{first['label']} speaks most for it" if first["value"] > 0 else "Nothing speaks for it"
