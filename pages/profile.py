"""Who is asking: role, specialties, reading level, default filters, preferred models."""

from __future__ import annotations

import secrets
from dataclasses import replace

import streamlit as st

from backend.domain import Profile
from pages.parts.bench import bench, choose_profile, profile, shelf
from pages.parts.errors import told
from pages.parts.evidence import study_label
from pages.parts.frame import open_page
from pages.parts.keys import Keys
from pages.parts.markup import html, kicker

_ROLES = {"clinician": "Clinician", "biologist": "Biologist", "both": "Both"}
_SEARCHES = {"": "Bioloom's choice (meaning and words)", "minilm": "Meaning and words (MiniLM)", "bm25": "Words only (BM25)"}
_LEVELS = {"plain": "Plain words", "professional": "Professional", "expert": "Expert, every detail first"}


def main() -> None:
    open_page("Profile", "Who is asking. Runs, jobs and saved searches belong to the profile that made them.")
    with told():
        _choose()
    with told():
        _edit(profile())
    can, cannot = st.columns(2, gap="large")
    with can:
        kicker("What a profile changes")
        html(
            "<ul><li>Where filters begin, and whether papers are searched by meaning or by words only. Both can be changed for each "
            "question and are saved with its run.</li><li>The order in which evidence stands: for clinicians stronger study designs first, "
            "for biologists laboratory work first, specialties before others. 'As ranked' is one click away.</li>"
            "<li>The reading level: how much is explained, and what comes first.</li></ul>"
        )
    with cannot:
        kicker("What it cannot change")
        html(
            "<ul><li>Which sentences are found for a question with the same filters and model.</li>"
            "<li>Whether the library can answer, and any confidence, score, share or error rate.</li>"
            "<li>Notices of retraction and correction: everybody sees them.</li></ul>"
        )


def _choose() -> None:
    known = {found.id: found.name for found in bench().storage.profiles.list()}
    ids = list(known)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    asking = profile().id
    chosen = left.selectbox(
        "Asking now", ids, index=ids.index(asking) if asking in ids else 0, format_func=lambda found: known.get(found, found)
    )
    if chosen != asking:
        choose_profile(chosen)
        st.rerun()
    if right.button("New profile", icon=":material/person_add:", width="stretch"):
        made = bench().storage.profiles.save(Profile(id=secrets.token_hex(4), name="New profile"))
        choose_profile(made.id)
        st.rerun()


def _edit(found: Profile) -> None:
    facets = shelf().facets()
    with st.form(f"profile-{found.id}"):
        first, second = st.columns(2, gap="large")
        with first:
            name = st.text_input("Name", found.name, max_chars=80)
            role = st.segmented_control("Role", list(_ROLES), default=found.role, required=True, format_func=_ROLES.__getitem__)
            specialties = st.multiselect(
                "Specialties",
                list(found.specialties),
                list(found.specialties),
                accept_new_options=True,
                placeholder="type one, press Enter",
            )
            level = st.radio("Reading level", list(_LEVELS), list(_LEVELS).index(found.reading_level), format_func=_LEVELS.__getitem__)
        with second:
            st.markdown("**Where filters begin**")
            low, high = st.columns(2)
            year_from = low.number_input("From year", 1800, 2100, found.filters.get("year_from"))
            year_to = high.number_input("To year", 1800, 2100, found.filters.get("year_to"))
            kinds = list(dict.fromkeys([*(kind for kind, _ in facets.study_types), *found.filters.get("study_types", ())]))
            types = st.multiselect(
                "Study types", kinds, list(found.filters.get("study_types", ())), format_func=study_label, placeholder="any"
            )
            model = st.selectbox("Search papers by", _models(), _index(found), format_func=_model_label)
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        filters = {"year_from": year_from, "year_to": year_to, "study_types": types}
        bench().storage.profiles.save(
            replace(
                found,
                name=name,
                role=role,
                specialties=tuple(specialties),
                reading_level=level,
                filters={key: value for key, value in filters.items() if value},
                models={"literature.ask": model} if model else {},
            )
        )
        choose_profile(found.id)
        st.session_state.pop(Keys.FILTERS_OF, None)
        st.session_state[Keys.NOTE] = "Saved."
        st.rerun()
    if found.id != "guest":
        with st.popover("Remove this profile", icon=":material/delete:"):
            st.caption("Its saved runs stay.")
            if st.button("Remove", type="primary", key="remove-profile"):
                bench().storage.profiles.delete(found.id)
                choose_profile("guest")
                st.rerun()


def _model_label(name: str) -> str:
    return _SEARCHES.get(name, name)


def _models() -> list[str]:
    from backend.models.registry import cards

    return ["", *(card.name for card in cards(bench().config).values() if "literature.ask" in card.tasks)]


def _index(found: Profile) -> int:
    names = _models()
    wanted = found.models.get("literature.ask", "")
    return names.index(wanted) if wanted in names else 0


main()
