"""The decoders of a patient: what each can do, renamed or erased."""

from __future__ import annotations

import streamlit as st

from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.markup import moment, some


def show_calibrations(patient: str) -> None:
    """A table of the patient's calibrations, newest first, and what can be done with one."""
    from backend.figures.eeg_decode import VERDICTS

    storage = bench().storage
    found = storage.calibrations.list(patient=patient)
    if not found:
        st.caption("No decoder was calibrated yet. Open a recording with labelled events and choose 'Calibrate a decoder'.")
        return
    st.dataframe(
        [
            {
                "Calibration": one.name,
                "Verdict": f"{VERDICTS[one.data['verdict']][2]} {VERDICTS[one.data['verdict']][0]}",
                "Next session": f"{one.data['next_session']['value']:.0%} ({one.data['next_session']['low']:.0%} to "
                f"{one.data['next_session']['high']:.0%})",
                "Classes": ", ".join(f"{name} {count}" for name, count in one.data["counts"].items()),
                "Method": one.data["chosen"],
                "Recordings": len(one.recordings),
                "Other patients": len(one.pooled_from),
                "Made": moment(one.created),
                "Id": one.id,
            }
            for one in found
        ],
        hide_index=True,
    )
    with st.expander(f"Rename or delete ({some(len(found), 'calibration')})"):
        names = {one.id: f"{one.name} ({one.id})" for one in found}
        chosen = st.selectbox("Calibration", list(names), format_func=lambda id: names[id], key=f"calibrations-{patient}")
        about = next(one for one in found if one.id == chosen)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input("Name", about.name, max_chars=120, key=f"calibration-name-{chosen}")
            if st.button("Rename", disabled=name == about.name, key=f"calibration-rename-{chosen}"):
                with told():
                    storage.calibrations.rename(chosen, name)
                    st.rerun()
            if st.button("Delete", icon=":material/delete:", key=f"calibration-delete-{chosen}"):
                with told():
                    storage.calibrations.delete(chosen)
                    st.rerun()
        st.caption("Deleting erases the decoder. Runs that applied it stay, and cannot be computed again.")
