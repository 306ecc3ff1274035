"""What is set side by side: a task, an input and two models; or a saved run and another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.domain import Run
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, profile
from pages.parts.beside.options import show_options
from pages.parts.choosing import untrained_notice
from pages.parts.intake import EXAMPLES, begin, show_intake
from pages.parts.markup import plain, strip
from pages.parts.models.listing import task_titles
from pages.parts.preflight import show_preflight
from pages.parts.sequence_tasks import TASKS, fitting
from pages.parts.text_tasks import TASKS as TEXTS

if TYPE_CHECKING:
    from backend.domain import ModelCard
    from backend.sequences.records import Preflight

KIND = "side-by-side"
_JOB = "beside-job"  # what this session started
_ASK = "literature.ask"
_MOST_LISTED = 2_000  # records in the list to choose from
EXAMPLE = "Does metformin reduce cardiovascular mortality?"
_PATIENCE = 1.0  # seconds that quick work is waited for without showing a job


def follow() -> bool:
    """Watch what this session started; go to its result when it is done. True while it runs."""
    if _JOB not in st.session_state:
        return False
    job = bench().jobs.get(st.session_state[_JOB])
    if job.active:
        return jobs.watch(lambda found: found.id == job.id, KIND)
    st.session_state.pop(_JOB)
    if job.state == "done" and job.result:
        st.query_params.from_dict({"first": str(job.result["first"]), "second": str(job.result["second"])})
        st.rerun()
    jobs.show_failure(job)
    return False


def show_again(run: Run) -> None:
    """A saved run's input once more, by another model; the settings stay the same."""
    strip([("Run", run.id), ("Task", task_titles([run.task])[0]), ("Input", run.title), ("Model", str(run.model["name"]))])
    others = [card for card in _able(run.task) if card.name != run.model["name"]]
    if "model" not in run.settings or not others:
        st.info("No other model on this machine serves this task. Fetch one, or add a folder with a checkpoint of yours.")
        st.page_link("pages/models.py", label="Models", icon=":material/deployed_code:")
        return
    other = _choose("Compare with", others, f"beside-other-{run.id}")
    if st.button("Run it by this model too", type="primary", key="beside-again"):
        opened, asker, asking, name = bench(), owner(), profile(), other.name

        def work(progress: Progress) -> dict[str, Any]:
            chosen = {**run.settings, "model": name}
            made = opened.run(run.task, run.input, settings=chosen, profile=asking, owner=asker, progress=progress)
            return {"first": run.id, "second": made.id}

        _submit(f"{other.title} on {run.title}", work)


def show_new() -> None:
    """Task, models, input."""
    from backend.side_by_side import comparable
    from backend.tasks import find_task

    names = [name for name in comparable() if len(_able(name)) > 1]
    if not names:
        st.info("No task has two models on this machine yet. Fetch one, or add a folder with a checkpoint of yours.")
        st.page_link("pages/models.py", label="Models", icon=":material/deployed_code:")
        return
    titles = dict(zip(names, task_titles(names), strict=True))
    asked = st.query_params.get("task", "")
    task = str(
        st.selectbox("Task", names, index=names.index(asked) if asked in names else 0, format_func=titles.__getitem__, key="beside-task")
    )
    if waiting := [name for name in comparable() if name not in names]:
        st.caption(f"Waiting for a second model on this machine: {', '.join(task_titles(waiting))}.")
    able = _able(task)
    left, right = st.columns(2, gap="large")
    with left:
        first = _choose("First model", able, f"beside-first-{task}")
    with right:
        others = [card for card in able if card.name != first.name and _share_kinds(first, card)]
        if not others:
            st.info("No other model here reads the same kind of sequence; choose another first model.")
            return
        second = _choose("Second model", others, f"beside-second-{task}")
    if first.untrained or second.untrained:
        untrained_notice()
    value = _sequences(task, first, second) if find_task(task).modality == "sequences" else _text(task)
    settings = show_options(task)
    if st.button("Run both", type="primary", disabled=value is None, key="beside-go") and value is not None:
        _start(task, value, settings, first, second)


