"""Named things: the text with every mention framed, how sure, which names are most frequent, why, and the whole list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, some
from pages.parts.text_marks import legend, marked_text
from pages.parts.text_sure import read_facts, show_sure
from pages.parts.why_sites import show_sites

_LISTED = 2_000  # rows of the table; the CSV holds all


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, and from which probability on."""
    model = choose_model("literature.entities", "entities-model")
    if model is None:
        return None
    least = st.slider(
        "List mentions from this probability on",
        0.0,
        1.0,
        0.0,
        0.05,
        key="entities-least",
        help="0 lists all; those below 0.5 are marked as uncertain.",
    )
    return {"model": model, "least": float(least)}


def show(run: Run) -> None:
    """The marked text and its names first, beside how sure; then why, then the list."""
    found: Mapping[str, Any] = run.prediction or {}
    mentions, text, kinds = found["mentions"], str(found["material"]["content"]), found["kinds"]
    names = {(each["kind"], each["text"].casefold()) for each in mentions}
    left, right = st.columns([7, 3], gap="large")
    with left:
        kicker(f"Finding: {some(len(mentions), 'mention')} of {some(len(names), 'name')}")
        if not mentions:
            html(
                "<p>The model names nothing in this text. That may be right: it knows only these kinds: "
                + escape(", ".join(kinds))
                + ".</p>"
            )
        html(legend(kinds) + marked_text(text, mentions, kinds))
        if mentions:
            kicker("The names")
            _names(run, found)
    with right:
        kicker("How sure")
        show_sure(run, read_facts(found["material"]))
    if not mentions:
        return
    kicker("Why")
    labels = [f"{at}. {each['text'][:60]} ({each['kind']}, {each['score']:.2f})" for at, each in enumerate(mentions, start=1)]
    at = labels.index(st.selectbox("Mention", labels, key=f"entities-why-{run.id}"))
    show_sites(run, {"mention": at + 1}, f"Explain mention {at + 1}", text, (mentions[at]["sentence"][0], mentions[at]["sentence"][1]))
    kicker("Every mention")
    _table(mentions, text)


def _names(run: Run, found: Mapping[str, Any]) -> None:
    from backend.figures.texts import describe_names, plot_names

    st.dataframe(
        [
            {
                "Kind": each["kind"],
                "Mentions": each["mentions"],
                "Names": each["names"],
                "Denied": each["negated"],
                "Uncertain": each["uncertain"],
            }
            for each in found["counts"]
        ],
        hide_index=True,
    )
    rows = [{name: each[name] for name in ("text", "kind", "start", "end", "score", "negated")} for each in found["mentions"]]
    show_figure(plot_names(found), describe_names(found), f"names-{run.id}", rows)


def _table(mentions: list[dict[str, Any]], text: str) -> None:
    rows = [
        {
            "Mention": each["text"],
            "Kind": each["kind"],
            "Probability": each["score"],
            "Denied": each["cue"],
            "From": each["start"],
            "To": each["end"],
            "Sentence": text[each["sentence"][0] : each["sentence"][1]],
        }
        for each in mentions[:_LISTED]
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Mention": st.column_config.TextColumn(width=150),
            "Kind": st.column_config.TextColumn(width=80),
            "Probability": st.column_config.NumberColumn(format="%.2f", width=80),
            "Denied": st.column_config.TextColumn(help="The words of the sentence that deny it, found by a rule.", width=80),
            "From": st.column_config.NumberColumn(width=60),
            "To": st.column_config.NumberColumn(width=60),
            "Sentence": st.column_config.TextColumn(width=450, help="Open a cell to read all of it; the CSV has it whole."),
        },
        height=min(36 * (len(rows) + 1), 400),
    )
    if len(mentions) > _LISTED:
        st.caption(f"The first {_LISTED:,} of {len(mentions):,}; the CSV under Export has them all.")
