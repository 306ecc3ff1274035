"""Yes, no or maybe: the joined verdict, how sure, every part with its own, and which sentences and words spoke for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, plain, some
from pages.parts.text_marks import brief
from pages.parts.text_sure import show_sure
from pages.parts.why_sites import explained, show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """Which model."""
    model = choose_model("literature.verdict", "verdict-model")
    return None if model is None else {"model": model}


def show(run: Run) -> None:
    """The verdict first, then how sure, then the parts, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    joined, contexts = found["joined"], found["contexts"]
    html(f"<h3>{escape(found['question'])}</h3>")
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("Finding")
        _headline(joined["probabilities"], joined.get("set"), _of(found))
        if joined.get("set_note"):
            html(f"<p class='bl-set'>{escape(joined['set_note'])}</p>")
        _drawing(run, found)
    with right:
        kicker("How sure")
        html(f"<p>{escape(found['calibration'])}</p>")
        show_sure(run, [("Joined by", str(joined["how"])), ("Parts", f"{len(contexts):,}")])
    kicker("Why")
    _why(run, found)
    kicker("The parts")
    for at, each in enumerate(contexts, start=1):
        numbers = ", ".join(f"{name} {p:.2f}" for name, p in zip(("yes", "no", "maybe"), each["probabilities"], strict=True))
        held = f"; 90% set: {' or '.join(each['set'])}" if each.get("set") else ""
        with st.expander(f"{at}. {plain(brief(each['title'], 90))} · {each['verdict']} ({numbers}{held})"):
            html(f"<div class='bl-text'>{escape(each['content'])}</div>")


def _headline(shares: Sequence[float], held: Sequence[str] | None, of: str) -> None:
    """A verdict that no probability carries is not drawn like one that does."""
    from backend.literature.judging import called, headline, in_numbers

    said = headline(shares, held)
    if said.lower() != called(shares):
        html(f"<p class='bl-quote'>{escape(said)}</p><p>{escape(in_numbers(shares))}, from {escape(of)}</p>")
    else:
        html(f"<div class='bl-big'>{escape(said)}</div><p>probability {max(shares):.2f}, from {escape(of)}</p>")


def _of(found: Mapping[str, Any]) -> str:
    papers = {each["paper"] for each in found["contexts"] if each["paper"] is not None}
    parts = some(len(found["contexts"]), "part")
    return f"{parts} of {some(len(papers), 'paper')}" if found.get("run") else f"{parts} of the text"


def _drawing(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.texts import describe_verdicts, plot_verdicts

    rows = [
        {"part": name, **dict(zip(("yes", "no", "maybe"), shares, strict=True))}
        for name, shares in [("joined", found["joined"]["probabilities"])]
        + [(str(at), each["probabilities"]) for at, each in enumerate(found["contexts"], start=1)]
    ]
    show_figure(plot_verdicts(found), describe_verdicts(found), f"verdict-{run.id}", rows)


def _why(run: Run, found: Mapping[str, Any]) -> None:
    """The sentences of a part, then the words of one of them."""
    from backend.literature.texts import sentence_spans

    contexts = found["contexts"]
    labels = [f"{at}. {each['verdict']}: {each['content'][:80]}" for at, each in enumerate(contexts, start=1)]
    at = labels.index(st.selectbox("Part", labels, key=f"verdict-part-{run.id}")) if len(labels) > 1 else 0
    text = str(contexts[at]["content"])
    st.markdown("**Which sentences spoke for it**")
    made = show_sites(run, {"context": at + 1}, f"Explain the verdict on part {at + 1} by its sentences", text)
    spans = sentence_spans(text)
    if made is None:
        return
    st.markdown("**Which words of a sentence**")
    strongest = max((item for item in made["sites"]["attributions"] if item["value"] is not None), key=lambda item: abs(item["value"]))
    first = next((n for n, (start, end) in enumerate(spans) if start < strongest["end"] and strongest["start"] < end), 0)
    named = [f"{n}. {text[start:end][:90]}" for n, (start, end) in enumerate(spans, start=1)]
    number = named.index(st.selectbox("Sentence", named, index=first, key=f"verdict-sentence-{run.id}-{at}"))
    target = {"context": at + 1, "sentence": number + 1}
    if explained(run, target, f"Explain the words of sentence {number + 1}") is not None:
        show_sites(run, target, "", text, spans[number])
