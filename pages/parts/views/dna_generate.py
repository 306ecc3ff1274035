"""Codon generation: what was written, marked as generated, with how likely each codon was, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.markup import escape, facts, html, kicker, some
from pages.parts.views.dna_genome import choose_code
from pages.parts.views.dna_variants import choose_record, show_notices
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """Model, how many, how long, how free."""
    model = choose_model("dna.generate", "dna-generate-model")
    if model is None:
        return None
    st.caption("The record is the beginning, read as codons from its first base: ATG alone will do.")
    left, right = st.columns(2)
    count = left.number_input("Continuations", 1, 20, 3, key="dna-generate-count")
    most = right.number_input("At most so many codons more", 1, 1_000, 100, key="dna-generate-most")
    temperature = left.slider(
        "Temperature",
        0.0,
        2.0,
        1.0,
        0.1,
        key="dna-generate-temperature",
        help="0: always the likeliest codon. 1: as learned. Above: freer.",
    )
    seed = right.number_input("Seed", 0, 2**31 - 1, 0, key="dna-generate-seed", help="The same seed writes the same again.")
    code = choose_code("dna-generate-code")
    return {"model": model, "count": int(count), "most": int(most), "temperature": float(temperature), "seed": int(seed), "code": code}


def show(run: Run) -> None:
    """What was generated, its mark above all, then why."""
    data = run.prediction or {}
    found = choose_record(run, "dna-generate")
    key = f"{run.id}-{data['results'].index(found)}"
    html(f'<span class="bl-label bl-no">GENERATED</span><p>{escape(data["generated"])}</p>')
    show_notices(run, data["generated"])
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Written")
        made = _choose(found, key)
        _sequences(found, made)
    with right:
        kicker("How likely the model found it")
        facts(
            [
                ("Model", found["model"]),
                ("Seed", str(made["seed"])),
                ("Temperature", f"{run.settings['temperature']:g}"),
                ("Mean ln p of a codon", f"{made['mean_log_p']:.2f} (64 guesses: -4.16)"),
                ("Ends", "with a stop codon" if made["ended"] == "stop" else "at the length asked for: no stop codon came"),
                ("Genetic code", str(data["code"])),
            ]
        )
        _downloads(found, key)
    with st.expander("Every written codon"):
        rows = [
            {"Codon number": len(found["codons"]) + 1 + i, "Codon": codon, "ln p": score}
            for i, (codon, score) in enumerate(zip(made["codons"], made["log_probs"], strict=True))
        ]
        st.dataframe(rows, hide_index=True, height=min(35 * (len(rows) + 1) + 3, 340), key=f"generated-codons-{key}-{made['number']}")
    kicker("Why")
    target = {"record": found["record"], "number": made["number"]}
    if show_sites(run, target, f"Explain continuation {made['number']}", found["sequence"]) is None:
        st.caption("Shares of the given codons in how likely the continuation was; absent ones are read as the sign for an unknown codon.")


def _choose(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    generated: list[Mapping[str, Any]] = list(found["generated"])
    if len(generated) == 1:
        return generated[0]

    def words(at: int) -> str:
        made = generated[at]
        end = "complete" if made["ended"] == "stop" else "no stop"
        return f"{made['number']}: {some(len(made['codons']), 'codon')}, mean ln p {made['mean_log_p']:.2f}, {end}"

    return generated[st.selectbox("Continuation", range(len(generated)), format_func=words, key=f"generated-{key}")]


def _sequences(found: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    given = len(found["codons"])
    st.caption("DNA: underlined what was given, the rest generated")
    html(_marked("".join(found["codons"]), "".join(made["codons"])), css="bl bl-letters")
    protein = made["protein"]
    st.caption(f"Protein it would code for ({len(protein):,} residues)")
    html(_marked(protein[:given], protein[given:]), css="bl bl-letters")


def _marked(given: str, written: str) -> str:
    style = "font-family:monospace;overflow-wrap:anywhere"
    return f'<p style="{style}"><u>{escape(given)}</u>{escape(written)}</p>'


def _downloads(found: Mapping[str, Any], key: str) -> None:
    from backend.sequences.genome_generate import to_fasta, to_proteins

    with st.container(horizontal=True, gap="small"):
        for name, words, write in (("fasta", "DNA as FASTA", to_fasta), ("faa", "Proteins as FASTA", to_proteins)):
            st.download_button(
                words,
                lambda write=write: write({"results": [found]}),
                f"bioloom-{key}-generated.{name}",
                "text/plain",
                key=f"generated-{name}-{key}",
                on_click="ignore",
            )
