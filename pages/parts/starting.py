"""A task started from a page: in the background, a quick one waited for; its run shown when it is done, its failure once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, profile

_PATIENCE = 1.2  # seconds that a quick task is waited for without showing a job


def start(
    page: str, task: str, title: str, value: Mapping[str, Any], settings: Mapping[str, Any], keep: Mapping[str, str] | None = None
) -> None:
    """Run a task in the background; a quick one is waited for.

    Parameters
    ----------
    page : str
        Kind of the background job, and where this session remembers it.
    title : str
        What the job is called wherever jobs are listed.
    keep : mapping, optional
        What the page's address holds besides the run.
    """
    opened, asker, asking = bench(), owner(), profile()

    def work(progress: Progress) -> dict[str, Any]:
        return {"run": opened.run(task, value, settings=settings, profile=asking, owner=asker, progress=progress).id}

    job = opened.jobs.submit(asker, page, title, work)
    st.session_state[_key(page)] = job
    opened.jobs.wait(job, _PATIENCE)
    follow(page, keep)
    st.rerun()


def follow(page: str, keep: Mapping[str, str] | None = None) -> bool:
    """Watch the task that this session started; go to its run when it is done. True while it runs.

    Parameters
    ----------
    keep : mapping, optional
        What the page's address holds besides the run.
    """
    job_id = st.session_state.get(_key(page))
    if not job_id:
        return False
    job = bench().jobs.get(job_id)
    if job.active:
        return jobs.watch(lambda found: found.id == job_id, f"{page}-task")
    st.session_state.pop(_key(page))
    if job.state == "done" and job.result:
        st.query_params.from_dict({**(keep or {}), "run": str(job.result["run"])})
        st.rerun()
    st.session_state[f"{page}_failed"] = job_id
    return False


def show_failed(page: str) -> None:
    """Why the task that was started last did not end well, once."""
    if job_id := st.session_state.pop(f"{page}_failed", None):
        jobs.show_failure(bench().jobs.get(job_id))


def _key(page: str) -> str:
    return f"{page}_job"
