"""Disorder along a protein, with its stretches and the second network's expected pLDDT; and what substitutions near a place would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, QUIET, VERMILLION, finish


def plot_disorder(result: Mapping[str, Json], rule: Mapping[str, Json]) -> Any:
    """Score of every residue, the threshold, the stretches as bars below, expected pLDDT (as a share of 100) as a dotted line.

    Parameters
    ----------
    result : mapping
        One of the task's results, with its scores.
    """
    import plotly.graph_objects as go

    x = np.array(_places(result))
    figure = go.Figure()
    figure.add_scatter(
        x=x,
        y=np.array(result["disorder"]),
        name="disorder",
        line={"color": VERMILLION, "width": 2},
        customdata=np.array(list(result["sequence"])),
        hovertemplate="%{customdata}%{x}<br>disorder %{y:.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=x,
        y=np.array(result["plddt"]) / 100,
        name="expected pLDDT / 100",
        line={"color": BLUE, "width": 1.5, "dash": "dot"},
        hovertemplate="%{x}<br>expected pLDDT %{y:.0%}<extra></extra>",
    )
    figure.add_hline(y=rule["threshold"], line={"color": QUIET, "width": 1, "dash": "dash"})
    for stretch in result["stretches"]:
        figure.add_shape(type="rect", x0=stretch["start"], x1=stretch["end"], y0=-0.09, y1=-0.03, fillcolor=VERMILLION, line={"width": 0})
    finish(figure, _title(result), 340)
    figure.update_xaxes(title="residue, in your numbering")
    figure.update_yaxes(title="disorder (0 to 1)", range=[-0.11, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_disorder(result: Mapping[str, Json]) -> str:
    """The figure in words."""
    listed = "; ".join(f"{item['start']} to {item['end']}, mean {item['disorder']:.2f}" for item in result["stretches"])
    return f"{_title(result)}. Mean disorder {result['mean']:.2f}. " + (f"Stretches: {listed}." if listed else "No stretch is long enough.")


def plot_substitutions(scan: Mapping[str, Json], target: str) -> Any:
    """Change of the target's disorder by each substitution: a column a residue, a row a letter; orange-red raises, blue lowers."""
    import plotly.graph_objects as go

    change = np.array(scan["change"]).T
    most = max(float(np.abs(change).max()), 1e-4)
    names = [f"{letter}{place}" for letter, place in zip(scan["residues"], scan["places"], strict=True)]
    figure = go.Figure(
        go.Heatmap(
            z=change,
            x=names,
            y=list(scan["letters"]),
            zmin=-most,
            zmax=most,
            colorscale=[[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]],
            colorbar={"title": {"text": "change"}, "thickness": 12},
            hovertemplate="%{x} to %{y}: %{z:+.3f}<extra></extra>",
        )
    )
    finish(figure, f"{_strongest(scan)} changes {target} most", 460)
    figure.update_xaxes(title="residue as it stands", tickangle=-60)
    figure.update_yaxes(title="replaced by", autorange="reversed", dtick=1)
    return figure


def describe_substitutions(scan: Mapping[str, Json], target: str) -> str:
    """The heatmap in words."""
    change = np.array(scan["change"])
    return (
        f"Substitutions within reach change {target} by {change.min():+.3f} to {change.max():+.3f}, from {scan['score']:.2f}; "
        f"the strongest is {_strongest(scan)}."
    )


def substitution_rows(scan: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The heatmap's numbers, a row a substitution."""
    return [
        {"place": place, "from": residue, "to": letter, "change": value}
        for place, residue, values in zip(scan["places"], scan["residues"], scan["change"], strict=True)
        for letter, value in zip(scan["letters"], values, strict=True)
    ]


def _strongest(scan: Mapping[str, Json]) -> str:
    change = np.abs(np.array(scan["change"]))
    at, letter = np.unravel_index(int(change.argmax()), change.shape)
    return f"{scan['residues'][at]}{scan['places'][at]}{scan['letters'][letter]}"


def _places(result: Mapping[str, Json]) -> Sequence[int]:
    return result["places"] or range(1, len(result["sequence"]) + 1)


def _title(result: Mapping[str, Json]) -> str:
    count = len(result["stretches"])
    return f"{result['share']:.0%} of {result['length']:,} residues lie in {count} disordered stretch{'' if count == 1 else 'es'}"
