"""Two runs side by side: what differs in how they were asked, and in the evidence they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.profiles.verdict_words import head
from pages.parts.answer import filter_words
from pages.parts.bench import bench
from pages.parts.beside.result import show_agreement
from pages.parts.errors import told
from pages.parts.evidence import by_paper, card
from pages.parts.markup import escape, html, kicker, moment


def show_comparison(first_id: str, second_id: str) -> None:
    """What two runs have in common and what only one of them has."""
    with told():
        runs = bench().storage.runs.get(first_id), bench().storage.runs.get(second_id)
        kicker(f"{runs[0].id} and {runs[1].id}")
        sides = [about(run) for run in runs]
        rows = [
            {
                "": name,
                runs[0].id: sides[0].get(name, ""),
                runs[1].id: sides[1].get(name, ""),
                "Differs": sides[0].get(name, "") != sides[1].get(name, ""),
            }
            for name in dict.fromkeys([*sides[0], *sides[1]])
        ]
        st.dataframe(rows, hide_index=True, column_config={"Differs": st.column_config.CheckboxColumn(width="small")})
        if any("answer" not in (run.prediction or {}) for run in runs):
            _differences(*runs)
            return
        both, only_first, only_second = divide(_evidence(runs[0]), _evidence(runs[1]))
        columns = st.columns(3, gap="medium")
        parts = ("In both", both), (f"Only in {runs[0].id}", only_first), (f"Only in {runs[1].id}", only_second)
        for column, (name, items) in zip(columns, parts, strict=True):
            with column:
                kicker(f"{name}: {len(items)}")
                html("".join(card(group) for group in by_paper(items).values()) or "<p class='bl-soft'>None.</p>")


def _differences(first: Run, second: Run) -> None:
    """What each says in words, how far they agree, and where they differ."""
    from backend.side_by_side import compare

    columns = st.columns(2, gap="medium")
    for column, run in zip(columns, (first, second), strict=True):
        with column:
            kicker(run.id)
            html("".join(f"<p>{escape(line)}</p>" for line in (run.prediction or {}).get("text", [])))
    if first.task != second.task:
        st.info("These runs are of different tasks: their numbers cannot be set side by side.", icon=":material/info:")
        return
    show_agreement(compare(first, second))
    st.page_link(
        "pages/side_by_side.py",
        label="Both results whole, side by side",
        icon=":material/splitscreen_right:",
        query_params={"first": first.id, "second": second.id},
    )


def about(run: Run) -> dict[str, str]:
    """What a run depends on, in words; the same names for every run of a kind."""
    found = run.prediction or {}
    if run.task != "literature.ask":
        settings = {f"Setting: {name}": str(value) for name, value in run.settings.items()}
        model = f"{run.model['name']} {str(run.model['revision'])[:12]}"
        return {"Task": run.task, "Input": run.title, "When": moment(run.created), "Model": model} | settings
    confidence = found.get("answer", {}).get("confidence")
    coverage = found.get("coverage", {})
    return {
        "Question": run.title,
        "When": moment(run.created),
        "Filters": "; ".join(filter_words(run.settings.get("filters") or {})) or "none",
        "Sentences at most": str(run.settings.get("evidence", "")),
        "Model": f"{run.model['name']} {str(run.model['revision'])[:12]}",
        "Library version": str(coverage.get("library_version", "")),
        "Papers searched": f"{coverage.get('matching', 0):,} of {coverage.get('works', 0):,}",
        "Read for meaning": f"{coverage.get('with_vectors', 0):,}",
        "Answered": "no" if found.get("answer", {}).get("abstained") else "yes",
        "Confidence": "" if confidence is None else f"{confidence:.2f}",
    } | _verdict(found.get("answer", {}))


def _verdict(answer: Mapping[str, Any]) -> dict[str, str]:
    """The verdict in the words of its card; nothing where none was sought."""
    held = answer.get("verdict")
    if not held:
        return {}
    likely = f"{max(held['probabilities']):.2f}"
    return {
        "Verdict": f"{head(answer)} ({likely})",
        "90% set": ", ".join(held["set"] or []),
        "Studies judged": str(len(held["papers"])),
    }


def divide(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Evidence in both, only in the first, only in the second; the same sentence of the same text counts as one."""
    ours, theirs = {_key(item) for item in first}, {_key(item) for item in second}
    return (
        [item for item in first if _key(item) in theirs],
        [item for item in first if _key(item) not in theirs],
        [item for item in second if _key(item) not in ours],
    )


def _key(item: Mapping[str, Any]) -> tuple[str, int, int]:
    return str(item["sha256"]), int(item["start"]), int(item["end"])


def _evidence(run: Run) -> list[dict[str, Any]]:
    return list((run.prediction or {}).get("answer", {}).get("evidence", []))
