"""The models: what each is good for, whether it fits, how it comes here, and where its tasks are."""

from __future__ import annotations

import streamlit as st

from pages.parts.errors import told
from pages.parts.fetching import network_switch
from pages.parts.frame import open_page
from pages.parts.models.acts import watch
from pages.parts.models.adding import show_adding
from pages.parts.models.card import show_card
from pages.parts.models.rows import show_list


def main() -> None:
    open_page("Models", "What answers your questions: what each model is good for, where it stops, and whether it fits this machine.")
    with told():
        network_switch("models")
    with told():
        watch()
    with told():
        if "model" in st.query_params:
            show_card(st.query_params["model"])
        elif "add" in st.query_params:
            show_adding(st.query_params["add"])
        else:
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button("Add a folder of yours", icon=":material/create_new_folder:", key="models-add"):
                    st.query_params["add"] = ""
                    st.rerun()
                st.page_link("pages/side_by_side.py", label="Two models side by side", icon=":material/compare_arrows:")
            show_list()


main()
