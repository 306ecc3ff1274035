"""Which recording: by patient and visit, or one of the demo patients."""

from __future__ import annotations

import streamlit as st

from backend.storage.patients import Patient, Visit
from backend.storage.recordings import Recording
from pages.parts.bench import bench
from pages.parts.markup import facts, plain, strip

KINDS = {"eeg": "EEG", "eog": "EOG", "ecg": "ECG", "emg": "EMG", "spo2": "SpO2", "resp": "respiration", "photic": "photic"}


def find(recording: str) -> tuple[Patient, Visit, Recording]:
    """A recording with its visit and patient.

    Raises
    ------
    InputError
        When it is not there (any more).
    """
    storage = bench().storage
    found = storage.recordings.get(recording)
    visit = storage.patients.visit(found.visit)
    return storage.patients.get(visit.patient), visit, found


def show_choice(chosen: str = "") -> None:
    """Patient, then recording; a new choice opens at once."""
    storage = bench().storage
    patients = [patient for patient in storage.patients.search(limit=1000) if patient.recordings]
    if not patients:
        st.info("There is no recording yet.", icon=":material/info:")
        st.page_link("pages/patients.py", label="Add a patient and a recording, or open a demo patient", icon=":material/arrow_forward:")
        return
    now = find(chosen)[0].id if chosen else None
    ids = [patient.id for patient in patients]
    by_id = {patient.id: patient for patient in patients}
    left, right = (st.container(), st.container()) if chosen else st.columns(2, gap="large")
    with left:
        who = st.selectbox(
            "Patient",
            ids,
            index=ids.index(now) if now in ids else 0,
            format_func=lambda id: by_id[id].pseudonym,
            key=f"eeg-patient-{chosen}",
        )
    visits = {visit.id: visit.label for visit in storage.patients.visits(who)}
    recordings = {found.id: found for found in storage.recordings.list(patient=who)}
    order = sorted(recordings, key=lambda id: list(visits).index(recordings[id].visit))
    with right:
        pick = st.selectbox(
            "Recording",
            order,
            index=order.index(chosen) if chosen in order else None,
            format_func=lambda id: f"{visits[recordings[id].visit]}: {recordings[id].name}, {length(recordings[id].duration_s)}",
            placeholder="Choose one to open it",
            key=f"eeg-recording-{chosen}-{who}",
        )
    if pick and pick != chosen:
        st.query_params.from_dict({"recording": pick})
        st.rerun()


def show_about(patient: Patient, visit: Visit, recording: Recording) -> None:
    """One line on what is open; all that was found at import on demand."""
    kinds: dict[str, int] = {}
    for channel in recording.channels:
        kinds[channel["kind"]] = kinds.get(channel["kind"], 0) + 1
    rates = sorted({float(channel["rate"]) for channel in recording.channels})
    strip(
        [
            ("Patient", patient.pseudonym),
            ("Visit", visit.label),
            ("Recording", recording.name),
            ("Length", length(recording.duration_s)),
            ("Channels", ", ".join(f"{count} {KINDS.get(kind, kind)}" for kind, count in kinds.items())),
            ("Rate", ", ".join(f"{rate:g}" for rate in rates) + " Hz"),
        ]
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Another recording", icon=":material/folder_open:", width="content"):
            show_choice(recording.id)
        if recording.diagnoses:
            repaired = sum(found.get("level") != "note" for found in recording.diagnoses)
            label = "What was found when it was read in" + (f" ({repaired} repaired)" if repaired else "")
            with st.popover(label, icon=":material/fact_check:", width="content"):
                facts(
                    (found["word"], " ".join(filter(None, (found.get("sentence"), found.get("repair"))))) for found in recording.diagnoses
                )
        st.page_link(
            "pages/patients.py",
            label=f"All of {plain(patient.pseudonym)}",
            icon=":material/person:",
            query_params={"patient": patient.id},
            width="content",
        )


def length(seconds: float) -> str:
    """A recording's length: 8 h 02 min, 4 min 30 s."""
    whole = round(seconds)
    hours, minutes, left = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {left:02d} s" if minutes else f"{seconds:.1f} s"
