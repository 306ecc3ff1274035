"""The library: which papers are there, bringing more in, taking some out."""

from __future__ import annotations

import streamlit as st

from pages.parts import jobs
from pages.parts.bench import reading_room, shelf
from pages.parts.browse import show_papers
from pages.parts.errors import told
from pages.parts.fetching import show_fetch
from pages.parts.frame import open_page
from pages.parts.importing import show_import, show_imports
from pages.parts.markup import plain, some, strip

KINDS = ("library.import", "library.fetch", "library.embedded", "library.vectors", "library.remove")


def main() -> None:
    open_page("Library", "The papers that questions are answered from. They are kept on this computer.")
    with told():
        status = reading_room().status()
        strip(
            [
                ("Papers", f"{status.works:,}"),
                ("Found by words", f"{status.words:,}"),
                ("Read for meaning", f"{status.vectors:,}"),
                ("Collections", f"{len(shelf().collections()):,}"),
            ]
        )
    with st.container():  # always there, so that the tabs below keep their place, and the open one, when work begins or ends
        jobs.watch(lambda job: job.kind in KINDS, "library")
    names = ["Browse", "Import files", "Fetch from PubMed", "Collections", "What was imported"]
    browse, bring, fetch, collections, record = st.tabs(names, key="library-tabs")
    with browse, told():
        show_papers()
    with bring, told():
        show_import()
    with fetch, told():
        show_fetch()
    with collections, told():
        _collections()
    with record, told():
        show_imports()


def _collections() -> None:
    found = shelf().collections()
    if not found:
        st.caption("No collection yet. Choose papers under Browse and put them into one, or name one when importing.")
    for name, count in found:
        left, middle, right = st.columns([6, 2, 2], vertical_alignment="center")
        left.markdown(plain(name))
        middle.caption(some(count, "paper"))
        with right.popover("Remove", width="stretch"):
            st.caption("The papers stay in the library.")
            if st.button("Remove the collection", key=f"uncollect-{name}"):
                shelf().remove_collection(name)
                st.rerun()


main()
