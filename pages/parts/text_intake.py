"""How a text comes in: pasted, dropped, a paper of the library found by its words, or an example."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from backend.config import ASSETS
from pages.parts.bench import bench, shelf
from pages.parts.errors import told
from pages.parts.links import asked
from pages.parts.markup import plain

if TYPE_CHECKING:
    from backend.storage.papers import StoredPaper

EXAMPLES = (
    # file, what it is, the task that shows it best
    ("case-report.txt", "A made-up case report: a drug, its side effects, and what was ruled out", "literature.entities"),
    ("trial.txt", "A made-up trial abstract: does the drug help?", "literature.verdict"),
)
_FOUND = 8  # papers listed


def show_intake() -> None:
    """Uploader, paste field and search of the library; whatever is given is kept at once and opened."""
    dropped, pasted = st.columns(2, gap="large")
    with dropped:
        with told():
            uploaded = st.file_uploader("Drop a text file (.txt, UTF-8)", type=["txt"], key="text-upload")
            if uploaded is not None and st.session_state.get("text-upload-seen") != uploaded.file_id:
                st.session_state["text-upload-seen"] = uploaded.file_id
                _open(bytes(uploaded.getbuffer()), uploaded.name)
        with told():
            _library()
    with pasted, told(), st.form("text-paste", border=False, enter_to_submit=False):
        text = st.text_area("Or paste a text: an abstract, a report, a paragraph", key="text-pasted", height=190)
        if st.form_submit_button("Read it"):
            if text.strip():
                _open(text.encode("utf-8", "surrogatepass"), f"pasted {first_words(text)}")
            else:
                st.warning("Paste a text first.", icon=":material/edit:")


def begin() -> None:
    """Examples, one click away."""
    st.markdown("**Try it with**")
    for name, words, task in EXAMPLES:
        if st.button(words, key=f"example-{name}", icon=":material/arrow_forward:", type="tertiary"):
            with told():
                _open((ASSETS / "examples" / name).read_bytes(), name, task)


def first_words(text: str) -> str:
    """What a pasted text is called, so that it is found again among the saved runs."""
    head = re.sub(r"[\\/\s]+", " ", text.strip())
    return head[:40].strip() or "text"


def read_kept(sha256: str, name: str) -> dict[str, str]:
    """The kept text of a digest, as the input of a task.

    Raises
    ------
    InputError
        When it is not kept here, or is no UTF-8 text.
    """
    from backend.errors import InputError
    from backend.storage.files import Files

    try:
        return {"text": Files(bench().config).path(sha256).read_bytes().decode("utf-8-sig"), "name": name}
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{name}' is not plain text in UTF-8 (byte {error.start:,}).",
            "Save it as plain text with the encoding UTF-8; for PDF and reference files use the Library.",
        ) from error


def _library() -> None:
    words = st.text_input("Or a paper of your library, by its words", key="text-library", placeholder="lithium newborn")
    if not words.strip():
        return
    papers = _search(words)
    if not papers:
        st.caption("No paper of the library has these words. Papers are imported on the Library page.")
        return
    titles = {stored.id: f"{stored.paper.title} ({stored.paper.year or 'no year'})" for stored in papers}
    chosen = st.radio(
        "Papers found", list(titles), format_func=lambda at: plain(titles[at]), key="text-paper", label_visibility="collapsed"
    )
    if st.button("Read this paper", key="text-paper-open"):
        st.query_params.from_dict({**asked("task", "model"), "paper": str(chosen)})
        st.rerun()


def _search(words: str) -> list[StoredPaper]:
    """The best papers by words alone (BM25); by title while the word index is being made."""
    from backend.literature.retrieval import lexical_ranking

    library = shelf()
    best = [paper for paper, _ in lexical_ranking(library, library.snapshot(), words, None, _FOUND)]
    if not best:
        return library.papers(words, None, _FOUND)
    found = library.get(best)
    return [found[paper] for paper in best if paper in found]


def _open(data: bytes, name: str, task: str = "") -> None:
    from backend.storage.files import Files

    kept = Files(bench().config).put(data, name)
    st.query_params.from_dict({**asked("task", "model"), "text": kept.sha256, "name": kept.name, **({"task": task} if task else {})})
    st.rerun()
