"""What all figures share: Okabe-Ito colours, quiet axes, room for a title that states what is seen."""

from __future__ import annotations

from typing import Any

# Okabe & Ito 2008, "Color Universal Design": told apart with every common colour vision.
BLUE, ORANGE, GREEN, VERMILLION, SKY, PINK, YELLOW = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442"
CATEGORIES = (BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY, YELLOW)
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")
QUIET = "#8A9799"  # 3:1 or better on both page backgrounds


def finish(figure: Any, title: str, height: int) -> Any:
    """Give a figure its title, margins and transparent ground, so that it stands on light and dark pages."""
    figure.update_layout(
        title={"text": title, "x": 0, "xanchor": "left", "font": {"size": 15}},
        font={"size": 13},
        height=height,
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
    )
    figure.update_xaxes(automargin=True, showline=True, linecolor=QUIET, gridcolor="rgba(138,151,153,0.25)", zeroline=False)
    figure.update_yaxes(automargin=True, gridcolor="rgba(138,151,153,0.25)", zeroline=False)
    return figure


CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "toImageButtonOptions": {"format": "svg", "filename": "bioloom"}}
"""How Plotly shows a figure: one button, which saves it."""
