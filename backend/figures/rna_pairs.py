"""All probable base pairs of an RNA as a dot plot, its folding as a mountain, and what substitutions would do to one pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.figures.pair_map import add_pairs
from backend.figures.rna import pair_table, places_of
from backend.figures.style import BLUE, GREEN, ORANGE, QUIET, VERMILLION, finish

_MOST_DOTS = 6_000


def plot_pairs(result: Mapping[str, Json]) -> Any:
    """Above the diagonal every probable pair, larger and brighter the more probable; below it the pairs of the drawn structure."""
    import plotly.graph_objects as go

    bases, places = result["sequence"], np.array(places_of(result))
    shown = sorted(result["pairs"], key=lambda pair: pair[2])[-_MOST_DOTS:]
    largest = float(np.clip(450 / max(len(bases), 1), 5, 12))
    figure = go.Figure()
    add_pairs(
        figure,
        shown,
        places,
        label="probable pair",
        name=lambda pairs: [f"{bases[i]}{places[i]} with {bases[j]}{places[j]}" for i, j in pairs],
        largest=largest,
    )
    drawn = [(i, j) for i, j in enumerate(pair_table(result["mfe"]["structure"])) if j > i]
    figure.add_scatter(
        x=places[[i for i, _ in drawn]],
        y=places[[j for _, j in drawn]],
        name="pair of least free energy",
        mode="markers",
        marker={"symbol": "square-open", "size": largest, "color": VERMILLION, "line": {"width": 1.5}},
        customdata=[f"{bases[i]}{places[i]} with {bases[j]}{places[j]}" for i, j in drawn],
        hovertemplate="%{customdata}, in the structure of least free energy<extra></extra>",
    )
    edge = [int(places[0]), int(places[-1])]
    figure.add_scatter(x=edge, y=edge, mode="lines", line={"color": QUIET, "width": 1}, hoverinfo="skip", showlegend=False)
    finish(figure, _pairs_title(result), 540)
    span = [places[0] - 0.02 * len(bases) - 1, places[-1] + 0.02 * len(bases) + 1]
    figure.update_xaxes(title="base, in your numbering", range=span, constrain="domain")
    figure.update_yaxes(title="base, in your numbering", range=span[::-1], scaleanchor="x", constrain="domain")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_pairs(result: Mapping[str, Json]) -> str:
    """The dot plot in words."""
    count, shown = len(result["pairs"]), min(len(result["pairs"]), _MOST_DOTS)
    less = f" The {shown:,} most probable are drawn." if shown < count else ""
    listed = "; ".join(
        f"{result['sequence'][i]}{places_of(result)[i]} with {result['sequence'][j]}{places_of(result)[j]} {chance:.0%}"
        for i, j, chance in _others(result)[:5]
    )
    tail = f" The likeliest pairs that are not drawn: {listed}." if listed else ""
    return f"{_pairs_title(result)}. {count:,} pairs have a probability of 1% or more.{less}{tail}"


def plot_mountain(result: Mapping[str, Json]) -> Any:
    """Number of pairs that enclose each base, in both structures and on average; below, how undecided each base is."""
    from plotly.subplots import make_subplots

    x = np.array(places_of(result))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.07)
    heights = mountains(result)
    styles = {"least free energy": (VERMILLION, "solid"), "centroid": (BLUE, "dash"), "mean of the ensemble": (ORANGE, "dot")}
    for name, values in heights.items():
        figure.add_scatter(
            x=x,
            y=values,
            name=name,
            line={"color": styles[name][0], "dash": styles[name][1], "width": 2, "shape": "hv" if "mean" not in name else "linear"},
            hovertemplate=f"%{{x}}, {name}: inside %{{y:.1f}} pairs<extra></extra>",
            row=1,
            col=1,
        )
    figure.add_bar(
        x=x,
        y=np.array(result["entropy"]),
        name="entropy",
        marker={"color": GREEN, "line": {"width": 0}},
        showlegend=False,
        customdata=list(result["sequence"]),
        hovertemplate="%{customdata}%{x}: %{y:.2f} bits<extra></extra>",
        row=2,
        col=1,
    )
    finish(figure, _mountain_title(result), 460)
    figure.update_xaxes(title="base, in your numbering", row=2, col=1)
    figure.update_yaxes(title="enclosing pairs", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="entropy (bits)", rangemode="tozero", row=2, col=1)
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8}, bargap=0
    )
    return figure


def describe_mountain(result: Mapping[str, Json]) -> str:
    """The mountain and the entropy in words."""
    entropy = np.array(result["entropy"])
    return (
        f"{_mountain_title(result)}. Entropy of the partner is 0 bits where a base has one choice; its mean here is {entropy.mean():.2f}, "
        f"its largest {entropy.max():.2f}. The structure of least free energy is up to {mountains(result)['least free energy'].max():.0f} "
        "pairs deep."
    )


def mountains(result: Mapping[str, Json]) -> dict[str, NDArray[np.float64]]:
    """Number of pairs around each base: of the two structures, and expected over the ensemble (of the pairs that are saved)."""
    n = len(result["sequence"])

    def height(pairs: Sequence[tuple[int, int, float]]) -> NDArray[np.float64]:
        steps = np.zeros(n + 1)
        for i, j, weight in pairs:
            steps[i] += weight
            steps[j] -= weight
        return np.cumsum(steps[:n]).round(4)

    drawn = {
        name: height([(i, j, 1.0) for i, j in enumerate(pair_table(result[which]["structure"])) if j > i])
        for name, which in (("least free energy", "mfe"), ("centroid", "centroid"))
    }
    return {**drawn, "mean of the ensemble": height([(i, j, chance) for i, j, chance in result["pairs"]])}


def plot_changes(made: Mapping[str, Json]) -> Any:
    """Change of the explained probability by every substitution tried: orange-red raises, blue lowers, a cross is the base itself."""
    import plotly.graph_objects as go

    names, table = _changes(made)
    most = max(float(np.nanmax(np.abs(table))), 1e-4)
    figure = go.Figure(
        go.Heatmap(
            z=table.T,
            x=names,
            y=list("ACGU"),
            zmin=-most,
            zmax=most,
            colorscale=[[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]],
            colorbar={"title": {"text": "change"}, "thickness": 12},
            hovertemplate="%{x} to %{y}: %{z:+.3f}<extra></extra>",
            hoverongaps=False,
        )
    )
    same = [(name, name[0]) for name in names if name[0] in "ACGU"]
    figure.add_scatter(
        x=[name for name, _ in same],
        y=[base for _, base in same],
        mode="markers",
        marker={"symbol": "x-thin", "size": 6, "line": {"color": QUIET, "width": 1}},
        hoverinfo="skip",
        showlegend=False,
    )
    finish(figure, _changes_title(made), 300)
    figure.update_xaxes(title="base as it stands", tickangle=-60, type="category")
    figure.update_yaxes(title="replaced by", categoryorder="array", categoryarray=list("UGCA"))
    return figure


def describe_changes(made: Mapping[str, Json]) -> str:
    """The substitutions in words."""
    _, table = _changes(made)
    low, high = float(np.nanmin(table)), float(np.nanmax(table))
    return f"{_changes_title(made)}. Single substitutions change it by {low:+.3f} to {high:+.3f}, from {made['asked']['value']:.3f}."


def change_rows(made: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The substitutions' numbers, a row each."""
    return [
        {"place": each["place"], "from": each["from"], "to": base, "change": value}
        for each in made["mutagenesis"]
        for base, value in each["effects"].items()
    ]


