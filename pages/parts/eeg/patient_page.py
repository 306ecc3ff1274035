"""One patient: who, which visits, which recordings; and the parts that other files draw."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType

import streamlit as st

from backend.storage.patients import Patient
from pages.parts.bench import bench
from pages.parts.eeg.choosing import length
from pages.parts.eeg.patient_tools import show_tools
from pages.parts.eeg.patient_visits import recorded_s, show_visits
from pages.parts.errors import show_error, told
from pages.parts.markup import plain, strip

PARTS: Mapping[str, tuple[str, str, str]] = {
    # what the address says: label, module, function
    "recordings": ("Visits and recordings", "", ""),
    "profile": ("Profile", "patient_profile", "show_profile"),
    "compare": ("Visits side by side", "visits", "show_comparison"),
    "calibrations": ("Calibrations", "calibrations", "show_calibrations"),
    "edit": ("Edit, export, merge, delete", "", ""),
}


def show_patient(id: str) -> None:
    """Everything of one patient; a word where there is none with this id."""
    from backend.errors import InputError

    if st.button("All patients", icon=":material/arrow_back:", type="tertiary", key="all-patients"):
        st.query_params.clear()
        st.rerun()
    try:
        patient = bench().storage.patients.get(id)
    except InputError as error:
        show_error(error.message, error.hint)
        return
    _head(patient)
    part = _choose()
    with told():
        if part == "recordings":
            show_visits(patient)
        elif part == "edit":
            show_tools(patient)
        else:
            _, module, function = PARTS[part]
            found = _module(module)
            if found is not None:
                getattr(found, function)(patient.id)


def _head(patient: Patient) -> None:
    st.header(plain(patient.pseudonym), anchor=False)
    if patient.note:
        st.caption(plain(patient.note))
    recordings = bench().storage.recordings.list(patient=patient.id)
    strip(
        [
            ("Visits", str(patient.visits)),
            ("Recordings", str(patient.recordings)),
            ("Recorded", length(sum(map(recorded_s, recordings))) if recordings else "nothing yet"),
            ("Helps to calibrate for others", "yes, consent recorded" if patient.pooled else "no consent recorded"),
        ]
    )
    _invite(patient)
    simulated = [recording for recording in recordings if bench().storage.recordings.fact(recording.id, "simulated")]
    if simulated:
        importlib.import_module("pages.parts.eeg.simulated").banner(simulated[0].id)


def _invite(patient: Patient) -> None:
    """What to try first with a demo patient."""
    from backend.eeg.demo import demo_of

    found = demo_of(bench().context, patient.id)
    if found is not None:
        demo, recording = found
        st.page_link(
            "pages/eeg.py",
            label=demo.invitation,
            icon=":material/arrow_forward:",
            query_params={"recording": recording, "show": "decode", "task": demo.task},
        )


def _choose() -> str:
    there = [part for part, (_, module, _) in PARTS.items() if not module or _module(module) is not None]
    said = st.query_params.get("show", "recordings")
    if said not in there:
        said = "recordings"
    chosen = st.segmented_control(
        "Part",
        there,
        default=said,
        format_func=lambda part: PARTS[part][0],
        label_visibility="collapsed",
        key=f"patient-part-{said}",
    )
    if chosen and chosen != said:
        st.query_params["show"] = chosen
        st.rerun()
    return said


def _module(name: str) -> ModuleType | None:
    """The module that draws a part, if it is there."""
    found = f"pages.parts.eeg.{name}"
    try:
        return importlib.import_module(found)
    except ModuleNotFoundError as error:
        if error.name != found:
            raise
        return None
