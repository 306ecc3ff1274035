"""Systems compared on labelled data: a dot for the value, a line for its 95% interval."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json
from backend.figures.style import CATEGORIES, SYMBOLS, finish

Cells = Mapping[str, Mapping[str, Json]]
Clear = Mapping[str, Mapping[str, bool]]

_WORDS = {
    "f1": "F1",
    "macro_f1": "macro-F1",
    "ece": "expected calibration error",
    "accuracy@60": "accuracy over the surest 60%",
    "coverage90": "90% sets cover",
    "set_size": "answers in a 90% set",
    "map": "mean average precision",
    "spearman": "Spearman's rank correlation",
    "kappa": "Cohen's kappa",
    "validation": "balanced accuracy, held-out trials",
    "balanced_accuracy": "balanced accuracy",
    "next_session": "balanced accuracy expected next time",
    "p": "p of a chance result",
}
_FIRST = {"ndcg": "nDCG of the first", "hit": "a right one among the first", "mrr": "reciprocal rank within the first"}
_NAMED = 4  # more systems than these are counted in a headline, not named


def metric_words(name: str) -> str:
    """A figure's name as people say it: 'macro_f1' is macro-F1, 'chemical_f1' is F1 of chemicals, 'recall@10' recall in the first 10."""
    if name in _WORDS:
        return _WORDS[name]
    if found := re.fullmatch(r"(\w+)@(\d+)", name):
        return f"{_FIRST.get(found[1], f'{found[1]} in the first')} {found[2]}"
    if found := re.fullmatch(r"(.+)_(precision|recall|f1)", name):
        return f"{_WORDS.get(found[2], found[2])}, {found[1].replace('_', ' ')}"
    return name.replace("_", " ")


def plot_metrics(systems: Mapping[str, Cells], n: int, clear: Clear | None = None, seen: Sequence[str] = ()) -> Any:
    """One row a metric, one symbol a system.

    Parameters
    ----------
    systems : mapping
        ``{system: {metric: {"value", "low", "high"}}}``, at most 1; the interval may be None.
    n : int
        Number of cases: questions, variants, sequences.
    clear, seen
        As of `headline`.
    """
    import plotly.graph_objects as go

    metrics = _metrics(systems)
    names = [metric_words(metric) for metric in metrics]
    figure = go.Figure()
    step = 0.8 / max(len(systems), 1)
    for at, (name, values) in enumerate(systems.items()):
        rows = [(row, values[metric]) for row, metric in enumerate(metrics) if metric in values]
        figure.add_scatter(
            x=[cell["value"] for _, cell in rows],
            y=[row + (at - (len(systems) - 1) / 2) * step for row, _ in rows],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [0.0 if cell["high"] is None else cell["high"] - cell["value"] for _, cell in rows],
                "arrayminus": [0.0 if cell["low"] is None else cell["value"] - cell["low"] for _, cell in rows],
                "thickness": 1.5,
                "width": 0,
            },
            mode="markers",
            name=name,
            marker={"color": CATEGORIES[at % len(CATEGORIES)], "symbol": SYMBOLS[at % len(SYMBOLS)], "size": 9},
            customdata=[[names[row], _interval(cell)] for row, cell in rows],
            hovertemplate=f"{name}<br>%{{customdata[0]}} %{{x:.3f}}%{{customdata[1]}}<extra></extra>",
        )
    finish(figure, headline(systems, n, clear, seen), 110 + 84 * len(metrics))
    figure.update_yaxes(tickvals=list(range(len(metrics))), ticktext=names, range=[len(metrics) - 0.5, -0.5])
    zero = f"; of the {metric_words('ece')} 0" if "ece" in metrics else ""
    figure.update_xaxes(title=f"value, with 95% interval (1 is perfect{zero})")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def describe_metrics(systems: Mapping[str, Cells], n: int, clear: Clear | None = None, seen: Sequence[str] = ()) -> str:
    """The figure in words."""
    parts = [
        f"{name}: " + ", ".join(f"{metric_words(metric)} {cell['value']:.2f}{_interval(cell, 2)}" for metric, cell in values.items())
        for name, values in systems.items()
    ]
    return f"{headline(systems, n, clear, seen)}. " + "; ".join(parts) + "."


def headline(systems: Mapping[str, Cells], n: int, clear: Clear | None = None, seen: Sequence[str] = ()) -> str:
    """What the figures allow to say; 'highest' only where a system is told from every other.

    Parameters
    ----------
    clear : mapping, optional
        ``{system: {other: whether a test on the same cases tells them apart}}``; of a pair without a test the intervals decide, which
        must not overlap.
    seen : sequence of str
        Systems that were trained on some of the cases: what they reach is no test.
    """
    metrics = _metrics(systems)
    if not metrics:
        return "Nothing was measured"
    if seen:
        return f"No test of {_and(list(seen))}: trained on some or all of these {n:,} cases"
    chosen = _telling(systems, metrics)
    words, held = metric_words(chosen), {name: values[chosen] for name, values in systems.items() if chosen in values}
    if len(held) == 1:
        ((name, cell),) = held.items()
        return f"{words[:1].upper()}{words[1:]} of {name}: {cell['value']:.2f}{_interval(cell, 2)}, {n:,} cases"
    if any(cell["low"] is None for cell in held.values()):
        return f"{words[:1].upper()}{words[1:]} of {len(held)} systems over {n:,} cases"
    first, *others = sorted(held, key=lambda name: -held[name]["value"])
    near = [name for name in others if not _told_apart(first, name, held, clear or {})]
    if not near:
        return f"{first} has the highest {words} over {n:,} cases"
    return f"No clear difference in {words} between {_and([first, *near])} over {n:,} cases"


def _telling(systems: Mapping[str, Cells], metrics: Sequence[str]) -> str:
    """The metric that a headline is about: the first with intervals; F1 where precision and recall stand for two halves of it."""
    bounded = [metric for metric in metrics if all(v[metric]["low"] is not None for v in systems.values() if metric in v)]
    first = next(iter(bounded), metrics[0])
    return "f1" if first == "precision" and "f1" in metrics else first


def _told_apart(better: str, other: str, cells: Cells, clear: Clear) -> bool:
    tested = clear.get(better, {}).get(other, clear.get(other, {}).get(better))
    return bool(cells[better]["low"] > cells[other]["high"] if tested is None else tested)


def _and(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"the first {len(names)} systems"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _interval(cell: Mapping[str, Json], digits: int = 3) -> str:
    return "" if cell["low"] is None else f" ({cell['low']:.{digits}f}-{cell['high']:.{digits}f})"


def _metrics(systems: Mapping[str, Mapping[str, Json]]) -> list[str]:
    return list(dict.fromkeys(metric for values in systems.values() for metric in values))
