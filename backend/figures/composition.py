"""What a sequence is made of: letters, GC and skew along it, hydropathy, reading frames and sites on a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, CATEGORIES, GREEN, ORANGE, QUIET, VERMILLION, finish

_FRAMES = (1, 2, 3, -1, -2, -3)


def plot_composition(composition: Mapping[str, int], kind: str) -> Any:
    """A bar a letter, by share."""
    import plotly.graph_objects as go

    total = sum(composition.values())
    letters = sorted(composition, key=lambda letter: -composition[letter])
    figure = go.Figure(
        go.Bar(
            x=letters,
            y=np.array([composition[letter] / total for letter in letters]),
            customdata=np.array([composition[letter] for letter in letters]),
            marker={"color": BLUE},
            hovertemplate="%{x}: %{customdata:,} (%{y:.1%})<extra></extra>",
        )
    )
    finish(
        figure,
        f"{letters[0]} is the most frequent {'residue' if kind == 'protein' else 'base'}: {composition[letters[0]] / total:.0%}",
        260,
    )
    figure.update_yaxes(title="share of letters", tickformat=".0%")
    return figure


def describe_composition(composition: Mapping[str, int]) -> str:
    """The bars in words."""
    total = sum(composition.values())
    return "Composition: " + ", ".join(f"{letter} {count:,} ({count / total:.1%})" for letter, count in composition.items()) + "."


def plot_gc(windows: Mapping[str, Json]) -> Any:
    """GC share and GC skew of windows along the sequence."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    x = np.array(windows["starts"])
    for row, (name, values, colour) in enumerate((("GC share", windows["gc"], BLUE), ("GC skew", windows["skew"], ORANGE)), 1):
        figure.add_trace(
            go.Scatter(
                x=x,
                y=np.array(values, dtype=float),
                name=name,
                line={"color": colour, "width": 1.5},
                hovertemplate=f"from %{{x:,}}: {name} %{{y:.2f}}<extra></extra>",
            ),
            row=row,
            col=1,
        )
        figure.update_yaxes(title=name, row=row, col=1)
    finish(figure, _gc_title(windows), 360)
    figure.update_xaxes(title="first letter of the window, in your numbering", row=2, col=1)
    figure.update_layout(showlegend=False)
    return figure


def describe_gc(windows: Mapping[str, Json]) -> str:
    """The two lines in words."""
    skew = [value for value in windows["skew"] if value is not None]
    said = f" GC skew runs from {min(skew):.2f} to {max(skew):.2f}." if skew else ""
    return f"{_gc_title(windows)}.{said}"


def plot_hydropathy(values: Sequence[float | None], places: Sequence[int], window: int) -> Any:
    """Kyte-Doolittle hydropathy; above 1.6 over 19 residues a membrane segment is likely."""
    import plotly.graph_objects as go

    numbers = np.array(values, dtype=float)
    figure = go.Figure(
        go.Scatter(x=np.array(places[: len(numbers)]), y=numbers, line={"color": GREEN}, hovertemplate="%{x}: %{y:+.2f}<extra></extra>")
    )
    figure.add_hline(y=0, line={"color": QUIET, "width": 1})
    finish(figure, _hydropathy_title(numbers, places, window), 280)
    figure.update_xaxes(title="residue at the middle of the window, in your numbering")
    figure.update_yaxes(title="hydropathy (Kyte-Doolittle)")
    return figure


def describe_hydropathy(values: Sequence[float | None], places: Sequence[int], window: int) -> str:
    """The line in words."""
    return _hydropathy_title(np.array(values, dtype=float), places, window) + "."


def plot_map(details: Mapping[str, Json], length: int, places: Sequence[int] | None = None) -> Any:
    """Reading frames as bars in six lanes, sites of enzymes that cut once or twice as marks above."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for lane, frame in enumerate(_FRAMES):
        orfs = [orf for orf in details["orfs"] if orf["frame"] == frame]
        figure.add_bar(
            orientation="h",
            base=np.array([orf["start"] for orf in orfs]),
            x=np.array([orf["end"] - orf["start"] + 1 for orf in orfs]),
            y=[f"{frame:+d}"] * len(orfs),
            marker={"color": CATEGORIES[lane % 3], "pattern": {"shape": "" if frame > 0 else "/"}},
            customdata=np.array([[orf["end"], orf["residues"]] for orf in orfs]).reshape(-1, 2),
            hovertemplate=f"frame {frame:+d}: %{{base:,}}-%{{customdata[0]:,}}, %{{customdata[1]:,}} residues<extra></extra>",
        )
    rare = {enzyme["enzyme"] for enzyme in details["enzymes"] if 1 <= enzyme["count"] <= 2}
    sites = [site for site in details["sites"] if site["enzyme"] in rare]
    figure.add_scatter(
        x=np.array([site["start"] for site in sites]),
        y=["sites"] * len(sites),
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 12, "color": VERMILLION},
        text=[site["enzyme"] for site in sites],
        hovertemplate="%{text} at %{x:,}<extra></extra>",
    )
    finish(figure, _map_title(details), 320)
    figure.update_yaxes(
        title="frame", type="category", categoryorder="array", categoryarray=[*(f"{f:+d}" for f in reversed(_FRAMES)), "sites"]
    )
    figure.update_xaxes(title="letter, in your numbering", range=[0, length + 1])
    figure.update_layout(showlegend=False, barmode="overlay")
    return figure


def describe_map(details: Mapping[str, Json]) -> str:
    """The map in words."""
    once = [enzyme["enzyme"] for enzyme in details["enzymes"] if enzyme["count"] == 1]
    return f"{_map_title(details)}." + (f" Cut once by {', '.join(once)}." if once else " No enzyme chosen cuts exactly once.")


def _gc_title(windows: Mapping[str, Json]) -> str:
    gc = [value for value in windows["gc"] if value is not None]
    if not gc:
        return "No window holds a letter that is certainly G, C, A or T"
    return f"GC runs from {min(gc):.0%} to {max(gc):.0%} in windows of {windows['window']:,} letters"


def _hydropathy_title(values: np.ndarray, places: Sequence[int], window: int) -> str:
    if not np.isfinite(values).any():
        return "No window has a hydropathy"
    at = int(np.nanargmax(values))
    return f"Most hydrophobic about {places[at]:,}: {values[at]:+.1f} over {window} residues"


def _map_title(details: Mapping[str, Json]) -> str:
    best = max(details["orfs"], key=lambda orf: int(orf["residues"]), default=None)
    found = f"{details['orfs_found']:,} reading frames"
    return f"{found}; the longest runs from {best['start']:,} to {best['end']:,}" if best else f"{found} of the length asked for"
