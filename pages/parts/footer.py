"""The last line of a run: its id, its link, replay, compare, export, citation."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from backend.domain import Run, canonical
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.markup import escape, html, moment, some, span, strip
from pages.parts.report import report

_FORMS = {
    "ris": ("RIS, for reference managers", "ris", "application/x-research-info-systems"),
    "bibtex": ("BibTeX", "bib", "application/x-bibtex"),
    "csv": ("CSV, for spreadsheets", "csv", "text/csv"),
    "json": ("JSON, with quotes and offsets", "json", "application/json"),
    "pubtator": ("PubTator, with places and kinds", "PubTator.txt", "text/plain"),
    "gff3": ("GFF3, for genome browsers", "gff3", "text/plain"),
    "fasta": ("FASTA", "fasta", "text/plain"),
    "faa": ("FASTA of the translations", "faa", "text/plain"),
    "dbn": ("Dot-bracket", "dbn", "text/plain"),
    "variants.csv": ("CSV of the variants", "variants.csv", "text/csv"),
    "neighbours.csv": ("CSV of the neighbours", "neighbours.csv", "text/csv"),
    "matrix.csv": ("CSV of the vectors alone", "matrix.csv", "text/csv"),
    "cosines.csv": ("CSV of all cosines", "cosines.csv", "text/csv"),
    "density.csv": ("CSV of the densities", "density.csv", "text/csv"),
    "spectra.csv": ("CSV of the spectra", "spectra.csv", "text/csv"),
    "ct": ("CT, connectivity table", "ct", "text/plain"),
    "statistics.csv": ("CSV of the parameters", "statistics.csv", "text/csv"),
    "tsv": ("TSV of the hypnogram", "tsv", "text/tab-separated-values"),
    "edf": ("EDF+ annotations, for scoring programs", "edf", "application/octet-stream"),
}


def show_footer(run: Run) -> None:
    """Where the run is kept, and what can be done with it."""
    model = run.model
    made = f"{model['name']} {str(model['revision'])[:12]}, {span(run.seconds)} on {run.environment.get('device', 'cpu')}"
    strip([("Saved as run", run.id), ("on", moment(run.created)), ("by", made)])
    evidence = (run.prediction or {}).get("answer", {}).get("evidence", [])
    with st.container(horizontal=True):
        with st.popover("Link", icon=":material/link:"):
            st.code(link(run), language=None, wrap_lines=True)
            st.caption(who_can_open(bench().config.database_url))
        if st.button(
            "Replay", icon=":material/replay:", key=f"replay-{run.id}", help="Compute it again and see whether it comes out the same."
        ):
            with told():
                _replay(run.id)
                st.rerun()
        if st.button("Compare", icon=":material/compare_arrows:", key=f"compare-{run.id}"):
            st.switch_page("pages/runs.py", query_params={"compare": run.id})
        if "model" in run.settings and st.button(
            "Another model",
            icon=":material/splitscreen_right:",
            key=f"beside-{run.id}",
            help="The same input by a second model, side by side.",
        ):
            st.switch_page("pages/side_by_side.py", query_params={"run": run.id})
        if evidence:
            with st.popover("Cite", icon=":material/format_quote:"):
                from backend.literature.cite import formatted

                st.caption("Vancouver style; the button at the upper right copies them all.")
                seen = {item["document"]: item for item in reversed(evidence)}
                st.code("\n".join(formatted(item) for item in reversed(list(seen.values()))), language=None, wrap_lines=True)
        with st.popover("Export", icon=":material/download:"):
            _exports(run)
    jobs.watch(lambda job: job.kind == "replay" and run.id in job.title, f"replay-{run.id}")
    _replayed(run)


def link(run: Run) -> str:
    """The address of a run in this browser."""
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}/runs?run={run.id}" if here.netloc else f"/runs?run={run.id}"


def who_can_open(database_url: str) -> str:
    """Whom the link serves, said before it is sent to somebody for whom it is empty."""
    here = "The link opens this run on this computer, while Bioloom runs."
    if not database_url.startswith("sqlite"):
        here = "The link opens this run on this computer, while Bioloom runs. Others who use the same database find it there by its id."
    return f"{here} For anybody else, send the file from Export, 'A page to read': it needs neither Bioloom nor a network."


def _explanations(run: Run) -> list[dict[str, Any]]:
    children = bench().storage.runs.children(run.id)
    made = [run.explanation, *(child.explanation for child in children if child.kind == "explanation")]
    latest = {canonical(found.get("evidence", found.get("target"))): found for found in made if found}
    return [latest[mark] for mark in sorted(latest)]


def _replay(run_id: str) -> None:
    opened, asker = bench(), owner()

    def work(progress: Progress) -> dict[str, Any]:
        return {"run": opened.replay(run_id, owner=asker, progress=progress).id}

    opened.jobs.submit(asker, "replay", f"Replay of run {run_id}", work, key=f"replay:{run_id}")


def _replayed(run: Run) -> None:
    failed = jobs.last_failure(lambda job: job.kind == "replay" and run.id in job.title)
    if failed:
        jobs.show_failure(failed)
    replays = [child for child in bench().storage.runs.children(run.id) if child.kind == "replay"]
    if not replays:
        return
    last = replays[-1].prediction or {}
    if last.get("same"):
        st.success(f"Replayed on {moment(replays[-1].created)}: the same result.", icon=":material/check:")
        return
    lines = [str(line) for line in last.get("differences", [])]
    st.warning(f"Replayed on {moment(replays[-1].created)}: {some(len(lines), 'difference')}.", icon=":material/difference:")
    with st.expander("What differs"):
        html("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")


def _exports(run: Run) -> None:
    """The result in the forms of its field, as the task offers them; the whole run; a page to read."""
    from backend.exporting import export, forms

    name = f"{'UNTRAINED-' if run.model.get('untrained') else ''}bioloom-{run.id}"
    empty = bool((run.prediction or {}).get("answer", {}).get("abstained"))
    for form in () if empty else forms(run):
        label, suffix, mime = _FORMS.get(form, (form.upper(), form, "text/plain"))
        st.download_button(label, export(run, form), f"{name}.{suffix}", mime, key=f"{form}-{run.id}", on_click="ignore", width="stretch")
    whole = json.dumps(bench().storage.runs.export(run.id), ensure_ascii=False, indent=2)
    st.download_button(
        "The whole run, JSON", whole, f"{name}-run.json", "application/json", key=f"run-{run.id}", on_click="ignore", width="stretch"
    )
    st.download_button(
        "A page to read, HTML",
        report(run, _explanations(run)),
        f"{name}.html",
        "text/html",
        key=f"html-{run.id}",
        on_click="ignore",
        width="stretch",
    )
