"""Check it yourself: measure a task on labelled data of one's own before trusting it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.evaluate.forms import FORMS, Form
from pages.parts.evaluate.result import named, show_head, show_result
from pages.parts.frame import open_page
from pages.parts.markup import moment, plain, some
from pages.parts.uploads import keep, local

if TYPE_CHECKING:
    from backend.jobs import Job

KIND = "evaluate"  # of a job: 'evaluate.literature.entities'; of before, the bare word
_ASKED = "evaluate-asked"  # of each task, what this session measured last: what was chosen, and the job


@dataclass(frozen=True)
class Chosen:
    """What stands in the fields.

    Attributes
    ----------
    names : tuple of str
        Files as the person calls them; of recordings none, for a name may be a person's.
    what : str
        The same in words.
    token : str
        Tells one choice from another; '' while there is nothing to measure.
    read : callable
        Gives the files on disk and the options.
    """

    names: tuple[str, ...]
    what: str
    token: str
    read: Callable[[], tuple[list[Path], dict[str, Any]]]


def main() -> None:
    open_page("Check it yourself", "Measure a task on data of your own whose truth you know. The data stays here.")
    task = str(
        st.segmented_control(
            "What to measure",
            list(FORMS),
            default=next(iter(FORMS)),
            required=True,
            format_func=lambda name: FORMS[name].name,
            key="evaluate-task",
        )
    )
    form = FORMS[task]
    with st.container(border=True):
        chosen = _recordings(task, form) if form.paths else _files(task, form)
        sent = st.button("Measure", type="primary", key=f"evaluate-go-{task}")
    with st.expander("What the form is"):
        st.code(form.example, language=None, wrap_lines=True)
    if sent:
        with told():
            _start(task, form, chosen)
    jobs.watch(_ours, "evaluate")
    with told():
        _outcome(task, chosen)


def _start(task: str, form: Form, chosen: Chosen) -> None:
    """Put the measurement in the queue: one at a time, for two together would each take more than twice as long."""
    if not chosen.token:
        st.warning("Choose a file first, or give a path.", icon=":material/upload_file:")
        return
    paths, options = chosen.read()
    if form.wildtype and "wildtype" not in options:
        st.warning("Give the unchanged protein too: the numbering of the variants is found by it.", icon=":material/upload_file:")
        return
    opened, names = bench(), chosen.names

    def work(progress: Progress) -> dict[str, Any]:
        from backend.errors import InputError
        from backend.evaluate import evaluate

        try:
            made = evaluate(opened.context, task, paths, options, progress=progress)
        except InputError as error:  # an upload lies under its digest: the person knows it by its own name
            message = error.message
            for path, name in zip(paths, names, strict=False):
                message = message.replace(path.name, name)
            raise InputError(message, error.hint) from error
        return made | ({"files": list(names)} if names else {})

    title = f"Measuring {form.name.lower()} on {chosen.what}"
    key = f"{KIND}:{owner()}:{task}:{chosen.token}"
    job = opened.jobs.submit(owner(), f"{KIND}.{task}", title, work, key=key, lane=KIND)
    st.session_state[_ASKED] = {**st.session_state.get(_ASKED, {}), task: (chosen.token, job)}
    st.rerun()


def _outcome(task: str, chosen: Chosen) -> None:
    """What came of the files above; above empty fields, the last result, which says of what it is."""
    token, id = st.session_state.get(_ASKED, {}).get(task, ("", ""))
    if chosen.token and chosen.token == token:
        job = bench().jobs.get(id)
        if job.result:
            show_result(job, last=False)
        elif not job.active:
            show_head("Not measured", f"{_subject(job)}{_when(job)}")
            jobs.show_failure(job)
        return
    if not chosen.token:
        past = [job for job in jobs.mine(active=False) if _of(job, task) and not job.active]
        if past and past[0].error:
            st.caption(plain(f"{_subject(past[0])}: not measured{_when(past[0])}. {past[0].error.get('message', '')}"))
        if done := next((job for job in past if job.result), None):
            show_result(done, last=True)
            return
    st.caption(FORMS[task].shows)


def _ours(job: Job) -> bool:
    return job.kind == KIND or job.kind.startswith(f"{KIND}.")


def _of(job: Job, task: str) -> bool:
    """Whether a job measured the task; one of before that failed does not tell which task it was of."""
    return job.kind == f"{KIND}.{task}" or (job.kind == KIND and (job.result or {}).get("task") == task)


def _subject(job: Job) -> str:
    words = job.title.removeprefix("Measuring ")
    return words[:1].upper() + words[1:]


def _when(job: Job) -> str:
    return f", {moment(job.finished)}" if job.finished else ""


def _files(task: str, form: Form) -> Chosen:
    """Fields for files that may be kept."""
    files = st.file_uploader(form.ask, type=list(form.types), accept_multiple_files=True, key=f"evaluate-files-{task}")
    path = st.text_input("Or the path of such a file on this computer", key=f"evaluate-path-{task}").strip()
    wildtype = st.file_uploader("The unchanged protein, FASTA", key="evaluate-wildtype") if form.wildtype else None
    label = f"Only {form.unseen} that Bioloom's own readers were not trained on"
    unseen = bool(form.unseen) and st.checkbox(label, key=f"unseen-{form.name}")
    names = (*(file.name for file in files), *([Path(path.strip("'\"")).name] if path else []))
    parts = [*(file.file_id for file in files), path, wildtype.file_id if wildtype else "", str(unseen)]
    return Chosen(
        names,
        named(list(names)) + (f", only unseen {form.unseen}" if unseen else ""),
        "|".join(parts) if names else "",
        lambda: (
            [keep(file) for file in files] + ([local(path)] if path else []),
            ({"wildtype": keep(wildtype)} if wildtype is not None else {}) | ({"unseen": True} if unseen else {}),
        ),
    )


def _recordings(task: str, form: Form) -> Chosen:
    """Fields for recordings, which are read where they lie."""
    given = st.text_area(form.ask, key=f"evaluate-paths-{task}", height=90)
    st.caption("They are read where they lie on this computer, and nothing of them is kept.")
    lines = [line for line in given.splitlines() if line.strip()]
    what = some(len(lines), "file") if lines else "a demo patient"
    if task != "eeg.calibrate":
        return Chosen((), what, "|".join(lines), lambda: (_paths(given), {}))
    later = st.text_area("Later recordings to be judged on, one path a line; none: held-out stretches of the first", height=68)
    left, right = st.columns(2)
    labels = left.text_input("Annotations that name the classes", placeholder="T1, T2")
    demo = right.selectbox(
        "Or a demo patient, with the split as published", ["scp1", "scp2"], index=None, placeholder="none", format_func=str.upper
    )
    token = "|".join([given, later, labels, demo or ""]) if lines or demo else ""
    return Chosen((), what, token, lambda: (_paths(given), {"train": [], "test": _paths(later), "labels": labels, "demo": demo or ""}))


def _paths(text: str) -> list[Path]:
    return [local(line) for line in text.splitlines() if line.strip()]


main()
