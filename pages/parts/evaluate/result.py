"""One measurement as the person reads it: on what and when it was made, whether it is a test at all, figure, table and exports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.evaluate.forms import FORMS
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, moment, plain, some

if TYPE_CHECKING:
    from backend.jobs import Job

_NO_SHARES = ("set_size",)  # beyond the axis of the figure; in the table
_VERDICTS = {"usable": "Usable.", "uncertain": "Uncertain.", "undecodable": "Cannot be decoded."}


def show_result(job: Job, last: bool) -> None:
    """Figure, table, notes and exports of one measurement; `last` when it is not one of what is chosen above it."""
    from backend.figures.metrics import describe_metrics, metric_words, plot_metrics

    result: dict[str, Any] = dict(job.result or {})
    n = int(result["n"])
    systems = {name: _numbers(values) for name, values in result["systems"].items()}
    show_head("Last result" if last else "Result", f"{_head(result, n)}{f', measured {moment(job.finished)}' if job.finished else ''}")
    seen = {name: str(said) for name, said in (result.get("seen") or {}).items()}
    for said in seen.values():
        st.warning(plain(said), icon=":material/history_edu:")
    if "verdict" in result:
        st.markdown(f"**{plain(_VERDICTS.get(result['verdict'], result['verdict']))}** {plain(result.get('sentence', ''))}")
    shares = {name: {metric: cell for metric, cell in values.items() if metric not in _NO_SHARES} for name, values in systems.items()}
    clear = result.get("clear") or {}
    words = describe_metrics(systems, n, clear, list(seen))
    show_figure(plot_metrics(shares, n, clear, list(seen)), words, "evaluation", rows(systems))
    metrics = list(dict.fromkeys(metric for values in systems.values() for metric in values))
    st.dataframe(
        [{"System": name} | {metric_words(metric): _cell(values.get(metric)) for metric in metrics} for name, values in systems.items()],
        hide_index=True,
    )
    st.caption("In brackets the 95% interval, where there is one. Where two intervals overlap, the difference may be chance.")
    notes = [note for note in result.get("notes", []) if note not in seen.values()]
    if notes:
        html("<ul class='bl-soft'>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    with st.expander("The figure in words"):
        st.markdown(plain(words))
    with st.container(horizontal=True):
        st.download_button(
            "The whole result, JSON", json.dumps(result, indent=2), "bioloom-evaluation.json", "application/json", on_click="ignore"
        )


def show_head(kind: str, what: str) -> None:
    """What stands below: of which task and files, and when; a file's name keeps its own letters."""
    kicker(kind)
    html(f"<p><b>{escape(what)}</b></p>")


def named(files: list[str]) -> str:
    """Files as a heading names them; many are counted."""
    return ", ".join(files) if len(files) < 4 else f"{files[0]} and {some(len(files) - 1, 'other file')}"


def rows(systems: dict[str, dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """One row a system and metric."""
    return [
        {"system": name, "metric": metric, "value": cell["value"], "low": cell["low"], "high": cell["high"]}
        for name, values in systems.items()
        for metric, cell in values.items()
    ]


def _head(result: Mapping[str, Any], n: int) -> str:
    """Task, files and number of cases; results of before the files' names were kept do without."""
    files = [str(file) for file in result.get("files") or ()]
    return f"{FORMS[result['task']].name}{f' on {named(files)}' if files else ''}: {some(n, 'case')}"


def _numbers(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics that are numbers; one without an interval keeps None at both ends."""
    return {name: cell for name, cell in values.items() if isinstance(cell, Mapping) and cell.get("value") is not None}


def _cell(cell: dict[str, float] | None) -> str:
    if not cell:
        return ""
    return f"{cell['value']:.3f}" + (f" ({cell['low']:.3f}-{cell['high']:.3f})" if cell.get("low") is not None else "")
