"""The EEG reader: the page, the whole recording as a strip above it, and what the person marks in it.

The browser holds the pages around the one on show and asks for more ahead of the reading; each answer carries tiles of int16 values
(`backend.eeg.paging`). What is set or marked travels the same way, is kept at once, and comes back with the next answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.config import ASSETS
from pages.parts.bench import bench
from pages.parts.eeg.annotations import show_annotations
from pages.parts.eeg.reader_talk import answer, take
from pages.parts.errors import told

# while an answer is made Streamlit would fade what it belongs to; the reader itself says when it waits
_STEADY = "<style>[data-stale='true'][class*='st-key-reader-'] { opacity: 1 !important; transition: none !important; }</style>"
_PARTS = ("eeg_tiles.js", "eeg_draw.js", "eeg_strip.js", "eeg_panels.js", "eeg.js")


def _asset(name: str) -> str:
    return (ASSETS / "components" / name).read_text(encoding="utf-8")


_EEG = st.components.v2.component(
    "bioloom_eeg", html=_asset("eeg.html"), css=_asset("eeg.css"), js="\n".join(_asset(name) for name in _PARTS)
)


def show_viewer(recording_id: str, stages: Sequence[tuple[float, str]] = (), *, cleaned: bool = True) -> None:
    """Draw the reader of one recording, and the list of its annotations below.

    Parameters
    ----------
    stages : sequence of (start_s, stage), optional
        Sleep stages, each until the next: drawn as a hypnogram above the page. Stages are W, R, N1, N2, N3; '' for none. Where not given,
        the recording's own stage marks, or else its latest saved staging.
    cleaned : bool
        Whether to apply the recording's cleaning (components taken out by the person).
    """
    with told():
        st.html(_STEADY)
        if cleaned and _is_cleaned(recording_id):
            words = "Show the signal cleaned"
            cleaned = st.toggle(words, True, help="Off shows it as it was recorded; analyses stay cleaned.", key=f"cleaned-{recording_id}")
        given = tuple((float(at), str(stage)) for at, stage in stages)
        _reader(recording_id, *((given, "") if given else _staged(recording_id)), cleaned)
        show_annotations(recording_id)


def go_to(recording_id: str, at_s: float, duration_s: float = 0.0) -> None:
    """Let the reader show this time when it is drawn next."""
    state = _state(recording_id)
    state["at"] = float(at_s)
    state["goto"] = {"at": float(at_s), "duration": float(duration_s), "moment": state["goto"]["moment"] + 1 if "goto" in state else 1}


def position(recording_id: str) -> float:
    """Seconds at which the page on show begins, as the reader told last."""
    return float(_state(recording_id).get("at", 0.0))


def _state(recording_id: str) -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.setdefault(f"eeg-reader-{recording_id}", {})
    return found


def _is_cleaned(recording_id: str) -> bool:
    from backend.eeg.cleaning import state

    found = state(bench().context, recording_id)
    return bool(found and found["on"] and found["exclude"])


def _staged(recording_id: str) -> tuple[tuple[tuple[float, str], ...], str]:
    """What is known of sleep stages in the recording, and where from."""
    from backend.eeg.sleep.staged import find_stages, name_stages
    from backend.errors import InputError

    context = bench().context
    try:
        found = find_stages(context, recording_id, name_stages(context, recording_id))
    except InputError:  # nobody staged it: a reader without a hypnogram
        return (), ""
    stages: list[tuple[float, str]] = []
    for n, (start, stop, stage) in enumerate(found.spans):
        stages.append((start, stage))
        if n + 1 == len(found.spans) or found.spans[n + 1][0] > stop:
            stages.append((stop, ""))
    return tuple(stages), found.source


@st.fragment
def _reader(recording_id: str, stages: tuple[tuple[float, str], ...], source: str, cleaned: bool) -> None:
    key = f"reader-{recording_id}"
    state = _state(recording_id)
    with told():
        asked = state.pop("asked", None)
        if asked is not None and take(recording_id, state, asked):
            st.rerun()  # the list of annotations beside the reader tells it too
        data = answer(recording_id, state, asked or {"full": True}, stages, cleaned, source)

        def heard() -> None:
            found = st.session_state[key].asked
            if isinstance(found, Mapping):
                state["asked"] = dict(found)

        _EEG(key=key, data=data, on_asked_change=heard)
