"""The top of every page: style, title, who asks, what runs in the background; and the guard when nothing can be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import jobs
from pages.parts.bench import bench, profile
from pages.parts.errors import show_error
from pages.parts.keys import Keys
from pages.parts.markup import plain

if TYPE_CHECKING:
    from backend.workbench import Workbench


def open_page(title: str, sentence: str) -> Workbench:
    """Draw the frame and hand out the workbench; stop, saying why, when the data cannot be opened."""
    from backend.config import ASSETS
    from backend.errors import BioloomError

    st.html(ASSETS / "style.css")
    try:
        with st.spinner("Opening Bioloom ...", show_time=True):
            opened = bench()
    except BioloomError as error:
        st.title(title, anchor=False)
        show_error(error.message, error.hint)
        st.stop()
    with st.sidebar:
        asking = profile()
        st.caption(f"Asking as **{plain(asking.name)}**, {asking.role if asking.role != 'both' else 'clinician and biologist'}")
        jobs.background()
        # our own fixed script, nobody's text; down here it takes no room at the top of the page
        st.html(f"<script>{(ASSETS / 'page.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)
    st.title(title, anchor=False)
    st.caption(sentence)
    note = st.session_state.pop(Keys.NOTE, None)
    if note:
        st.success(note, icon=":material/check:")
    return opened
