"""Why a sentence was chosen: made in the background for the first one, and for any other on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.profiles.wording import reading_level, why_means
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, profile, shelf
from pages.parts.errors import told
from pages.parts.explanation import show_explanation


def show_why(run: Run) -> None:
    """Choose an evidence sentence; see what its score came from."""
    evidence = (run.prediction or {})["answer"]["evidence"]
    ranks = [int(item["rank"]) for item in evidence]
    rank = st.segmented_control(
        "Sentence", ranks, default=ranks[0], required=True, key=f"why-{run.id}", help="The numbers stand before the sentences above."
    )
    item = evidence[ranks.index(rank)]
    done = [child.explanation for child in bench().storage.runs.children(run.id) if child.kind == "explanation" and child.explanation]
    found = next(
        (made for made in reversed([*([run.explanation] if run.explanation else []), *done]) if made.get("evidence") == rank), None
    )
    if found is not None:
        _show(found, item, f"{run.id}-{rank}")
        return
    title = f"Why sentence {rank} of run {run.id}"
    if jobs.watch(lambda job: job.title == title, f"why-{run.id}-{rank}"):
        return
    failed = jobs.last_failure(lambda job: job.title == title)
    if failed:
        jobs.show_failure(failed)
    if (rank == ranks[0] and failed is None) or st.button(
        f"Explain sentence {rank}", icon=":material/help_center:", key=f"explain-{run.id}-{rank}"
    ):
        with told():
            _start(run.id, rank, title)
            st.rerun()


def _start(run_id: str, rank: int, title: str) -> None:
    opened, asker = bench(), owner()

    def work(progress: Progress) -> dict[str, Any]:
        return {"run": opened.explain(run_id, {"evidence": rank}, owner=asker, progress=progress).id}

    opened.jobs.submit(asker, "explain", title, work, key=f"explain:{run_id}:{rank}")


def _show(found: Mapping[str, Any], item: Mapping[str, Any], name: str) -> None:
    stored = shelf().get([int(item["document"])]).get(int(item["document"]))
    if stored is None or stored.sha256 != item["sha256"]:
        st.caption(
            "The paper was removed or changed since; its explanation cannot be drawn on the text. The saved run still holds the numbers."
        )
        return
    text, level = stored.paper.text, reading_level(asdict(profile()))
    if means := why_means(level):
        st.caption(means)
    st.markdown("**Which words of the sentence**")
    show_explanation(found["words"], text, f"{name}-words", level, (int(item["start"]), int(item["end"])))
    st.markdown("**Which sentences of the passage**")
    show_explanation(found["sentences"], text, f"{name}-sentences", level)
