"""Vectors of sentences: the heat map of their nearness, how much a cosine means here, neighbours, and which words bring two together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import html, kicker
from pages.parts.text_sure import show_sure
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """Which model."""
    model = choose_model("literature.embed", "embed-model")
    return None if model is None else {"model": model}


def show(run: Run) -> None:
    """The heat map first, then how sure, then the sentences with their neighbours, then why two of them are near."""
    found: Mapping[str, Any] = run.prediction or {}
    sentences, text = found["sentences"], str(found["material"]["content"])
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker("Finding")
        if found["nearest"] is None:
            html("<p class='bl-quote'>One sentence has a vector; there is no other to compare it with.</p>")
        else:
            _map(run, found)
    with right:
        kicker("How sure")
        show_sure(run, _facts(found))
    kicker("Sentences and their nearest")
    _table(run, sentences, text)
    if found["nearest"] is None:
        return
    kicker("Why near")
    labels = [f"{number}. {_short(text[each['start'] : each['end']])}" for number, each in enumerate(sentences, start=1)]
    first, second = st.columns(2, gap="large")
    near = found["nearest"]
    one = labels.index(first.selectbox("Sentence", labels, index=near["first"] - 1, key=f"embed-first-{run.id}"))
    beside = [label for at, label in enumerate(labels) if at != one]
    nearest = labels[sentences[one]["neighbours"][0]["sentence"] - 1]
    other = labels.index(second.selectbox("Near to", beside, index=beside.index(nearest), key=f"embed-second-{run.id}-{one}"))
    target = {"first": one + 1, "second": other + 1}
    show_sites(run, target, f"Explain the nearness of sentence {one + 1} to {other + 1}", text)


def _map(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.sentence_map import describe_sentences, plot_sentences

    rows = [
        {"sentence": number, "nearest": near["sentence"], "cosine": near["cosine"]}
        for number, each in enumerate(found["sentences"], start=1)
        for near in each["neighbours"]
    ]
    show_figure(plot_sentences(found), describe_sentences(found), f"sentences-{run.id}", rows)


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    level = found["level"]
    told = [("Numbers a sentence", f"{found['width']:,}")]
    if level["mean"] is not None:
        told.append(("Cosine of all pairs", f"mean {level['mean']:.2f}, from {level['least']:.2f} to {level['most']:.2f}"))
        told.append(("How to read it", "against that mean, not against 0: many encoders put all sentences near one another"))
    return [*told, ("Not told by nearness", "whether two sentences agree: a finding and its denial can lie side by side")]


def _table(run: Run, sentences: list[dict[str, Any]], text: str) -> None:
    rows = []
    for number, each in enumerate(sentences, start=1):
        near = each["neighbours"][0] if each["neighbours"] else None
        rows.append(
            {
                "No.": number,
                "Sentence": text[each["start"] : each["end"]],
                "Nearest": None if near is None else near["sentence"],
                "Cosine": None if near is None else near["cosine"],
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "No.": st.column_config.NumberColumn(width=50),
            "Sentence": st.column_config.TextColumn(width="large"),
            "Nearest": st.column_config.NumberColumn(width=70),
            "Cosine": st.column_config.NumberColumn(format="%.3f", width=80),
        },
        height=min(35 * (len(rows) + 1) + 3, 388),
        key=f"embed-table-{run.id}",
    )


def _short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= 90 else f"{flat[:89]}…"
