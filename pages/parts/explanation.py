"""Why: an explanation drawn on the text itself, with the test of how far it can be trusted beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.profiles.wording import HOLDS_MEANS, Level, holds, points, why, why_details
from pages.parts.figure import show_figure, to_csv
from pages.parts.markup import escape, facts, html, plain

_STRONGEST = 0.55  # share of colour under the largest value: text on it keeps a contrast above 4.5 in both themes


def show_explanation(explanation: Mapping[str, Any], text: str, name: str, level: Level, window: tuple[int, int] | None = None) -> None:
    """Coloured text left, its test right; the same numbers as a table below.

    Parameters
    ----------
    explanation : mapping
        JSON of `backend.domain.Explanation`; places count characters of `text`.
    name : str
        Names the widgets and the downloads.
    level : str
        Reading level: how much is said, and what first.
    window : tuple of int, optional
        The part of `text` to show; all of what the explanation covers unless given.
    """
    trust, unit = explanation["faithfulness"], points(str(explanation["unit"]), level)
    left, right = st.columns([5, 3], gap="large")
    with left:
        html(coloured(explanation, text, window), css="bl bl-attr")
        html(_scale(explanation, unit), css="bl bl-scale")
        with st.expander("The same as a table, and the test in words"):
            _table(explanation, unit, name)
            _words(trust, unit)
            if level != "expert":
                facts([(line.words, line.figure) for line in why_details(explanation, level)])
    with right:
        show_trust(bool(trust["reliable"]), str(trust["reason"]))
        _deletion(trust, unit, name)
        facts([(line.words, line.figure) for line in why(explanation, level)])


def show_trust(reliable: bool, reason: str) -> None:
    """Whether an explanation holds, why, and what that does not say."""
    html(
        f'<span class="bl-label{"" if reliable else " bl-no"}">{escape(holds(reliable))}</span>'
        f'<p style="margin:.4rem 0">{escape(reason)}</p><p class="bl-soft">{escape(HOLDS_MEANS)}</p>'
    )


def coloured(explanation: Mapping[str, Any], text: str, window: tuple[int, int] | None = None) -> str:
    """The text with every part tinted by its share: value on hover, sign by underline, unseen parts marked as such."""
    parts = [item for item in explanation["attributions"] if 0 <= item["start"] < item["end"]]
    unseen = [{"start": start, "end": end, "value": None} for start, end in explanation.get("unseen", ())]
    parts += [item for item in unseen if not any(p["start"] <= item["start"] < p["end"] and p["value"] is None for p in parts)]
    parts.sort(key=lambda item: (item["start"], item["end"]))
    low = window[0] if window else min((item["start"] for item in parts), default=0)
    high = window[1] if window else max((item["end"] for item in parts), default=len(text))
    most = _most(explanation)
    out, at = [], low
    for item in parts:
        start, end = max(item["start"], at), min(item["end"], high)
        if start >= end:
            continue
        out += [escape(text[at:start]), _part(item["value"], text[start:end], most, str(explanation["unit"]))]
        at = end
    return "".join([*out, escape(text[at:high])])


def _part(value: float | None, text: str, most: float, unit: str) -> str:
    if value is None:
        return f'<span class="bl-unseen" title="The model did not see this part.">{escape(text)}</span>'
    share = abs(value) / most if most else 0.0
    tint = f"background:color-mix(in srgb, var(--bl-{'for' if value >= 0 else 'against'}) {share * _STRONGEST:.0%}, transparent)"
    css = "" if share < 0.05 else "bl-plus" if value > 0 else "bl-minus"
    thick = f";text-decoration-thickness:{1 + 2 * share:.1f}px" if css else ""
    figure = f"<sup>{value:+.2f}</sup>" if share >= 0.5 else ""
    return f'<span class="{css}" style="{tint}{thick}" title="{value:+.4f} {escape(unit)}">{escape(text)}</span>{figure}'


def _most(explanation: Mapping[str, Any]) -> float:
    return max((abs(item["value"]) for item in explanation["attributions"] if item["value"] is not None), default=0.0)


def _scale(explanation: Mapping[str, Any], unit: str) -> str:
    most = _most(explanation)
    unseen = " <span class='bl-unseen'>not seen by the model</span>" if explanation.get("unseen") else ""
    return (
        f"<span>−{most:.2f} against</span><i></i><span>+{most:.2f} for, {escape(unit)}; "
        f"<span class='bl-plus'>solid</span> raises, <span class='bl-minus'>dotted</span> lowers</span>{unseen}"
    )


def _table(explanation: Mapping[str, Any], unit: str, name: str) -> None:
    rows = sorted(explanation["attributions"], key=lambda item: -abs(item["value"] or 0.0))
    st.dataframe(
        [{"Part": item["label"], f"Share ({unit})": item["value"], "Seen": item["value"] is not None} for item in rows],
        hide_index=True,
        column_config={f"Share ({unit})": st.column_config.NumberColumn(format="%+.4f")},
        height=min(38 * (len(rows) + 1), 360),
    )
    numbers = [{"part": item["label"], "share": item["value"], "start": item["start"], "end": item["end"]} for item in rows]
    st.download_button(
        "CSV of the shares", to_csv(numbers), f"bioloom-{name}.csv", "text/csv", key=f"shares-{name}", on_click="ignore", type="tertiary"
    )


def _deletion(trust: Mapping[str, Any], unit: str, name: str) -> None:
    if not trust["random_areas"]:
        return
    from backend.figures.deletion import describe_deletion, plot_deletion

    areas = [("this explanation", trust["deletion_area"]), *(("random", area) for area in trust["random_areas"])]
    rows = [{"order": order, f"mean {unit} during removal": area} for order, area in areas]
    show_figure(plot_deletion(trust, unit), describe_deletion(trust, unit), f"deletion-{name}", rows)


def _words(trust: Mapping[str, Any], unit: str) -> None:
    from backend.figures.deletion import describe_deletion

    st.caption(plain(describe_deletion(trust, unit)))
