"""From an answer or a paper to the models that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.markup import plain
from pages.parts.text_marks import brief


def read_on(run_id: str, evidence: Sequence[Mapping[str, Any]]) -> None:
    """Links from the papers that an answer quotes: read one with a model, or put a question to all of them."""
    papers = {int(item["document"]): str(item["title"]) for item in evidence}
    with st.popover("Read with a model", icon=":material/article:"):
        st.caption("A model reads the papers themselves: what they name, what they state, whether they say yes or no.")
        st.page_link(
            "pages/texts.py",
            label="Yes, no or maybe: all quoted papers",
            icon=":material/rule:",
            query_params={"ask": run_id},
        )
        for paper, title in papers.items():
            read_paper(paper, f"Read “{brief(title, 80)}” with a model")


def read_paper(paper: int, label: str = "Read this paper with a model") -> None:
    """A link from one paper of the library."""
    st.page_link("pages/texts.py", label=plain(label), icon=":material/article:", query_params={"paper": str(paper)})
