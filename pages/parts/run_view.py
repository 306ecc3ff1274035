"""One saved run, drawn by its task, with its footer: where it is kept and what can be done with it."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import streamlit as st

from backend.domain import Run
from pages.parts.answer import show_answer
from pages.parts.bench import bench
from pages.parts.choosing import show_untrained
from pages.parts.errors import told
from pages.parts.footer import show_footer

_VIEWS: dict[str, Callable[[Run], None]] = {"literature.ask": show_answer}
_FOLDER = "pages.parts.views"  # every other task's view: a file named after it, with `show(run)`


def show_run(run: Run) -> None:
    """The run's own view and its footer."""
    if run.prediction is None or run.kind != "run":
        parent = bench().storage.runs.get(run.parent)
        st.caption(f"Run {run.id} is the {run.kind} of run {parent.id}, which is shown here.")
        run = parent
    show_untrained(run)
    view = _VIEWS.get(run.task) or _view(run.task)
    with told():
        if view is None:
            st.json(run.prediction, expanded=2)
        else:
            view(run)
    with told():
        show_footer(run)


def patient_of(run: Run) -> str:
    """The pseudonym, as it is now, of whose recording the run was made; '' where it was made of something else."""
    from backend.eeg.inputs import recordings_of
    from backend.errors import InputError

    store = bench().storage
    try:
        visits = [store.patients.visit(store.recordings.get(id).visit) for id in recordings_of(run.input)[:1]]
        return store.patients.get(visits[0].patient).pseudonym if visits else ""
    except InputError:  # deleted meanwhile
        return ""


def find_run(run_id: str) -> Run | None:
    """The run of a link; None, with the reason shown, when there is none."""
    with told():
        return bench().storage.runs.get(run_id)
    return None


def _view(task: str) -> Callable[[Run], None] | None:
    name = f"{_FOLDER}.{task.replace('.', '_')}"
    try:
        show: Callable[[Run], None] = importlib.import_module(name).show
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    return show
