"""A text turned into another by a model, framed as written by a model; or whether a statement follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker
from pages.parts.text_sure import show_sure
from pages.parts.why_sites import show_sites
from pages.parts.written import facts_of, how_much, show_nearest, show_surprise, show_written


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, which job, in which words."""
    from backend.literature.jobs_of_text import JOBS

    model = choose_model("literature.rewrite", "rewrite-model")
    if model is None:
        return None
    job = str(st.selectbox("What to make of it", list(JOBS), format_func=lambda name: JOBS[name].title, key="rewrite-job"))
    st.caption(JOBS[job].about)
    made: dict[str, Any] = {"model": model, "job": job}
    if job == "nli":
        made["hypothesis"] = st.text_input(
            "Statement in doubt", key="rewrite-hypothesis", placeholder="For example: There is a pleural effusion.", max_chars=500
        )
    fields = "{text} and {hypothesis}" if job == "nli" else "{text}"
    template = st.text_input(
        "Prompt, if your checkpoint was taught another",
        key=f"rewrite-template-{job}",
        placeholder=JOBS[job].template or "for example: shorten: {text}",
        help=f"Write {fields} where they go. Used unless you write one: {JOBS[job].template or 'none'} ({JOBS[job].origin}).",
    )
    made["template"] = str(template)
    return made if job == "nli" else {**made, **how_much("rewrite", 96)}


def show(run: Run) -> None:
    """What was written, or the label, first; then how sure, what is near in the library, why."""
    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("Finding" if found["labels"] else "What the model wrote")
        if found["labels"]:
            _labels(run, found)
        else:
            show_written(found)
            show_surprise(found, f"surprise-{run.id}")
    with right:
        kicker("How sure")
        asked = [("Asked as", str(found["template"])), ("Wording", str(found["wording"]))]
        show_sure(run, asked if found["labels"] else [*facts_of(found), *asked])
    if found.get("sentences"):
        kicker("To check against")
        html("<p>First of all your own text, below. Then what your library holds:</p>")
        show_nearest(str(found["written"]), found["sentences"], str(found["nearest_method"]))
    kicker("Why")
    _why(run, found)
    kicker("The text that was given")
    html(f"<div class='bl-text'>{escape(found['prompt'])}</div>")


def _labels(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.written import describe_labels, plot_labels

    best = max(found["labels"], key=lambda each: each["probability"])
    html(f"<p>Statement: “{escape(found['hypothesis'])}”</p><div class='bl-big'>{escape(_said(best['label']))}</div>")
    html(f"<p>{escape(best['label'])}, with probability {_share(best['probability'])}. Judged by a model: not evidence.</p>")
    show_figure(
        plot_labels(found), describe_labels(found), f"labels-{run.id}", [{**each, "notice": found["notice"]} for each in found["labels"]]
    )
    html("".join(f"<p class='bl-soft'>{escape(line)}</p>" for line in found["how"]))


def _share(p: float) -> str:
    return "over 0.99" if p > 0.99 else f"{p:.2f}"


def _said(label: str) -> str:
    return {"entailment": "Follows from the text", "neutral": "Neither", "contradiction": "Contradicts the text"}[label]


def _why(run: Run, found: Mapping[str, Any]) -> None:
    target: dict[str, Any] = {}
    label = "Explain the written text by the text that was given"
    if found["labels"]:
        names = [each["label"] for each in found["labels"]]
        best = max(found["labels"], key=lambda each: each["probability"])["label"]
        chosen = str(st.segmented_control("Explain", names, default=best, required=True, key=f"rewrite-why-{run.id}"))
        target, label = {"label": chosen}, f"Explain the label '{chosen}'"
    elif not found["tokens"]:
        html("<p>Nothing was written, so there is nothing to explain.</p>")
        return
    show_sites(run, target, label, str(found["prompt"]))
