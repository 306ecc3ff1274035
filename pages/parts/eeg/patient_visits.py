"""A patient's visits with their recordings: added, opened, renamed, moved, deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from backend.storage.patients import Patient, Visit
from backend.storage.recordings import Recording
from pages.parts.bench import bench
from pages.parts.eeg.choosing import KINDS, length
from pages.parts.eeg.importing import show_import
from pages.parts.eeg.looking import show_diagnoses
from pages.parts.eeg.taking_in import watch_import
from pages.parts.errors import told
from pages.parts.markup import escape, html, plain, some

_MOST = 400  # visits of others that a recording may be moved to


def show_visits(patient: Patient) -> None:
    """Every visit in the order of time, then the form for another one."""
    store = bench().storage
    visits = store.patients.visits(patient.id)
    if not visits:
        st.caption("No visit yet. Add one, then drop a recording on it.")
    for visit in visits:
        with st.container(border=True), told():
            _visit(visit, visits)
    with st.expander("Add a visit", expanded=not visits), told():
        _add(patient, len(visits))


def _visit(visit: Visit, visits: Sequence[Visit]) -> None:
    recordings = bench().storage.recordings.list(visit=visit.id)
    left, right = st.columns([8, 2], vertical_alignment="center")
    with left:
        when = visit.date or (f"day {visit.day}" if visit.day is not None else "")
        st.subheader(plain(visit.label) + (f" :gray[{plain(when)}]" if when else ""), anchor=False)
        if visit.note:
            st.caption(plain(visit.note))
    with right.popover("Change the visit", width="stretch"), told():
        _edit(visit, recordings)
    for recording in recordings:
        _recording(recording, visit, visits)
    if not recordings:
        st.caption("No recording yet.")
    _found(recordings)
    with st.container():  # always there: a message that goes must not move the panel below, which would close with a dropped file in it
        busy = watch_import(visit.id)
    if busy:
        return
    with st.expander("Add recordings", expanded=not recordings, icon=":material/add:", key=f"add-to-{visit.id}"), told():
        show_import(visit.id)


def _recording(recording: Recording, visit: Visit, visits: Sequence[Visit]) -> None:
    name, about, tools = st.columns([4, 6, 2], vertical_alignment="center")
    name.page_link(
        "pages/eeg.py", label=f"Open **{plain(recording.name)}**", icon=":material/vital_signs:", query_params={"recording": recording.id}
    )
    with about:
        html(f"<span class='bl-soft'>{escape(describe(recording))}</span>", name="span")
    with tools.popover("Change", width="stretch"), told():
        _edit_recording(recording, visit, visits)


def _found(recordings: Sequence[Recording]) -> None:
    """Everything that was the matter with the recordings of a visit, each under its name."""
    repaired = sum(one.get("level") == "repair" for recording in recordings for one in recording.diagnoses)
    notes = sum(len(recording.diagnoses) for recording in recordings) - repaired
    said = ", ".join(filter(None, (some(repaired, "repair") if repaired else "", some(notes, "note") if notes else "")))
    if not said:
        return
    with st.expander(f"What was found when {'it was' if len(recordings) == 1 else 'they were'} read in: {said}"):
        for recording in recordings:
            if recording.diagnoses:
                st.markdown(f"**{plain(recording.name)}**")
                show_diagnoses(recording.diagnoses)


def recorded_s(recording: Recording) -> float:
    """Seconds of a recording without its gaps."""
    return recording.duration_s - sum(stop - start for start, stop in recording.gaps)


def describe(recording: Recording) -> str:
    """A recording in one line: length, channels, rate, gaps, format."""
    kinds: dict[str, int] = {}
    for channel in recording.channels:
        kinds[channel["kind"]] = kinds.get(channel["kind"], 0) + 1
    rates = sorted({float(channel["rate"]) for channel in recording.channels})
    parts = [
        length(recording.duration_s),
        ", ".join(f"{count} {KINDS.get(kind, kind)}" for kind, count in kinds.items()),
        ", ".join(f"{rate:g}" for rate in rates) + " Hz",
        some(len(recording.gaps), "gap") if recording.gaps else "",
        recording.format,
    ]
    return " · ".join(filter(None, parts))


# --- visits ------------------------------------------------------------------------------------------------------------


def _add(patient: Patient, count: int) -> None:
    label, day, date, note = _fields(f"new-{patient.id}-{count}", f"Visit {count + 1}", None, None, "")
    if st.button("Add the visit", type="primary", key=f"add-visit-{patient.id}"):
        bench().storage.patients.add_visit(patient.id, label, day=day, date=date, note=note)
        st.rerun()


def _edit(visit: Visit, recordings: Sequence[Recording]) -> None:
    from backend.eeg.archive import delete_visit

    label, day, date, note = _fields(visit.id, visit.label, visit.day, visit.date, visit.note)
    if st.button("Save", key=f"save-{visit.id}", type="primary"):
        bench().storage.patients.edit_visit(visit.id, label=label, day=day, date=date, note=note)
        st.rerun()
    what = f"the visit and its {some(len(recordings), 'recording')}" if recordings else "the visit"
    sure = st.checkbox(f"Erase {what}, with signals, annotations and saved results", key=f"sure-{visit.id}")
    if st.button("Delete the visit", key=f"delete-{visit.id}", disabled=not sure):
        delete_visit(bench().config, bench().storage, visit.id)
        st.rerun()


def _fields(key: str, label: str, day: int | None, date: str | None, note: str) -> tuple[str, int | None, str | None, str]:
    """The fields of a visit as the person set them."""
    name = st.text_input("Visit", value=label, max_chars=80, key=f"label-{key}")
    left, right = st.columns(2)
    since = left.number_input("Day, counted from the first", value=day, step=1, format="%d", key=f"day-{key}", placeholder="none")
    when = right.date_input(
        "Or date",
        value=dt.date.fromisoformat(date) if date else None,
        min_value=dt.date(1950, 1, 1),
        format="YYYY-MM-DD",
        key=f"date-{key}",
        help="A date can help to recognise a person; a day that counts from the first visit does not.",
    )
    said = st.text_input("Note", value=note, key=f"note-{key}")
    return name, None if since is None else int(since), when.isoformat() if isinstance(when, dt.date) else None, said


# --- recordings --------------------------------------------------------------------------------------------------------


def _edit_recording(recording: Recording, visit: Visit, visits: Sequence[Visit]) -> None:
    from backend.eeg.archive import delete_recording
    from backend.eeg.consent import move_recording
    from backend.eeg.identifiers import person_like

    store = bench().storage
    name = st.text_input("Call it", value=recording.name, max_chars=120, key=f"rename-{recording.id}", live=True)
    if warned := person_like(name):
        st.warning(warned, icon=":material/visibility:")
    places = _places(visits)
    target = st.selectbox(
        "It belongs to",
        list(places),
        index=list(places).index(visit.id),
        format_func=lambda id: places[id],
        key=f"move-{recording.id}",
        help="A recording that was dropped on the wrong visit or patient can be moved; its annotations and results go with it.",
    )
    if target not in {one.id for one in visits}:
        made = len(store.calibrations.list(recording=recording.id))
        gone = f" {some(made, 'calibration')} made with it {'is' if made == 1 else 'are'} erased." if made else ""
        st.warning(f"It becomes another patient's.{gone}", icon=":material/move_item:")
    if st.button("Save", key=f"save-{recording.id}", type="primary"):
        store.recordings.edit(recording.id, name=name)
        if target != visit.id:
            move_recording(store, recording.id, target)
        st.rerun()
    sure = st.checkbox("Erase its signals, annotations and saved results", key=f"sure-{recording.id}")
    if st.button("Delete the recording", key=f"delete-{recording.id}", disabled=not sure):
        delete_recording(bench().config, store, recording.id)
        st.rerun()


def _places(own: Sequence[Visit]) -> dict[str, str]:
    """Visits that a recording may belong to: the patient's own first, then those of others."""
    store = bench().storage.patients
    found = {visit.id: visit.label for visit in own}
    for patient in store.search(limit=_MOST):
        if not patient.visits or len(found) > _MOST or (own and patient.id == own[0].patient):
            continue
        for visit in store.visits(patient.id):
            found[visit.id] = f"{patient.pseudonym}: {visit.label}"
    return found
