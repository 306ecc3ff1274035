"""Why: what spoke for the verdict, and why a sentence was chosen and put on its side; made in the background."""

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
from pages.parts.markup import kicker
from pages.parts.why_sites import find_explanation
from pages.parts.why_verdict import show_why_verdict

_NEAR, _BEARING, _STANCE = "near", "bearing", "stance"
_SAID = {_NEAR: "", _BEARING: ": bearing on the question", _STANCE: ": its side"}


def show_why(run: Run) -> None:
    """The verdict by its papers, then the sentences one by one."""
    answer: dict[str, Any] = (run.prediction or {})["answer"]
    if means := why_means(reading_level(asdict(profile()))):
        st.caption(means)
    if (answer.get("verdict") or {}).get("papers"):
        kicker("Why this verdict")
        show_why_verdict(run, answer["verdict"])
    kicker("Why these sentences")
    _why_sentence(run, answer["evidence"])


def _why_sentence(run: Run, evidence: list[dict[str, Any]]) -> None:
    """Choose an evidence sentence; see what its score, its bearing or its side came from."""
    ranks = [int(item["rank"]) for item in evidence]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        rank = st.segmented_control(
            "Sentence", ranks, default=ranks[0], required=True, key=f"why-{run.id}", help="The numbers stand before the sentences above."
        )
        item = evidence[ranks.index(rank)]
        of = _choose_score(run.id, item)
    target = {"evidence": rank} if of == _NEAR else {"evidence": rank, "of": of}
    name = f"{run.id}-{rank}{'' if of == _NEAR else '-' + of}"
    label = f"Why sentence {rank}{_SAID[of]} of run {run.id}"
    found = find_evidence(run, target)
    if found is not None:
        _show(found, item, name)
        return
    if jobs.watch(lambda job: job.title == label, f"why-{name}"):
        return
    failed = jobs.last_failure(lambda job: job.title == label)
    if failed:
        jobs.show_failure(failed)
    if st.button(f"Explain sentence {rank}{_SAID[of]}", icon=":material/help_center:", key=f"explain-{name}"):
        with told():
            _start(run.id, target, label)
            st.rerun()


def _choose_score(run_id: str, item: Mapping[str, Any]) -> str:
    """What is to be explained of a sentence: runs without readers know only how near it came."""
    if item.get("bearing") is None:
        return _NEAR
    names = {_BEARING: "Its bearing on the question"}
    if item.get("stance"):
        names[_STANCE] = "Its side"
    names[_NEAR] = "Its being found"
    chosen = st.segmented_control(
        "Explain", list(names), default=_BEARING, required=True, format_func=names.__getitem__, key=f"why-of-{run_id}"
    )
    return str(chosen) if chosen in names else _BEARING


def find_evidence(run: Run, target: Mapping[str, Any]) -> dict[str, Any] | None:
    """The saved explanation of a sentence: by its target, or, of a run without readers, by its rank alone."""
    if "of" in target:
        return find_explanation(run, target)
    done = [child.explanation for child in bench().storage.runs.children(run.id) if child.kind == "explanation" and child.explanation]
    every = [*([run.explanation] if run.explanation else []), *done]
    return next((made for made in reversed(every) if made.get("evidence") == target["evidence"] and "words" in made), None)


def _start(run_id: str, target: Mapping[str, Any], title: str) -> None:
    opened, asker = bench(), owner()

    def work(progress: Progress) -> dict[str, Any]:
        return {"run": opened.explain(run_id, target, owner=asker, progress=progress).id}

    opened.jobs.submit(asker, "explain", title, work, key=title)


def _show(found: Mapping[str, Any], item: Mapping[str, Any], name: str) -> None:
    level = reading_level(asdict(profile()))
    st.markdown("**Which words of the sentence**")
    if "sites" in found:
        show_explanation(found["sites"], str(found["sequence"]), f"{name}-words", level)
        return
    stored = shelf().get([int(item["document"])]).get(int(item["document"]))
    if stored is None or stored.sha256 != item["sha256"]:
        st.caption(
            "The paper was removed or changed since; its explanation cannot be drawn on the text. The saved run still holds the numbers."
        )
        return
    text = stored.paper.text
    show_explanation(found["words"], text, f"{name}-words", level, (int(item["start"]), int(item["end"])))
    st.markdown("**Which sentences of the passage**")
    show_explanation(found["sentences"], text, f"{name}-sentences", level)
