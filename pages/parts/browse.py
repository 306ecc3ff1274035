"""Looking through the library: search, pages of papers, opening one, removing some, putting them into a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.progress import Progress
from pages.parts.bench import bench, owner, shelf
from pages.parts.evidence import citation, marked, notices, study_label
from pages.parts.filters import choose_filters
from pages.parts.keys import Keys
from pages.parts.markup import escape, html, selection_key, some
from pages.parts.reading_on import read_paper

if TYPE_CHECKING:
    from backend.storage.papers import StoredPaper

_PAGE = 25
_COLUMNS = {
    "Title": st.column_config.TextColumn(width=400),
    "Journal": st.column_config.TextColumn(width=150),
    "Study type": st.column_config.TextColumn(width=130),
    "PMID": st.column_config.TextColumn(width=80),
    "Year": st.column_config.NumberColumn(format="%d", width=60),
}


def show_papers() -> None:
    """The papers that match, a page at a time."""
    from backend.storage.papers import Filters

    text = st.text_input("Words of the title or text, or a PMID", key=Keys.LIBRARY_TEXT)
    with st.expander("Filters"):
        filters = Filters.read(choose_filters())
    library = shelf()
    count = library.count(text, filters)
    pages = max(1, -(-count // _PAGE))
    at = min(int(st.session_state.get(Keys.LIBRARY_PAGE, 1)), pages)
    papers = library.papers(text, filters, _PAGE, (at - 1) * _PAGE)
    if not papers:
        st.caption(
            "No paper matches." if text or filters else "The library is empty. Import files, or wait until the embedded abstracts are read."
        )
        return
    st.caption(f"{some(count, 'paper')}. Choose one to read it; several to remove them or to put them into a collection.")
    chosen: Any = st.dataframe(
        [_row(stored) for stored in papers],
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=selection_key("papers", (stored.id for stored in papers)),
        column_config=_COLUMNS,
    )
    if pages > 1:
        st.pagination(pages, key=Keys.LIBRARY_PAGE)
    picked = [papers[row] for row in chosen.selection.rows if row < len(papers)]
    if picked:
        _act(picked)
    for stored in picked[:3]:
        _paper(stored)


def _row(stored: StoredPaper) -> dict[str, Any]:
    paper = stored.paper
    retracted = any(notice.kind == "retracted" for notice in paper.notices)
    return {
        "Title": ("⊘ RETRACTED  " if retracted else "") + paper.title,
        "Journal": paper.journal,
        "Year": paper.year,
        "Study type": study_label(stored.study_type) if stored.study_type_source != "none" else "",
        "PMID": paper.pmid,
        "Collections": ", ".join(stored.collections),
    }


def _paper(stored: StoredPaper) -> None:
    paper = stored.paper
    html(
        f"<article class='bl-paper'>{notices([asdict(notice) for notice in paper.notices])}<h4>{escape(paper.title)}</h4>"
        f"<div class='bl-cite'>{citation(asdict(paper))}</div>{marked(paper.text, [])}"
        + (f"<div class='bl-soft'>MeSH: {escape('; '.join(paper.mesh))}</div>" if paper.mesh else "")
        + "</article>"
    )
    read_paper(stored.id)


def _act(picked: Sequence[StoredPaper]) -> None:
    ids = [stored.id for stored in picked]
    with st.container(horizontal=True):
        with st.popover(f"Put {some(len(ids), 'paper')} into a collection", icon=":material/create_new_folder:"):
            known = [name for name, _ in shelf().collections()]
            name = st.selectbox(
                "Collection", known, index=None, accept_new_options=True, placeholder="choose or type a new one", key="collect-name"
            )
            if st.button("Put in", disabled=not name, key="collect-go"):
                shelf().add_to_collection(ids, str(name))
                st.session_state[Keys.NOTE] = f"{some(len(ids), 'paper')} put into the collection."
                st.rerun()
        with st.popover(f"Remove {some(len(ids), 'paper')}", icon=":material/delete:"):
            st.caption("Removed papers are no longer searched. Saved runs keep the sentences they quoted.")
            if st.button("Remove", type="primary", key="remove-papers"):
                _remove(ids)
                st.rerun()


def _remove(ids: list[int]) -> None:
    library = shelf()

    def work(progress: Progress) -> dict[str, Any]:
        progress.update(0, None, "Bringing the word index up to date")
        return {"removed": library.remove(ids)}

    bench().jobs.submit(owner(), "library.remove", f"Removing {some(len(ids), 'paper')}", work)
