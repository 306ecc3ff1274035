"""The view of a literature.ask run: finding, how sure, why, what to do when there is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.evidence import show_evidence
from pages.parts.markup import escape, html, kicker, some
from pages.parts.why import show_why

_METHODS = {"bm25": "words (BM25)", "minilm": "meaning (MiniLM)"}


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
            show_evidence(evidence)
    with right:
        kicker("How sure")
        html(_sure(found, run.warnings))
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


def _sure(found: Mapping[str, Any], warnings: tuple[str, ...]) -> str:
    confidence, support, coverage = found["answer"].get("confidence"), found.get("support", {}), found.get("coverage", {})
    parts = []
    if confidence is not None:
        threshold = float(support.get("threshold", 0.0))
        parts.append(
            f"<div class='bl-big'>{confidence:.2f}</div><div class='bl-soft'>chance that the library holds an answer</div>"
            f"<div class='bl-bar' role='img' aria-label='{confidence:.2f} on a scale from 0 to 1; answers from {threshold:.2f}'>"
            f"<i style='width:{confidence:.0%}'></i><u style='left:{threshold:.0%}'></u>"
            f"<em style='left:{min(max(threshold, 0.2), 0.8):.0%}'>answers from {threshold:.2f}</em></div>"
        )
    rates = [
        ("Answers although the library lacks it", support.get("answered_wrongly")),
        ("Refuses although the library has it", support.get("refused_wrongly")),
    ]
    parts += [f"<p style='margin:.35rem 0'>{name}<br><b>{_rate(rate)}</b></p>" for name, rate in rates if rate]
    if support.get("data"):
        parts.append(f"<p class='bl-soft'>Measured on {escape(support['data'])}</p>")
    if coverage:
        methods = " and ".join(_METHODS.get(name, name) for name in coverage.get("methods", ()))
        parts.append(
            f"<p style='margin:.5rem 0'>Searched {coverage['matching']:,} of {coverage['works']:,} papers by {escape(methods)}; "
            f"{coverage['with_vectors']:,} of them by meaning.</p>"
        )
    parts += [f"<div class='bl-notice'><b>⚠ Note.</b> {escape(line)}</div>" for line in warnings]
    if not found["answer"]["abstained"]:
        parts.append("<p class='bl-soft'>Not grouped into for and against: no measured classifier is installed yet.</p>")
    parts.append("<p class='bl-soft'>For research. Read the papers before you act on them.</p>")
    return "".join(parts)


def _rate(rate: Mapping[str, Any]) -> str:
    return f"{rate['value']:.1%}, 95% interval {rate['low']:.1%} to {rate['high']:.1%}, n\u00a0=\u00a0{int(rate['n']):,}"


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
