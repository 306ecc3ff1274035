"""What was read off a text: how often each name stands in it, and the verdict of every part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, CATEGORIES, QUIET, VERMILLION, finish
from backend.literature.judging import OPEN, called, headline

_MOST = 20  # names drawn
_PARTS = 30  # parts drawn
_HATCH = {"fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.45)", "size": 7}  # over the bar's own colour, which stays readable
_VERDICTS = (("yes", BLUE, ""), ("no", VERMILLION, "/"), ("maybe", QUIET, "."))


def plot_names(found: Mapping[str, Json]) -> Any:
    """Horizontal bars: how often each name is mentioned, its kind in colour and in words.

    Parameters
    ----------
    found : mapping
        Prediction of literature.entities.
    """
    import plotly.graph_objects as go

    counted = _counted(found)[:_MOST]
    figure = go.Figure()
    for at, kind in enumerate(found["kinds"]):
        rows = [(name, count) for (name, own), count in counted if own == kind]
        if rows:
            figure.add_bar(
                y=[f"{_short(name)} ({_safe(kind)})" for name, _ in rows],
                x=[count for _, count in rows],
                orientation="h",
                name=_safe(kind),
                marker={
                    "color": CATEGORIES[at % len(CATEGORIES)],
                    "pattern": {"shape": ("", "/", ".", "x", "-", "\\", "+")[at % 7], **_HATCH},
                },
                text=[str(count) for _, count in rows],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{y}: %{x}<extra></extra>",
            )
    finish(figure, _names_title(found), 90 + 26 * len(counted))
    figure.update_yaxes(categoryorder="array", categoryarray=[f"{_short(name)} ({_safe(kind)})" for (name, kind), _ in reversed(counted)])
    figure.update_xaxes(title="mentions", dtick=1 if counted[0][1] <= 10 else None)
    figure.update_layout(showlegend=False, bargap=0.25)
    return figure


def describe_names(found: Mapping[str, Json]) -> str:
    """The bars in words."""
    counted = _counted(found)
    listed = ", ".join(f"{name} ({kind}) {count}" for (name, kind), count in counted[:_MOST])
    more = f"; {len(counted) - _MOST:,} more names are in the table" if len(counted) > _MOST else ""
    return f"{_names_title(found)}. Mentions of each name: {listed}{more}."


def plot_verdicts(found: Mapping[str, Json]) -> Any:
    """A stacked bar a part, and one for all joined: probabilities of yes, no and maybe.

    Parameters
    ----------
    found : mapping
        Prediction of literature.verdict.
    """
    import plotly.graph_objects as go

    rows = _rows(found)
    figure = go.Figure()
    for column, (name, colour, pattern) in enumerate(_VERDICTS):
        shares = [shares[column] for _, shares in rows]
        figure.add_bar(
            y=[part for part, _ in rows],
            x=shares,
            orientation="h",
            name=name,
            marker={"color": colour, "pattern": {"shape": pattern, **_HATCH}},
            text=[f"{name} {share:.2f}" if share >= 0.12 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textfont={"color": "#FFFFFF" if name == "yes" else "#10191B"},
            hovertemplate=f"{name} %{{x:.3f}}<extra>%{{y}}</extra>",
        )
    finish(figure, _verdict_title(found), 120 + 30 * len(rows))
    figure.update_layout(
        barmode="stack",
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 8, "t": 76, "b": 8},
    )
    figure.update_xaxes(title="probability", range=[0, 1])
    figure.update_yaxes(autorange="reversed")
    return figure


def describe_verdicts(found: Mapping[str, Json]) -> str:
    """The bars in words."""
    rows = "; ".join(
        f"{part}: " + ", ".join(f"{name} {p:.2f}" for (name, *_), p in zip(_VERDICTS, shares, strict=True)) for part, shares in _rows(found)
    )
    return f"{_verdict_title(found)}. {rows}."


def _rows(found: Mapping[str, Json]) -> list[tuple[str, Sequence[float]]]:
    parts = [(f"part {at}", each["probabilities"]) for at, each in enumerate(found["contexts"][:_PARTS], start=1)]
    return [("joined", found["joined"]["probabilities"]), *parts]


def _verdict_title(found: Mapping[str, Json]) -> str:
    said, count = called(found["joined"]["probabilities"]), len(found["contexts"])
    same = sum(each["verdict"] == said for each in found["contexts"])
    shown = f" (the first {_PARTS} are drawn)" if count > _PARTS else ""
    if said == OPEN:
        return f"{headline(found['joined']['probabilities'])}{shown}"
    return f"Joined verdict {said}; {same:,} of {count:,} part{'s' if count != 1 else ''} say the same{shown}"


def _counted(found: Mapping[str, Json]) -> list[tuple[tuple[str, str], int]]:
    """(name, kind) with its number of mentions, most frequent first; a name is spelled as it stands first in the text."""
    spelled: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for each in found["mentions"]:
        key = (each["text"].casefold(), each["kind"])
        spelled.setdefault(key, each["text"])
        counts[key] += 1
    return [((spelled[key], key[1]), count) for key, count in counts.most_common()]


def _names_title(found: Mapping[str, Json]) -> str:
    counted = _counted(found)
    (name, _), count = counted[0]
    most = f"“{_short(name)}” is named most often ({count} times)" if count > 1 else "every name stands once"
    return f"{len(counted):,} names in {len(found['mentions']):,} mentions; {most}"


def _short(name: str) -> str:
    return _safe(name if len(name) <= 36 else f"{name[:20]}...{name[-12:]}")


def _safe(name: str) -> str:
    """A name as Plotly shows it: it reads a few HTML tags of its own."""
    return " ".join(name.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
