"""Check it yourself: measure the search on questions of one's own before trusting it."""

from __future__ import annotations

import json
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
_FORM = '{"questions": [{"body": "...", "documents": ["http://.../12345678"], "snippets": [{"text": "...", "document": "http://.../12345678"}]}]}'


def main() -> None:
    open_page("Check it yourself", "Measure the search on questions whose papers you know. Nothing is added to your library.")
    with told():
        _begin()
    if jobs.watch(lambda job: job.kind == KIND, "evaluate"):
        return
    past = [job for job in jobs.mine(active=False) if job.kind == KIND]
    if past and past[0].result:
        with told():
            show_result(past[0].result)
    elif past and past[0].error:
        jobs.show_failure(past[0])
    else:
        st.caption("The result shows, for words alone, meaning alone, both, and the whole search, how often the right papers come first.")


def _begin() -> None:
    with st.form("evaluate"):
        files = st.file_uploader("Questions in BioASQ's JSON form", type=["json"], accept_multiple_files=True)
        path = st.text_input("Or the path of such a file on this computer")
        sent = st.form_submit_button("Measure", type="primary")
    with st.expander("What the form is"):
        st.caption("Each question names its papers by PMID and quotes the sentences that answer it. The texts are taken from these quotes.")
        st.code(_FORM, language="json", wrap_lines=True)
    if not sent:
        return
    paths = [keep(file) for file in files] + ([local(path)] if path.strip() else [])
    if not paths:
        st.warning("Choose a file first, or give a path.", icon=":material/upload_file:")
        return
    opened = bench()

    def work(progress: Progress) -> dict[str, Any]:
        from backend.evaluate import evaluate

        return evaluate(opened.context, "literature.retrieve", paths, progress=progress)

    opened.jobs.submit(owner(), KIND, f"Measuring on {some(len(paths), 'file')}", work, key=f"{KIND}:{owner()}")
    st.rerun()


def show_result(result: dict[str, Any]) -> None:
    """Figure, table, notes and exports of one measurement."""
    from backend.figures.metrics import describe_metrics, plot_metrics

    systems, n = result["systems"], int(result["n"])
    kicker(f"Result on {n:,} questions")
    words = describe_metrics(systems, n)
    show_figure(plot_metrics(systems, n), words, "evaluation", rows(systems))
    metrics = list(dict.fromkeys(metric for values in systems.values() for metric in values))
    st.dataframe(
        [{"System": name} | {metric: _cell(values.get(metric)) for metric in metrics} for name, values in systems.items()], hide_index=True
    )
    st.caption("In brackets the 95% interval over questions. Where two intervals overlap, the difference may be chance.")
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


def _cell(cell: dict[str, float] | None) -> str:
    return f"{cell['value']:.3f} ({cell['low']:.3f}-{cell['high']:.3f})" if cell else ""


main()
