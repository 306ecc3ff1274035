"""The view of a literature.ask run: finding, how sure, why, what to do when there is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.profiles.arrange import arrange, why_this_order
from backend.profiles.wording import Level, confidence_words, how_sure, reading_level
from pages.parts.bench import profile
from pages.parts.evidence import show_evidence
from pages.parts.markup import escape, html, kicker, plain, some
from pages.parts.reading_on import read_on
from pages.parts.why import show_why

_ORDERS = {"profile": "For this profile", "rank": "As ranked"}


def show_answer(run: Run) -> None:
    """The whole answer, read like a report."""
    found = run.prediction or {}
    answer, evidence = found["answer"], found["answer"]["evidence"]
    html(f"<h3>{escape(found['question'])}</h3>" + _filters(found.get("filters", {})))
    left, right = st.columns([7, 3], gap="large")
    with left:
        if answer["abstained"]:
            _abstention(found)
        else:
            papers = len({item["document"] for item in evidence})
            kicker(f"Finding: {some(len(evidence), 'sentence')} from {some(papers, 'paper')}, word for word")
            show_evidence(_ordered(evidence, run.id))
            read_on(run.id, evidence)
    with right:
        kicker("How sure")
        html(sure(found, run.warnings, reading_level(asdict(profile()))))
    if not answer["abstained"]:
        kicker("Why these sentences")
        show_why(run)


def _abstention(found: Mapping[str, Any]) -> None:
    kicker("Finding")
    html(
        "<p class='bl-quote'>This library cannot answer the question.</p>"
        f"<p>{escape(found['answer']['reason'])}</p>"
        f"<p><b>What you can do</b></p><ul>{'<li>Widen the filters.</li>' if found.get('filters') else ''}"
        "<li>Import papers on this topic in the Library, then ask again.</li>"
        "<li>Ask in other words: name the drug, the disease and the outcome.</li></ul>"
    )
    if found.get("nearest"):
        rows = "".join(
            f"<li>{escape(item['title'])} <span class='bl-soft'>{escape(item.get('year') or '')}"
            f"{' · PMID ' + escape(item['pmid']) if item.get('pmid') else ''}</span></li>"
            for item in found["nearest"]
        )
        html(f"<p><b>The nearest papers, not near enough to quote</b></p><ul>{rows}</ul>")
    st.page_link("pages/library.py", label="Open the Library", icon=":material/inventory_2:")


def _ordered(evidence: list[dict[str, Any]], run_id: str) -> list[dict[str, Any]]:
    """The evidence in the order of whoever looks, or as ranked when they ask for that; always with the reason."""
    asker = asdict(profile())
    arranged = arrange(evidence, asker)
    if arranged == evidence:
        st.caption(why_this_order({}) if asker["role"] == "both" else f"{why_this_order(asker)} Here that is the order of the search too.")
        return evidence
    order = st.segmented_control(
        "Order", list(_ORDERS), default="profile", required=True, format_func=_ORDERS.__getitem__, key=f"order-{run_id}"
    )
    st.caption(plain(why_this_order(asker if order == "profile" else {})) + " The numbers are the ranks of the search.")
    return arranged if order == "profile" else evidence


def sure(found: Mapping[str, Any], warnings: tuple[str, ...], level: Level) -> str:
    """Confidence, error rates and notes of an answer as HTML, in the words of a reading level."""
    confidence, threshold = found["answer"].get("confidence"), float(found.get("support", {}).get("threshold", 0.0))
    parts = []
    if confidence is not None:
        words = confidence_words(level)
        parts.append(
            f"<div class='bl-big'>{confidence:.2f}</div><div class='bl-soft'>{escape(words.words)}</div>"
            f"<div class='bl-bar' role='img' aria-label='{confidence:.2f} on a scale from 0 to 1; answers from {threshold:.2f}'>"
            f"<i style='width:{confidence:.0%}'></i><u style='left:{threshold:.0%}'></u>"
            f"<em style='left:{min(max(threshold, 0.2), 0.8):.0%}'>answers from {threshold:.2f}</em></div>"
            + (f"<p class='bl-soft'>{escape(words.figure)}</p>" if words.figure else "")
        )
    for line in how_sure(found, level):
        figure = f"<br><b>{escape(line.figure)}</b>" if line.figure else ""
        parts.append(f"<p class='{'bl-soft' if line.soft else 'bl-line'}'>{escape(line.words)}{figure}</p>")
    parts += [f"<div class='bl-notice'><b>⚠ Note.</b> {escape(line)}</div>" for line in warnings]
    if not found["answer"]["abstained"]:
        parts.append("<p class='bl-soft'>Not grouped into for and against: no measured classifier is installed yet.</p>")
    parts.append("<p class='bl-soft'>For research. Read the papers before you act on them.</p>")
    return "".join(parts)


def _filters(filters: Mapping[str, Any]) -> str:
    words = filter_words(filters)
    return f"<span class='bl-soft'>Among: {escape('; '.join(words))}</span>" if words else ""


def filter_words(filters: Mapping[str, Any]) -> list[str]:
    """Filters as a reader says them."""
    low, high = filters.get("year_from"), filters.get("year_to")
    years = f"{low} to {high}" if low and high else f"since {low}" if low else f"until {high}" if high else ""
    names = {"study_types": "", "journals": "in ", "mesh": "MeSH ", "collections": "collection "}
    lists = [f"{word}{', '.join(filters[name])}" for name, word in names.items() if filters.get(name)]
    return [part for part in (years, *lists) if part]
