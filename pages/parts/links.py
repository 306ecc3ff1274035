"""Ways to another part of the page that is open."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def here(label: str, query: Mapping[str, str], key: str, icon: str | None = None) -> None:
    """A link within this page; Streamlit's own to an open page leaves its address as it was, and the next rerun goes back."""
    if st.button(label, icon=icon, type="tertiary", key=key):
        st.query_params.from_dict(dict(query))
        st.rerun()


def asked(*names: str) -> dict[str, str]:
    """What the address already asks for, so that a link to a task with a model survives the choice of a file."""
    return {name: st.query_params[name] for name in names if name in st.query_params}
