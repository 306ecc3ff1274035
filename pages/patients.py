"""Patients: who is there, adding one, and everything of one patient: visits, recordings, profile, export, erasure."""

from __future__ import annotations

import streamlit as st

from pages.parts.bench import bench
from pages.parts.eeg.patient_list import show_patients
from pages.parts.eeg.patient_page import show_patient
from pages.parts.errors import told
from pages.parts.frame import open_page


def main() -> None:
    open_page("Patients", "People under a pseudonym, their visits and recordings. All of it stays on this computer.")
    _tidy()
    with told():
        patient = st.query_params.get("patient", "")
        if patient:
            show_patient(patient)
        else:
            show_patients()


@st.cache_resource(show_spinner=False)
def _tidy() -> None:
    """Once in a process: what interrupted imports left behind, and archives that nobody fetched."""
    from backend.eeg.exports import forget_exports
    from backend.eeg.importing import sweep

    with told():
        sweep(bench().config, bench().storage)
        forget_exports(bench().config)


main()
