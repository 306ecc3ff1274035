"""The top of every page: style, title, who asks, what runs in the background; and the guard when nothing can be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import jobs
from pages.parts.bench import bench, profile
from pages.parts.errors import show_error
from pages.parts.keys import Keys
from pages.parts.markup import escape, html, plain

if TYPE_CHECKING:
    from backend.workbench import Workbench


def open_page(title: str, sentence: str, header: Callable[[], Iterable[tuple[str, str]]] | None = None) -> Workbench:
    """Draw the frame and hand out the workbench; stop, saying why, when the data cannot be opened.

    Parameters
    ----------
    header : callable, optional
        Gives names and values that stand beside the title: what will answer, for whom, on what.
    """
    from backend.config import ASSETS
    from backend.errors import BioloomError

    _through_the_door()
    st.html(ASSETS / "style.css")
    # pop-ups and menus hang outside the app's own element, where Streamlit leaves the browser's scheme as it was
    st.html(f"<style>:root {{ color-scheme: {'dark' if st.context.theme.type == 'dark' else 'light'}; }}</style>")
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
    if header is None:
        st.title(title, anchor=False)
    else:
        left, right = st.columns([2, 5], vertical_alignment="bottom")
        left.title(title, anchor=False)
        with right:
            html("".join(f"<span>{escape(name)} <b>{escape(value)}</b></span>" for name, value in header()), css="bl bl-head")
    st.caption(sentence)
    note = st.session_state.pop(Keys.NOTE, None)
    if note:
        st.success(note, icon=":material/check:")
    return opened


def _through_the_door() -> None:
    """Let app.py run before any page, also when the first visit after a start is a link into the middle.

    Until st.navigation was called once in a process, Streamlit takes a folder named pages for its older kind of app and runs a page alone.
    """
    from streamlit.runtime.pages_manager import PagesManager

    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
