"""The report of a recording: choose what goes in, write question and impression, see it, take it away as HTML or PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import canonical, digest
from backend.progress import Progress
from backend.storage.recordings import StoredAnnotation
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.markup import kicker, plain, selection_key, size

_MONTAGES = {
    "": "Double banana where electrodes allow it, else as recorded",
    "longitudinal": "Longitudinal bipolar",
    "transverse": "Transverse bipolar",
    "average": "Average reference",
    "referential": "As recorded",
}
_SENSITIVITIES = (3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)
_MOST_LISTED = 2_000
_KEPT = "report"  # fact of a recording: question, impression and reader, when the person keeps them


def show_report(recording: str) -> None:
    """Form, then the report itself."""
    from backend.eeg.report.choice import NEEDED, SECTIONS, Choice

    kept = bench().storage.recordings.fact(recording, _KEPT) or {}
    left, right = st.columns([4, 5], gap="large")
    with left:
        kicker("What goes in")
        free = [name for name in SECTIONS if name not in NEEDED]
        chosen = st.pills(
            "Sections",
            free,
            selection_mode="multi",
            default=free,
            wrap=True,
            format_func=lambda name: SECTIONS[name],
            key=f"report-sections-{recording}",
        )
        st.caption("The recording, what was altered, and how it was computed are always in. What was not measured is named as such.")
        look = _look(recording)
    with right:
        kicker("In your words")
        question = st.text_area("Clinical question", kept.get("question", ""), key=f"report-question-{recording}", height=80)
        impression = st.text_area("Impression", kept.get("impression", ""), key=f"report-impression-{recording}", height=150)
        reader = st.text_input("Read by", kept.get("reader", ""), key=f"report-reader-{recording}", max_chars=120)
        words = {"question": question, "impression": impression, "reader": reader}
        st.caption("These stand in this report only, unless you keep them with the recording. Name no patient in them.")
        if st.button("Keep these words with the recording", disabled=words == {name: kept.get(name, "") for name in words}):
            with told():
                bench().storage.recordings.set_fact(recording, _KEPT, words if any(words.values()) else None)
                st.rerun()
    pages = _marks(recording)
    sections = tuple(name for name in SECTIONS if name in chosen or name in NEEDED)
    choice = Choice(sections=sections, pages=pages, **look, **words)
    _write(recording, choice)


def _look(recording: str) -> dict[str, Any]:
    with st.expander("How pages of signal are drawn"):
        montage = st.selectbox("Montage", list(_MONTAGES), format_func=lambda name: _MONTAGES[name], key=f"report-montage-{recording}")
        sensitivity = st.select_slider("Sensitivity (µV/mm)", _SENSITIVITIES, 7.0, key=f"report-sensitivity-{recording}")
        low, high, notch = st.columns(3)
        low_cut = low.number_input("Low cut (Hz)", 0.1, 30.0, 1.0, 0.1, key=f"report-low-{recording}")
        high_cut = high.number_input("High cut (Hz)", 10.0, 200.0, 70.0, 5.0, key=f"report-high-{recording}")
        mains = notch.selectbox("Notch", [50.0, 60.0, None], format_func=_hertz, key=f"report-notch-{recording}")
        at = st.text_input(
            "Further pages, from these seconds (several with commas)", key=f"report-at-{recording}", placeholder="30, 1200.5"
        )
    return {
        "montage": montage,
        "uv_per_mm": float(sensitivity),
        "low_cut": low_cut,
        "high_cut": high_cut,
        "notch": mains,
        "pages_at": _seconds(at),
    }


def _marks(recording: str) -> tuple[int, ...]:
    """Annotations whose page is drawn."""
    marks: Sequence[StoredAnnotation] = bench().storage.recordings.annotations(recording)
    if not marks:
        st.caption("The recording has no annotations. Further pages can be named by their second.")
        return ()
    kicker("Pages of annotated events")
    labels = sorted({mark.label for mark in marks})
    wanted = st.multiselect("Only these annotations", labels, key=f"report-labels-{recording}") if len(labels) > 1 else []
    listed = [mark for mark in marks if not wanted or mark.label in wanted][:_MOST_LISTED]
    found = st.dataframe(
        [
            {
                "From the beginning (s)": mark.onset_s,
                "Length (s)": mark.duration_s,
                "Annotation": mark.label,
                "Channels": ", ".join(mark.channels),
            }
            for mark in listed
        ],
        hide_index=True,
        height=min(38 * (len(listed) + 1), 260),
        on_select="rerun",
        selection_mode="multi-row",
        key=selection_key(f"report-marks-{recording}", [mark.id for mark in listed]),
    )
    st.caption("Select rows: each gets ten seconds of signal in the report, beginning a third of a page before it.")
    return tuple(listed[row].id for row in found["selection"]["rows"])


def _write(recording: str, choice: Any) -> None:
    """Make the report in the background; show and offer the one that belongs to these choices."""
    opened, asker = bench(), owner()
    mark = digest(canonical([recording, asdict(choice)]))[:16]
    key = f"report:{recording}:{mark}"
    title = f"Report of {opened.storage.recordings.get(recording).name}"
    made = st.session_state.get("eeg_report")

    def work(progress: Progress) -> dict[str, Any]:
        from backend.eeg.report.contents import build
        from backend.eeg.report.kept import keep

        return {"file": keep(opened.context, build(opened.context.watched(progress), recording, choice))}

    if jobs.watch(lambda job: job.kind == "report" and job.title == title, f"report-{recording}"):
        return
    if made and made["mark"] == mark:
        job = opened.jobs.get(made["job"])
        if job.state == "done" and job.result:
            _offer(str(job.result["file"]))
            return
        if job.state in ("failed", "interrupted", "cancelled"):
            jobs.show_failure(job)
    label = "Write the report" if not made or made["mark"] == mark else "Write the report anew, with these choices"
    if st.button(label, type="primary", key=f"report-write-{recording}"):
        with told():
            st.session_state["eeg_report"] = {"mark": mark, "job": opened.jobs.submit(asker, "report", title, work, key=key)}
            opened.jobs.wait(st.session_state["eeg_report"]["job"], 1.5)
            st.rerun()


def _offer(file: str) -> None:
    from backend.eeg.report.kept import find

    found = find(bench().context, file)
    if found is None:
        st.session_state.pop("eeg_report", None)
        st.rerun()
    name = f"EEG-report-{file[:8]}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            f"PDF ({size(len(found.pdf))})", found.pdf, f"{name}.pdf", "application/pdf", type="primary", icon=":material/picture_as_pdf:",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            f"HTML ({size(len(found.html))})", found.html, f"{name}.html", "text/html", icon=":material/html:", on_click="ignore"
        )
        st.caption("The file's name tells nothing of the patient; the report names the pseudonym.")
    kicker("Preview")
    st.iframe(found.html.decode("utf-8"), height=1000, alt="Preview of the report")


def _seconds(text: str) -> tuple[float, ...]:
    found = []
    for part in text.replace(";", ",").split(","):
        if not part.strip():
            continue
        try:
            found.append(float(part))
        except ValueError:
            st.warning(f"'{plain(part.strip())}' is no number of seconds.", icon=":material/info:")
    return tuple(found)


def _hertz(value: float | None) -> str:
    return "none" if value is None else f"{value:g} Hz"