def _changes(made: Mapping[str, Json]) -> tuple[list[str], NDArray[np.float64]]:
    names = [f"{each['from']}{each['place']}" for each in made["mutagenesis"]]
    return names, np.array([[each["effects"].get(base, np.nan) for base in "ACGU"] for each in made["mutagenesis"]], dtype=float)


def _changes_title(made: Mapping[str, Json]) -> str:
    rows = change_rows(made)
    worst = max(rows, key=lambda row: abs(row["change"]))
    return f"{worst['from']}{worst['place']}{worst['to']} changes the {made['asked']['words']} most ({worst['change']:+.2f})"


def _others(result: Mapping[str, Json]) -> list[tuple[int, int, float]]:
    """Probable pairs that the structure of least free energy does not hold, the likeliest first."""
    partner = pair_table(result["mfe"]["structure"])
    found = [(int(i), int(j), float(chance)) for i, j, chance in result["pairs"] if partner[int(i)] != j]
    return sorted(found, key=lambda pair: -pair[2])


def _pairs_title(result: Mapping[str, Json]) -> str:
    others = _others(result)
    if not result["pairs"]:
        return "No pair has a probability of 1%"
    if not others:
        return "Every probable pair is in the structure of least free energy"
    i, j, chance = others[0]
    bases, places = result["sequence"], places_of(result)
    return f"Likeliest pair outside the best structure: {bases[i]}{places[i]}-{bases[j]}{places[j]}, {chance:.0%}"


def _mountain_title(result: Mapping[str, Json]) -> str:
    entropy = np.array(result["entropy"])
    share = float((entropy >= 1).mean())
    most = int(entropy.argmax())
    if entropy.max() < 0.1:
        return "Every base has one clear choice"
    return f"{share:.0%} of the bases are undecided by a bit or more; {result['sequence'][most]}{places_of(result)[most]} is least decided"
