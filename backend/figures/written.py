"""How surprising a written text was to the model that wrote it, token by token."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, finish
from backend.literature.visible import visible

BANDS = ((0.5, "likely"), (0.1, "less likely"), (0.01, "unlikely"), (0.0, "surprising"))
"""Least probability of each band, and its name."""
_NAMED = 5


def band(log_prob: float) -> str:
    """The name of the band that a token's ln p lies in."""
    return next(name for least, name in BANDS if math.exp(log_prob) >= least)


def plot_surprise(found: Mapping[str, Json]) -> Any:
    """Bars: surprise of each written token in bits, -log2 p.

    Parameters
    ----------
    found : mapping
        Prediction of literature.write or literature.rewrite.
    """
    import plotly.graph_objects as go

    tokens = found["tokens"]
    figure = go.Figure()
    figure.add_bar(
        x=list(range(1, len(tokens) + 1)),
        y=[_bits(log) for _, log, *_ in tokens],
        marker={"color": BLUE},
        customdata=[[_shown(piece), math.exp(log)] for piece, log, *_ in tokens],
        hovertemplate="token %{x}: “%{customdata[0]}”<br>%{y:.1f} bits, probability %{customdata[1]:.3f}<extra></extra>",
    )
    finish(figure, _title(found), 220)
    figure.update_xaxes(title="written token")
    figure.update_yaxes(title="surprise, bits", rangemode="tozero")
    return figure


def describe_surprise(found: Mapping[str, Json]) -> str:
    """The bars in words: mean, and the most surprising tokens."""
    tokens = found["tokens"]
    most = sorted(enumerate(tokens, start=1), key=lambda item: item[1][1])[:_NAMED]
    named = ", ".join(f"number {at} “{_shown(piece)}” {_bits(log):.1f} bits" for at, (piece, log, *_) in most)
    return f"{_title(found)}. Most surprising: {named}. Surprise is -log2 of a token's probability: 1 bit is one half, 7 bits one in 128."


def plot_labels(found: Mapping[str, Json]) -> Any:
    """Bars: probability of each label of literature.rewrite's job 'nli'."""
    import plotly.graph_objects as go

    labels = found["labels"]
    figure = go.Figure()
    figure.add_bar(
        y=[each["label"] for each in labels],
        x=[each["probability"] for each in labels],
        orientation="h",
        marker={"color": BLUE},
        text=[f"{each['probability']:.2f}" for each in labels],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    finish(figure, _labels_title(found), 190)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title="probability among the three", range=[0, 1.08])
    return figure


def describe_labels(found: Mapping[str, Json]) -> str:
    """The bars in words."""
    listed = ", ".join(f"{each['label']} {each['probability']:.2f}" for each in found["labels"])
    return f"{_labels_title(found)}. Probabilities: {listed}."


def _labels_title(found: Mapping[str, Json]) -> str:
    best = max(found["labels"], key=lambda each: float(each["probability"]))
    return f"Likeliest of the three: {best['label']}"


def _title(found: Mapping[str, Json]) -> str:
    tokens = found["tokens"]
    mean = sum(_bits(log) for _, log, *_ in tokens) / len(tokens)
    return f"The model was surprised by {mean:.1f} bits a token, over {len(tokens)} token{'s' if len(tokens) != 1 else ''}"


def _bits(log_prob: float) -> float:
    return -log_prob / math.log(2)


def _shown(piece: str) -> str:
    """A token as a reader sees it: spaces and ends of line made visible, nothing that Plotly would read as markup."""
    made = visible(piece).replace("\n", "↵").replace("\t", "⇥")
    return (made if made.strip() else "␣" * len(made)).replace("<", "‹").replace(">", "›").replace("%", "٪")
