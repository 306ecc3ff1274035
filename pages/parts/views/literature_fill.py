"""Hidden words: the text with its hidden places, the words expected there, how sure, and which words around made them likely."""

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


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, which word is hidden, and how many words are told."""
    model = choose_model("literature.fill", "fill-model")
    if model is None:
        return None
    hide = st.text_input(
        "Word to hide", key="fill-hide", placeholder="a word of the text; or write [MASK] or ___ in the text itself", max_chars=80
    )
    most = st.slider("Words told for each place", 1, 50, 10, key="fill-most")
    return {"model": model, "hide": " ".join(str(hide).split()), "most": int(most)}


def show(run: Run) -> None:
    """The places first, then one of them with its words, how sure, and why."""
    found: Mapping[str, Any] = run.prediction or {}
    hidden, text = found["hidden"], str(found["material"]["content"])
    at = 0
    if len(hidden) > 1:
        labels = [f"{number}. {_around(text, each)}" for number, each in enumerate(hidden, start=1)]
        at = labels.index(st.selectbox("Hidden word", labels, key=f"fill-place-{run.id}"))
    place = hidden[at]
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("Finding: expected by the model, not read in the text")
        html(f"<div class='bl-text'>{_marked(text, hidden, at)}</div>")
        _bars(run, place, at + 1)
    with right:
        kicker("How sure")
        show_sure(run, _facts(place))
    if not place["candidates"]:
        return
    kicker("Why")
    words = [each["word"] for each in place["candidates"]]
    word = str(st.selectbox("Word", words, key=f"fill-word-{run.id}-{at}"))
    show_sites(run, {"place": at + 1, "word": word}, f"Explain '{word}' at hidden word {at + 1}", text)


def _bars(run: Run, place: Mapping[str, Any], number: int) -> None:
    from backend.figures.words import describe_hidden, plot_hidden

    rows = [{"word": each["word"], "probability": each["score"]} for each in place["candidates"]]
    show_figure(plot_hidden(place, number), describe_hidden(place, number), f"hidden-{run.id}-{number}", rows)


def _facts(place: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = [("Together", f"these words carry {place['carried']:.0%} of the probability, other words and pieces of words the rest")]
    if place["truth"]:
        own = f"probability {place['truth_score']:.4f}" if place["truth_score"] is not None else place["truth_reason"]
        told.append(("Was hidden", f"'{place['truth']}': {own}"))
    return [*told, ("What it means", "how usual a word is in such a sentence; not whether the sentence would be true")]


def _marked(text: str, hidden: list[dict[str, Any]], chosen: int) -> str:
    """The text with its hidden places numbered; the chosen one is marked and carries its likeliest word."""
    out, last = [], 0
    for at, each in enumerate(hidden):
        best = each["candidates"][0]["word"] if each["candidates"] else "?"
        shown = f"<mark>[{at + 1}: {escape(best)}?]</mark>" if at == chosen else f"[{at + 1}]"
        out += [escape(text[last : each["start"]]), shown]
        last = each["end"]
    return "".join([*out, escape(text[last:])])


def _around(text: str, place: Mapping[str, Any]) -> str:
    before = " ".join(text[max(0, place["start"] - 40) : place["start"]].split())
    after = " ".join(text[place["end"] : place["end"] + 40].split())
    return f"{before} [...] {after}"
