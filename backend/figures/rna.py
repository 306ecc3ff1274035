"""The secondary structure of an RNA drawn flat: backbone, pairs, a circle a base, coloured by how sure the drawing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.figures.style import QUIET, VERMILLION, finish

_STEP = 15.0  # between two neighbours in naview's units
_WIDTH = 900  # pixels that a drawing is planned for
_LETTERED = 10.0  # smallest circle, in pixels, that holds a letter
_CLASSES = ((0.9, "90% or more", 3.5, "solid"), (0.5, "50 to 90%", 1.8, "solid"), (0.0, "below 50%", 1.4, "dot"))

COLOURS = {"drawn": "how probable what is drawn is", "paired": "how probably the base is paired at all"}
STRUCTURES = {"mfe": "Minimum free energy", "centroid": "Centroid"}


def plot_drawing(result: Mapping[str, Json], which: str = "mfe", colour: str = "drawn", chosen: int | None = None) -> Any:
    """The drawing.

    Parameters
    ----------
    result : mapping
        One of the results of rna.fold.
    which : str
        ``mfe`` or ``centroid``.
    colour : str
        ``drawn``: probability of the drawn pair, or for an unpaired base of being unpaired; ``paired``: of pairing with any base.
    chosen : int, optional
        Index of the base to ring.

    Returns
    -------
    plotly.graph_objects.Figure
        The trace named ``bases`` carries each base's index as the first of its customdata.
    """
    import plotly.graph_objects as go

    bases, places, partner = str(result["sequence"]), places_of(result), pair_table(result[which]["structure"])
    xy = _turned(np.array(result[which]["layout"], dtype=float))
    spread = np.ptp(xy, axis=0) + 2 * _STEP
    height = int(np.clip(spread[1] / spread[0] * _WIDTH, 300, 620 if len(bases) <= 150 else 760))
    scale = min(_WIDTH / spread[0], (height - 60) / spread[1])
    steps = np.hypot(*np.diff(xy, axis=0).T) if len(xy) > 1 else np.array([_STEP])
    size = float(np.clip(0.86 * np.clip(np.percentile(steps, 5), 0.5 * _STEP, _STEP) * scale, 4, 26))
    if size < _LETTERED:  # no letter to keep free: the colour needs the room
        size = max(0.95 * _STEP * scale, 4)
    drawn = drawn_probability(result, partner)
    values = drawn if colour == "drawn" else np.array(result["paired"])

    figure = go.Figure()
    figure.add_scatter(x=xy[:, 0], y=xy[:, 1], mode="lines", line={"color": QUIET, "width": 1.5}, hoverinfo="skip", showlegend=False)
    for least, name, width, dash in _CLASSES:
        most = {0.9: 2.0, 0.5: 0.9, 0.0: 0.5}[least]
        pairs = [(i, j) for i, j in enumerate(partner) if j > i and least <= drawn[i] < most]
        if pairs:
            ends = np.array([[xy[i], xy[j], (np.nan, np.nan)] for i, j in pairs]).reshape(-1, 2)
            line = {"color": QUIET, "width": width, "dash": dash}
            figure.add_scatter(x=ends[:, 0], y=ends[:, 1], mode="lines", name=f"pair, {name}", line=line, hoverinfo="skip")
    if chosen is not None and 0 <= chosen < len(bases):
        ring = {"size": size + 9, "color": "rgba(0,0,0,0)", "line": {"color": VERMILLION, "width": 3}}
        figure.add_scatter(x=xy[[chosen], 0], y=xy[[chosen], 1], mode="markers", marker=ring, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=xy[:, 0],
        y=xy[:, 1],
        name="bases",
        showlegend=False,
        mode="markers+text" if size >= _LETTERED else "markers",
        text=list(bases),
        textfont={"size": max(7, size * 0.6), "color": ["#FFFFFF" if value < 0.47 else "#000000" for value in values]},
        marker={
            "size": size,
            "color": values,
            "colorscale": "Cividis",
            "cmin": 0,
            "cmax": 1,
            "line": {"color": QUIET, "width": 1 if size >= _LETTERED else 0.5},
            "colorbar": {"title": {"text": "probability"}, "thickness": 12, "len": 0.6, "tickformat": ".0%"},
        },
        customdata=[[i, text] for i, text in enumerate(_hovers(result, partner, drawn))],
        hovertemplate="%{customdata[1]}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )
    for x, y, text in _numbers(xy, places, size / scale):
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": 12})
    finish(figure, f"{_name(which)}: {_title(result, which)}", height + 60)
    figure.update_xaxes(visible=False, range=[xy[:, 0].min() - 2 * _STEP, xy[:, 0].max() + 2 * _STEP])
    figure.update_yaxes(visible=False, scaleanchor="x", range=[xy[:, 1].min() - 2 * _STEP, xy[:, 1].max() + 2 * _STEP])
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": 76, "b": 8},
        dragmode="pan",
        uirevision=f"{which}",
    )
    return figure


def describe_drawing(result: Mapping[str, Json], which: str = "mfe") -> str:
    """The drawing in words: every helix with its ends and how probable it is."""
    partner, places, bases = pair_table(result[which]["structure"]), places_of(result), result["sequence"]
    drawn = drawn_probability(result, partner)
    told = [
        f"{places[i]}-{places[i + size - 1]} with {places[j - size + 1]}-{places[j]} ({size} pair{'' if size == 1 else 's'}, "
        f"mean probability {float(np.mean(drawn[i : i + size])):.2f})"
        for i, j, size in helices(partner)
    ]
    listed = "; ".join(told[:40]) + (f"; and {len(told) - 40} more" if len(told) > 40 else "")
    return f"{_name(which)} structure of {result['record']}, {len(bases):,} bases: {_title(result, which)}. " + (
        f"Helices: {listed}." if told else ""
    )


def base_rows(result: Mapping[str, Json], which: str = "mfe") -> list[dict[str, Json]]:
    """The drawing's numbers, a row a base."""
    partner, places = pair_table(result[which]["structure"]), places_of(result)
    drawn, paired = drawn_probability(result, partner), result["paired"]
    return [
        {
            "place": places[i],
            "base": base,
            "partner": places[partner[i]] if partner[i] >= 0 else "",
            "probability_as_drawn": round(float(drawn[i]), 4),
            "probability_paired": paired[i],
            "x": result[which]["layout"][i][0],
            "y": result[which]["layout"][i][1],
        }
        for i, base in enumerate(result["sequence"])
    ]


