"""Which model answers: those that serve a task and are on this machine, and a warning that nobody can miss where one is untrained."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.markup import escape, html


def choose_model(task: str, key: str, first: str = "The first that is on this machine") -> str | None:
    """A name, '' for the task's own choice; None, with the way to the Models page shown, where no model serves the task here."""
    from backend.tasks import serving

    able = serving(bench().context, task)
    if not able:
        st.info("No model for this is on this machine. On the Models page, fetch one or add a folder with a checkpoint of yours.")
        st.page_link("pages/models.py", label="Models", icon=":material/deployed_code:")
        return None
    titles = {card.name: f"{card.title}{' (untrained)' if card.untrained else ''}" for card in able}
    names = ["", *titles]
    asked = asked_for(names)
    chosen = str(st.selectbox("Model", names, index=asked, format_func=lambda name: titles.get(name, f"{first}: {able[0].title}"), key=key))
    if (titles and able[0].untrained and not chosen) or any(card.untrained and card.name == chosen for card in able):
        untrained_notice()
    return chosen


def asked_for(names: Sequence[str]) -> int:
    """Place of the model that the page's address names (a link from the Models page does), else the first."""
    asked = st.query_params.get("model", "")
    return names.index(asked) if asked in names else 0


def show_untrained(run: Run) -> None:
    """The warning above every result of an untrained model."""
    if run.model.get("untrained"):
        untrained_notice()


def untrained_notice() -> None:
    """Random weights are called that, in words and in a frame."""
    from backend.workbench import UNTRAINED

    head, _, rest = UNTRAINED.partition(". ")
    html(f"<div class='bl-untrained' role='alert'><strong>{escape(head)}.</strong> {escape(rest)}</div>")
