"""What can be measured on labelled data: how each task asks for its files, an example of their form, and what the result shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """How a measurement is asked for: its name, what the file must hold, an example, and what the result shows."""

    name: str
    ask: str
    types: tuple[str, ...]
    example: str
    shows: str
    wildtype: bool = False
    unseen: str = ""  # what of a file readers of ours may have been trained on, and can be left out
    paths: bool = False  # recordings are read where they lie: a file's header names a person, so no copy of it is kept


FORMS: Mapping[str, Form] = {
    "literature.retrieve": Form(
        "Finding papers",
        "Questions in BioASQ's JSON form",
        ("json",),
        '{"questions": [{"body": "...", "documents": ["http://.../12345678"], "snippets": [{"text": "...", "document": "http://.../12345678"}]}]}',
        "How often words alone, meaning alone, both, and the whole search find the right papers first. Your library stays as it is.",
    ),
    "literature.entities": Form(
        "Named things",
        "Texts with the mentions that experts marked: PubTator, or one token a line with its BIO label last",
        ("txt", "tsv", "conll", "pubtator"),
        "6794356|t|Lithium carbonate toxicity\n6794356|a|A newborn with ...\n6794356\t0\t17\tLithium carbonate\tChemical",
        "How many mentions are found exactly (precision, recall and F1, by kind), first and last character and kind all right.",
        unseen="texts",
    ),
    "literature.relations": Form(
        "Relations",
        "Marked pairs with their label, one JSON object a line, or PubTator documents with relations",
        ("txt", "json", "jsonl", "pubtator"),
        '{"text": "<< EGFR >> inhibitor [[ gefitinib ]]", "label": "INHIBITOR"}\n\nor, in PubTator:\n6794356\tCID\tD016651\tD003490',
        "How often a pair gets the experts' label, or how many of the documents' relations are found.",
        unseen="texts",
    ),
    "literature.verdict": Form(
        "Yes, no or maybe",
        "Questions with contexts and the experts' answer: PubMedQA's or BioASQ's JSON",
        ("json",),
        '{"id": {"QUESTION": "...", "CONTEXTS": ["..."], "final_decision": "yes"}}',
        "Accuracy, macro-F1, how far probabilities can be taken at their word, and whether it beats always saying the commonest answer.",
        unseen="questions",
    ),
    "literature.evidence": Form(
        "Evidence sentences",
        "Questions with the sentences that experts marked: BioASQ's JSON, or prompts and abstracts of Evidence Inference",
        ("json", "jsonl"),
        '{"questions": [{"body": "...", "documents": ["http://.../12345678"], "snippets": [{"text": "...", "document": "http://.../12345678"}]}]}',
        "How high the marked sentences are ranked by the reader, by similarity and by words. The papers' texts are taken from the file or "
        "from your library; without them, sentences are ranked among those of other questions.",
        unseen="questions",
    ),
    "protein.variants": Form(
        "Variant effects",
        "Measured variants, CSV or TSV",
        ("csv", "tsv", "txt"),
        "mutant,score\nH24C,-1.2\nH24E:P25A,-0.7",
        "How well each model's scores rank your measured variants (Spearman), beside BLOSUM62.",
        wildtype=True,
    ),
    "rna.fold": Form(
        "RNA folding",
        "Known structures, CSV",
        ("csv", "tsv", "txt"),
        "id,sequence,structure\ntrna,GCGGAUUUAGC...,(((((((..((((...",
        "How many of the known base pairs are predicted, and how many predicted ones are known (F1), with what a plain baseline reaches.",
    ),
    "dna.splice": Form(
        "Splice sites",
        "Sequences with their true sites, CSV, TSV or JSON",
        ("csv", "tsv", "json", "txt"),
        "id,sequence,donors,acceptors\nHBB,ACATTTGCTTCTG...,142;495,273;1346",
        "Top-k accuracy and area under the precision-recall curve for donors and acceptors.",
    ),
    "eeg.sleep": Form(
        "Sleep staging",
        "Recordings that a person staged, one path a line; a hypnogram in a file of its own goes on the line after its recording",
        (),
        "/data/night1.edf\n/data/night1-hypnogram.csv\n\nwith the columns: onset,duration,stage\n0,30,W\n30,30,N1",
        "How often the called stage is the scored one: accuracy, Cohen's kappa and F1 for every stage.",
        paths=True,
    ),
    "eeg.calibrate": Form(
        "Decoder of one patient",
        "Recordings to learn from, one path a line",
        (),
        "/data/session1.edf\n/data/session2.edf\n\nwith annotations that name the class of each trial, such as T1 and T2",
        "Every candidate decoder, fitted on the first recordings and judged on the later ones; whether the signal can be decoded at all.",
        paths=True,
    ),
}
