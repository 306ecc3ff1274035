"""The annotations of a recording as a list: found, shown in the reader, edited, deleted, exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.markup import kicker, plain, selection_key, some

if TYPE_CHECKING:
    from backend.storage.recordings import StoredAnnotation

MOST = 2_000  # rows shown at once
_ORIGINS = {"file": "file", "user": "person"}
_COLUMNS = {
    "Time": st.column_config.TextColumn(width="small", help="Hours:minutes:seconds from the beginning of the recording"),
    "Lasts, s": st.column_config.NumberColumn(width="small", format="%.2f"),
    "Label": st.column_config.TextColumn(width="large"),
    "Channels": st.column_config.TextColumn(width="medium"),
    "From": st.column_config.TextColumn(width="small", help="Whether it stood in the file or a person set it"),
}


@st.fragment
def show_annotations(recording_id: str) -> None:
    """Draw the list; a choice of a row shows it in the reader and opens it for editing."""
    with told():
        kicker("Annotations")
        every = bench().context.storage.recordings.annotations(recording_id)
        if not every:
            st.caption("None yet. Drag over a stretch of the page above and press A, or double-click a moment.")
            return
        found = _filtered(every, recording_id)
        if not found:
            st.caption("No annotation matches.")
            return
        shown = found[:MOST]
        more = f"; the first {MOST:,} are listed" if len(found) > MOST else ""
        st.caption(f"{some(len(found), 'annotation')} of {len(every):,}{more}. Choose one to see it on the page, to edit or to delete it.")
        chosen: Any = st.dataframe(
            [_row(mark) for mark in shown],
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            height=min(38 + 35 * len(shown), 300),
            key=selection_key(f"annotations-{recording_id}", ((mark.id, mark.label, mark.onset_s, mark.duration_s) for mark in shown)),
            column_config=_COLUMNS,
        )
        rows = [row for row in chosen.selection.rows if row < len(shown)]
        if rows:
            _opened(recording_id, shown[rows[0]])
        _export(recording_id, found)


def _filtered(every: Any, recording_id: str) -> list[StoredAnnotation]:
    from backend.eeg.inputs import is_bad

    left, right = st.columns([3, 2], vertical_alignment="bottom")
    text = left.text_input("Words of the label", key=f"annotations-{recording_id}-words").strip().casefold()
    kinds = {
        "all": lambda mark: True,
        "from the file": lambda mark: mark.origin == "file",
        "set by a person": lambda mark: mark.origin != "file",
        "bad": lambda mark: is_bad(mark.label),
    }
    which = right.segmented_control("Which", list(kinds), default="all", key=f"annotations-{recording_id}-which")
    return [mark for mark in every if text in mark.label.casefold() and kinds[which or "all"](mark)]


def _row(mark: StoredAnnotation) -> dict[str, Any]:
    return {
        "Time": clock(mark.onset_s),
        "Lasts, s": mark.duration_s,
        "Label": mark.label,
        "Channels": ", ".join(mark.channels) or "all",
        "From": _ORIGINS.get(mark.origin, mark.origin),
    }


def _opened(recording_id: str, mark: StoredAnnotation) -> None:
    from pages.parts.eeg.viewer import go_to

    key = f"annotation-{mark.id}"
    if st.session_state.get(f"annotations-{recording_id}-seen") != (mark.id, mark.onset_s):
        st.session_state[f"annotations-{recording_id}-seen"] = (mark.id, mark.onset_s)
        go_to(recording_id, mark.onset_s, mark.duration_s)
        st.rerun()
    store = bench().context.storage.recordings
    names = [channel["name"] for channel in store.get(recording_id).channels]
    with st.form(key):
        if mark.origin == "file":
            st.caption("This one stood in the file. Once it is changed it counts as set by a person.")
        label = st.text_input("Label", mark.label, max_chars=1000)
        left, right = st.columns(2)
        onset = left.number_input("Onset, s", 0.0, value=float(mark.onset_s), step=0.1, format="%.3f")
        duration = right.number_input("Duration, s", 0.0, value=float(mark.duration_s), step=0.1, format="%.3f")
        channels = st.multiselect("Channels (none: all)", names, [name for name in mark.channels if name in names])
        with st.container(horizontal=True):
            save = st.form_submit_button("Save", type="primary")
            delete = st.form_submit_button("Delete")
    with told():
        if save:
            store.annotate(recording_id, onset, duration, label, channels, mark.id)
            st.rerun()
        if delete:
            store.delete_annotation(recording_id, mark.id)
            st.toast(f"Deleted: {plain(mark.label)}")
            st.rerun()


def _export(recording_id: str, found: list[StoredAnnotation]) -> None:
    from backend.eeg.archive import annotations_csv

    st.download_button(
        "Save the list as CSV",
        annotations_csv(found),
        f"bioloom-annotations-{recording_id}.csv",
        "text/csv",
        key=f"annotations-{recording_id}-csv",
        on_click="ignore",
    )


def clock(seconds: float) -> str:
    """Seconds from the beginning as 1:02:03.4."""
    tenths = round(seconds * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"
