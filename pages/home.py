"""Home: what can be done here, the last runs, and what this machine has ready."""

from __future__ import annotations

import streamlit as st

from pages.parts.bench import bench, owner, shelf
from pages.parts.errors import told
from pages.parts.frame import open_page
from pages.parts.intake import EXAMPLES, open_example
from pages.parts.keys import Keys
from pages.parts.markup import escape, facts, html, kicker, moment, plain, some
from pages.parts.task_names import title

EXAMPLE = "Does metformin reduce cardiovascular mortality?"


def main() -> None:
    open_page("Bioloom", "A workbench for literature, sequences and EEG, on your own computer. Questions, patients and results stay here.")
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("What you can do")
        _doors()
        with told():
            _recent()
    with right, told():
        kicker("This machine")
        _machine()
        kicker("What is private")
        html(
            "<p class='bl-soft'>Everything runs and is kept on this computer. Bioloom opens an outside connection only when you ask it "
            "to fetch papers or a model, and writes down each one.</p>"
        )


def _doors() -> None:
    with st.container(border=True):
        st.markdown("**Ask the papers**")
        st.caption(
            "Answers made of sentences from PubMed abstracts and from papers you import, word for word, each with its source, its place in "
            "the text, and the reasons it was chosen."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(EXAMPLE, type="primary", icon=":material/arrow_forward:", key="example"):
                st.session_state[Keys.PENDING] = {"question": EXAMPLE}
                st.switch_page("pages/literature.py")
            st.page_link("pages/literature.py", label="Ask your own", icon=":material/menu_book:")
            st.page_link("pages/texts.py", label="Read one text with a model", icon=":material/article:")
    with st.container(border=True):
        st.markdown("**Analyse sequences**")
        st.caption(
            "Proteins, DNA, RNA and structures: what a file holds, which variants would hurt, where a gene is spliced, how an RNA folds, "
            "seen on the sequence and in three dimensions."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            name, words, task = EXAMPLES[0]
            if st.button(words, icon=":material/arrow_forward:", key="example-sequence"):
                with told():
                    st.switch_page("pages/sequences.py", query_params=open_example(name, task))
            st.page_link("pages/sequences.py", label="Drop your own file", icon=":material/genetics:")
    with st.container(border=True):
        st.markdown("**Read and decode an EEG**")
        st.caption(
            "Recordings of one patient, under a pseudonym: paged as in the reader you know, staged, measured, calibrated to the patient, "
            "followed from visit to visit, reported."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("pages/patients.py", label="Add a patient, or open a demo patient", icon=":material/groups:")
            st.page_link("pages/eeg.py", label="Open a recording", icon=":material/vital_signs:")
    first, second, third = st.columns(3)
    for column, heading, words, page, label in (
        (first, "Bring your papers", "References from PubMed, reference managers and PDFs; collections; removal.", "library", "Library"),
        (second, "Find what you did", "Every result is saved, can be compared, replayed and sent on.", "runs", "Saved runs"),
        (third, "Check before you trust", "Measure a task on data of your own laboratory.", "evaluate", "Check it yourself"),
    ):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{heading}**")
            st.caption(words)
            st.space("stretch")
            st.page_link(f"pages/{page}.py", label=label, icon=":material/arrow_forward:")


def _recent() -> None:
    kicker("Recent runs")
    runs = bench().storage.runs.list(owner=owner(), limit=6)
    if not runs:
        st.caption("None yet. The question above is a good first one, or a demo patient's recording.")
    for run in runs:
        st.page_link(
            "pages/runs.py",
            label=f"{plain(run.title)} :gray[· {title(run.task)} · {moment(run.created)} · {run.id}]",
            icon=":material/article:",
            query_params={"run": run.id},
        )


def _machine() -> None:
    import psutil

    opened, status = bench(), shelf().status()
    loaded = ", ".join(f"{resident.name} on {resident.device}" for resident in opened.runtime.loaded()) or "none loaded yet"
    memory = psutil.virtual_memory()
    facts(
        [
            ("Library", some(status.works, "paper")),
            ("Read for meaning", f"{status.vectors:,} of {status.works:,}" if status.vectors else "begins when Literature is opened"),
            ("Models", loaded),
            ("Memory free", f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB"),
            ("Processor cores", str(psutil.cpu_count() or "unknown")),
            ("Network", "allowed" if opened.runtime.allow_network else "off"),
            ("Data folder", str(opened.config.data)),
        ]
    )
    if not status.ready:
        html(f"<p class='bl-soft'>{escape('The embedded PubMed abstracts are being read; you can ask meanwhile.')}</p>")


main()
