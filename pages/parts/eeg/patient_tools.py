"""What is done with a whole patient: edited, exported, merged with another, erased."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.progress import Progress
from backend.storage.patients import Patient
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.eeg.patient_list import CONSENT, CONSENT_HELP, open_patient
from pages.parts.errors import told
from pages.parts.keys import Keys
from pages.parts.markup import kicker, plain, size, some

_EXPORT = "eeg.export"
_BY_BROWSER = 400 * 2**20  # bytes: larger archives are copied from their folder


def show_tools(patient: Patient) -> None:
    """The four tools, the harmless ones first."""
    left, right = st.columns(2, gap="large")
    with left:
        with st.container(border=True), told():
            _edit(patient)
        with st.container(border=True), told():
            _export(patient)
    with right:
        with st.container(border=True), told():
            _merge(patient)
        with st.container(border=True), told():
            _delete(patient)


def _edit(patient: Patient) -> None:
    from backend.eeg.consent import made_for_others, withdraw
    from backend.eeg.identifiers import person_like

    kicker("Edit")
    pseudonym = st.text_input("Pseudonym", value=patient.pseudonym, max_chars=80, key=f"pseudonym-{patient.id}", live=True)
    if warned := person_like(pseudonym or ""):
        st.warning(warned, icon=":material/visibility:")
    note = st.text_area("Note", value=patient.note, key=f"note-{patient.id}", height=100)
    pooled = st.checkbox(CONSENT, value=patient.pooled, key=f"pooled-{patient.id}", help=CONSENT_HELP)
    withdrawn = patient.pooled and not pooled
    if withdrawn:
        made = len(made_for_others(bench().storage, patient.id))
        st.warning(
            f"The consent is withdrawn when you save. {some(made, 'calibration')} of other patients, made with these recordings, "
            f"{'is' if made == 1 else 'are'} erased then, and no new one is made with them.",
            icon=":material/undo:",
        )
    if st.button("Save", type="primary", key=f"save-{patient.id}"):
        bench().storage.patients.edit(patient.id, pseudonym=pseudonym, note=note, pooled=pooled)
        if withdrawn:
            withdraw(bench().storage, patient.id)
        st.session_state[Keys.NOTE] = "Saved. What was there before is erased."
        st.rerun()


def _export(patient: Patient) -> None:
    from backend.eeg.exports import find_export

    kicker("Export everything")
    st.caption(
        "One ZIP archive: visits, recordings with their signals (EDF where the amplifier's numbers are there), annotations, facts and "
        "saved results. Of the person it holds what you wrote yourself: pseudonym, notes, names of visits and recordings."
    )
    job_id = st.session_state.get(Keys.EXPORT_JOB)
    if jobs.watch(lambda job: job.id == job_id, "export"):
        return
    job = bench().jobs.get(job_id) if job_id else None
    if job is not None and job.state != "done":
        jobs.show_failure(job)
    path = find_export(bench().config, patient.id)
    if path is not None:
        whole = path.stat().st_size
        if whole <= _BY_BROWSER:
            st.download_button(
                f"Save the archive ({size(whole)})",
                data=path.read_bytes,
                file_name=f"patient-{patient.id}.zip",
                mime="application/zip",
                key=f"download-{patient.id}",
                icon=":material/download:",
                on_click="ignore",
            )
        else:
            st.markdown(f"The archive ({size(whole)}) is too large for the browser. Copy it from `{path}`.")
        st.caption("It is erased when Bioloom is started anew, or with the patient.")
    if st.button("Write the archive anew" if path else "Write the archive", key=f"export-{patient.id}"):
        _start_export(patient.id)


def _start_export(patient: str) -> None:
    from backend.eeg.exports import write_export

    opened = bench()

    def work(progress: Progress) -> dict[str, Any]:
        write_export(opened.config, opened.storage, patient, progress)
        return {}

    job = opened.jobs.submit(owner(), _EXPORT, "Writing a patient's archive", work, key=f"{_EXPORT}:{patient}")
    st.session_state[Keys.EXPORT_JOB] = job
    opened.jobs.wait(job, 1.2)
    st.rerun()


def _merge(patient: Patient) -> None:
    from backend.eeg.consent import made_for_others, merge

    kicker("Merge with another patient")
    store = bench().storage.patients
    others = {other.id: other for other in store.search(limit=1000) if other.id != patient.id}
    if not others:
        st.caption("There is no other patient.")
        return
    chosen = st.selectbox(
        "The same person was added twice, also as",
        list(others),
        index=None,
        format_func=lambda id: others[id].pseudonym,
        placeholder="Choose the other entry",
        key=f"merge-{patient.id}",
    )
    if chosen is None:
        return
    other = others[chosen]
    kept, gone = plain(patient.pseudonym), plain(other.pseudonym)
    moved = f"{some(other.visits, 'visit')} with {some(other.recordings, 'recording')}"
    lines = [f"{kept} is given {moved} of {gone}, with annotations, saved results and calibrations."]
    if other.note:
        lines.append(f"The note of {gone} is added below {kept}'s.")
    lost = {one.id for one in made_for_others(bench().storage, other.id)}
    if patient.pooled != other.pooled:
        lines.append("Only one of the two consented that the recordings help other patients: the consent is off afterwards.")
        lost |= {one.id for one in made_for_others(bench().storage, patient.id)}
    if lost:
        lines.append(f"{some(len(lost), 'calibration')} of others, made with these recordings, {'is' if len(lost) == 1 else 'are'} erased.")
    lines.append(f"The entry {gone} is erased, with its profile.")
    lines.append("This cannot be undone.")
    st.markdown("\n".join(f"- {line}" for line in lines))
    if st.checkbox("These two are the same person", key=f"same-{patient.id}-{other.id}") and st.button(
        f"Merge {gone} into {kept}", key=f"do-merge-{patient.id}"
    ):
        merge(bench().storage, patient.id, other.id)
        st.session_state[Keys.NOTE] = f"{gone} was merged into {kept}."
        open_patient(patient.id)


def _delete(patient: Patient) -> None:
    from backend.eeg.archive import delete_patient
    from backend.eeg.exports import forget_export

    kicker("Delete")
    st.caption(
        f"Erases {some(patient.visits, 'visit')} and {some(patient.recordings, 'recording')}: signals, annotations, calibrations, saved "
        "results, and the rows in the database. The files are gone from this computer; copies that you made elsewhere are not."
    )
    typed = st.text_input("Type the pseudonym to delete the patient", key=f"type-{patient.id}", live=True, autocomplete="off")
    if st.button("Delete the patient", key=f"delete-{patient.id}", disabled=(typed or "").strip() != patient.pseudonym):
        forget_export(bench().config, patient.id)
        with st.spinner("Erasing ..."):
            delete_patient(bench().config, bench().storage, patient.id)
        st.session_state[Keys.NOTE] = f"{plain(patient.pseudonym)} was deleted, with all files."
        st.query_params.clear()
        st.rerun()
