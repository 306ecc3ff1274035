"""Recordings imported in the background, one after the other, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from backend.errors import BioloomError, Cancelled
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.eeg.looking import Wanted
from pages.parts.errors import show_error
from pages.parts.markup import some

IMPORT = "eeg.import"
_PATIENCE = 1.5  # seconds that a quick import is waited for without showing a job


def start_import(visit: str, wanted: Sequence[Wanted], turn: int) -> None:
    """Import in the background; `turn` counts how often the visit's uploader was emptied."""
    opened = bench()

    def work(progress: Progress) -> dict[str, Any]:
        return _import(opened, visit, wanted, progress)

    title = "Importing a recording" if len(wanted) == 1 else f"Importing {len(wanted)} recordings"
    job = opened.jobs.submit(owner(), IMPORT, title, work)
    st.session_state[f"eeg-job-{visit}"] = (job, [one.offered.name for one in wanted])
    st.session_state[f"eeg-turn-{visit}"] = turn + 1  # an uploader is emptied by giving it a new key
    opened.jobs.wait(job, _PATIENCE)
    st.rerun()


def _import(opened: Any, visit: str, wanted: Sequence[Wanted], progress: Progress) -> dict[str, Any]:
    """Import one after the other; what failed is told by its number, for a name must not stay in the list of jobs."""
    from backend.eeg.importing import import_recording

    kept: list[str] = []
    failed: list[dict[str, Any]] = []
    for n, one in enumerate(wanted):
        try:
            with one.offered.opened() as path:
                made = import_recording(
                    opened.config,
                    opened.storage,
                    visit,
                    path,
                    repairs=one.repairs,
                    name=one.name,
                    options=one.options,
                    annotations=one.annotations,
                    progress=_Share(progress, n, len(wanted)),
                )
            kept.append(made.id)
        except Cancelled:
            if not kept:
                raise
            return {"kept": kept, "failed": failed, "stopped": True}
        except BioloomError as error:
            message = error.message.replace(one.offered.file, "The file")
            failed.append({"number": n, "message": message, "hint": error.hint})
    return {"kept": kept, "failed": failed, "stopped": False}


@dataclass(frozen=True)
class _Share:
    """The progress of one of several recordings as a part of the whole."""

    whole: Progress
    number: int
    count: int

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        share = min(done / total, 1.0) if total else 0.0
        self.whole.update(self.number + share, self.count, message)

    def check(self) -> None:
        self.whole.check()


def watch_import(visit: str) -> bool:
    """Watch the import that this session started on the visit; tell once how it ended. True while it runs."""
    started = st.session_state.get(f"eeg-job-{visit}")
    if not started:
        return False
    job_id, names = started
    job = bench().jobs.get(job_id)
    if job.active:
        return jobs.watch(lambda found: found.id == job_id, f"import-{visit}")
    if job.result is None:
        jobs.show_failure(job)
    else:
        _ended(job.result, names)
    if job.result is not None and not job.result["failed"]:
        st.session_state.pop(f"eeg-job-{visit}")  # said once
    elif st.button("Put this message away", key=f"seen-{visit}"):
        st.session_state.pop(f"eeg-job-{visit}")
        st.rerun()
    return False


def _ended(result: dict[str, Any], names: Sequence[str]) -> None:
    kept, failed = result["kept"], result["failed"]
    if kept:
        st.success(f"{some(len(kept), 'recording')} taken in.", icon=":material/check:")
    if result.get("stopped"):
        st.caption("Stopped on request. What was taken in before stays.")
    for one in failed:
        name = names[one["number"]]
        show_error(f"{name}: {one['message']}", one["hint"])
