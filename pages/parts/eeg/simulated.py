"""Says on every view that a recording was made by a program."""

from __future__ import annotations

import streamlit as st

from pages.parts.bench import bench

WORDS = "Simulated signals, not a person's. How well they are analysed says nothing of how well a person's are."


def banner(recording: str) -> None:
    """Draw the label, if the recording is simulated."""
    from backend.eeg.inputs import is_simulated

    if is_simulated(bench().context, recording):
        st.warning(f"**SIMULATED.** {WORDS}", icon=":material/science:")
