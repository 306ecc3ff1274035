"""A text continued by a model: what it wrote, framed as written by a model; guessed references; what the library holds near; why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.markup import escape, html, kicker
from pages.parts.text_sure import show_sure
from pages.parts.why_sites import show_sites
from pages.parts.written import facts_of, how_much, show_nearest, show_surprise, show_written

_STATUS = {
    "held": ("IN YOUR LIBRARY", ""),
    "authors differ": ("OTHER AUTHORS", " bl-no"),
    "near": ("MAY NOT EXIST", " bl-no"),
    "unknown": ("MAY NOT EXIST", " bl-no"),
}


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, how much, how freely, and whether references are guessed."""
    model = choose_model("literature.write", "write-model")
    if model is None:
        return None
    made = {"model": model, **how_much("write", 60)}
    citations = 0
    if _cites(model):
        citations = st.slider(
            "References to guess at the end of the text",
            0,
            8,
            0,
            key="write-citations",
            help="Each is looked up in your library. A guessed reference may be of a paper that does not exist.",
        )
    cut = st.checkbox("If the text is too long for the model, read only its end", key="write-cut")
    return {**made, "citations": int(citations), "cut": bool(cut)}


def show(run: Run) -> None:
    """What was written first, then how sure, references, what is near in the library, why."""
    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("What the model wrote")
        _prompt(found)
        show_written(found)
        show_surprise(found, f"surprise-{run.id}")
    with right:
        kicker("How sure")
        show_sure(run, facts_of(found))
    if found["citations"]:
        kicker("References it guessed; none is verified")
        _citations(found)
    kicker("To check against")
    if found["sentences"]:
        show_nearest(str(found["written"]), found["sentences"], str(found["nearest_method"]))
    else:
        html("<p>No sentence was written.</p>")
    kicker("Why")
    _why(run, found)


def _cites(name: str) -> bool:
    """Whether the model, or the first that would be taken, writes references."""
    from backend.models.registry import get_card
    from backend.tasks import serving
    from pages.parts.bench import bench

    card = get_card(name, bench().config) if name else next(iter(serving(bench().context, "literature.write")), None)
    return card is not None and card.family == "galactica"


def _prompt(found: Mapping[str, Any]) -> None:
    prompt, start = str(found["prompt"]), int(found["read_from"])
    unread = f"<span class='bl-unseen' title='The model did not see this part.'>{escape(prompt[:start])}</span>" if start else ""
    html(f"<p class='bl-soft'>After your text:</p><div class='bl-text' style='max-height:9rem'>{unread}{escape(prompt[start:])}</div>")


def _citations(found: Mapping[str, Any]) -> None:
    from backend.literature.visible import visible

    rows = []
    for at, each in enumerate(found["citations"], start=1):
        label, css = _STATUS[str(each["status"])]
        guess = f"<p class='bl-written-line'>{at}. {escape(visible(each['text']))}</p>"
        rows.append(
            f"<div class='bl-paper'>{guess}<p><span class='bl-label{css}'>{label}</span> {escape(each['words'])}</p>{_held(each)}</div>"
        )
    html("".join(rows))
    html(f"<p class='bl-soft'>{escape(found['citations_method'])}</p>")


def _held(each: Mapping[str, Any]) -> str:
    paper = each["paper"]
    if paper is None:
        return ""
    source = ", ".join(str(part) for part in (paper["title"], "; ".join(paper["authors"]), paper["year"]) if part)
    return f"<p class='bl-cite'>{escape(source)}</p>"


def _why(run: Run, found: Mapping[str, Any]) -> None:
    names = (["The text"] if found["tokens"] else []) + [f"Reference {at}" for at in range(1, len(found["citations"]) + 1)]
    if not names:
        html("<p>Nothing was written, so there is nothing to explain.</p>")
        return
    chosen = names[0]
    if len(names) > 1:
        chosen = str(st.segmented_control("Explain", names, default=names[0], required=True, key=f"write-why-{run.id}"))
    target = {} if chosen == "The text" else {"citation": int(chosen.split()[-1])}
    label = "Explain the written text by the words before it" if not target else f"Explain {chosen.lower()}"
    show_sites(run, target, label, str(found["prompt"]), (int(found["read_from"]), len(str(found["prompt"]))))
