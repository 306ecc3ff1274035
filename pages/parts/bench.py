"""The one workbench behind all pages, and who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.keys import Keys

if TYPE_CHECKING:
    from backend.domain import Profile
    from backend.literature.library import Library
    from backend.workbench import Workbench

_ACTIVE = "active_profile"


@st.cache_resource(show_spinner=False)
def bench() -> Workbench:
    """The workbench of this process; the embedded papers are read into the library in the background."""
    from backend.literature.library import library
    from backend.workbench import open_workbench

    opened = open_workbench()
    library(opened.context).start(opened.jobs)
    return opened


def shelf() -> Library:
    """The library of papers."""
    from backend.literature.library import library

    return library(bench().context)


def reading_room() -> Library:
    """The library for pages that ask it: from the first such visit on it is read for meaning."""
    found = shelf()
    found.use(bench().jobs)
    return found


def profile() -> Profile:
    """Who is asking: chosen in this session, or else the one chosen last on this machine."""
    from backend.errors import InputError

    store = bench().storage
    wanted = st.session_state.get(Keys.PROFILE) or store.settings.get(_ACTIVE).get("id", "guest")
    try:
        found = store.profiles.get(wanted)
    except InputError:  # removed meanwhile
        found = store.profiles.get("guest")
    st.session_state[Keys.PROFILE] = found.id
    return found


def choose_profile(profile_id: str) -> None:
    """Make a profile the one who asks, now and at the next start."""
    st.session_state[Keys.PROFILE] = profile_id
    bench().storage.settings.set(_ACTIVE, {"id": profile_id})


def owner() -> str:
    """Whose runs, jobs and searches these are."""
    return profile().id
