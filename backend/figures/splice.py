"""Splice sites along a gene: acceptors up, donors down, exons and variants where they are known; and single exchanges near a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

_COLOURS = {"acceptor": BLUE, "donor": VERMILLION}
_SIGNS = {"acceptor": 1, "donor": -1}
_SYMBOLS = {"acceptor": "triangle-up", "donor": "triangle-down"}


def plot_splice(result: Mapping[str, Json]) -> Any:
    """Probabilities of one record (an item of the task's ``results``) as sticks; listed sites carry a mark and their place."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for kind, sign in _SIGNS.items():
        places, values = _sticks(result, kind)
        x = np.repeat(places.astype(float), 3)
        y = np.column_stack([np.zeros(len(values)), sign * values, np.full(len(values), np.nan)]).ravel()
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": _COLOURS[kind], "width": 1.5}, connectgaps=False, hoverinfo="skip", showlegend=False
        )
        listed = [site for site in result["sites"] if site["kind"] == kind]
        few = len(listed) <= 25
        figure.add_scatter(
            x=[site["place"] for site in listed],
            y=[sign * site["probability"] for site in listed],
            mode="markers+text" if few else "markers",
            text=[f"{site['place']:,}" for site in listed] if few else None,
            textposition="top center" if sign > 0 else "bottom center",
            name=f"{kind} ({'first' if sign > 0 else 'last'} base of an exon)",
            marker={"color": _COLOURS[kind], "symbol": _SYMBOLS[kind], "size": 10},
            customdata=[site["probability"] for site in listed],
            hovertemplate=f"{kind} at %{{x:,}}<br>probability %{{customdata:.3f}}<extra></extra>",
        )
    for start, end in result["exons"]:
        figure.add_shape(type="rect", x0=start - 0.5, x1=end + 0.5, y0=-0.06, y1=0.06, line={"width": 0}, fillcolor=QUIET)
    if result["exons"]:
        figure.add_scatter(x=[None], y=[None], mode="markers", name="known exon", marker={"color": QUIET, "symbol": "square", "size": 10})
    for made in result["variants"][:30]:
        figure.add_vline(x=made["place"], line={"color": QUIET, "dash": "dot", "width": 1})
    if len(result["variants"]) <= 6:
        for made in result["variants"]:
            figure.add_annotation(x=made["place"], y=1.28, text=_plain(made["variant"]), showarrow=False, xanchor="left", textangle=0)
    for sign in (1, -1):
        figure.add_hline(y=sign * result["threshold"], line={"color": QUIET, "dash": "dash", "width": 1})
    finish(figure, _title(result), 380)
    figure.update_xaxes(
        title=f"place in {_plain(result['record'])} (bases)",
        tickformat=",d",
        range=[1 - 0.01 * result["last_place"], 1.01 * result["last_place"]],
    )
    figure.update_yaxes(
        title="probability", range=[-1.3, 1.4], tickvals=[-1, -0.5, 0, 0.5, 1], ticktext=["1 donor", "0.5", "0", "0.5", "1 acceptor"]
    )
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_splice(result: Mapping[str, Json]) -> str:
    """The figure in words."""
    sites = ", ".join(f"{site['kind']} {site['place']:,} ({site['probability']:.2f})" for site in result["sites"][:30])
    more = f" and {len(result['sites']) - 30:,} more" if len(result["sites"]) > 30 else ""
    variants = "; ".join(f"{made['variant']}: {made['words']}" for made in result["variants"][:10])
    return f"{_title(result)}. {sites or 'None'}{more}.{' ' + variants if variants else ''}"


def plot_exchanges(found: Mapping[str, Json], target: str) -> Any:
    """What every exchange of one base near the site does: bases by places, an item ``mutagenesis`` of the task's explanation."""
    import plotly.graph_objects as go

    change = np.array(found["change"], dtype=float).T
    labels = [f"{letter}{place}" for letter, place in zip(found["letters"], found["places"], strict=True)]
    given = np.array([[base == letter for letter in found["letters"]] for base in found["bases"]])
    most = max(float(np.abs(change).max()), 1e-6)
    figure = go.Figure()
    figure.add_heatmap(
        z=np.where(given, np.nan, change),
        x=list(range(len(labels))),
        y=list(found["bases"]),
        zmin=-most,
        zmax=most,
        colorscale=[[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]],
        customdata=np.repeat(np.array(labels)[None], len(found["bases"]), axis=0),
        hovertemplate="%{customdata} to %{y}: %{z:+.3f}<extra></extra>",
        colorbar={"title": "change"},
        xgap=1,
        ygap=1,
    )
    rows, columns = np.nonzero(given)
    figure.add_scatter(
        x=columns,
        y=[found["bases"][row] for row in rows],
        mode="markers",
        marker={"color": QUIET, "symbol": "circle", "size": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    worst = np.nanargmin(np.where(given, np.nan, change).min(axis=0, where=~given, initial=0.0))
    finish(figure, f"{_plain(target)}: exchanging {labels[int(worst)]} lowers it most", 260)
    step = max(1, len(labels) // 15)
    figure.update_xaxes(
        tickvals=list(range(0, len(labels), step)), ticktext=[f"{place:,}" for place in found["places"][::step]], title="place (bases)"
    )
    figure.update_yaxes(title="new base", autorange="reversed")
    return figure


def describe_exchanges(found: Mapping[str, Json], target: str) -> str:
    """The exchanges in words: the five that lower the number most."""
    rows = exchange_rows(found)
    lowest = sorted(rows, key=lambda row: row["change"])[:5]
    return f"Single exchanges of bases and {target}. Lowest: " + ", ".join(
        f"{row['given']}{row['place']}{row['new']} {row['change']:+.2f}" for row in lowest
    )


def exchange_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    """One row an exchange."""
    return [
        {"place": place, "given": letter, "new": base, "change": value}
        for place, letter, row in zip(found["places"], found["letters"], found["change"], strict=True)
        for base, value in zip(found["bases"], row, strict=True)
        if base != letter
    ]


def track_rows(result: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The numbers of `plot_splice`: every place whose acceptor or donor probability is 0.01 or more."""
    rows: dict[int, dict[str, Json]] = {}
    for kind in _SIGNS:
        for place, value in zip(*_sticks(result, kind), strict=True):
            rows.setdefault(int(place), {"place": int(place), "acceptor": 0.0, "donor": 0.0})[kind] = float(value)
    return [rows[place] for place in sorted(rows)]


def _sticks(result: Mapping[str, Json], kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Places and values from 0.01 on: below, a stick is thinner than its line."""
    track = result["tracks"][kind]
    if result["tracks"]["form"] == "full":
        values = np.array(track, dtype=float)
        index = np.flatnonzero(values >= 0.01)
        values = values[index]
    else:
        index, values = np.array(track["index"], dtype=int), np.array(track["value"], dtype=float)
    places = index + 1 if result["places"] is None else np.array(result["places"])[index]
    return places, values


def _title(result: Mapping[str, Json]) -> str:
    counts = {kind: sum(site["kind"] == kind for site in result["sites"]) for kind in _SIGNS}
    parts = [f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in counts.items()]
    return f"{_plain(result['record'])}: {' and '.join(parts)} with a probability of {result['threshold']:g} or more"


def _plain(text: Sequence[str] | str) -> str:
    """A text of other people without the signs that Plotly reads as markup."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
