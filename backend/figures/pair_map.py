"""Pairs of places with a probability each, as squares above the diagonal: larger and brighter the more probable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from backend.figures.style import QUIET

Name = Callable[[Iterable[tuple[int, int]]], Sequence[str]]


def add_pairs(figure: Any, pairs: Sequence[Sequence[float]], places: Any, *, label: str, name: Name, largest: float) -> None:
    """Draw pairs (letter, letter, probability); those drawn last lie on top, so the most probable come last.

    Parameters
    ----------
    places : array of int
        Place of each letter in the user's numbering.
    label : str
        What they are, in the legend.
    name : callable
        Names of pairs, for the hover.
    largest : float
        Side of a square of probability 1, in pixels.
    """
    first, second = (np.array([pair[at] for pair in pairs], dtype=int) for at in (0, 1))
    chance = np.array([pair[2] for pair in pairs], dtype=float)
    figure.add_scatter(
        x=places[second],
        y=places[first],
        name=label,
        mode="markers",
        marker={
            "symbol": "square",
            "size": np.maximum(np.sqrt(chance) * largest, 2.5),
            "color": chance,
            "colorscale": "Cividis",
            "cmin": 0,
            "cmax": 1,
            "line": {"color": QUIET, "width": 0.5},
            "colorbar": {"title": {"text": "probability"}, "thickness": 12, "len": 0.6, "tickformat": ".0%"},
        },
        customdata=name(zip(first, second, strict=True)),
        hovertemplate="%{customdata}: %{marker.color:.1%}<extra></extra>",
    )
