"""Why a sequence scored what it scored: made in the background on request, shown on its letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run, canonical, digest
from backend.profiles.wording import reading_level
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, profile
from pages.parts.errors import told
from pages.parts.explanation import show_explanation
from pages.parts.markup import plain


def find_explanation(run: Run, target: Mapping[str, Any]) -> dict[str, Any] | None:
    """The saved explanation of this target, the latest first."""
    done = [child.explanation for child in bench().storage.runs.children(run.id) if child.kind == "explanation" and child.explanation]
    made = reversed([*([run.explanation] if run.explanation else []), *done])
    return next((found for found in made if canonical(found.get("target")) == canonical(dict(target))), None)


def explained(run: Run, target: Mapping[str, Any], label: str) -> dict[str, Any] | None:
    """The explanation of a target; until there is one, a button that has it made, and its progress.

    Parameters
    ----------
    target : mapping
        What the task's ``explain`` takes; the explanation carries the same under ``"target"``.
    label : str
        What is explained, as it stands, for the button: "Explain K48R".
    """
    found = find_explanation(run, target)
    if found is not None:
        return found
    mark = digest(canonical(dict(target)))[:12]
    key = f"explain:{run.id}:{mark}"
    title = f"{label} of run {run.id}"
    if jobs.watch(lambda job: job.title == title, key):
        return None
    if failed := jobs.last_failure(lambda job: job.title == title):
        jobs.show_failure(failed)
    if st.button(plain(label), icon=":material/help_center:", key=key):
        opened, asker = bench(), owner()

        def work(progress: Progress) -> dict[str, Any]:
            return {"run": opened.explain(run.id, target, owner=asker, progress=progress).id}

        with told():
            opened.jobs.submit(asker, "explain", title, work, key=key)
            st.rerun()
    return None


def show_sites(
    run: Run, target: Mapping[str, Any], label: str, sequence: str, window: tuple[int, int] | None = None
) -> dict[str, Any] | None:
    """The explanation of a target drawn on the sequence's letters, or the button that has it made; gives what was found."""
    found = explained(run, target, label)
    if found is not None:
        name = f"{run.id}-{digest(canonical(dict(target)))[:12]}"
        show_explanation(found["sites"], sequence, name, reading_level(asdict(profile())), window)
    return found
