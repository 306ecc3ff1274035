"""Check it yourself: measure a task on labelled data of one's own before trusting it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.frame import open_page
from pages.parts.markup import escape, html, kicker, plain, some
from pages.parts.uploads import keep, local

KIND = "evaluate"
_NO_SHARES = ("set_size",)  # beyond the axis of the figure; in the table
_VERDICTS = {"usable": "Usable.", "uncertain": "Uncertain.", "undecodable": "Cannot be decoded."}


@dataclass(frozen=True)
class Form:
    """How a measurement is asked for: its name, what the file must hold, an example, and what the result shows."""

    name: str
    ask: str
    types: tuple[str, ...]
    example: str
    shows: str
    wildtype: bool = False
    unseen: bool = False  # readers of ours were trained on public questions: these can be left out
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
    ),
    "literature.relations": Form(
        "Relations",
        "Marked pairs with their label, one JSON object a line, or PubTator documents with relations",
        ("txt", "json", "jsonl", "pubtator"),
        '{"text": "<< EGFR >> inhibitor [[ gefitinib ]]", "label": "INHIBITOR"}\n\nor, in PubTator:\n6794356\tCID\tD016651\tD003490',
        "How often a pair gets the experts' label, or how many of the documents' relations are found.",
    ),
    "literature.verdict": Form(
        "Yes, no or maybe",
        "Questions with contexts and the experts' answer: PubMedQA's or BioASQ's JSON",
        ("json",),
        '{"id": {"QUESTION": "...", "CONTEXTS": ["..."], "final_decision": "yes"}}',
        "Accuracy, macro-F1, how far probabilities can be taken at their word, and whether it beats always saying the commonest answer.",
        unseen=True,
    ),
    "literature.evidence": Form(
        "Evidence sentences",
        "Questions with the sentences that experts marked: BioASQ's JSON, or prompts and abstracts of Evidence Inference",
        ("json", "jsonl"),
        '{"questions": [{"body": "...", "documents": ["http://.../12345678"], "snippets": [{"text": "...", "document": "http://.../12345678"}]}]}',
        "How high the marked sentences are ranked by the reader, by similarity and by words. The papers' texts are taken from the file or "
        "from your library; without them, sentences are ranked among those of other questions.",
        unseen=True,
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


def main() -> None:
    open_page("Check it yourself", "Measure a task on data of your own whose truth you know. The data stays here.")
    task = st.segmented_control(
        "What to measure",
        list(FORMS),
        default=next(iter(FORMS)),
        required=True,
        format_func=lambda name: FORMS[name].name,
        key="evaluate-task",
    )
    with told():
        _begin(str(task))
    if jobs.watch(lambda job: job.kind == KIND, "evaluate"):
        return
    past = [job for job in jobs.mine(active=False) if job.kind == KIND and (job.result or {"task": task}).get("task") == task]
    if past and past[0].result:
        with told():
            show_result(past[0].result)
    elif past and past[0].error:
        jobs.show_failure(past[0])
    else:
        st.caption(FORMS[str(task)].shows)


def _begin(task: str) -> None:
    form = FORMS[task]
    with st.form(f"evaluate-{task}"):
        asked = _recordings(task, form) if form.paths else _files(form)
        sent = st.form_submit_button("Measure", type="primary")
    with st.expander("What the form is"):
        st.code(form.example, language=None, wrap_lines=True)
    if not sent:
        return
    paths, options = asked()
    if not paths and not options.get("demo"):
        st.warning("Choose a file first, or give a path.", icon=":material/upload_file:")
        return
    if form.wildtype and "wildtype" not in options:
        st.warning("Give the unchanged protein too: the numbering of the variants is found by it.", icon=":material/upload_file:")
        return
    opened = bench()

    def work(progress: Progress) -> dict[str, Any]:
        from backend.evaluate import evaluate

        return evaluate(opened.context, task, paths, options, progress=progress)

    what = some(len(paths), "file") if paths else "a demo patient"
    opened.jobs.submit(owner(), KIND, f"Measuring {form.name.lower()} on {what}", work, key=f"{KIND}:{owner()}")
    st.rerun()


Asked = Callable[[], tuple[list[Path], dict[str, Any]]]


def _files(form: Form) -> Asked:
    """Fields for files that may be kept; gives what reads them once the form is sent."""
    files = st.file_uploader(form.ask, type=list(form.types), accept_multiple_files=True)
    path = st.text_input("Or the path of such a file on this computer")
    wildtype = st.file_uploader("The unchanged protein, FASTA", key="evaluate-wildtype") if form.wildtype else None
    unseen = form.unseen and st.checkbox("Only questions that Bioloom's own readers were not trained on", key=f"unseen-{form.name}")
    return lambda: (
        [keep(file) for file in files] + ([local(path)] if path.strip() else []),
        ({"wildtype": keep(wildtype)} if wildtype is not None else {}) | ({"unseen": True} if unseen else {}),
    )


def _recordings(task: str, form: Form) -> Asked:
    """Fields for recordings, which are read where they lie; gives what reads them once the form is sent."""
    given = st.text_area(form.ask, key=f"evaluate-paths-{task}", height=90)
    st.caption("They are read where they lie on this computer, and nothing of them is kept.")
    if task != "eeg.calibrate":
        return lambda: (_paths(given), {})
    later = st.text_area("Later recordings to be judged on, one path a line; none: held-out stretches of the first", height=68)
    left, right = st.columns(2)
    labels = left.text_input("Annotations that name the classes", placeholder="T1, T2")
    demo = right.selectbox(
        "Or a demo patient, with the split as published", ["scp1", "scp2"], index=None, placeholder="none", format_func=str.upper
    )
    return lambda: (_paths(given), {"train": [], "test": _paths(later), "labels": labels, "demo": demo or ""})


def _paths(text: str) -> list[Path]:
    return [local(line) for line in text.splitlines() if line.strip()]


def show_result(result: dict[str, Any]) -> None:
    """Figure, table, notes and exports of one measurement."""
    from backend.figures.metrics import describe_metrics, plot_metrics

    n = int(result["n"])
    systems = {name: _numbers(values) for name, values in result["systems"].items()}
    kicker(f"{FORMS[result['task']].name}: result on {n:,} cases")
    if "verdict" in result:
        st.markdown(f"**{plain(_VERDICTS.get(result['verdict'], result['verdict']))}** {plain(result.get('sentence', ''))}")
    shares = {name: {metric: cell for metric, cell in values.items() if metric not in _NO_SHARES} for name, values in systems.items()}
    words = describe_metrics(systems, n)
    show_figure(plot_metrics(shares, n), words, "evaluation", rows(systems))
    metrics = list(dict.fromkeys(metric for values in systems.values() for metric in values))
    st.dataframe(
        [{"System": name} | {metric: _cell(values.get(metric)) for metric in metrics} for name, values in systems.items()], hide_index=True
    )
    st.caption("In brackets the 95% interval, where there is one. Where two intervals overlap, the difference may be chance.")
    notes = result.get("notes", [])
    if notes:
        html("<ul class='bl-soft'>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    with st.expander("The figure in words"):
        st.markdown(plain(words))
    with st.container(horizontal=True):
        st.download_button(
            "The whole result, JSON", json.dumps(result, indent=2), "bioloom-evaluation.json", "application/json", on_click="ignore"
        )


def rows(systems: dict[str, dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """One row a system and metric."""
    return [
        {"system": name, "metric": metric, "value": cell["value"], "low": cell["low"], "high": cell["high"]}
        for name, values in systems.items()
        for metric, cell in values.items()
    ]


def _numbers(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics that are numbers; one without an interval keeps None at both ends."""
    return {name: cell for name, cell in values.items() if isinstance(cell, Mapping) and cell.get("value") is not None}


def _cell(cell: dict[str, float] | None) -> str:
    if not cell:
        return ""
    return f"{cell['value']:.3f}" + (f" ({cell['low']:.3f}-{cell['high']:.3f})" if cell.get("low") is not None else "")


main()
