"""The way in: page configuration and navigation, nothing heavy."""

from pathlib import Path

import streamlit as st

ASSETS = Path(__file__).parent / "assets"
# a local icon: a page's own would be fetched from outside as the favicon
st.set_page_config(page_title="Bioloom", page_icon=str(ASSETS / "favicon.png"), layout="wide")
st.logo(str(ASSETS / f"wordmark-{st.context.theme.type or 'light'}.svg"), size="large", icon_image=str(ASSETS / "mark.svg"))

HOME = st.Page("pages/home.py", title="Home", icon=":material/home:", default=True, url_path="start")


def home() -> None:
    st.switch_page(HOME)  # for whoever types /home, which the name of Home's file would claim


PAGES = {
    "": [HOME, st.Page(home, title="Home", url_path="home", visibility="hidden")],
    "Ask": [
        st.Page("pages/literature.py", title="Literature", icon=":material/menu_book:"),
        st.Page("pages/texts.py", title="Texts", icon=":material/article:"),
        st.Page("pages/sequences.py", title="Sequences", icon=":material/genetics:"),
        st.Page("pages/eeg.py", title="EEG", icon=":material/vital_signs:"),
    ],
    "Keep": [
        st.Page("pages/library.py", title="Library", icon=":material/inventory_2:"),
        st.Page("pages/patients.py", title="Patients", icon=":material/groups:"),
        st.Page("pages/runs.py", title="Saved runs", icon=":material/history:"),
    ],
    "Trust": [
        st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
        st.Page("pages/side_by_side.py", title="Side by side", icon=":material/compare_arrows:"),
        st.Page("pages/evaluate.py", title="Check it yourself", icon=":material/rule:"),
    ],
    "You": [st.Page("pages/profile.py", title="Profile", icon=":material/person:")],
}
st.navigation(PAGES, expanded=True).run()
