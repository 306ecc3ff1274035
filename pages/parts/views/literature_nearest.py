"""Nearest sentences: quoted word for word with both ranks, how much a cosine means, and which words brought them near the question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.evidence import notices
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, some
from pages.parts.text_sure import show_sure
from pages.parts.why_sites import show_sites

_WHERE = {"text": "In this text", "library": "In the library"}


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, where to look, and how far."""
    model = choose_model("literature.nearest", "nearest-model")
    if model is None:
        return None
    where = st.radio("Where to look", list(_WHERE), format_func=_WHERE.__getitem__, horizontal=True, key="nearest-where")
    chosen: dict[str, Any] = {"model": model, "where": where, "most": 20}
    if where == "library":
        chosen["candidates"] = int(
            st.slider(
                "Papers to look at, the best by words",
                10,
                200,
                100,
                10,
                key="nearest-candidates",
                help="Three sentences of each are read by the model. On a laptop a large model reads a few sentences a second.",
            )
        )
    return chosen


def show(run: Run) -> None:
    """The sentences first, then how sure, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    items = found["found"]
    html(f"<h3>{escape(found['question'])}</h3>")
    left, right = st.columns([7, 3], gap="large")
    with left:
        if not items:
            kicker("Finding")
            html(
                "<p class='bl-quote'>There was nothing to compare the question with.</p>"
                "<p>Ask in other words, import papers, or look in a text.</p>"
            )
        else:
            kicker(f"Finding: {some(len(items), 'nearest sentence')}, word for word")
            html("".join(_card(rank, each) for rank, each in enumerate(items[:10], start=1)))
            if len(items) > 10:
                with st.expander(f"{some(len(items) - 10, 'further sentence')}"):
                    html("".join(_card(rank, each) for rank, each in enumerate(items[10:], start=11)))
    with right:
        kicker("How sure")
        show_sure(run, _facts(found))
    if not items:
        return
    _dots(run, found)
    kicker("Why near")
    labels = [f"{rank}. {_short(each['quote'])}" for rank, each in enumerate(items, start=1)]
    at = labels.index(st.selectbox("Sentence", labels, key=f"nearest-why-{run.id}"))
    show_sites(run, {"rank": at + 1}, f"Explain the nearness of sentence {at + 1}", str(items[at]["quote"]))


def _dots(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.words import describe_nearest, plot_nearest

    rows = [
        {"rank": rank, "cosine": each["cosine"], "rank by words": each["words_rank"], "sentence": each["quote"]}
        for rank, each in enumerate(found["found"], start=1)
    ]
    show_figure(plot_nearest(found), describe_nearest(found), f"nearest-{run.id}", rows)


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    level = found["level"]
    looked = some(found["compared"], "sentence")
    told = [("Compared", f"{looked} of {some(found['papers'], 'paper')}" if found["where"] == "library" else f"{looked} of the text")]
    if level["mean"] is not None:
        told.append(("Cosine of all compared", f"mean {level['mean']:.2f}, from {level['least']:.2f} to {level['most']:.2f}"))
    if found.get("picked"):
        told.append(("Picked", str(found["picked"])))
    return [*told, ("Nearness", "is of topic and wording; it does not say that a sentence answers the question")]


def _card(rank: int, each: Mapping[str, Any]) -> str:
    place = f"characters {each['start']:,} to {each['end']:,}"
    source = [each["title"] or "this text", str(each["year"] or ""), f"PMID {each['pmid']}" if each["pmid"] else "", place]
    by_words = f"paper number {each['words_rank']} by words" if each["paper"] is not None else f"number {each['words_rank']} by words"
    return (
        f"<article class='bl-paper'><p class='bl-quote'><span class='bl-n'>{rank}</span>{escape(each['quote'])}</p>"
        f"<div class='bl-cite'>cosine {each['cosine']:.3f} · {by_words} ({each['words']:.0%} of the question's words) · "
        f"{escape(', '.join(part for part in source if part))}</div>{notices(each['notices'])}</article>"
    )


def _short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= 90 else f"{flat[:89]}…"
