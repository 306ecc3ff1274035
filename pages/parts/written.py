"""A text that a model wrote, drawn so that nobody takes it for a quotation: framed, named, each token by how likely it was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, some

_MARKS = {"likely": "", "less likely": "dotted", "unlikely": "dashed", "surprising": "wavy"}
_LEGEND = (("less likely", "under 1 in 2"), ("unlikely", "under 1 in 10"), ("surprising", "under 1 in 100"))


def show_written(found: Mapping[str, Any]) -> None:
    """The text in its frame, with the notice above it, and what the marks under its words mean."""
    head, _, rest = str(found["notice"]).partition(". ")
    body = "".join(_token(piece, log) for piece, log, *_ in found["tokens"]).strip() or "<i>Nothing was written.</i>"
    html(
        f"<div class='bl-written'><p class='bl-written-head' role='note'><strong>{escape(head)}.</strong> {escape(rest)}</p>"
        f"<div class='bl-written-text'>{body}</div></div>"
    )
    if found["tokens"]:
        marks = ", ".join(f"<span style='{_style(name)}'>{name}</span> {means}" for name, means in _LEGEND)
        html(f"<p class='bl-soft'>Marked under the words is how likely the model itself found each piece when it wrote it: {marks}. "
             "A likely word is not a true one.</p>")  # fmt: skip


def show_surprise(found: Mapping[str, Any], key: str) -> None:
    """The same as a figure with its numbers."""
    if not found["tokens"]:
        return
    from backend.figures.written import describe_surprise, plot_surprise
    from backend.literature.visible import visible

    rows = [
        {
            "token": at,
            "text": visible(piece),
            "probability": math.exp(log),
            "surprise in bits": -log / math.log(2),
            "notice": found["notice"],
        }
        for at, (piece, log, *_) in enumerate(found["tokens"], start=1)
    ]
    with st.expander("Token by token"):
        show_figure(plot_surprise(found), describe_surprise(found), key, rows)


def show_nearest(written: str, sentences: Sequence[Mapping[str, Any]], method: str) -> None:
    """Beside each written sentence what the library holds nearest to it, word for word; a help to check, never called support."""
    if not sentences:
        return
    from backend.literature.visible import visible

    rows = []
    for each in sentences:
        rows.append(f"<div class='bl-paper'><p class='bl-written-line'>{escape(visible(written[each['start'] : each['end']]))}</p>")
        held = each["nearest"]
        if held is None:
            rows.append("<p class='bl-soft'>Nothing in your library comes near these words.</p></div>")
            continue
        source = ", ".join(str(part) for part in (held["title"], held["year"], held["pmid"] and f"PMID {held['pmid']}") if part)
        rows.append(
            f"<p class='bl-soft'>Nearest in your library, shares {held['shared']:.0%} of its words:</p>"
            f"<blockquote class='bl-quote'>{escape(held['quote'])}</blockquote><p class='bl-cite'>{escape(source)}</p></div>"
        )
    html("".join(rows))
    html(f"<p class='bl-soft'>{escape(method)} It may say the opposite: read it.</p>")


def how_much(key: str, length: int) -> dict[str, Any]:
    """How long, how freely, and which seed."""
    left, right = st.columns(2)
    most = left.slider("Length, tokens at most", 1, 512, length, key=f"{key}-length", help="A token is about three quarters of a word.")
    temperature = right.slider(
        "Freedom (temperature)", 0.0, 1.5, 0.0, 0.1, key=f"{key}-temperature", help="0 takes the likeliest word each time; 1 draws freely."
    )
    seed = 0
    if temperature:
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key=f"{key}-seed", help="The same seed gives the same text.")
    return {"length": int(most), "temperature": float(temperature), "seed": int(seed)}


def facts_of(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the text came about, for the list of facts."""
    made = [("Written", some(len(found["tokens"]), "token"))]
    if found["perplexity"] is not None:
        made.append(("Perplexity", f"{found['perplexity']:.1f} (1: certain of every piece; the larger, the more it guessed)"))
    if found["temperature"]:
        made.append(("Drawn", f"temperature {found['temperature']:g}, seed {found['seed']}"))
    return made


def _token(piece: str, log_prob: float) -> str:
    from backend.figures.written import band
    from backend.literature.visible import visible

    name, shown = band(log_prob), escape(visible(piece))
    if name == "likely" or not piece.strip():
        return shown
    return f"<span style='{_style(name)}' title='{name}: probability {math.exp(log_prob):.3f}'>{shown}</span>"


def _style(name: str) -> str:
    return f"text-decoration:underline {_MARKS[name]};text-underline-offset:4px"
