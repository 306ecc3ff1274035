"""Why the verdict: paper by paper the sentences that spoke for it, then the words of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.profiles.wording import reading_level
from pages.parts.bench import profile
from pages.parts.explanation import show_explanation
from pages.parts.text_marks import brief
from pages.parts.why_sites import explained


def show_why_verdict(run: Run, verdict: Mapping[str, Any]) -> None:
    """Choose a paper; see which of its sentences, and which words of a sentence, spoke for what it was read to say.

    Parameters
    ----------
    verdict : mapping
        The answer's ``verdict``.
    """
    from backend.literature.texts import sentence_spans

    papers = verdict["papers"]
    at = _choose_paper(run.id, papers)
    level = reading_level(asdict(profile()))
    by_sentence = explained(run, {"verdict": at}, f"Explain what paper {at} says, by its sentences")
    if by_sentence is None:
        return
    st.markdown("**Which sentences of the paper**")
    text = str(by_sentence["sequence"])
    show_explanation(by_sentence["sites"], text, f"{run.id}-verdict-{at}", level)
    st.markdown("**Which words of a sentence**")
    spans = sentence_spans(text)
    parts = [item for item in by_sentence["sites"]["attributions"] if item["value"] is not None]
    strongest = max(parts, key=lambda item: abs(item["value"]))
    first = next((n for n, (start, end) in enumerate(spans) if start < strongest["end"] and strongest["start"] < end), 0)
    numbers = range(1, len(spans) + 1)
    number = st.selectbox(
        "Sentence",
        numbers,
        index=first,
        format_func=lambda n: f"{n}. {brief(text[slice(*spans[n - 1])], 110)}",
        key=f"verdict-sentence-{run.id}-{at}",
    )
    by_word = explained(run, {"verdict": at, "sentence": number}, f"Explain the words of sentence {number}")
    if by_word is not None:
        show_explanation(by_word["sites"], str(by_word["sequence"]), f"{run.id}-verdict-{at}-{number}", level, spans[number - 1])


def _choose_paper(run_id: str, papers: list[Mapping[str, Any]]) -> int:
    """The number of a judged paper, counted from 1."""
    if len(papers) == 1:
        return 1
    return int(
        st.selectbox(
            "Paper",
            range(1, len(papers) + 1),
            format_func=lambda n: f"{n}. {_named(papers[n - 1])}",
            key=f"verdict-paper-{run_id}",
        )
    )


def _named(paper: Mapping[str, Any]) -> str:
    said = "no clear side" if paper["said"] == "open" else paper["said"]
    return f"{said}: {brief(str(paper.get('title') or 'Untitled'), 110)}"
