"""Read a text with a model: named things, relations, a verdict, answers; pasted, dropped, or a paper of the library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench, profile, shelf
from pages.parts.errors import told
from pages.parts.evidence import notices
from pages.parts.frame import open_page
from pages.parts.markup import escape, html, kicker, some, strip
from pages.parts.run_view import find_run, show_run
from pages.parts.starting import follow, show_failed
from pages.parts.text_intake import begin, read_kept, show_intake
from pages.parts.text_marks import brief
from pages.parts.text_tasks import KIND, show_form


def main() -> None:
    sentence = "Give one text and a model reads it: what it names, what it states, what it answers. Nothing leaves this computer."
    open_page("Texts", sentence, header)
    shown = find_run(st.query_params["run"]) if "run" in st.query_params else None
    value: dict[str, Any] | None = None
    with told():
        value = _given(shown)
    if value is None:
        if not follow(KIND):
            show_failed(KIND)
            if shown is not None:  # put to the library: there is no text to read again
                show_run(shown)
            with st.expander("Another text") if shown is not None else st.container():
                show_intake()
                begin()
        return
    with st.expander("Another text"):
        show_intake()
        begin()
    if follow(KIND):
        return
    show_failed(KIND)
    if shown is None:
        with told():
            _material(value, st.query_params.get("task"))
        return
    with st.expander("What was read, and other tasks on it"), told():
        _material(value, shown.task)
    show_run(shown)


def header() -> list[tuple[str, str]]:
    """Profile and machine."""
    from backend.models.device import device_name

    return [("Profile", profile().name), ("Machine", device_name(bench().config))]


def _given(shown: Run | None) -> dict[str, Any] | None:
    """The input that the address names: a kept text, a paper, a saved answer; or that of the run which is shown."""
    address = st.query_params
    if "text" in address:
        return read_kept(address["text"], address.get("name", "text"))
    if "paper" in address:
        return {"paper": address["paper"]}
    if "ask" in address:
        return {"run": address["ask"]}
    if shown is None:
        return None
    kept = {name: shown.input[name] for name in ("text", "name", "paper", "run", "question") if shown.input.get(name)}
    return kept if "text" in kept or "run" in kept else None


def _material(value: Mapping[str, Any], task: str | None) -> None:
    from backend.errors import InputError
    from backend.literature.texts import read_text, sentence_spans

    kicker("What was read")
    if "run" in value:
        _quoted(str(value["run"]))
        question = str((bench().storage.runs.get(str(value["run"])).prediction or {}).get("question", ""))
        show_form({"question": question, **value}, "", task)
        return
    given = {name: value[name] for name in ("text", "name") if name in value}
    if value.get("paper"):
        try:
            given = {"paper": int(value["paper"])}
        except ValueError as error:
            raise InputError("That is not the number of a paper.", "Choose the paper again.") from error
    read = read_text(bench().context, given, {})
    text = str(read["text"])
    items = [
        ("Text", brief(str(read["name"]), 90)),
        ("Characters", f"{len(text):,}"),
        ("Sentences", f"{len(sentence_spans(text)):,}"),
    ]
    if value.get("paper"):
        stored = shelf().paper(int(value["paper"]))
        items += [("Paper", f"PMID {stored.paper.pmid}" if stored.paper.pmid else f"number {stored.id}")]
        if stored.paper.annotations:
            items.append(("Marked by its record", some(len(stored.paper.annotations), "mention")))
        if stored.paper.notices:
            html(notices([asdict(notice) for notice in stored.paper.notices]))
    strip(items)
    with st.expander("The text"):
        html(f"<div class='bl-text'>{escape(text)}</div>")
    kicker("What you want to know")
    show_form({**given, "question": value.get("question", "")}, text, task)


def _quoted(run_id: str) -> None:
    """The papers that a saved answer quotes."""
    run = bench().storage.runs.get(run_id)
    evidence = (run.prediction or {}).get("answer", {}).get("evidence", [])
    titles = list(dict.fromkeys(str(item["title"]) for item in evidence))
    strip([("Papers quoted by run", run.id), ("Papers", f"{len(titles):,}"), ("Quotes", f"{len(evidence):,}")])
    html("<ul class='bl-soft'>" + "".join(f"<li>{escape(title)}</li>" for title in titles) + "</ul>")


main()
