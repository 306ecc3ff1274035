"""Quality and cleaning of one recording: what is taken out now, the channels' quality, the independent components."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, profile
from pages.parts.errors import told
from pages.parts.links import here
from pages.parts.markup import escape, html, kicker, moment, plain

_PARTS: Mapping[str, tuple[str, str, str]] = {
    # task: its name here, the button, what it does
    "eeg.quality": (
        "Signal quality",
        "Judge the channels",
        "Every channel, minute by minute: flat, clipped, mains, muscle, drift, bridged.",
    ),
    "eeg.ica": (
        "Independent components",
        "Find the components",
        "Eye, muscle, heart and line noise told apart from brain. Nothing is taken out until you choose it.",
    ),
}


def show_cleaning(recording_id: str) -> None:
    """Draw the state with its switch, then one of the two parts."""
    with told():
        _state(recording_id)
        named = bench().storage.runs.get(st.query_params["run"]).task if "run" in st.query_params else ""
        task = st.segmented_control(
            "What to look at",
            list(_PARTS),
            default=named if named in _PARTS else "eeg.quality",
            format_func=lambda task: _PARTS[task][0],
            label_visibility="collapsed",
            key=f"cleaning-part-{recording_id}",
        )
        _part(recording_id, task or "eeg.quality")


def banner(recording_id: str) -> None:
    """One line over whatever is drawn of a recording that is cleaned; nothing over others."""
    from backend.eeg import cleaning

    state = cleaning.state(bench().context, recording_id)
    if state is None or not state["on"]:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/cleaning_services: Cleaned: {plain(cleaning.words(state))} taken out.", width="content")
        here("Switch off or change", {"recording": recording_id, "show": "cleaning"}, f"cleaning-of-{recording_id}")


def _state(recording: str) -> None:
    from backend.eeg import cleaning
    from backend.eeg.inputs import bad_channels

    context = bench().context
    state, bad = cleaning.state(context, recording), bad_channels(context, recording)
    kicker("Now")
    marked = f"Marked as bad: {', '.join(bad)}." if bad else "No channel is marked as bad."
    if state is None or not state["exclude"]:
        html(f"<p>The recording is read as it was recorded. {escape(marked)}</p>")
    else:
        left, right = st.columns([6, 2], vertical_alignment="center")
        with left:
            word = "taken out wherever the recording is read" if state["on"] else "chosen, but left in for now"
            told_words = cleaning.words(state)
            html(f"<p><b>{escape(told_words)}</b>: {word}. The stored signal is not altered. {escape(marked)}</p>")
        with right:
            key = f"cleaning-on-{recording}-{len(state['history'])}"
            wanted = st.toggle("Cleaning on", value=bool(state["on"]), key=key)
        if wanted != state["on"]:
            cleaning.switch(context, recording, wanted)
            st.rerun()
    if state and state["history"]:
        with st.expander(f"History ({len(state['history'])})"):
            st.dataframe(
                [
                    {
                        "When": moment(datetime.fromisoformat(step["at"])),
                        "Cleaning": "on" if step["on"] else "off",
                        "Components": cleaning.words(step),
                        "Run": step["run"],
                    }
                    for step in reversed(state["history"])
                ],
                hide_index=True,
            )


def _part(recording: str, task: str) -> None:
    name, button, sentence = _PARTS[task]
    title = f"{name} of {bench().storage.recordings.get(recording).name}"
    key = f"cleaning:{task}:{recording}"

    def wanted(job: Any) -> bool:
        return bool(job.kind == f"{task}:{recording}")

    if jobs.watch(wanted, key):
        return
    view = importlib.import_module(f"pages.parts.views.{task.replace('.', '_')}")
    run = _latest(recording, task)
    if (failed := jobs.last_failure(wanted)) and (run is None or failed.created > run.created):
        jobs.show_failure(failed)
    settings: dict[str, Any] = {}
    if run is None:
        html(f"<p>{escape(sentence)}</p>")
        settings = view.settings(recording) if hasattr(view, "settings") else {}
        if st.button(button, type="primary", key=key):
            _start(recording, task, title, key, settings)
        return
    left, right = st.columns([6, 2], vertical_alignment="center")
    left.caption(f"Run {run.id}, {moment(run.created)}. {plain(sentence)}")
    with right.popover("Compute anew"):
        st.caption("With the channels that are marked as bad now, and the segments that are annotated as bad.")
        settings = view.settings(recording) if hasattr(view, "settings") else {}
        if st.button(button, key=key):
            _start(recording, task, title, key, settings)
    view.show(run)


def _start(recording: str, task: str, title: str, key: str, settings: Mapping[str, Any]) -> None:
    opened, asker, asking = bench(), owner(), profile()

    def work(progress: Progress) -> dict[str, Any]:
        made = opened.run(task, {"recording": recording}, settings=settings, profile=asking, owner=asker, progress=progress)
        return {"run": made.id}

    job = opened.jobs.submit(asker, f"{task}:{recording}", title, work, key=key)
    opened.jobs.wait(job, 1.2)
    st.rerun()


def _latest(recording: str, task: str) -> Run | None:
    """The run that the address names, if it is of this task and recording; else the latest."""
    runs = bench().storage.runs
    ids = [st.query_params["run"]] if "run" in st.query_params else []
    for id in [*ids, *(row.id for row in runs.list(task=task, limit=500))]:
        run = runs.get(id)
        if run.task == task and run.kind == "run" and run.input.get("recording") == recording and run.prediction:
            return run
    return None
