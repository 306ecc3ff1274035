"""The view of a literature.ask run: finding, how sure, why, what to do when there is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.profiles.verdict_words import IN_ENGLISH, SO_FAR, head, is_yes_no, not_found
from backend.profiles.wording import Level, confidence_words, how_sure, reading_level
from pages.parts.bench import profile
from pages.parts.figure import to_csv
from pages.parts.markup import escape, html, kicker, some
from pages.parts.meter import meter, rows
from pages.parts.quotes import show_quotes
from pages.parts.reading_on import read_on
from pages.parts.relations_view import show_relations
from pages.parts.verdict_card import verdict_card
from pages.parts.why import show_why


def show_answer(run: Run) -> None:
    """The whole answer, read like a report."""
    found = run.prediction or {}
    answer, evidence, level = found["answer"], found["answer"]["evidence"], reading_level(asdict(profile()))
    html(f"<h3>{escape(found['question'])}</h3>" + _filters(found.get("filters", {})))
    left, right = st.columns([7, 3], gap="large")
    with left:
        if not evidence:
            _abstention(found)
        else:
            html(_in_english(answer))
            quoted = f"{some(len(evidence), 'sentence')} from {_papers(answer)}, word for word"
            card = verdict_card(answer, level)
            if head(answer):
                kicker("Finding")
                html(card)
                _agreement(run, answer, level)
                kicker(f"Evidence: {quoted}")
            else:
                kicker(f"Finding: {quoted}")
                if card:
                    html(card)
            show_quotes(run.id, answer)
            read_on(run.id, evidence)
    with right:
        kicker("How sure")
        html(sure(found, run.warnings, level))
    named = answer.get("named")
    if named and any(named["mentions"]):
        kicker("What these sentences relate")
        show_relations(named["relations"], f"answer-{run.id}", evidence)
        if left_out := named.get("left_out"):
            st.caption(f"{some(left_out, 'pair')} of names {'was' if left_out == 1 else 'were'} not read: too many, or too far apart.")
    if evidence:
        show_why(run)


def _in_english(answer: Mapping[str, Any]) -> str:
    """What a question in another language is told first; '' for one in English."""
    language = answer.get("language")
    return f"<div class='bl-notice' role='note'>{escape(language['words'])}</div>" if language else ""


def _papers(answer: Mapping[str, Any]) -> str:
    """The papers that are quoted, and how many of them were judged: a sentence is quoted too of a paper that is not."""
    quoted = {item["document"] for item in answer["evidence"]}
    judged = {each.get("document") for each in (answer.get("contradiction") or {}).get("papers") or ()}
    if not judged or quoted == judged:
        return some(len(quoted), "paper")
    if quoted < judged:
        return f"{len(quoted)} of the {some(len(judged), 'paper')} judged"
    return f"{some(len(quoted), 'paper')}, {len(quoted & judged) or 'none'} of them judged"


def _agreement(run: Run, answer: Mapping[str, Any], level: Level) -> None:
    """Whether the studies agree, with the numbers to take along."""
    contradiction = answer.get("contradiction")
    if contradiction and (diagram := meter(contradiction, level)):
        kicker("Do the studies agree")
        html(diagram)
        st.download_button(
            "CSV of the studies",
            to_csv(rows(contradiction)),
            f"bioloom-studies-{run.id}.csv",
            "text/csv",
            key=f"studies-{run.id}",
            icon=":material/download:",
            on_click="ignore",
            type="tertiary",
        )


def _abstention(found: Mapping[str, Any]) -> None:
    said = not_found(found)
    todo = {SO_FAR: ["Ask again when all papers are read for meaning."], IN_ENGLISH: ["Ask the question again in English."]}.get(said, [])
    todo += ["Widen the filters."] if found.get("filters") else []
    todo += ["Import papers on this topic in the Library, then ask again."] if said != IN_ENGLISH else []
    todo += ["Ask in other words: name the drug, the disease and the outcome."]
    kicker("Finding")
    html(
        f"<section class='bl-verdict bl-of-open' aria-label='{escape(said)}'>"
        f"<p class='bl-said'><b>∅ {escape(said)}</b></p><p>{escape(found['answer']['reason'])}</p></section>"
        f"<p><b>What you can do</b></p><ul>{''.join(f'<li>{line}</li>' for line in todo)}</ul>"
    )
    if found.get("nearest"):
        rows = "".join(
            f"<li>{escape(item['title'])} <span class='bl-soft'>{escape(item.get('year') or '')}"
            f"{' · PMID ' + escape(item['pmid']) if item.get('pmid') else ''}</span></li>"
            for item in found["nearest"]
        )
        html(f"<p><b>The nearest papers, not near enough to quote</b></p><ul>{rows}</ul>")
    st.page_link("pages/library.py", label="Open the Library", icon=":material/inventory_2:")


def sure(found: Mapping[str, Any], warnings: tuple[str, ...], level: Level) -> str:
    """Confidence, error rates and notes of an answer as HTML, in the words of a reading level."""
    confidence, threshold = found["answer"].get("confidence"), float(found.get("support", {}).get("threshold", 0.0))
    verdict = found["answer"].get("verdict")
    parts = (
        [f"<p><b>The verdict.</b> {escape(verdict['calibration'])}</p><p class='bl-soft'>{escape(verdict['how'])}</p>"] if verdict else []
    )
    if confidence is not None and not found["answer"].get("language"):  # the chance was measured on questions in English
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
    if found["answer"]["evidence"] and is_yes_no(found["answer"]) is None:
        parts.append("<p class='bl-soft'>Made without readers: no verdict, and the sentences are not told apart into for and against.</p>")
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