def _start(task: str, value: Mapping[str, Any], settings: Mapping[str, Any], first: ModelCard, second: ModelCard) -> None:
    opened, asker, asking, names = bench(), owner(), profile(), (first.name, second.name)

    def work(progress: Progress) -> dict[str, Any]:
        from backend.side_by_side import run_both

        made = run_both(opened, task, value, names, settings=settings, profile=asking, owner=asker, progress=progress)
        return {"first": made[0].id, "second": made[1].id}

    _submit(f"{first.title} beside {second.title}", work)


def _submit(title: str, work: Any) -> None:
    st.session_state[_JOB] = bench().jobs.submit(owner(), KIND, title, work)
    bench().jobs.wait(st.session_state[_JOB], _PATIENCE)
    st.rerun()


def _able(task: str) -> list[ModelCard]:
    from backend.tasks import serving

    return serving(bench().context, task)


def _choose(label: str, able: list[ModelCard], key: str) -> ModelCard:
    titles = {card.name: f"{card.title}{' (untrained)' if card.untrained else ''}" for card in able}
    cards = {card.name: card for card in able}
    return cards[str(st.selectbox(label, list(cards), format_func=titles.__getitem__, key=key))]


def _text(task: str) -> dict[str, Any] | None:
    """A text, a question, or both, as the task needs them."""
    asked = ""
    if task == _ASK or TEXTS.get(task, ("", "", ""))[2]:
        asked = " ".join(st.text_input("Question", key="beside-question", placeholder=TEXTS[task][2] if task in TEXTS else EXAMPLE).split())
        if not asked:
            return None
    if task == _ASK:
        return {"question": asked}
    text = st.text_area("Text", key="beside-text", height=160, placeholder="Paste an abstract or any other text.")
    return {"question": asked, "text": text, "name": f"pasted {text.strip()[:40]}"} if text.strip() else None


def _share_kinds(first: ModelCard, second: ModelCard) -> bool:
    return not first.kinds or not second.kinds or bool(set(first.kinds) & set(second.kinds))


def _sequences(task: str, first: ModelCard, second: ModelCard) -> dict[str, Any] | None:
    from backend.sequences.inputs import open_input

    if "file" not in st.query_params:
        show_intake()
        begin([(name, words, task) for name, words, own in EXAMPLES if own == task])
        return None
    value = {"file": st.query_params["file"], "name": st.query_params.get("name", "input"), "records": [], "kinds": {}}
    with st.expander("Another file"):
        show_intake()
    found = open_input(bench().context, value)
    show_preflight(found, f"beside-preflight-{value['file'][:12]}")
    usable, reasons = fitting(found)
    if task not in usable:
        name = TASKS[task][0]
        why = next((reason for reason in reasons if reason.startswith(f"{name} ")), f"{name} reads {' or '.join(TASKS[task][2])}")
        st.warning(f"This file does not serve this task: {plain(why)}.", icon=":material/help:")
        return None
    kinds = [kind for kind in TASKS[task][2] if all(not card.kinds or kind in card.kinds for card in (first, second))]
    if not list(found.usable(kinds)):
        st.warning(f"Both models read {' or '.join(kinds)}; this file holds none.", icon=":material/help:")
        return None
    return {**value, "records": _records(found, task, kinds)}


def _records(found: Preflight, task: str, kinds: Sequence[str]) -> list[str]:
    """Ids to work on; empty for all that fit."""
    count = sum(found.summary().kinds.get(kind, 0) for kind in kinds)
    every = f"All {count:,} records"
    if count == 1 or count > _MOST_LISTED:
        return []
    chosen = st.selectbox("Record", [every, *found.usable(kinds)], key=f"beside-record-{task}")
    return [] if chosen == every else [str(chosen)]
