"""Two models on one input: what both find, where they differ, and both results whole."""

from __future__ import annotations

import streamlit as st

from pages.parts.beside.form import follow, show_again, show_new
from pages.parts.beside.result import show_result
from pages.parts.errors import told
from pages.parts.frame import open_page
from pages.parts.run_view import find_run


def main() -> None:
    open_page("Side by side", "One input, two models: how far they agree, where they differ, and both results whole. Both are saved.")
    with told():
        if follow():
            return
    if "first" in st.query_params and "second" in st.query_params:
        runs = find_run(st.query_params["first"]), find_run(st.query_params["second"])
        if st.button("Compare two others", icon=":material/arrow_back:", type="tertiary", key="beside-new"):
            st.query_params.clear()
            st.rerun()
        with told():
            if runs[0] is not None and runs[1] is not None:
                show_result(runs[0], runs[1])
        return
    base = find_run(st.query_params["run"]) if "run" in st.query_params else None
    with told():
        if base is not None:
            show_again(base)
        else:
            show_new()


main()
