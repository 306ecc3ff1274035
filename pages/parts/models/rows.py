"""The list of models: families in plain words, one compact row a model; a click opens the whole card."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from pages.parts.bench import bench
from pages.parts.markup import escape, html, kicker, plain, size, some, strip
from pages.parts.models.listing import FILTERS, MODALITIES, Group, Row, gather, narrow, parameters, task_titles

_TASKS_SHOWN = 4
_HEAD = ("Parameters", "Licence", "Memory", "State", "Tasks")
_KEYS = ("models-task", "models-words", "models-filters")


def show_list() -> None:
    """Filters, then every family that is left."""
    groups = gather()
    _machine(groups)
    modality = str(
        st.segmented_control(
            "For", list(MODALITIES), default="literature", required=True, format_func=MODALITIES.__getitem__, key="models-for"
        )
    )
    left, middle, right = st.columns([3, 3, 5], vertical_alignment="bottom")
    names = sorted({task for group in narrow(groups, modality) for row in group.rows for task in row.card.tasks})
    titles = dict(zip(names, task_titles(names), strict=True))
    task = left.selectbox("Task", list(titles), index=None, format_func=titles.__getitem__, placeholder="any", key="models-task")
    words = middle.text_input("Name, family or licence", key="models-words", placeholder="any")
    filters = right.pills("Only", list(FILTERS), selection_mode="multi", key="models-filters")
    shown = narrow(groups, modality, task or "", words or "", list(filters or ()))
    if not shown:
        st.info("No model matches.", icon=":material/filter_alt_off:")
        st.button("Clear the filters", on_click=_clear, key="models-clear")
        return
    count = sum(len(group.rows) for group in shown)
    st.caption(f"{some(count, 'model')} in {some(len(shown), 'family', 'families')}. Choose a name for its card.")
    _header()
    for here, head in ((True, "On this machine"), (False, "To be fetched, or a folder of yours")):
        part = [group for group in shown if group.here is here]
        if part:
            kicker(head)
        for group in part:
            _family(group)


def _machine(groups: Iterable[Group]) -> None:
    from backend.models.device import available_bytes, device_name, pick_device

    config = bench().config
    rows = [row for group in groups for row in group.rows]
    loaded = [row.card.title for row in rows if row.state == "loaded" and row.card.files]
    strip(
        [
            ("This machine", device_name(config)),
            ("Memory free", size(available_bytes(pick_device(config)))),
            ("Models here", f"{sum(row.here for row in rows)} of {len(rows)}"),
            ("In memory now", ", ".join(loaded) or "none"),
        ]
    )


def _header() -> None:
    left, right = st.columns([5, 15], gap="small")
    with left:
        html("Model", css="bl bl-model-head")
    with right:
        html("".join(f"<span>{name}</span>" for name in _HEAD), css="bl bl-model bl-model-head")


def _family(group: Group) -> None:
    """The family's purpose and its rows; a family of one model is its row."""
    family, rows = group.family, group.rows
    about = f"<p>{escape(family.about)}</p>"
    with st.container(key=f"models-family-{family.name}", gap=None):
        if len(rows) == 1 and rows[0].card.title == family.title:
            html("", css="bl bl-family")
            _row(rows[0])
            html(about, css="bl bl-about")
            return
        html(f"<h4>{escape(family.title)}</h4>{about}", css="bl bl-family bl-about")
        for row in rows:
            _row(row)


def _row(row: Row) -> None:
    card = row.card
    left, right = st.columns([5, 15], gap="small")
    if left.button(plain(card.title), key=f"open-{card.name}", type="tertiary", help=plain(f"{card.title} ({card.name})")):
        st.query_params["model"] = card.name
        st.rerun()
    titles = task_titles(card.tasks)
    more = f" and {len(titles) - _TASKS_SHOWN} more" if len(titles) > _TASKS_SHOWN else ""
    cells = (
        (parameters(card.parameters), ""),
        (row.licence_words, card.licence),
        (row.fit_words, row.fit.reason),
        (f"{row.state_words}, untrained" if card.untrained else row.state_words, ""),
        (", ".join(titles[:_TASKS_SHOWN]) + more, ", ".join(titles)),
    )
    marks = (
        "",
        " bl-model-nc" if card.non_commercial else "",
        "" if row.fit.ok else " bl-model-no",
        " bl-model-here" if row.here else "",
        "",
    )
    spans = (
        f"<span class='{mark.strip()}' title='{escape(whole)}'>{escape(text)}</span>"
        for (text, whole), mark in zip(cells, marks, strict=True)
    )
    with right:
        html("".join(spans), css="bl bl-model")


def _clear() -> None:
    for key in _KEYS:
        st.session_state.pop(key, None)
