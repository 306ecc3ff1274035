"""Relations as a drawing: names on a circle, a shape for each kind, an arrow from head to tail, the relation written on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, GREEN, ORANGE, PINK, QUIET, VERMILLION, finish
from backend.literature.relation_rows import ASKED, ASSERTED, DENIED, said_as, sure_of
from backend.literature.relation_words import in_words
from backend.models.typed_pairs import known_kind

_MOST = 30  # relations drawn; more would be a knot
_LOOKS = {  # name in the legend, shape and colour of each kind
    "chemical": ("chemical", "circle", BLUE),
    "disease": ("disease", "square", ORANGE),
    "gene": ("gene or protein", "diamond", GREEN),
    "": ("in the text", "circle-open", BLUE),
}
_OTHER = ("other kind", "triangle-up", PINK)
_DOUBTFUL = ("not in the text", "x-open", VERMILLION)


def plot_relations(relations: Sequence[Mapping[str, Json]]) -> Any:
    """The most probable relations. One that its sentence denies or asks after is dashed, and says so in words.

    One that names words that are not in the text is dotted, its names are crosses.

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
        _arrow(figure, each, places[each["head"].casefold()], places[each["tail"].casefold()], 0.34 + 0.11 * (at % 3))
    looks = _looks(relations)
    for look in dict.fromkeys(looks[name] for name in places):
        title, symbol, colour = look
        names = [name for name in places if looks[name] == look]
        figure.add_scatter(
            x=[places[name][0] for name in names],
            y=[places[name][1] for name in names],
            mode="markers",
            marker={"size": 13, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
            name=title,
            hovertext=[_safe(f"{spelled[name]}, {title}") for name in names],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    for name, (x, y) in places.items():
        figure.add_annotation(x=x, y=y, text=_short(spelled[name]), showarrow=False, font={"size": 13}, **_outside(x, y))
    finish(figure, _title(relations), 240 + 22 * len(places))
    figure.update_xaxes(visible=False, range=[-2, 2])
    figure.update_yaxes(visible=False, range=[-1.25, 1.25])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top"}, showlegend=set(looks.values()) != {_LOOKS[""]})
    return figure


def _arrow(figure: Any, each: Mapping[str, Json], start: tuple[float, float], end: tuple[float, float], along: float) -> None:
    """An arrow with its relation written beside it, `along` its way: at other places for each, so that words do not lie on each other."""
    (x0, y0), (x1, y1) = start, end
    colour, dash = _line(each)
    figure.add_scatter(
        x=[x0, x1], y=[y0, y1], mode="lines", line={"color": colour, "width": 1.6, "dash": dash}, hoverinfo="skip", showlegend=False
    )
    figure.add_annotation(
        x=x1, y=y1, ax=x0 + 0.6 * (x1 - x0), ay=y0 + 0.6 * (y1 - y0), xref="x", yref="y", axref="x", ayref="y",
        arrowhead=3, arrowsize=1.3, arrowwidth=1.6, arrowcolor=colour, standoff=9, text="",
    )  # fmt: skip
    said = in_words(each) if said_as(each) == ASSERTED else f"{in_words(each)} ({said_as(each)})"
    figure.add_annotation(
        x=x0 + along * (x1 - x0),
        y=y0 + along * (y1 - y0),
        text=_safe(said),
        showarrow=False,
        font={"size": 12},
        **_beside(x1 - x0, y1 - y0),
    )


def _line(each: Mapping[str, Json]) -> tuple[str, str]:
    """Colour and dash of an arrow."""
    if not each["verified"]:
        return VERMILLION, "dot"
    return QUIET, "solid" if said_as(each) == ASSERTED else "dash"


def _looks(relations: Sequence[Mapping[str, Json]]) -> dict[str, tuple[str, str, str]]:
    """How each name is drawn, by its kind; a name that stands nowhere in the text as doubtful."""
    made: dict[str, tuple[str, str, str]] = {}
    for each in relations:
        for side in ("head", "tail"):
            name = each[side].casefold()
            if each[f"{side}_at"] is None:
                made.setdefault(name, _DOUBTFUL)
            elif made.get(name, _DOUBTFUL) == _DOUBTFUL:
                kind = known_kind(str(each.get(f"{side}_kind") or ""))
                made[name] = _OTHER if kind is None else _LOOKS[kind]
    return made


def describe_relations(relations: Sequence[Mapping[str, Json]]) -> str:
    """The drawing in words."""
    listed = "; ".join(
        f"{each['head']} {in_words(each)} {each['tail']} ({sure_of(each):.2f}{_doubts(each)})" for each in _once(relations)[:_MOST]
    )
    return f"{_title(relations)}. {listed}."


def _doubts(each: Mapping[str, Json]) -> str:
    cue = each.get("denied") or each.get("asked")
    return ("" if each["verified"] else ", not verified") + (f", {said_as(each)} by '{cue}'" if cue else "")


def _title(relations: Sequence[Mapping[str, Json]]) -> str:
    once = _once(relations)
    names = {each[side].casefold() for each in once for side in ("head", "tail")}
    doubtful = sum(not each["verified"] for each in once)
    apart = [(name, sum(said_as(each) == name for each in once)) for name in (DENIED, ASKED)]
    some = "".join(f"; {count:,} {name}" for name, count in (*apart, ("not verified", doubtful)) if count)
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


def _outside(x: float, y: float) -> dict[str, Any]:
    """Where a name stands: outside of the circle, clear of its mark."""
    if abs(x) < 0.35:
        return {"yshift": 13, "yanchor": "bottom"} if y > 0 else {"yshift": -13, "yanchor": "top"}
    return {"xshift": 13, "xanchor": "left"} if x > 0 else {"xshift": -13, "xanchor": "right"}


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