def helices(partner: Sequence[int]) -> list[tuple[int, int, int]]:
    """Runs of stacked pairs: first base, its partner, number of pairs."""
    found: list[tuple[int, int, int]] = []
    for i, j in enumerate(partner):
        if j <= i:
            continue
        if found and i == found[-1][0] + found[-1][2] and j == found[-1][1] - found[-1][2]:
            found[-1] = (*found[-1][:2], found[-1][2] + 1)
        else:
            found.append((i, j, 1))
    return found


def pair_table(structure: str) -> list[int]:
    """Partner of each base of a dot-bracket without pseudoknots, from 0; -1 where there is none."""
    found, waiting = [-1] * len(structure), list[int]()
    for at, sign in enumerate(structure):
        if sign == "(":
            waiting.append(at)
        elif sign == ")":
            found[at] = waiting.pop()
            found[found[at]] = at
    return found


def drawn_probability(result: Mapping[str, Json], partner: Sequence[int]) -> NDArray[np.float64]:
    """For each base the probability of the state it is drawn in; a pair too rare to be saved counts as 0."""
    chances = {(i, j): chance for i, j, chance in result["pairs"]}
    return np.array(
        [
            1 - paired if j < 0 else chances.get((min(i, j), max(i, j)), 0.0)
            for i, (j, paired) in enumerate(zip(partner, result["paired"], strict=True))
        ]
    ).clip(0, 1)


def places_of(result: Mapping[str, Json]) -> Sequence[int]:
    """The user's number of each base."""
    return result["places"] or range(1, len(result["sequence"]) + 1)


def _name(which: str) -> str:
    return STRUCTURES[which]


def _title(result: Mapping[str, Json], which: str) -> str:
    partner = pair_table(result[which]["structure"])
    drawn = drawn_probability(result, partner)
    chances = [drawn[i] for i, j in enumerate(partner) if j > i]
    if not chances:
        return "no base pairs"
    count, sure = len(helices(partner)), sum(chance >= 0.9 for chance in chances)
    stems = f"{len(chances)} pair{'' if len(chances) == 1 else 's'} in {count} heli{'x' if count == 1 else 'ces'}"
    return f"{stems}; {f'{sure} of the pairs are' if sure != 1 else 'one is'} 90% probable or more"


def _hovers(result: Mapping[str, Json], partner: Sequence[int], drawn: NDArray[np.float64]) -> list[str]:
    bases, places = result["sequence"], places_of(result)
    return [
        f"<b>{bases[i]}{places[i]}</b><br>"
        + (f"drawn paired with {bases[j]}{places[j]}: {drawn[i]:.0%}" if j >= 0 else f"drawn unpaired: {drawn[i]:.0%}")
        + f"<br>paired with any base: {min(paired, 1):.0%}"
        for i, (j, paired) in enumerate(zip(partner, result["paired"], strict=True))
    ]


def _turned(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """A long drawing laid along the page, since a page is wider than high."""
    xy = xy - xy.mean(axis=0)
    if len(xy) > 120:
        _, _, axes = np.linalg.svd(xy, full_matrices=False)
        turned: NDArray[np.float64] = xy @ axes.T
        return turned
    return xy


def _numbers(xy: NDArray[np.float64], places: Sequence[int], across: float) -> list[tuple[float, float, str]]:
    """Ends and every tenth (fiftieth) place, written on the side of the backbone that is freer."""
    step = 10 if len(xy) <= 150 else 20 if len(xy) <= 250 else 50 if len(xy) <= 600 else 100
    marks = {0: "5′", len(xy) - 1: "3′"}
    marks |= {i: str(place) for i, place in enumerate(places) if place % step == 0 and i not in marks}
    found = []
    for i, text in marks.items():
        along = xy[min(i + 1, len(xy) - 1)] - xy[max(i - 1, 0)]
        normal = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) * (across / 2 + _STEP * 0.75)
        others = np.delete(xy, i, axis=0)
        room = [float(np.hypot(*(others - xy[i] - side).T).min()) if len(others) else 1.0 for side in (normal, -normal)]
        x, y = xy[i] + (normal if room[0] >= room[1] else -normal)
        found.append((float(x), float(y), text))
    return found
