"""What a person may say before a night is staged: channels, lights off and on, age and sex."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.bench import bench
from pages.parts.markup import plain


def settings(recording: str) -> dict[str, Any] | None:
    """Channels, lights, age and sex."""
    from backend.eeg.inputs import bad_channels, effective_channels
    from backend.eeg.signal import open_recording
    from backend.eeg.sleep.channels import choose, eeg_leads, emg_leads, eog_leads
    from backend.eeg.sleep.signal import LEAST_S

    context = bench().context
    long = open_recording(context.config, recording).duration_s
    if long < LEAST_S:
        st.info(f"The recording is {long / 60:.1f} min long; staging needs 5 min at least, and was learned from whole nights.")
        return None
    channels, bad = effective_channels(context, recording), bad_channels(context, recording)
    chosen = choose(channels, bad)  # refuses, with the reason, where nothing can be staged
    usable = [channel for channel in channels if channel.name not in bad]
    automatic = {kind: lead.name for kind, lead in chosen.chosen()}
    st.caption(f"Chosen by itself: {plain(', '.join(automatic.values()))}.")
    if chosen.eeg.doubt:
        st.caption(plain(chosen.eeg.doubt))
    made: dict[str, Any] = {}
    with st.expander("Channels"):
        offers = {"eeg": eeg_leads(usable), "eog": eog_leads(usable), "emg": emg_leads(usable)}
        for kind, label in (("eeg", "EEG"), ("eog", "Eyes"), ("emg", "Chin")):
            names = list(dict.fromkeys([*(lead.name for lead in offers[kind]), *(channel.name for channel in usable)]))
            options = ["", *([] if kind == "eeg" else ["none"]), *names]
            made[kind] = st.selectbox(
                label,
                options,
                format_func=lambda name, kind=kind: _said(name, automatic.get(kind)),
                key=f"sleep-{kind}-{recording}",
            )
    made |= _lights(recording) | _person(recording)
    return made


def _said(name: str, automatic: str | None) -> str:
    if not name:
        return f"Chosen by itself ({automatic})" if automatic else "Chosen by itself (none fits)"
    return "Do without" if name == "none" else name


def _lights(recording: str) -> dict[str, Any]:
    from backend.eeg.signal import open_recording

    meta = open_recording(bench().config, recording).meta
    with st.expander("Lights off and lights on"):
        st.caption(
            "Sleep latency, efficiency and wake after sleep onset are counted between them; without them, over all of the recording."
        )
        if not st.checkbox("They are known", key=f"sleep-lights-{recording}"):
            return {"lights_off_s": None, "lights_on_s": None}
        most = meta.duration_s / 60
        left, right = st.columns(2)
        clock = f" (the recording begins at {meta.clock})" if meta.clock else ""
        off = left.number_input(f"Lights off, minutes from the beginning{clock}", 0.0, most, 0.0, 0.5, key=f"sleep-off-{recording}")
        on = right.number_input(
            "Lights on, minutes from the beginning", 0.0, most, float(int(most * 2) / 2), 0.5, key=f"sleep-on-{recording}"
        )
    return {"lights_off_s": float(off) * 60, "lights_on_s": float(on) * 60}


def _person(recording: str) -> dict[str, Any]:
    with st.expander("Age and sex"):
        st.caption("The classifiers can take both into account. They are kept with this result as a setting, not with the patient.")
        left, right = st.columns(2)
        age = left.number_input("Age in years", 1, 119, None, key=f"sleep-age-{recording}")
        words = {"": "Not given", "female": "Female", "male": "Male"}
        sex = right.selectbox("Sex", list(words), format_func=lambda name: words[name], key=f"sleep-sex-{recording}")
    return {"age": age, "sex": sex}
