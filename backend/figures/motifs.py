"""Matches of motifs along a sequence, a row a motif; and what exchanging single bases does to one match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, VERMILLION, finish

MOST_ROWS = 25
_ROOM = 1.4  # the scale goes so much further than the values: dark figures keep a contrast of 4.5 on every cell
MOST_TRACK = 20_000  # letters up to which a number for each is worth drawing


def plot_matches(result: Mapping[str, Json], catalogue: Mapping[str, Json]) -> Any:
    """Matches of the motifs with the least likely ones: place along x, a row a motif.

    Triangles point along the strand; larger and darker means less likely by chance.

    Parameters
    ----------
    result, catalogue : mapping
        One of the task's results, and the prediction's ``motifs``.
    """
    import plotly.graph_objects as go

    rows = [str(motif["id"]) for motif in result["motifs"][:MOST_ROWS]]
    names = {motif: _name(motif, catalogue) for motif in rows}
    figure = go.Figure()
    for strand, symbol, colour, words in (
        ("+", "triangle-right", BLUE, "strand as given"),
        ("-", "triangle-left", VERMILLION, "reverse strand"),
    ):
        hits = [hit for hit in result["hits"] if hit["strand"] == strand and hit["motif"] in names]
        strength = -np.log10(np.array([hit["p_value"] for hit in hits], dtype=float))
        weight = np.clip((strength - 3) / 5, 0, 1)
        figure.add_scatter(
            x=np.array([(hit["start"] + hit["end"]) / 2 for hit in hits]),
            y=np.array([names[hit["motif"]] for hit in hits]),
            mode="markers",
            name=words,
            marker={"symbol": symbol, "color": colour, "size": 7 + 9 * weight, "opacity": 0.35 + 0.65 * weight},
            customdata=np.array([[hit["start"], hit["end"], hit["score"], hit["p_value"], hit["match"]] for hit in hits], dtype=object),
            hovertemplate="%{y}<br>%{customdata[0]}-%{customdata[1]} %{customdata[4]}<br>"
            "%{customdata[2]:.1f} bits, p %{customdata[3]:.1e}<extra></extra>",
        )
    finish(figure, _title(result), 150 + 24 * max(len(rows), 3))
    places = result["places"]
    ends = (places[0], places[-1]) if places else (1, result["length"])
    figure.update_xaxes(title="base, in your numbering", range=[ends[0] - 1, ends[1] + 1])
    figure.update_yaxes(categoryorder="array", categoryarray=[names[motif] for motif in rows], autorange="reversed")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_matches(result: Mapping[str, Json], catalogue: Mapping[str, Json]) -> str:
    """The figure in words."""
    best = "; ".join(
        f"{hit['name']} at {hit['start']:,} to {hit['end']:,}, {'reverse strand' if hit['strand'] == '-' else 'strand as given'}, "
        f"p {hit['p_value']:.1e}"
        for hit in result["hits"][:8]
    )
    rows = min(MOST_ROWS, len(result["motifs"]))
    return f"{_title(result)}. {rows} motifs are drawn, those with the least likely matches. The strongest: {best or 'none'}."


def match_rows(result: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The numbers of the figure, a row a match."""
    drawn = {motif["id"] for motif in result["motifs"][:MOST_ROWS]}
    return [dict(hit) for hit in result["hits"] if hit["motif"] in drawn]


def strongest_track(result: Mapping[str, Json]) -> list[float | None]:
    """-log10 p of the least likely match over each base; None where there is none."""
    at = {place: index for index, place in enumerate(result["places"])} if result["places"] else None
    values = np.zeros(result["length"])
    for hit in result["hits"]:
        start, end = (at[hit["start"]], at[hit["end"]]) if at else (hit["start"] - 1, hit["end"] - 1)
        values[start : end + 1] = np.maximum(values[start : end + 1], -np.log10(hit["p_value"]))
    return [round(float(value), 2) if value else None for value in values]


def plot_exchanges(scan: Mapping[str, Json], name: str) -> Any:
    """Change of a match's score when one base is exchanged: a column a base as given, a row its replacement."""
    import plotly.graph_objects as go

    change = np.array(scan["change"], dtype=float).T
    most = _ROOM * max(float(np.abs(change).max()), 0.01)
    labels = [f"{letter}{place}" for letter, place in zip(scan["letters"], scan["places"], strict=True)]
    own = np.array([list(scan["letters"])]) == np.array(scan["bases"])[:, None]
    figure = go.Figure(
        go.Heatmap(
            z=change,
            x=labels,
            y=list(scan["bases"]),
            zmin=-most,
            zmax=most,
            colorscale=[[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]],
            colorbar={"title": {"text": "bits"}, "thickness": 12},
            text=np.where(own, "as given", np.char.mod("%+.1f", change)),
            texttemplate="%{text}" if len(labels) <= 16 else None,
            textfont={"color": "#1F2A2C", "size": 11},
            hovertemplate="%{x} to %{y}: %{z:+.2f} bits<extra></extra>",
        )
    )
    finish(figure, f"{_strongest(scan)} costs {name} most", 260)
    figure.update_xaxes(title="base as it stands", tickangle=-60)
    figure.update_yaxes(title="replaced by", autorange="reversed")
    return figure


def describe_exchanges(scan: Mapping[str, Json], name: str) -> str:
    """The heatmap in words, with how many exchanges would end the match."""
    change = np.array(scan["change"], dtype=float)
    words = (
        f"Exchanging one base changes the score of {name}, {scan['score']:.1f} bits, by {change.min():+.1f} to {change.max():+.1f}; "
        f"{_strongest(scan)} costs most."
    )
    if scan["threshold"] is None:
        return words
    lost = int((scan["score"] + change < scan["threshold"] - 0.005).sum())
    return f"{words} {lost} of {3 * len(change)} exchanges bring it below the threshold of {scan['threshold']:.1f} bits."


def exchange_rows(scan: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The heatmap's numbers, a row an exchange."""
    return [
        {"place": place, "from": letter, "to": base, "change": value}
        for place, letter, values in zip(scan["places"], scan["letters"], scan["change"], strict=True)
        for base, value in zip(scan["bases"], values, strict=True)
        if base != letter
    ]


def _strongest(scan: Mapping[str, Json]) -> str:
    change = np.array(scan["change"], dtype=float)
    at, base = np.unravel_index(int(change.argmin()), change.shape)
    return f"{scan['letters'][at]}{scan['places'][at]}{scan['bases'][base]}"


def _name(motif: str, catalogue: Mapping[str, Json]) -> str:
    return f"{catalogue[motif]['name']} {motif}"


def _title(result: Mapping[str, Json]) -> str:
    matches: Sequence[Any] = result["motifs"]
    return f"{result['found']:,} matches of {len(matches):,} motifs; chance alone gives about {result['expected']:,.0f}"
