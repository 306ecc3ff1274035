"""What stands around a question before it is asked: the model, the asker, the machine, and what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.bench import bench, profile, shelf
from pages.parts.keys import Keys
from pages.parts.markup import some, strip

_TASK = "literature.ask"
_SHORT = {"minilm": "MiniLM and BM25", "bm25": "BM25, words only"}
_MODELS = {"minilm": "Meaning and words (MiniLM)", "bm25": "Words only (BM25)"}


def choose_model() -> str:
    """How papers are searched; it begins as the profile's choice."""
    _begin_with_profile()
    return str(st.radio("Search by", list(_MODELS), key=Keys.MODEL, format_func=lambda name: _MODELS[name], horizontal=True))


def choose_readers() -> bool:
    """Whether the readers judge the papers: without them sentences come by nearness alone."""
    return bool(
        st.toggle(
            "Read the papers for a verdict",
            value=True,
            key=Keys.READERS,
            help="Readers of Bioloom's own rank the sentences, tell those for from those against, and judge yes, no or maybe. "
            "They need the search by meaning. Without them sentences come by nearness alone.",
        )
    )


def header() -> list[tuple[str, str]]:
    """Model, profile, and whether the model fits this machine; the word index is part of every search."""
    from backend.models.registry import get_card

    _begin_with_profile()
    opened, name = bench(), st.session_state[Keys.MODEL]
    resident = next((found for found in opened.runtime.loaded() if found.name == name), None)
    card = get_card(name, opened.config)
    if not card.files:
        state = "nothing to load"
    elif resident:
        state = f"model loaded on {resident.device.upper()}"
    elif not opened.runtime.present(name):
        state = "model not fetched yet"
    else:
        state = "model fits" if opened.runtime.fits(card).ok else "model does not fit now"
    readers = "off" if name == "bm25" or not st.session_state.get(Keys.READERS, True) else "on"
    return [("Model", _SHORT[name]), ("Readers", readers), ("Profile", profile().name), ("Machine", state)]


def preflight(question: str, filters: Mapping[str, Any], model: str) -> None:
    """One line: what was read of the question, and which papers it will be put to."""
    from backend.literature.language import OTHER, language_of
    from backend.storage.papers import Filters

    library, limit = shelf(), bench().config.limits.question_chars
    status = library.status()
    passing = library.count("", Filters.read(filters)) if filters else status.works
    items = [("Papers matching the filters" if filters else "Papers", f"{passing:,}" + (f" of {status.works:,}" if filters else ""))]
    if model == "minilm":
        items.append(("Read for meaning", f"{status.vectors:,}"))
    if question:
        most = f"; at most {limit:,} are read" if len(question) > limit else ""
        items.append(("Question", f"{some(len(question), 'character')}{most}"))
    if language := language_of(question):
        items.append(("Language", f"{'not English' if language == OTHER else language}; ask in English"))
    if not status.ready:
        items.append(("Note", "the embedded abstracts are still being read; answers improve until then"))
    strip(items)
    if model == "minilm" and not library.encoder_ready():
        st.page_link("pages/models.py", label="The sentence encoder is not on this computer: papers are found by words alone. Fetch it.")


def _begin_with_profile() -> None:
    asker = profile()
    wanted = asker.models.get(_TASK, "minilm")
    mark = f"{asker.id}:{wanted}"
    if st.session_state.get(Keys.MODEL_OF) != mark or st.session_state.get(Keys.MODEL) not in _MODELS:
        st.session_state[Keys.MODEL_OF] = mark
        st.session_state[Keys.MODEL] = wanted if wanted in _MODELS else "minilm"
