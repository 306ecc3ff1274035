"""Sentences that bear on a question: quoted best first with their side, how sure, which words did it, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import shelf
from pages.parts.choosing import choose_model
from pages.parts.evidence import marked
from pages.parts.markup import escape, html, kicker, plain, some
from pages.parts.text_marks import brief
from pages.parts.text_sure import show_sure
from pages.parts.verdict_card import sign
from pages.parts.why_sites import show_sites

_SHOWN = 10  # sentences drawn at once where fewer bear clearly on the question
_MOST = 300  # sentences drawn; all of them are in the CSV
_SIDES = {"supports": "supports", "opposes": "opposes", "unclear": "side unclear"}
_COUNTED = {"supports": ("supports it", "support it"), "opposes": ("opposes it", "oppose it"), "unclear": ("of unclear side",) * 2}


def settings(kind: str) -> dict[str, Any] | None:
    """Which model."""
    model = choose_model("literature.evidence", "evidence-model")
    return None if model is None else {"model": model}


def show(run: Run) -> None:
    """The sentences first, then how sure, then why, then the texts they stand in."""
    found: Mapping[str, Any] = run.prediction or {}
    items: Sequence[Mapping[str, Any]] = found["sentences"]
    html(f"<h3>{escape(found['question'])}</h3>")
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("Finding")
        _headline(found)
        first = max(1, min(found["clear"], _SHOWN))
        html("".join(_card(rank, each, found["texts"] > 1) for rank, each in enumerate(items[:first], start=1)))
        if len(items) > first:
            with st.expander(f"{some(len(items) - first, 'further sentence')}, {_further(found, first)}"):
                html("".join(_card(rank, each, found["texts"] > 1) for rank, each in enumerate(items[first:_MOST], start=first + 1)))
                if len(items) > _MOST:
                    st.caption(f"The first {_MOST:,} are shown; all {len(items):,} are in the table that can be saved below.")
    with right:
        kicker("How sure")
        html(f"<p>{escape(found['calibration'])}</p>")
        show_sure(run, _facts(found))
    kicker("Why")
    _why(run, found)
    _texts(run, found)


def _headline(found: Mapping[str, Any]) -> None:
    count, of = found["clear"], some(len(found["sentences"]), "sentence")
    if not count:
        html(
            "<p class='bl-quote'>No sentence clearly bears on the question.</p>"
            f"<p>Of {of} none reaches a probability of 0.50; the best is shown. Ask in other words, or give another text.</p>"
        )
        return
    sides = found["counts"] or {}
    told = " · ".join(f"{sign(name)} {sides[name]} {words[sides[name] != 1]}" for name, words in _COUNTED.items() if sides.get(name))
    html(
        f"<p class='bl-quote'>{count:,} of {of} {'bears' if count == 1 else 'bear'} on the question</p>"
        + (f"<p>{told}</p>" if told else "<p class='bl-soft'>The question has no yes or no, so no sentence takes a side.</p>")
    )


def _card(rank: int, each: Mapping[str, Any], several: bool) -> str:
    place = f"characters {each['start']:,} to {each['end']:,}"
    source = [each["title"] if several else "", str(each["year"] or ""), f"PMID {each['pmid']}" if each["pmid"] else "", place]
    return (
        f"<article class='bl-paper'><div class='bl-stand'><span class='bl-n'>{rank}</span>{_side(each)}"
        f"<span>bears on the question {each['bearing']:.2f}</span></div><p class='bl-quote'>{escape(each['quote'])}</p>"
        f"<div class='bl-cite'>{escape(', '.join(part for part in source if part))}</div></article>"
    )


def _side(each: Mapping[str, Any]) -> str:
    stance = each["stance"]
    if not stance:
        return ""
    said = str(stance["said"])
    numbers = ", ".join(f"{name} {p:.2f}" for name, p in zip(("supports", "opposes", "unclear"), stance["probabilities"], strict=True))
    return f"<span>{sign(said)} <b>{_SIDES[said]}</b> <span class='bl-soft'>({numbers})</span></span>"


def _further(found: Mapping[str, Any], first: int) -> str:
    rest = found["clear"] - first
    return f"{rest:,} of them bear on the question" if rest > 0 else "which bear less on it"


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    weighed = f"{some(len(found['sentences']), 'sentence')} of {some(found['texts'], 'text')}, each on its own; nothing was left out"
    told = [("Weighed", weighed), ("Bears", "the probability that experts would name the sentence as an answer to the question")]
    if found["counts"] is not None:
        told.append(("Side", "named where its probability reaches 0.50; supports means that it speaks for yes"))
    return told


def _why(run: Run, found: Mapping[str, Any]) -> None:
    """The words of one sentence, for its bearing or for its side."""
    items = found["sentences"][:_MOST]
    labels = [f"{rank}. {brief(each['quote'], 90)}" for rank, each in enumerate(items, start=1)]
    at = labels.index(st.selectbox("Sentence", labels, key=f"evidence-why-{run.id}"))
    target: dict[str, Any] = {"rank": at + 1}
    what = "that it bears on the question"
    if items[at]["stance"]:
        sides = ("That it bears on the question", "Which side it takes")
        asked = st.radio("Explain", sides, horizontal=True, key=f"evidence-of-{run.id}", label_visibility="collapsed")
        if asked == sides[1]:
            target["of"], what = "stance", "which side it takes"
    show_sites(run, target, f"Explain sentence {at + 1} by its words: {what}", str(items[at]["quote"]))


def _texts(run: Run, found: Mapping[str, Any]) -> None:
    """The text with the sentences that bear on the question marked; of papers of the library, their titles lead to them."""
    clear = [each for each in found["sentences"] if each["bearing"] >= 0.5]
    if not clear:
        return
    text = str(run.input.get("text") or "")
    if text and not run.input.get("run"):
        with st.expander("The text, with these sentences marked"):
            html(marked(text, [(each["start"], each["end"]) for each in clear]))
        return
    from backend.errors import InputError

    for paper in dict.fromkeys(each["paper"] for each in clear):
        own = [each for each in clear if each["paper"] == paper]
        with st.expander(f"{plain(brief(own[0]['title'], 90))} · {some(len(own), 'sentence')}"):
            try:
                stored = shelf().paper(int(paper))
            except InputError as error:
                st.caption(plain(f"{error.message} {error.hint}"))
            else:
                html(marked(stored.paper.text, [(each["start"], each["end"]) for each in own]))
