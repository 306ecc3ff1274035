"""From a model to its tasks: links that open a page with task and model already chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.models.listing import task_titles

if TYPE_CHECKING:
    from backend.domain import ModelCard

_PAGES = {"literature": ("pages/texts.py", "Texts"), "sequences": ("pages/sequences.py", "Sequences"), "eeg": ("pages/eeg.py", "EEG")}


def show_uses(card: ModelCard) -> None:
    """One link a task; the page that opens has the model chosen wherever it lets the person choose."""
    from backend.tasks import tasks

    known = tasks()
    for task, title in zip(card.tasks, task_titles(card.tasks), strict=True):
        if task not in known:
            st.caption(f"{title}: not in this build of Bioloom.")
            continue
        page, name = ("pages/literature.py", "Literature") if task == "literature.ask" else _PAGES[card.modality]
        chosen = {"model": card.name} if "model" in known[task].settings else {}
        st.page_link(page, label=f"{title} in {name}", icon=":material/arrow_forward:", query_params={"task": task, **chosen})
