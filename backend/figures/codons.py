"""Codons of a gene by how expected they were: a model's word beside the gene's own codon usage."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

_MARKED = 5  # least expected codons that carry a label


def plot_codons(found: Mapping[str, Json]) -> Any:
    """ln p of every codon as a stick, the least expected named; the dashed line is how often the gene itself uses the codon."""
    import plotly.graph_objects as go

    places = np.array(found["codon_places"], dtype=float)
    own = np.array([np.nan if x is None else x for x in found["log_probs"]], dtype=float)
    plain = np.array([np.nan if x is None else x for x in found["usage"]], dtype=float)
    x = np.repeat(places, 3)
    y = np.column_stack([np.zeros(len(own)), own, np.full(len(own), np.nan)]).ravel()
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": BLUE, "width": 1.5}, connectgaps=False, hoverinfo="skip", name="model")
    figure.add_scatter(
        x=places,
        y=own,
        mode="markers",
        marker={"color": BLUE, "size": 5, "symbol": "circle"},
        customdata=_hover(found),
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=places,
        y=plain,
        mode="lines",
        line={"color": QUIET, "width": 1.5, "dash": "dash"},
        name="this gene's own codon usage",
        hoverinfo="skip",
    )
    strange = found["strange"][:_MARKED]
    figure.add_scatter(
        x=[item["place"] for item in strange],
        y=[item["log_p"] for item in strange],
        mode="markers+text",
        text=_labels(strange, found["codon_places"]),
        textposition="bottom center",
        marker={"color": VERMILLION, "size": 9, "symbol": "diamond"},
        name="least expected",
        hoverinfo="skip",
    )
    finish(figure, _title(found), 360)
    figure.update_xaxes(title=f"place in {escape(str(found['record']))} (first base of the codon)", tickformat=",d")
    lowest = float(np.nanmin(np.concatenate([own, plain]))) if np.isfinite(np.concatenate([own, plain])).any() else -5.0
    figure.update_yaxes(title="ln p of the codon", range=[lowest * 1.15, 0.2])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_codons(found: Mapping[str, Json]) -> str:
    """The figure in words."""
    strange = ", ".join(f"{item['codon']} at {item['place']:,} ({item['log_p']:+.1f})" for item in found["strange"][:_MARKED])
    return f"{_title(found)}. {found['judged']:,} codons were judged; the least expected are {strange or 'none'}."


def codon_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    """One row a codon."""
    return [
        {
            "place": place,
            "codon": codon,
            "residue": residue,
            "ln p": own,
            "ln p by its own usage": plain,
            "rank of 64": rank,
            "p of its residue": share,
            "expected": " ".join(f"{name} {chance:.2f}" for name, chance in expected) if expected else "",
        }
        for place, codon, residue, own, plain, rank, share, expected in zip(
            found["codon_places"],
            found["codons"],
            found["amino"],
            found["log_probs"],
            found["usage"],
            found["rank"],
            found["synonymous"],
            found["expected"],
            strict=True,
        )
    ]


def _labels(strange: list[dict[str, Json]], places: list[int]) -> list[str]:
    """Codon and place of each mark, empty where it would lie on another's."""
    room, made, at = max(1, (places[-1] - places[0]) // 10), list[str](), list[int]()
    for item in strange:
        free = all(abs(item["place"] - other) > room for other in at)
        made.append(f"{item['codon']} {item['place']:,}" if free else "")
        at += [item["place"]] if free else []
    return made


def _hover(found: Mapping[str, Json]) -> list[str]:
    return [
        f"{row['codon']} ({row['residue']}) at {row['place']:,}"
        + (
            "<br>not judged"
            if row["ln p"] is None
            else f"<br>ln p {row['ln p']:.2f}, rank {row['rank of 64']} of 64<br>expected: {row['expected']}"
        )
        for row in codon_rows(found)
    ]


def _title(found: Mapping[str, Json]) -> str:
    ours, plain = found["perplexity"], found["usage_perplexity"]
    if ours is None:
        return "No codon could be judged"
    return f"Perplexity {ours:.1f} of 64, by the gene's own codon usage {plain:.1f}"
