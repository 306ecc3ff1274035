"""Analyse sequences: drop a file, see what it holds, ask a task of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.bench import bench, profile
from pages.parts.errors import told
from pages.parts.frame import open_page
from pages.parts.intake import EXAMPLES, begin, show_intake
from pages.parts.markup import kicker
from pages.parts.preflight import choose_kinds, show_preflight
from pages.parts.run_view import find_run, show_run
from pages.parts.sequence_tasks import KIND, show_form
from pages.parts.starting import follow, show_failed


def main() -> None:
    sentence = (
        "Proteins, DNA, RNA and structures. Drop a file; Bioloom says what it holds and what it had to change, before anything is computed."
    )
    open_page("Sequences", sentence, header)
    shown = find_run(st.query_params["run"]) if "run" in st.query_params else None
    value: dict[str, Any] | None = None
    if "file" in st.query_params:
        value = {"file": st.query_params["file"], "name": st.query_params.get("name", "input"), "records": [], "kinds": {}}
    elif shown is not None and shown.input.get("file"):
        value = dict(shown.input)
    if value is None:
        if follow(KIND):
            return
        show_failed(KIND)
        show_intake()
        begin(EXAMPLES)
        return
    with st.expander("Another file"):
        show_intake()
        begin(EXAMPLES)
    if follow(KIND):
        return
    show_failed(KIND)
    with told():
        if shown is not None and "file" not in st.query_params:
            with st.expander(f"What was read of {value['name']}, and other tasks on it"):
                _material(value, shown.task)
            show_run(shown)
        else:
            _material(value, st.query_params.get("task"))


def header() -> list[tuple[str, str]]:
    """Profile and machine."""
    from backend.models.device import device_name

    return [("Profile", profile().name), ("Machine", device_name(bench().config))]


def _material(value: Mapping[str, Any], task: str | None) -> None:
    from backend.sequences.inputs import open_input

    with st.spinner("Reading the file ..."):
        found = open_input(bench().context, value)
    kicker("What was read")
    show_preflight(found, f"preflight-{value['file'][:12]}")
    kinds = {**value.get("kinds", {}), **choose_kinds(found, f"kinds-{value['file'][:12]}")}
    given = {**value, "kinds": kinds}
    if kinds != value.get("kinds", {}):
        found = open_input(bench().context, given)
        show_preflight(found, f"preflight-said-{value['file'][:12]}")
    if not found.summary().usable:
        return
    kicker("What you want to know")
    show_form(found, given, task)


main()
