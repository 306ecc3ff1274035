"""The spectra of a recording: its latest spectrum or evoked response, and the form for another one."""

from __future__ import annotations

import importlib
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, profile
from pages.parts.errors import told
from pages.parts.keys import Keys
from pages.parts.links import here
from pages.parts.markup import moment

_TASKS = {"eeg.spectrum": "Power spectrum", "eeg.evoked": "Evoked response"}
_PATIENCE = 1.2  # seconds that a quick one is waited for


def show_spectra(recording: str) -> None:
    """Spectrum or evoked response: the latest saved one, or the form that makes one."""
    task = st.segmented_control(
        "What to see",
        list(_TASKS),
        default="eeg.spectrum",
        format_func=lambda task: _TASKS[task],
        label_visibility="collapsed",
        key=f"{Keys.EEG_PART}-spectra-{recording}",
    )
    task = task or "eeg.spectrum"
    title = f"{_TASKS[task]} of recording {recording}"
    if jobs.watch(lambda job: job.title == title, f"spectra:{recording}:{task}"):
        return
    if failed := jobs.last_failure(lambda job: job.title == title):
        jobs.show_failure(failed)
    run = _latest(task, recording)
    if run is None:
        _form(task, recording, title)
        return
    with st.expander("Other settings"):
        _form(task, recording, title)
    importlib.import_module(f"pages.parts.views.{task.replace('.', '_')}").show(run)
    label = f"Saved as run {run.id}, {moment(run.created)}: replay, compare, export"
    here(label, {"recording": recording, "show": "decode", "run": run.id}, f"open-{run.id}", ":material/article:")


def _form(task: str, recording: str, title: str) -> None:
    view = importlib.import_module(f"pages.parts.views.{task.replace('.', '_')}")
    with told():
        settings: dict[str, Any] | None = view.settings(recording)
        if settings is not None and st.button("Measure", type="primary", key=f"measure-{task}-{recording}"):
            opened, asker, asking = bench(), owner(), profile()

            def work(progress: Progress) -> dict[str, Any]:
                return {
                    "run": opened.run(task, {"recording": recording}, settings=settings, profile=asking, owner=asker, progress=progress).id
                }

            job = opened.jobs.submit(asker, "spectra", title, work)
            opened.jobs.wait(job, _PATIENCE)
            st.rerun()


def _latest(task: str, recording: str) -> Run | None:
    runs = bench().storage.runs
    for summary in runs.list(task=task, limit=200):
        found = runs.get(summary.id)
        if found.input.get("recording") == recording and found.prediction:
            return found
    return None
