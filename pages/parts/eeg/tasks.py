"""What can be asked of a recording: the tasks with their words, and the form that starts one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import streamlit as st

from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.starting import start

PAGE = "eeg"  # kind of the background jobs

TASKS: Mapping[str, tuple[str, str]] = {
    "eeg.quality": ("Signal quality", "Which channels can be trusted, and when."),
    "eeg.baseline": ("Background activity", "Alpha peak, band powers, left against right, with intervals."),
    "eeg.spectrum": ("Spectrum", "Power by frequency, over time and over the head."),
    "eeg.evoked": ("Evoked response", "The average after an event, and whether two differ."),
    "eeg.sleep": ("Sleep staging", "Hypnogram, sleep statistics, and why each epoch is called what it is."),
    "eeg.spindles": ("Sleep spindles", "Found by two detectors within NREM sleep."),
    "eeg.calibrate": ("Calibrate a decoder", "Can this patient's trials be told apart, and how well next time?"),
    "eeg.decode": ("Decode", "Apply a calibration to a new recording, after checking that it still fits."),
    "eeg.ica": ("Independent components", "Eyes, muscles and heart apart from brain; taken out reversibly."),
}


def name(task: str) -> str:
    """What a task on recordings is called."""
    return TASKS[task][0] if task in TASKS else task


def offered() -> list[str]:
    """The tasks on recordings that are there."""
    from backend.tasks import tasks

    known = tasks()
    return [task for task in TASKS if task in known]


def show_form(recording: str, begin: str | None = None) -> None:
    """Choose a task and its settings, and start it.

    A task's view may offer ``settings(recording) -> dict | None``; None means that it cannot be started, and that the view said why.
    A task on several recordings offers ``form(recording) -> (value, settings) | None`` instead.
    """
    choices = offered()
    left, right = st.columns([4, 5], gap="large")
    with left:
        task = st.radio(
            "What do you want to know?",
            choices,
            index=choices.index(begin) if begin in choices else 0,
            format_func=lambda task: f"**{TASKS[task][0]}**",
            captions=[TASKS[task][1] for task in choices],
            key=f"eeg-task-{recording}",
        )
    with right, told():
        asked = _asked(task, recording)
        if asked is not None and st.button(f"Run: {TASKS[task][0]}", type="primary", key=f"start-{task}"):
            value, settings = asked
            about = bench().storage.recordings.get(recording)
            keep = {"recording": recording, "show": "decode"}
            start(PAGE, task, f"{TASKS[task][0]} of {about.name}", value, settings, keep)


def view(task: str) -> ModuleType | None:
    """The module that draws a task's runs, if there is one."""
    found = f"pages.parts.views.{task.replace('.', '_')}"
    try:
        return importlib.import_module(found)
    except ModuleNotFoundError as error:
        if error.name != found:
            raise
        return None


def _asked(task: str, recording: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    module = view(task)
    if (form := getattr(module, "form", None)) is not None:
        made: tuple[dict[str, Any], dict[str, Any]] | None = form(recording)
        return made
    settings = getattr(module, "settings", None)
    chosen: dict[str, Any] | None = settings(recording) if settings is not None else {}
    return None if chosen is None else ({"recording": recording}, chosen)
