"""How near the sentences of a text are to one another: a table of cosines as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import finish
from backend.literature.embed_text import cosines

_WRITTEN = 14  # sentences up to which every cell carries its number
_SIZE = 560  # pixels


def plot_sentences(prediction: Mapping[str, Json]) -> Any:
    """Cosines of all pairs of sentences; the scale runs from the least to the greatest of them, the diagonal is left empty.

    Parameters
    ----------
    prediction : mapping
        Of literature.embed.
    """
    import plotly.graph_objects as go

    table = cosines(prediction).astype(np.float64)
    np.fill_diagonal(table, np.nan)
    numbers = list(range(1, len(table) + 1))
    level, text = prediction["level"], str(prediction["material"]["content"])
    words = [_short(text[each["start"] : each["end"]]) for each in prediction["sentences"]]
    figure = go.Figure()
    figure.add_heatmap(
        z=table,
        x=numbers,
        y=numbers,
        colorscale="Cividis",
        zmin=level["least"],
        zmax=level["most"],
        colorbar={"title": {"text": "cosine"}, "thickness": 14},
        texttemplate="%{z:.2f}" if len(table) <= _WRITTEN else None,
        customdata=[[[words[row], words[column]] for column in range(len(words))] for row in range(len(words))],
        hovertemplate="%{y}: %{customdata[0]}<br>%{x}: %{customdata[1]}<br>cosine %{z:.3f}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    finish(figure, _title(prediction), min(_SIZE, 150 + 34 * len(table)))
    figure.update_xaxes(title="sentence", dtick=max(1, len(table) // 20), constrain="domain")
    figure.update_yaxes(title="sentence", dtick=max(1, len(table) // 20), autorange="reversed", scaleanchor="x", constrain="domain")
    return figure


def describe_sentences(prediction: Mapping[str, Json]) -> str:
    """The heat map in words."""
    level = prediction["level"]
    if level["mean"] is None:
        return f"{_title(prediction)}."
    return (
        f"{_title(prediction)}. Over {level['count']:,} pairs the mean cosine is {level['mean']:.3f} "
        f"(standard deviation {level['sd']:.3f}), from {level['least']:.3f} to {level['most']:.3f}."
    )


def _title(prediction: Mapping[str, Json]) -> str:
    nearest = prediction["nearest"]
    if nearest is None:
        return "One sentence: nothing to compare"
    return f"Sentences {nearest['first']} and {nearest['second']} are nearest, cosine {nearest['cosine']:.2f}"


def _short(words: str) -> str:
    flat = " ".join(words.split())
    cut = flat if len(flat) <= 70 else f"{flat[:69]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
