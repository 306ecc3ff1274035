"""What can be asked of a sequence file: the tasks that read its kinds, with their words, and the form that starts one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.errors import told
from pages.parts.keys import Keys
from pages.parts.markup import some
from pages.parts.starting import start

if TYPE_CHECKING:
    from backend.sequences.records import Preflight

KIND = "sequences"  # of the background jobs
_MOST_LISTED = 2_000  # records in the list to choose from
_STRUCTURES = ("pdb", "mmcif")

TASKS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    # task: name, what it answers, kinds it reads
    "sequence.overview": ("Overview", "Length, composition, reading frames, sites: what this sequence is.", ("protein", "dna", "rna")),
    "structure.view": (
        "Structure",
        "The molecule in three dimensions, coloured by what is known of each residue.",
        ("protein", "dna", "rna"),
    ),
    "protein.variants": ("Variant effects", "Which substitutions would hurt, at every position.", ("protein",)),
    "protein.disorder": ("Disorder", "Which stretches have no fixed fold.", ("protein",)),
    "protein.similar": ("Similar proteins", "A map of the set, nearest neighbours, alignments.", ("protein",)),
    "protein.design": ("Design", "New sequences for this backbone.", ("protein",)),
    "protein.contacts": ("Contacts", "Which residues a language model expects to touch, from its attention.", ("protein",)),
    "protein.fold": ("Structure prediction", "A predicted structure with its confidence at every residue.", ("protein",)),
    "protein.function": ("Function from words", "How well descriptions in words fit a protein, without training examples.", ("protein",)),
    "protein.retrieve": ("Find by words", "The proteins of this set that fit a description best.", ("protein",)),
    "sequence.embed": ("Vectors", "Vectors of a language model, a map, and the table to go on with.", ("protein", "dna", "rna")),
    "dna.variants": ("DNA substitutions", "How surprising a language model finds every base and its substitutions.", ("dna",)),
    "dna.classify": ("DNA classes", "What a fine-tuned checkpoint calls this sequence, along its length.", ("dna",)),
    "dna.genome": ("Codon likelihood", "How likely a genome model finds each codon, and which others it would expect.", ("dna", "rna")),
    "dna.generate": ("Codon generation", "Coding sequences written by a genome model from a beginning.", ("dna", "rna")),
    "dna.splice": ("Splicing", "Splice sites along the gene, and whether a variant breaks or makes one.", ("dna",)),
    "dna.motifs": ("Binding motifs", "Where known transcription factors could bind.", ("dna",)),
    "rna.fold": ("RNA folding", "Secondary structure and the probability of every base pair.", ("rna", "dna")),
    "rna.align": ("RNA alignment", "Two RNAs aligned by a language model's vectors, beside an alignment by letters.", ("rna", "dna")),
    "rna.contacts": ("RNA contacts", "Contacts and secondary structure from the attention of an alignment model.", ("rna", "dna")),
}
_WHOLE_SET = (
    "sequence.overview",
    "protein.similar",
    "protein.disorder",
    "protein.retrieve",
    "sequence.embed",
    "rna.align",
    "rna.contacts",
)  # these begin with all records chosen
_NEED_TWO = ("protein.similar", "protein.retrieve", "rna.align")
_NEED_STRUCTURE = ("structure.view", "protein.design")


def fitting(preflight: Preflight) -> tuple[list[str], list[str]]:
    """Tasks that can read this file, and in words why the others cannot."""
    kinds = preflight.summary().kinds
    usable: list[str] = []
    reasons: list[str] = []
    for task, (name, _, reads) in TASKS.items():
        if task in _NEED_STRUCTURE and preflight.format not in _STRUCTURES:
            reasons.append(f"{name} needs a structure file (PDB or mmCIF)")
        elif task in _NEED_TWO and sum(kinds.get(kind, 0) for kind in reads) == 1:
            reasons.append(f"{name} needs two records or more")
        elif any(kinds.get(kind) for kind in reads):
            usable.append(task)
    return usable, reasons


def show_form(preflight: Preflight, value: Mapping[str, Any], begin: str | None = None) -> None:
    """Choose a task, the records and the settings, and start it."""
    usable, reasons = fitting(preflight)
    if not usable:
        return
    left, right = st.columns([4, 5], gap="large")
    with left:
        task = st.radio(
            "What do you want to know?",
            usable,
            index=usable.index(begin) if begin in usable else 0,
            format_func=lambda name: f"**{TASKS[name][0]}**",
            captions=[TASKS[name][1] for name in usable],
            key=f"{Keys.TASK}-{value['file'][:12]}",
        )
        if reasons:
            st.caption(f"Not for this file: {'; '.join(reasons)}.")
    with right, told():
        records = _records(preflight, task, value)
        settings = _settings(task, preflight, records)
        if settings is not None and st.button(f"Run {_within(TASKS[task][0])}", type="primary", key=f"start-{task}"):
            start(KIND, task, f"{TASKS[task][0]} of {value['name']}", {**value, "records": records}, settings)


def _records(preflight: Preflight, task: str, value: Mapping[str, Any]) -> list[str]:
    """Ids to work on; empty for all that fit."""
    kinds = TASKS[task][2]
    count = sum(preflight.summary().kinds.get(kind, 0) for kind in kinds)
    if count == 1:
        return [next(iter(preflight.usable(kinds)))]
    every = f"All {count:,} records"
    key = f"{Keys.RECORDS}-{value['file'][:12]}-{task}"
    if count > _MOST_LISTED:
        typed = st.text_input("Records, by id (several with commas); empty for all", key=key, help=f"The file has {some(count, 'record')}.")
        return [part.strip() for part in typed.split(",") if part.strip()]
    ids = list(preflight.usable(kinds))
    chosen = st.selectbox("Record", [every, *ids], index=0 if task in _WHOLE_SET else 1, key=key)
    return [] if chosen == every else [str(chosen)]


def _settings(task: str, preflight: Preflight, records: Sequence[str]) -> dict[str, Any] | None:
    name = f"pages.parts.views.{task.replace('.', '_')}"
    try:
        draw: Callable[[str], dict[str, Any]] | None = getattr(importlib.import_module(name), "settings", None)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        draw = None
    if draw is None:
        return {}
    first = preflight.find(records[0]) if records else None
    return draw(first.kind if first else TASKS[task][2][0])


def _within(name: str) -> str:
    """A name inside a sentence: abbreviations keep their capitals."""
    return name if name[:2].isupper() else name[0].lower() + name[1:]
