"""Open a recording: see it, look at its spectra, clean it, decode it, report it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import streamlit as st

from pages.parts.bench import bench, profile
from pages.parts.eeg.choosing import find, show_about, show_choice
from pages.parts.eeg.tasks import PAGE, name, show_form
from pages.parts.errors import told
from pages.parts.frame import open_page
from pages.parts.keys import Keys
from pages.parts.links import here
from pages.parts.markup import kicker, moment, plain
from pages.parts.run_view import find_run, show_run
from pages.parts.starting import follow, show_failed

PARTS: Mapping[str, tuple[str, str, str]] = {
    # what the address says: label, module, function
    "signal": ("Signal", "viewer", "show_viewer"),
    "spectra": ("Spectra", "spectra", "show_spectra"),
    "cleaning": ("Quality and cleaning", "cleaning", "show_cleaning"),
    "decode": ("Analyse and decode", "", ""),
    "report": ("Report", "report", "show_report"),
}


def main() -> None:
    sentence = "One patient's recording: page through it, measure it, stage it, decode it. For research; not a medical device."
    open_page("EEG", sentence, header)
    run = find_run(st.query_params["run"]) if "run" in st.query_params else None
    recording = st.query_params.get("recording", "")
    if run is not None and not recording:
        from backend.eeg.inputs import recordings_of

        recording = next(iter(recordings_of(run.input)), "")
    if not recording:
        show_choice()
        return
    with told():
        patient, visit, found = find(recording)
        _banner(recording)
        show_about(patient, visit, found)
        part = _choose(run is not None)
        if part != "cleaning":
            importlib.import_module("pages.parts.eeg.cleaning").banner(recording)
        if part == "decode":
            _decode(recording, run is not None)
            if run is not None and not st.session_state.get(f"{PAGE}_job"):
                show_run(run)
        else:
            _, module, function = PARTS[part]
            getattr(importlib.import_module(f"pages.parts.eeg.{module}"), function)(recording)


def header() -> list[tuple[str, str]]:
    """Profile and machine."""
    from backend.models.device import device_name

    return [("Profile", profile().name), ("Machine", device_name(bench().config))]


def _choose(has_run: bool) -> str:
    said = st.query_params.get("show", "decode" if has_run else "signal")
    if said not in PARTS:
        said = "signal"
    chosen = st.segmented_control(
        "Part",
        list(PARTS),
        default=said,
        format_func=lambda part: PARTS[part][0],
        label_visibility="collapsed",
        key=f"{Keys.EEG_PART}-{said}",
    )
    if chosen and chosen != said:
        if chosen != "decode":
            st.query_params.pop("run", None)
        st.query_params["show"] = chosen
        st.rerun()
    return said


def _decode(recording: str, shown: bool) -> None:
    keep = {"recording": recording, "show": "decode"}
    if follow(PAGE, keep):
        return
    show_failed(PAGE)
    _earlier(recording)
    if shown:
        with st.expander("Another analysis of this recording"):
            show_form(recording, st.query_params.get("task"))
    else:
        kicker("What you want to know")
        show_form(recording, st.query_params.get("task"))


def _earlier(recording: str) -> None:
    """Results that are there already."""
    from backend.eeg.archive import runs_of

    runs = [bench().storage.runs.get(run) for run in runs_of(bench().storage, [recording])]
    if not runs:
        return
    with st.expander(f"Results so far ({len(runs)})"):
        for run in sorted(runs, key=lambda run: run.created, reverse=True):
            label = f"{name(run.task)} :gray[· {plain(run.title)} · {moment(run.created)} · {run.id}]"
            query = {"recording": recording, "show": "decode", "run": run.id}
            here(label, query, f"earlier-{run.id}", ":material/article:")


def _banner(recording: str) -> None:
    from backend.eeg.inputs import is_simulated

    if is_simulated(bench().context, recording):
        importlib.import_module("pages.parts.eeg.simulated").banner(recording)


main()
