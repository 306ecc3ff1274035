"""The filters of a search: years, study type, journal, MeSH, collection; they begin as the profile's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.bench import profile, shelf
from pages.parts.evidence import study_label
from pages.parts.keys import Keys

_LISTS = {"study_types": Keys.STUDY_TYPES, "journals": Keys.JOURNALS, "mesh": Keys.MESH, "collections": Keys.COLLECTIONS}


def set_filters(filters: Mapping[str, Any]) -> None:
    """Put filters into the widgets; call it before they are drawn."""
    st.session_state[Keys.YEAR_FROM], st.session_state[Keys.YEAR_TO] = filters.get("year_from"), filters.get("year_to")
    for name, key in _LISTS.items():
        st.session_state[key] = list(filters.get(name) or ())


def choose_filters() -> dict[str, Any]:
    """Draw the filters; only those that are set come back."""
    asker = profile()
    if st.session_state.get(Keys.FILTERS_OF) != asker.id:
        st.session_state[Keys.FILTERS_OF] = asker.id
        set_filters(asker.filters)
    facets, library = shelf().facets(), shelf()
    years = facets.years or (1900, 2100)
    first, second, third = st.columns([2, 3, 3])
    with first:
        low, high = st.columns(2)
        low.number_input("From year", 1800, 2100, None, key=Keys.YEAR_FROM, placeholder=str(years[0]))
        high.number_input("To year", 1800, 2100, None, key=Keys.YEAR_TO, placeholder=str(years[1]))
    with second:
        _list("Study type", Keys.STUDY_TYPES, facets.study_types, True)
        _list("Journal", Keys.JOURNALS, facets.journals)
    with third:
        _list("MeSH term, all must be present", Keys.MESH, facets.mesh)
        _list("Collection", Keys.COLLECTIONS, library.collections())
    chosen: dict[str, Any] = {"year_from": st.session_state.get(Keys.YEAR_FROM), "year_to": st.session_state.get(Keys.YEAR_TO)}
    chosen |= {name: list(st.session_state.get(key) or ()) for name, key in _LISTS.items()}
    return {name: value for name, value in chosen.items() if value}


def _list(label: str, key: str, counts: Any, study: bool = False) -> None:
    held = dict(counts)
    # what a profile or saved search names stays choosable though the library holds none of it
    options = list(dict.fromkeys([*held, *(st.session_state.get(key) or ())]))
    st.multiselect(
        label,
        options,
        key=key,
        placeholder="any",
        format_func=lambda name: f"{study_label(name) if study else name} ({held.get(name, 0):,})",
    )
