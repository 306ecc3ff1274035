"""How sequences come in: dropped, pasted, by path, or one of the examples."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.config import ASSETS
from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.links import asked
from pages.parts.uploads import local

EXAMPLES: tuple[tuple[str, str, str], ...] = (
    # file, what it is, the task that shows it best
    ("hbb-gene.gb", "The human beta-globin gene with its introns: where is it spliced?", "dna.splice"),
    ("ubiquitin-1ubi.pdb", "Human ubiquitin, a crystal structure (PDB 1UBI): see it in three dimensions", "structure.view"),
    ("trna-phe.fasta", "Yeast tRNA-Phe: how does it fold?", "rna.fold"),
    ("tem-1.fasta", "TEM-1 beta-lactamase, a protein: every substitution by the plain baseline BLOSUM62", "protein.variants"),
)


def show_intake() -> None:
    """Uploader, paste field and path; whatever is given is kept at once under its digest and opened."""
    from backend.storage.files import Files

    dropped, pasted = st.columns(2, gap="large")
    with dropped, told():
        uploaded = st.file_uploader("Drop a file: FASTA, FASTQ, GenBank, EMBL, PDB or mmCIF, also packed as .gz", key="sequence-upload")
        if uploaded is not None and st.session_state.get("sequence-upload-seen") != uploaded.file_id:
            st.session_state["sequence-upload-seen"] = uploaded.file_id
            kept = Files(bench().config).put(uploaded.getbuffer(), uploaded.name)
            _open(kept.sha256, kept.name)
    with pasted, told(), st.form("paste", border=False, enter_to_submit=False):
        text = st.text_area(
            "Or paste: FASTA, or only the letters",
            key="sequence-paste",
            height=104,
            placeholder=">my protein\nMQIFVKTLTGKTITLEVEPSDTIENVKAKIQ ...",
        )
        path = st.text_input("Or the path of a file on this computer", key="sequence-path")
        if st.form_submit_button("Read it"):
            if path.strip():
                kept = Files(bench().config).keep(local(path))
                _open(kept.sha256, kept.name)
            elif text.strip():
                kept = Files(bench().config).put(text.encode("utf-8", "surrogatepass"), f"pasted {_first_words(text)}")
                _open(kept.sha256, kept.name)
            else:
                st.warning("Paste a sequence first, or give a path.", icon=":material/edit:")


def _first_words(text: str) -> str:
    """What a pasted text is called, so that it is found again among the saved runs."""
    head = text.strip().splitlines()[0].lstrip("> ").replace("/", " ").replace("\\", " ")
    return head[:40].strip() or "text"


def begin(examples: Sequence[tuple[str, str, str]]) -> None:
    """Examples, one click away."""
    st.markdown("**Try it with**")
    for name, words, task in examples:
        if st.button(words, key=f"example-{name}", icon=":material/arrow_forward:", type="tertiary"):
            with told():
                st.query_params.from_dict({**asked("model"), **open_example(name, task)})
                st.rerun()


def open_example(name: str, task: str) -> dict[str, str]:
    """Keep an example as if it had been dropped; what the page's address then holds."""
    from backend.storage.files import Files

    kept = Files(bench().config).keep(ASSETS / "examples" / name)
    return {"file": kept.sha256, "name": kept.name, "task": task}


def _open(sha256: str, name: str) -> None:
    st.query_params.from_dict({**asked("task", "model"), "file": sha256, "name": name})
    st.rerun()
