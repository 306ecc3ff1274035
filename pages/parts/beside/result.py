"""Two runs of one task set side by side: agreement in words first, then what differs, then both results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.markup import escape, facts, html, kicker, moment, some, span
from pages.parts.models.listing import parameters
from pages.parts.run_view import show_run

if TYPE_CHECKING:
    from backend.domain import ModelCard
    from backend.side_by_side import Comparison

_MOST_LINES = 100


def show_result(first: Run, second: Run) -> None:
    """How far they agree, where they differ, and both drawn whole."""
    from backend.side_by_side import compare

    found = compare(first, second)
    _sides(found)
    for warning in found.warnings:
        st.warning(warning, icon=":material/info:")
    show_agreement(found)
    with st.container(key="beside"):
        left, right = st.columns(2, gap="large")
        for column, run, place in ((left, first, "First"), (right, second, "Second")):
            with column:
                html(f"<h3>{place}: {escape(_title(run))}</h3>")
                show_run(run)


def show_agreement(found: Comparison) -> None:
    """How far two results agree, and what differs."""
    kicker("How far they agree")
    if found.agreements:
        html("<dl>" + "".join(f"<dt>{escape(each.name)}</dt><dd>{escape(each.text)}</dd>" for each in found.agreements) + "</dl>")
        st.caption("Agreement is not truth: two models can be wrong together. 'Check it yourself' measures each on labelled data of yours.")
    elif not found.differences:
        st.success("The two results are the same within 0.0001.", icon=":material/check:")
    else:
        st.caption("This task has no measure of agreement of its own: what differs is listed entry by entry.")
    _differences(found)


def _sides(found: Comparison) -> None:
    left, right = st.columns(2, gap="large")
    for column, run, place in ((left, found.first, "First"), (right, found.second, "Second")):
        with column:
            kicker(place)
            card = _card(run)
            rows = [("Model", _title(run)), ("Input", run.title), ("Run", f"{run.id}, {moment(run.created)}"), ("Took", span(run.seconds))]
            if card is not None:
                rows.insert(1, ("Parameters", parameters(card.parameters)))
                rows.insert(2, ("Licence", card.licence))
            facts(rows)


def _differences(found: Comparison) -> None:
    if not found.differences:
        return
    count = len(found.differences)
    with st.expander(f"What differs, entry by entry: {some(count, 'number or entry', 'numbers or entries')}"):
        html("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in found.differences[:_MOST_LINES]) + "</ul>")
        if count > _MOST_LINES:
            st.caption(f"The first {_MOST_LINES} are listed; the exports of both runs hold all.")


def _title(run: Run) -> str:
    card = _card(run)
    return f"{card.title if card else run.model['name']}{' (untrained)' if run.model.get('untrained') else ''}"


def _card(run: Run) -> ModelCard | None:
    """The model's card; None where its folder was taken off the list since."""
    from backend.errors import ModelError
    from backend.models.registry import get_card

    try:
        return get_card(str(run.model["name"]), bench().config)
    except ModelError:
        return None
