"""Answers word for word: the spans best first with their sentences, how sure, and which sentences made the first the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.markup import escape, html, kicker, some
from pages.parts.text_sure import show_sure
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, and how many answers."""
    model = choose_model("literature.answer", "answer-model")
    if model is None:
        return None
    most = st.slider("Answers at most", 1, 20, 5, key="answer-most")
    return {"model": model, "most": int(most)}


def show(run: Run) -> None:
    """The answers first, then how sure, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    spans, contexts = found["spans"], found["contexts"]
    html(f"<h3>{escape(found['question'])}</h3>")
    left, right = st.columns([7, 3], gap="large")
    with left:
        if spans:
            kicker(f"Finding: {some(len(spans), 'answer')}, word for word")
            html("".join(_card(rank, each) for rank, each in enumerate(spans, start=1)))
        else:
            kicker("Finding")
            html("<p class='bl-quote'>The model finds no answer in this text.</p><p>Ask in other words, or give another text.</p>")
    with right:
        kicker("How sure")
        silent = f"in {found['silent']:,} of {some(len(contexts), 'part')} no answer is likelier than every single span"
        show_sure(
            run, [("No answer", silent), ("Probability", "of this span among all spans of its part and no answer: many spans can share it")]
        )
    if not spans:
        return
    kicker("Why")
    labels = [f"{rank}. {each['text'][:80]}" for rank, each in enumerate(spans, start=1)]
    at = labels.index(st.selectbox("Answer", labels, key=f"answer-why-{run.id}"))
    show_sites(run, {"answer": at + 1}, f"Explain answer {at + 1} by its sentences", str(contexts[spans[at]["context"]]["content"]))


def _card(rank: int, each: Mapping[str, Any]) -> str:
    low = each["start"] - each["sentence_at"][0]
    high = low + len(each["text"])
    sentence = each["sentence"]
    source = f"{escape(each['title'])}, characters {each['start']:,} to {each['end']:,}"
    return (
        f"<article class='bl-paper'><p class='bl-quote'><span class='bl-n'>{rank}</span>{escape(each['text'])}</p>"
        f"<div class='bl-text' style='border:0;padding:.1rem 0'>{escape(sentence[:low])}<mark>{escape(sentence[low:high])}</mark>"
        f"{escape(sentence[high:])}</div><div class='bl-cite'>probability {each['score']:.2f} · {source}</div></article>"
    )
