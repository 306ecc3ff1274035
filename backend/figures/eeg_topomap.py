"""Values at electrodes drawn on the head, seen from above: interpolated between electrodes, blank where no electrode is near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.figures.eeg_head import Floats, interpolate, place, positions
from backend.figures.style import BLUE, QUIET, VERMILLION, finish

FEWEST = 4  # electrodes from which anything between them is drawn
REACH = np.deg2rad(32)  # between neighbours of the 10-20 system lie 36 degrees at most, so its 19 electrodes leave no hole
HEAD = np.deg2rad(90)  # outline: the ring of the nasion, ears and inion; Fpz, T7, Oz lie at 72
_BELOW = np.deg2rad(106)  # colour goes to the outline, or this far where electrodes lie below it
_GRID = 121
_TEN_TWENTY = frozenset("Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2 T3 T4 T5 T6".split())
_DIVERGING = [[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]]


def topomap(
    electrodes: Sequence[str], values: Sequence[float], title: str, unit: str, symmetric: bool = False
) -> tuple[Any, list[dict[str, Json]], str]:
    """One map.

    Parameters
    ----------
    electrodes : sequence of str
        10-20 or 10-05 names. Those that are none are left out and named in the words.
    values : sequence of float
        One each; NaN is drawn as a cross and takes no part.
    unit : str
        Of the values; '' for none.
    symmetric : bool
        Blue below zero, white none, orange-red above, the scale even about zero; else viridis from least to most.

    Returns
    -------
    figure : plotly Figure
    rows : list of dict
        Its numbers, a row an electrode.
    words : str
        The text alternative.

    Raises
    ------
    InputError
        When no electrode has a known place.
    """
    figure, rows, words = topomaps(electrodes, {title: values}, title, unit, symmetric)
    figure.layout.annotations = ()  # one map needs no second title
    return figure, [{"electrode": row["electrode"], "value": row["value"], "unit": unit} for row in rows], words


def topomaps(
    electrodes: Sequence[str], maps: Mapping[str, Sequence[float]], title: str, unit: str, symmetric: bool = False, common: bool = True
) -> tuple[Any, list[dict[str, Json]], str]:
    """Several maps side by side, on one scale or (`common` False) each on its own; returns as `topomap`."""
    from plotly.subplots import make_subplots

    placed = [n for n, name in enumerate(electrodes) if place(name) is not None]
    if not placed:
        raise InputError("None of these channels is at a known electrode, so there is no map.", "Give them electrodes in the channel map.")
    names = [electrodes[n] for n in placed]
    columns = {heading: np.asarray(values, np.float64)[placed] for heading, values in maps.items()}
    figure = make_subplots(1, len(columns), subplot_titles=list(columns), horizontal_spacing=0.02)
    every = np.concatenate(list(columns.values()))
    for at, values in enumerate(columns.values(), 1):
        shown = every if common else values
        bar = at == len(columns) or not common
        _draw(figure, at, names, values, _range(shown, symmetric), symmetric, unit, bar, common, small=len(columns) > 1)
    finish(figure, title if common or not unit else f"{title} ({unit})", 330 if len(columns) == 1 else 300)
    reach = HEAD * 1.2
    figure.update_xaxes(visible=False, range=[-reach, reach], constrain="domain")
    figure.update_yaxes(visible=False, range=[-reach, reach])
    for at in range(1, len(columns) + 1):
        figure.update_yaxes(scaleanchor=f"x{'' if at == 1 else at}", row=1, col=at)
    figure.update_layout(showlegend=False, margin={"l": 8, "r": 8, "t": 44 if len(columns) == 1 else 72, "b": 8})
    rows: list[dict[str, Json]] = [
        {"map": heading, "electrode": name, "value": None if np.isnan(value) else float(value), "unit": unit}
        for heading, values in columns.items()
        for name, value in zip(names, values, strict=True)
    ]
    return figure, rows, _words(electrodes, names, columns, title, unit)


def _surface(names: Sequence[str], values: Floats) -> tuple[Floats, Floats]:
    """Grid axis and interpolated values on it, NaN where nothing is to be said."""
    flat = positions(names)
    edge = _BELOW if np.nanmax(np.hypot(*flat.T)) > HEAD + 0.02 else HEAD
    axis = np.linspace(-edge, edge, _GRID)
    x, y = np.meshgrid(axis, axis)
    angle = np.hypot(x, y)
    ratio = np.divide(np.sin(angle), angle, out=np.ones_like(angle), where=angle > 1e-9)
    sphere = np.stack([x * ratio, y * ratio, np.cos(angle)], -1).reshape(-1, 3)
    known = np.isfinite(values)
    drawn = np.full(len(sphere), np.nan)
    if known.sum() >= FEWEST:
        places = np.array([place(name) for name, good in zip(names, known, strict=True) if good], np.float64)
        near = ((sphere @ places.T).max(axis=1) >= np.cos(REACH)) & (angle.ravel() <= edge)
        drawn[near] = interpolate(places, values[known], sphere[near])
    return axis, drawn.reshape(x.shape)


def _range(values: Floats, symmetric: bool) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if symmetric:
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _draw(
    figure: Any,
    at: int,
    names: Sequence[str],
    values: Floats,
    ends: tuple[float, float],
    symmetric: bool,
    unit: str,
    bar: bool,
    common: bool,
    small: bool,
) -> None:
    axis, drawn = _surface(names, values)
    low, high = ends
    scale: Any = _DIVERGING if symmetric else "Viridis"
    domain = figure.layout[f"xaxis{'' if at == 1 else at}"].domain
    across: dict[str, Any] = {"thickness": 10, "title": {"text": unit}, "len": 0.8, "nticks": 4}
    if not common:
        across |= {
            "title": {"text": ""},
            "orientation": "h",
            "x": sum(domain) / 2,
            "y": -0.02,
            "yanchor": "top",
            "len": (domain[1] - domain[0]) * 0.8,
        }
    figure.add_heatmap(
        x=axis,
        y=axis,
        z=drawn.astype(np.float32),
        zmin=low,
        zmax=high,
        colorscale=scale,
        showscale=bar,
        colorbar=across,
        hoverinfo="skip",
        row=1,
        col=at,
    )
    _outline(figure, at)
    flat = positions(names)
    known = np.isfinite(values)
    plain = known.sum() < FEWEST  # no colour under the dots: they carry it
    labelled = set(names) if len(names) <= (21 if small else 34) else set() if small else _TEN_TWENTY
    size = 3 if small and len(names) > 21 else 5
    for kind, symbol in ((known, "circle"), (~known, "x-thin")):
        chosen = np.flatnonzero(kind).tolist()
        if not chosen:
            continue
        marker: dict[str, Any] = {"symbol": symbol, "size": size, "color": "#111111", "line": {"width": 1, "color": "#FFFFFF"}}
        if symbol == "x-thin":
            marker |= {"size": 8, "line": {"width": 2, "color": "#111111" if symmetric else "#FFFFFF"}}
        elif plain:
            marker |= {"size": 16, "color": values[chosen], "cmin": low, "cmax": high, "colorscale": scale, "line": {"color": QUIET}}
            marker |= {"showscale": bar, "colorbar": across}
        under = drawn[np.searchsorted(axis, flat[chosen, 1]).clip(0, _GRID - 1), np.searchsorted(axis, flat[chosen, 0]).clip(0, _GRID - 1)]
        dark = [not symmetric and bool(value < low + 0.55 * (high - low)) for value in under]
        rim = (np.hypot(*flat[chosen].T) > HEAD - 0.1).tolist()  # their names stand outside the head
        figure.add_scatter(
            x=flat[chosen, 0],
            y=flat[chosen, 1],
            mode="markers+text",
            marker=marker,
            text=[names[n] if names[n] in labelled else "" for n in chosen],
            textposition=[("middle left" if flat[n, 0] < 0 else "middle right") if low_down else "top center"
                          for n, low_down in zip(chosen, rim, strict=True)],
            textfont={"size": 10, "color": [QUIET if plain or low_down else "#FFFFFF" if white else "#111111"
                                            for white, low_down in zip(dark, rim, strict=True)]},
            customdata=[f"{names[n]}: {_number(values[n])} {unit}".strip() if known[n] else f"{names[n]}: no value" for n in chosen],
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
            row=1,
            col=at,
        )  # fmt: skip


def _outline(figure: Any, at: int) -> None:
    """Head, nose and ears."""
    turn = np.linspace(0, 2 * np.pi, 90)
    parts = [
        (HEAD * np.cos(turn), HEAD * np.sin(turn)),
        (HEAD * np.array([-0.11, 0, 0.11]), HEAD * np.array([0.994, 1.12, 0.994])),
        (HEAD * np.array([-0.99, -1.06, -1.08, -1.06, -0.99]), HEAD * np.array([0.16, 0.14, 0, -0.16, -0.18])),
        (HEAD * np.array([0.99, 1.06, 1.08, 1.06, 0.99]), HEAD * np.array([0.16, 0.14, 0, -0.16, -0.18])),
    ]
    for x, y in parts:
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": QUIET, "width": 2}, hoverinfo="skip", row=1, col=at)


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _words(electrodes: Sequence[str], names: Sequence[str], columns: Mapping[str, Floats], title: str, unit: str) -> str:
    told = [f"{title}. Head seen from above, {len(names)} electrodes."]
    for heading, values in columns.items():
        known = np.flatnonzero(np.isfinite(values)).tolist()
        lead = f"{heading}: " if len(columns) > 1 else ""
        if not known:
            told.append(f"{lead}no values.")
            continue
        most, least = known[int(values[known].argmax())], known[int(values[known].argmin())]
        high, low = (f"{names[n]} ({_number(values[n])} {unit})" for n in (most, least))
        told.append(f"{lead}{'h' if lead else 'H'}ighest at {high}, lowest at {low}.")
        if len(known) < FEWEST:
            told.append(f"Fewer than {FEWEST} values, so nothing is drawn between the electrodes.")
        if lost := [names[n] for n in range(len(names)) if n not in known]:
            told.append(f"Without value: {', '.join(lost[:12])}.")
    if unknown := [name for name in electrodes if name not in names]:
        told.append(f"Not on the map, their place being unknown: {', '.join(unknown[:12])}.")
    return " ".join(told).replace(" )", ")")
