"""Relations as a drawing: names on a circle, an arrow from head to tail, the relation written on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, VERMILLION, finish

_MOST = 30  # relations drawn; more would be a knot


def plot_relations(relations: Sequence[Mapping[str, Json]]) -> Any:
    """The most probable relations. What names words that are not in the text is dotted, and its names are hollow diamonds.

    Parameters
    ----------
    relations : sequence of mapping
        As in the prediction of literature.relations, most probable first.
    """
    import plotly.graph_objects as go

    shown = _once(relations)[:_MOST]
    places, spelled = _circle(shown)
    figure = go.Figure()
    for at, each in enumerate(shown):
        along = 0.34 + 0.11 * (at % 3)  # so that the words of crossing arrows do not lie on each other
        (x0, y0), (x1, y1) = places[each["head"].casefold()], places[each["tail"].casefold()]
        colour, dash = (BLUE, "solid") if each["verified"] else (VERMILLION, "dot")
        figure.add_scatter(
            x=[x0, x1], y=[y0, y1], mode="lines", line={"color": colour, "width": 1.6, "dash": dash}, hoverinfo="skip", showlegend=False
        )
        figure.add_annotation(
            x=x1, y=y1, ax=x0 + 0.6 * (x1 - x0), ay=y0 + 0.6 * (y1 - y0), xref="x", yref="y", axref="x", ayref="y",
            arrowhead=3, arrowsize=1.3, arrowwidth=1.6, arrowcolor=colour, standoff=9, text="",
        )  # fmt: skip
        side = _beside(x1 - x0, y1 - y0)
        figure.add_annotation(
            x=x0 + along * (x1 - x0),
            y=y0 + along * (y1 - y0),
            text=_safe(str(each["relation"])),
            showarrow=False,
            font={"size": 12},
            **side,
        )
    found = {each[side].casefold() for each in relations for side in ("head", "tail") if each[f"{side}_at"] is not None}
    doubtful = places.keys() - found
    for title, names, symbol, colour in (
        ("in the text", [name for name in places if name not in doubtful], "circle", BLUE),
        ("not in the text", [name for name in places if name in doubtful], "diamond-open", VERMILLION),
    ):
        if names:
            figure.add_scatter(
                x=[places[name][0] for name in names],
                y=[places[name][1] for name in names],
                mode="markers+text",
                text=[f"\u2002{_short(spelled[name])}\u2002" for name in names],  # a space keeps it off its mark
                textposition=[_outside(*places[name]) for name in names],
                textfont={"size": 13},
                marker={"size": 13, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
                name=title,
                hovertext=[_safe(spelled[name]) for name in names],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    finish(figure, _title(relations), 300 + 16 * len(places))
    figure.update_xaxes(visible=False, range=[-2, 2])
    figure.update_yaxes(visible=False, range=[-1.25, 1.25])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top"}, showlegend=bool(doubtful))
    return figure


def describe_relations(relations: Sequence[Mapping[str, Json]]) -> str:
    """The drawing in words."""
    listed = "; ".join(
        f"{each['head']} {each['relation']} {each['tail']} ({each['score']:.2f}{'' if each['verified'] else ', not verified'})"
        for each in _once(relations)[:_MOST]
    )
    return f"{_title(relations)}. {listed}."


def _title(relations: Sequence[Mapping[str, Json]]) -> str:
    once = _once(relations)
    names = {each[side].casefold() for each in once for side in ("head", "tail")}
    doubtful = sum(not each["verified"] for each in once)
    some = f"; {doubtful:,} not verified" if doubtful else ""
    cut = f" (the {_MOST} most probable are drawn)" if len(once) > _MOST else ""
    different = "different " if len(once) < len(relations) else ""
    return f"{len(once):,} {different}relation{'s' if len(once) != 1 else ''} between {len(names):,} names{some}{cut}"


def _once(relations: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """Each relation of the same names once: the first that is verified, else the first."""
    best: dict[tuple[str, str, str], Mapping[str, Json]] = {}
    for each in relations:
        key = (each["head"].casefold(), each["relation"].casefold(), each["tail"].casefold())
        if key not in best or (each["verified"] and not best[key]["verified"]):
            best[key] = each
    return list(best.values())


def _beside(dx: float, dy: float) -> dict[str, Any]:
    """Where the words of an arrow stand: beside it, never on it."""
    length = math.hypot(dx, dy) or 1.0
    across, up = -dy / length, dx / length
    if up < 0:
        across, up = -across, -up
    anchor = "center" if abs(across) < 0.35 else "left" if across > 0 else "right"
    return {"xshift": 8 * across, "yshift": 10 * up, "xanchor": anchor}


def _outside(x: float, y: float) -> str:
    """Where a name stands: outside of the circle."""
    if abs(x) < 0.35:
        return "top center" if y > 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"


def _circle(relations: Sequence[Mapping[str, Json]]) -> tuple[dict[str, tuple[float, float]], dict[str, str]]:
    """A place for every name, related ones beside each other, and how it is spelled."""
    spelled: dict[str, str] = {}
    order: list[str] = []
    waiting = [(each["head"], each["tail"]) for each in relations]
    while waiting:
        head, tail = waiting.pop(0)
        for name in (head, tail):
            if name.casefold() not in spelled:
                spelled[name.casefold()] = name
                order.append(name.casefold())
        waiting.sort(key=lambda pair: not {name.casefold() for name in pair} & spelled.keys())
    turn = 2 * math.pi / max(1, len(order))
    begin = math.pi if len(order) == 2 else math.pi / 2
    return {name: (math.cos(begin - at * turn), math.sin(begin - at * turn)) for at, name in enumerate(order)}, spelled


def _short(name: str) -> str:
    return _safe(name if len(name) <= 28 else f"{name[:16]}...{name[-9:]}")


def _safe(name: str) -> str:
    """A name as Plotly shows it: it reads a few HTML tags of its own."""
    return " ".join(name.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
