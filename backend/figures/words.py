"""Words expected in a hidden place, and sentences near a question: bars and dots with their numbers written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

_MOST_BARS = 15
_SHORT = 60  # characters of a sentence beside its dot


def plot_hidden(place: Mapping[str, Json], number: int) -> Any:
    """Bars of the probabilities of the likeliest words; the word that was hidden by name has a pattern of its own.

    Parameters
    ----------
    place : mapping
        One of ``prediction["hidden"]`` of literature.fill.
    number : int
        Its number, from 1.
    """
    import plotly.graph_objects as go

    found = place["candidates"][:_MOST_BARS]
    own = str(place["truth"] or "").casefold()
    figure = go.Figure()
    figure.add_bar(
        x=[each["score"] for each in found],
        y=list(range(len(found))),
        orientation="h",
        text=[f"{each['score']:.3f}" for each in found],
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": BLUE,
            "pattern": {"shape": ["/" if each["word"].casefold() == own else "" for each in found]},
        },
        hovertemplate="%{text}<extra></extra>",
    )
    finish(figure, _hidden_title(place, number), 90 + 26 * max(1, len(found)))
    names = [_safe(each["word"]) + (" (was hidden)" if each["word"].casefold() == own else "") for each in found]
    figure.update_yaxes(tickvals=list(range(len(found))), ticktext=names, range=[len(found) - 0.5, -0.5])
    figure.update_xaxes(title="probability", rangemode="tozero")
    figure.update_layout(margin={"l": 8, "r": 48, "t": 44, "b": 8})
    return figure


def describe_hidden(place: Mapping[str, Json], number: int) -> str:
    """The bars in words."""
    told = ", ".join(f"{each['word']} {each['score']:.3f}" for each in place["candidates"][:_MOST_BARS])
    return f"{_hidden_title(place, number)}. {told}. Together they carry {place['carried']:.0%} of the probability."


def plot_nearest(found: Mapping[str, Json]) -> Any:
    """A dot a sentence at its cosine with the question, best first; behind them the mean of all that were compared and one deviation.

    Parameters
    ----------
    found : mapping
        Prediction of literature.nearest.
    """
    import plotly.graph_objects as go

    shown, level = found["found"][:_MOST_BARS], found["level"]
    figure = go.Figure()
    if level["mean"] is not None:
        low, high = level["mean"] - level["sd"], level["mean"] + level["sd"]
        figure.add_vrect(x0=low, x1=high, fillcolor=QUIET, opacity=0.18, line_width=0, layer="below")
        figure.add_vline(x=level["mean"], line={"color": QUIET, "width": 1.5, "dash": "dash"})
    figure.add_scatter(
        x=[each["cosine"] for each in shown],
        y=list(range(len(shown))),
        mode="markers",
        marker={"color": VERMILLION, "size": 10, "symbol": "diamond"},
        customdata=[[_safe(_cut(each["quote"], 200)), each["words_rank"]] for each in shown],
        hovertemplate="%{customdata[0]}<br>cosine %{x:.3f}, rank by words %{customdata[1]}<extra></extra>",
        showlegend=False,
    )
    finish(figure, _nearest_title(found), 110 + 26 * max(1, len(shown)))
    names = [f"{rank}. {_safe(_cut(each['quote'], _SHORT))} (words: {each['words_rank']})" for rank, each in enumerate(shown, start=1)]
    figure.update_yaxes(tickvals=list(range(len(shown))), ticktext=names, range=[len(shown) - 0.5, -0.5])
    figure.update_xaxes(title="cosine with the question (dashed: mean of all compared; shaded: one standard deviation)")
    return figure


def describe_nearest(found: Mapping[str, Json]) -> str:
    """The dots in words."""
    level = found["level"]
    if not found["found"]:
        return f"{_nearest_title(found)}."
    told = "; ".join(f"{rank}. {each['cosine']:.3f}" for rank, each in enumerate(found["found"][:_MOST_BARS], start=1))
    mean = "" if level["mean"] is None else f" Mean of the {level['count']:,} compared: {level['mean']:.3f}, deviation {level['sd']:.3f}."
    return f"{_nearest_title(found)}. {told}.{mean}"


def _hidden_title(place: Mapping[str, Json], number: int) -> str:
    if not place["candidates"]:
        return f"Hidden word {number}: the model names no word"
    best = place["candidates"][0]
    return f"Hidden word {number}: '{_safe(_cut(best['word'], 40))}' is expected most, with probability {best['score']:.2f}"


def _nearest_title(found: Mapping[str, Json]) -> str:
    level, items = found["level"], found["found"]
    if not items:
        return "Nothing was compared"
    if not level["sd"]:
        return f"One sentence was compared, cosine {items[0]['cosine']:.2f}"
    above = (items[0]["cosine"] - level["mean"]) / level["sd"]
    return f"The nearest lies {above:.1f} standard deviations above the mean of all compared"


def _cut(words: str, most: int) -> str:
    flat = " ".join(str(words).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def _safe(words: str) -> str:
    """Words as Plotly shows them: it reads a few HTML tags of its own."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
