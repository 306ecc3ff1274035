"""Systems compared on labelled data: a dot for the value, a line for its 95% interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json
from backend.figures.style import CATEGORIES, SYMBOLS, finish


def plot_metrics(systems: Mapping[str, Mapping[str, Mapping[str, Json]]], n: int) -> Any:
    """One row a metric, one symbol a system.

    Parameters
    ----------
    systems : mapping
        ``{system: {metric: {"value", "low", "high"}}}``, at most 1; the interval may be None.
    n : int
        Number of cases: questions, variants, sequences.
    """
    import plotly.graph_objects as go

    metrics = _metrics(systems)
    figure = go.Figure()
    step = 0.8 / max(len(systems), 1)
    for at, (name, values) in enumerate(systems.items()):
        rows = [(row, values[metric]) for row, metric in enumerate(metrics) if metric in values]
        figure.add_scatter(
            x=[cell["value"] for _, cell in rows],
            y=[row + (at - (len(systems) - 1) / 2) * step for row, _ in rows],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [0.0 if cell["high"] is None else cell["high"] - cell["value"] for _, cell in rows],
                "arrayminus": [0.0 if cell["low"] is None else cell["value"] - cell["low"] for _, cell in rows],
                "thickness": 1.5,
                "width": 0,
            },
            mode="markers",
            name=name,
            marker={"color": CATEGORIES[at % len(CATEGORIES)], "symbol": SYMBOLS[at % len(SYMBOLS)], "size": 9},
            customdata=[[metrics[row], _interval(cell)] for row, cell in rows],
            hovertemplate=f"{name}<br>%{{customdata[0]}} %{{x:.3f}}%{{customdata[1]}}<extra></extra>",
        )
    finish(figure, _title(systems, metrics, n), 110 + 84 * len(metrics))
    figure.update_yaxes(tickvals=list(range(len(metrics))), ticktext=metrics, range=[len(metrics) - 0.5, -0.5])
    figure.update_xaxes(title=f"value, with 95% interval (1 is perfect{'; of ece 0' if 'ece' in metrics else ''})")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_metrics(systems: Mapping[str, Mapping[str, Mapping[str, Json]]], n: int) -> str:
    """The figure in words."""
    parts = [
        f"{name}: " + ", ".join(f"{metric} {cell['value']:.2f}{_interval(cell, 2)}" for metric, cell in values.items())
        for name, values in systems.items()
    ]
    return f"{_title(systems, _metrics(systems), n)}. " + "; ".join(parts) + "."


def _interval(cell: Mapping[str, Json], digits: int = 3) -> str:
    return "" if cell["low"] is None else f" ({cell['low']:.{digits}f}-{cell['high']:.{digits}f})"


def _metrics(systems: Mapping[str, Mapping[str, Json]]) -> list[str]:
    return list(dict.fromkeys(metric for values in systems.values() for metric in values))


def _title(systems: Mapping[str, Mapping[str, Mapping[str, Json]]], metrics: Sequence[str], n: int) -> str:
    if not metrics:
        return "Nothing was measured"
    first = metrics[0]
    ranked = sorted(((values[first]["value"], name) for name, values in systems.items() if first in values), reverse=True)
    return f"{ranked[0][1]} has the highest {first} over {n:,} cases"
