"""DNA as a map of substitutions, and the classes of its windows along its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import CATEGORIES, QUIET, finish
from backend.figures.variants import DIVERGING

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MOST_LINES = 7  # classes drawn; the table holds all


def plot_bases(found: Mapping[str, Json], bases: str) -> Any:
    """Scores of every substitution: places across, bases down; dots mark what stands there."""
    import plotly.graph_objects as go

    first, last = found["stretch"]
    places, sequence = _places(found)[first:last], found["sequence"][first:last]
    blank = [np.nan] * len(bases)
    shown = np.array([row if row is not None else blank for row in found["scores"][first:last]], dtype=float).T
    plain = np.array([row if row is not None else blank for row in found["own_words"][first:last]], dtype=float).T
    for at, letter in enumerate(sequence):
        if letter in bases:
            shown[bases.index(letter), at] = np.nan  # what stands there is no substitution
    most = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 1.0
    names = np.array([[f"{own}{place}{base}" for own, place in zip(sequence, places, strict=True)] for base in bases], dtype=object)
    figure = go.Figure()
    figure.add_heatmap(
        z=shown,
        x=np.arange(len(sequence)),
        y=list(bases),
        customdata=np.dstack([names, np.round(plain, 2).astype(object)]),
        colorscale=DIVERGING,
        zmid=0,
        zmin=-most,
        zmax=most,
        hoverongaps=False,
        hovertemplate="%{customdata[0]}: %{z:+.2f} log-odds<br>its own three-letter words %{customdata[1]:+.2f}<extra></extra>",
        colorbar={"title": {"text": "log-odds", "side": "right"}, "thickness": 12, "len": 0.9},
    )
    held = [(at, letter) for at, letter in enumerate(sequence) if letter in bases]
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
        showlegend=False,
    )
    finish(figure, _bases_title(found), 270)
    ticks = list(range(0, len(sequence), max(1, round(len(sequence) / 12))))
    figure.update_xaxes(
        title="place (bases)",
        tickvals=ticks,
        ticktext=[f"{places[at]:,}" for at in ticks],
        showgrid=False,
        range=[-0.5, len(sequence) - 0.5],
    )
    figure.update_yaxes(title="new base", autorange="reversed", showgrid=False)
    figure.update_layout(plot_bgcolor="rgba(138,151,153,0.15)")
    return figure


def describe_bases(found: Mapping[str, Json]) -> str:
    """The map in words."""
    worst = ", ".join(f"{item['mutant']} {item['score']:+.1f}" for item in found["worst"][:5])
    best = ", ".join(f"{item['mutant']} {item['score']:+.1f}" for item in found["best"][:5])
    return f"{_bases_title(found)}. Of {found['substitutions']:,} substitutions the least expected are {worst}; the most expected {best}."


def base_rows(found: Mapping[str, Json], bases: str) -> list[dict[str, Json]]:
    """The numbers of the map, one row a substitution."""
    return [
        {"substitution": f"{letter}{place}{base}", "log-odds": score, "own three-letter words": plain}
        for letter, place, row, beside in zip(found["sequence"], _places(found), found["scores"], found["own_words"], strict=True)
        if row is not None
        for base, score, plain in zip(bases, row, beside, strict=True)
        if base != letter
    ]


def plot_classes(found: Mapping[str, Json], labels: Sequence[str]) -> Any:
    """Probability of each class in windows along the record, each line a colour, a dash and a sign; the likeliest classes first."""
    import plotly.graph_objects as go

    chances = np.array(found["probabilities"], dtype=float)
    places = _places(found)
    middles = [places[(start + end) // 2] for start, end in found["windows"]]
    figure = go.Figure()
    for number, column in enumerate(_shown(chances)):
        name = escape(labels[column])
        figure.add_scatter(
            x=middles,
            y=chances[:, column],
            mode="lines+markers" if len(middles) <= 120 else "lines",
            name=name,
            line={"color": CATEGORIES[number], "width": 2, "dash": _DASHES[number % len(_DASHES)]},
            marker={"symbol": ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")[number], "size": 7},
            customdata=[[i + 1, places[start], places[end - 1]] for i, (start, end) in enumerate(found["windows"])],
            hovertemplate=f"{name}: %{{y:.3f}}<br>window %{{customdata[0]}}, %{{customdata[1]:,}} to %{{customdata[2]:,}}<extra></extra>",
        )
    figure.add_hline(y=0.5, line={"color": QUIET, "dash": "dot", "width": 1})
    finish(figure, _classes_title(found), 320)
    figure.update_xaxes(title="middle of the window (place in bases)", tickformat=",d")
    figure.update_yaxes(title="probability", range=[-0.03, 1.03])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_classes(found: Mapping[str, Json], labels: Sequence[str]) -> str:
    """The lines in words."""
    places = _places(found)
    told = []
    for item in sorted(found["highest"], key=lambda item: -item["probability"])[:_MOST_LINES]:
        start, end = found["windows"][item["window"] - 1]
        told.append(f"{item['label']} at most {item['probability']:.2f}, at {places[start]:,} to {places[end - 1]:,}")
    return f"{_classes_title(found)}: {len(labels)} classes in {len(found['windows'])} windows. {'; '.join(told)}."


def class_rows(found: Mapping[str, Json], labels: Sequence[str]) -> list[dict[str, Json]]:
    """One row a window."""
    places = _places(found)
    return [
        {"window": i + 1, "first": places[start], "last": places[end - 1], **dict(zip(labels, row, strict=True))}
        for i, ((start, end), row) in enumerate(zip(found["windows"], found["probabilities"], strict=True))
    ]


def _shown(chances: np.ndarray) -> list[int]:
    return [int(column) for column in np.argsort(-chances.max(axis=0), kind="stable")[:_MOST_LINES]]


def _places(found: Mapping[str, Json]) -> list[int]:
    return list(found["places"] or range(1, len(found["sequence"]) + 1))


def _bases_title(found: Mapping[str, Json]) -> str:
    means = [(mean, at) for at, mean in enumerate(found["mean"]) if mean is not None]
    if not means:
        return "No base could be scored"
    at = min(means)[1]
    return f"{found['sequence'][at]}{_places(found)[at]:,} is the base the model is surest of"


def _classes_title(found: Mapping[str, Json]) -> str:
    return f"{escape(str(found['record']))}: likeliest on the whole is '{escape(str(found['call']))}'"
