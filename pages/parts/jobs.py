"""Background work as the person sees it: what is being done, how far, how long still, stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.bench import bench, owner
from pages.parts.errors import show_error, told
from pages.parts.markup import plain, span

if TYPE_CHECKING:
    from backend.jobs import Job

_EVERY = 1.0  # seconds between two looks


def mine(active: bool = True) -> list[Job]:
    """Jobs of whoever asks, and those that Bioloom started itself; newest first."""
    found = [job for name in dict.fromkeys((owner(), "")) for job in bench().jobs.list(name, active=active, limit=30)]
    return sorted(found, key=lambda job: job.created, reverse=True)


def watch(wanted: Callable[[Job], bool], key: str) -> bool:
    """Show the active jobs that are wanted until they end, then draw the whole page anew. True while there are any."""
    ids = [job.id for job in reversed(mine()) if wanted(job)]  # in the order they were asked for
    if not ids:
        return False

    @st.fragment(run_every=_EVERY, key=f"watch-{key}")
    def panel() -> None:
        found = [bench().jobs.get(job_id) for job_id in ids]
        if any(not job.active for job in found):
            st.rerun()
        for job in found:
            _row(job, key)

    panel()
    return True


def background() -> None:
    """The sidebar's short word on what runs without having been asked for on this page."""
    active = mine()
    if not active:
        return

    @st.fragment(run_every=2.0, key="background")
    def panel() -> None:
        running = [job for job in mine() if job.state in ("queued", "running")]
        for job in running[:3]:
            st.progress(job.fraction or 0.0, text=_words(job))
        if len(running) > 3:
            st.caption(f"and {len(running) - 3} more")

    panel()


def last_failure(wanted: Callable[[Job], bool]) -> Job | None:
    """The latest job that is wanted, if it failed or was stopped."""
    job = next((job for job in mine(active=False) if wanted(job)), None)
    return job if job is not None and job.state in ("failed", "interrupted", "cancelled") else None


def show_failure(job: Job) -> None:
    """Why a job did not end well."""
    if job.error:
        show_error(str(job.error.get("message", "")), str(job.error.get("hint", "")))
    else:
        st.caption(f"{plain(job.title)}: stopped on request.")


def _row(job: Job, key: str) -> None:
    left, right = st.columns([6, 1], vertical_alignment="center")
    left.progress(job.fraction or 0.0, text=_words(job))
    if right.button("Stop", key=f"stop-{key}-{job.id}", width="stretch"):
        with told():
            bench().jobs.cancel(job.id, job.owner)


def _words(job: Job) -> str:
    left = f", about {span(job.seconds_left)} left" if job.seconds_left else ""
    what = job.message or ("waiting for its turn" if job.state == "queued" else "")
    named = what.split(" ")[0] == job.title.split(" ")[0]  # 'Reading for meaning: 64 of 22,229 papers' says its title again
    words = what if named else f"{job.title}: {what}" if what else job.title
    return plain(words) + left
