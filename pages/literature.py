"""Ask the papers: a question in, a verdict and sentences of real papers out, word for word."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.asking import choose_model, choose_readers, header, preflight
from pages.parts.bench import bench, owner, profile, reading_room
from pages.parts.errors import told
from pages.parts.filters import choose_filters, set_filters
from pages.parts.frame import open_page
from pages.parts.keys import Keys
from pages.parts.markup import plain
from pages.parts.run_view import find_run, show_run

EXAMPLES = (
    "Does metformin reduce cardiovascular mortality?",
    "Which antibiotics are effective against methicillin-resistant Staphylococcus aureus?",
    "Is physical exercise effective in depression?",
)


def main() -> None:
    from backend.literature.ask import cleaned

    sentence = (
        "Ask a question. The answer is sentences of papers in your library, word for word, and a verdict where yes or no can answer it."
    )
    opened = open_page("Literature", sentence, header)
    with told():
        reading_room()
    shown = find_run(st.query_params["run"]) if "run" in st.query_params else None
    pending = st.session_state.pop(Keys.PENDING, None)
    if isinstance(pending, dict):
        st.session_state[Keys.QUESTION] = pending["question"]
        st.session_state[Keys.FILTERS_OF] = profile().id
        set_filters(pending.get("filters", {}))
    elif shown is not None and Keys.QUESTION not in st.session_state:
        st.session_state[Keys.QUESTION] = shown.title
    with st.form("ask", border=False, enter_to_submit=True):
        left, right = st.columns([8, 1], vertical_alignment="bottom")
        left.text_area(
            "Question",
            key=Keys.QUESTION,
            height=68,
            placeholder="For example: Does metformin reduce cardiovascular mortality?",
        )
        asked = right.form_submit_button("Ask", type="primary", width="stretch")
    question = st.session_state.get(Keys.QUESTION) or ""
    with st.expander("Filters and settings"):
        filters = choose_filters()
        left, right = st.columns([2, 3], gap="large")
        with left:
            count = st.slider("Sentences at most", 1, opened.config.limits.evidence, opened.config.limits.evidence, key=Keys.EVIDENCE)
        with right:
            model = choose_model()
            readers = choose_readers()
    with told():
        preflight(cleaned(question), filters, model)
    if asked or pending:
        _ask(question, {"filters": filters, "evidence": count, "model": model, "readers": readers})
    elif shown is not None:
        show_run(shown)
        _save_search(shown.title, shown.settings)
    else:
        _begin()


def _ask(question: str, settings: dict[str, Any]) -> None:
    with told(), st.spinner("Searching the library. The first question after a start also loads the model."):
        made = bench().run("literature.ask", {"question": question}, settings=settings, profile=profile(), owner=owner())
        st.query_params["run"] = made.id
        st.rerun()


def _begin() -> None:
    st.markdown("**Try it with**")
    for at, question in enumerate(EXAMPLES):
        if st.button(question, key=f"example-{at}", icon=":material/arrow_forward:", type="tertiary"):
            st.session_state[Keys.PENDING] = {"question": question}
            st.rerun()
    searches = bench().storage.searches.list(owner())
    if searches:
        st.markdown("**Saved searches**")
    for search in searches:
        left, right = st.columns([10, 1])
        if left.button(plain(search.name), key=f"search-{search.id}", icon=":material/bookmark:", type="tertiary"):
            st.session_state[Keys.PENDING] = {"question": search.data.get("question", ""), "filters": search.data.get("filters", {})}
            st.rerun()
        if right.button("Remove", key=f"unsave-{search.id}", type="tertiary"):
            with told():
                bench().storage.searches.delete(search.id)
                st.rerun()


def _save_search(question: str, settings: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        with st.popover("Save this search", icon=":material/bookmark_add:"):
            name = st.text_input("Name", question[:200], key="search-name")
            if st.button("Save", key="search-save"):
                with told():
                    bench().storage.searches.save(owner(), name, {"question": question, "filters": settings.get("filters", {})})
                    st.toast("Saved. It stands under 'New question'.")
        st.button("New question", icon=":material/add:", on_click=_begin_anew, key="new-question")


def _begin_anew() -> None:
    st.query_params.clear()
    st.session_state[Keys.QUESTION] = ""


main()
