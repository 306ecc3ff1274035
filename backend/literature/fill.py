"""Task literature.fill: which words a masked language model expects where a word of the text is hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Json, Prediction, Profile
from backend.errors import InputError
from backend.explain.text import EXACT_WORDS, MOST_WORDS, explain_players, to_json, words
from backend.literature.entities_export import rows_csv
from backend.literature.reading import around, material, notes, pick
from backend.literature.texts import read_text, sentence_spans, windows
from backend.tasks import Context, pick_model, task

if TYPE_CHECKING:
    from backend.models.abilities import Fills

TASK = "literature.fill"
_HIDDEN = re.compile(r"\[MASK\]|<mask>|_{3,}")
_MOST_PLACES = 50
_MOST = 50
Spot = tuple[int, int]


def hidden_places(text: str, hide: str) -> list[Spot]:
    """Where words are hidden: ``[MASK]``, ``<mask>`` or ``___``, and every place of the word `hide` on its own, in any case of letters."""
    found = [each.span() for each in _HIDDEN.finditer(text)]
    if hide:
        whole = re.compile(rf"(?<!\w){re.escape(hide)}(?!\w)", re.IGNORECASE)
        found += [each.span() for each in whole.finditer(text) if not any(a < each.end() and each.start() < b for a, b in found)]
    return sorted(found)


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A text in which at least one word is hidden.

    Raises
    ------
    InputError
        When none is, or too many are.
    """
    hide = str(settings.get("hide") or "").strip()
    given = read_text(context, value, settings)
    found = hidden_places(str(given["text"]), hide)
    if not found:
        told = f"The word '{hide}' does not stand in the text" if hide else "No word of the text is hidden"
        raise InputError(f"{told}.", "Write [MASK] or ___ in its place, or name a word to hide: Metformin is used to treat type 2 [MASK].")
    if len(found) > _MOST_PLACES:
        raise InputError(f"{len(found):,} places are hidden; at most {_MOST_PLACES} are foretold at once.", "Hide fewer, or give a part.")
    return given


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of its sentence made the model expect a word at a hidden place; the sentence is read alone.

    Parameters
    ----------
    target : mapping
        ``{"place": n}``, counted from 1, and ``"word"``, one of its candidates; its likeliest unless given.
    """
    at = pick(target, "place", prediction["hidden"], "hidden place")
    place, text = prediction["hidden"][at], str(prediction["material"]["content"])
    word = str(target.get("word") or place["candidates"][0]["word"])
    low, high = around(sentence_spans(text), place["start"], place["end"])
    hidden = [(each["start"], each["end"]) for each in prediction["hidden"] if low <= each["start"] < high]
    number = hidden.index((place["start"], place["end"]))
    with context.runtime.use(str(prediction["model"])) as model:
        shown, moved = marked(text, (low, high), hidden, model.hidden)
        spans = words(shown)
        own = next(i for i, span in enumerate(spans) if span[0] <= moved[number] < span[1])
        fixed = {i for i, span in enumerate(spans) if any(span[0] <= spot < span[1] for spot in moved)}
        free = sorted(sorted(set(range(len(spans))) - fixed, key=lambda i: abs(i - own))[:MOST_WORDS])

        def value(present: NDArray[np.bool_]) -> NDArray[np.float32]:
            texts = []
            for row in present:
                left_out = {i for i, kept in zip(free, row, strict=True) if not kept}
                texts.append(" ".join(shown[start:end] for i, (start, end) in enumerate(spans) if i not in left_out))
            return np.asarray(model.fill_score(texts, number, word))

        back = [unmarked(spans[i], low, hidden, moved, model.hidden) for i in free]
        made = explain_players(
            value,
            [Attribution(text[start:end], None, start, end) for start, end in back],
            target=f"'{word}' at hidden place {at + 1}, its sentence read alone",
            unit="ln probability",
            baseline="the hidden word without the others",
            noun="word",
            note=f"the {MOST_WORDS} words nearest to the hidden one; the others stay" if len(free) + len(fixed) < len(spans) else "",
            most_exact=EXACT_WORDS,
            progress=context.progress,
        )
    return {"target": {"place": at + 1, "word": word}, "model": prediction["model"], "sites": to_json(made), "sequence": text}


def marked(text: str, window: Spot, hidden: Sequence[Spot], mark: str) -> tuple[str, list[int]]:
    """A part of a text with `mark` in every hidden place, and where the marks begin in it."""
    out, at, where = "", window[0], []
    for start, end in hidden:
        out += text[at:start]
        where.append(len(out))
        out += mark
        at = end
    return out + text[at : window[1]], where


def unmarked(span: Spot, low: int, hidden: Sequence[Spot], moved: Sequence[int], mark: str) -> Spot:
    """Where a span without a mark stands in the text that `marked` was given."""
    by = low + sum(end - start - len(mark) for (start, end), spot in zip(hidden, moved, strict=True) if spot < span[0])
    return span[0] + by, span[1] + by


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a candidate; places count characters of the text from 0, the end not included."""
    return rows_csv(
        ("place", "start", "end", "hidden word", "its probability", "rank", "word", "probability"),
        [
            (number, place["start"], place["end"], place["truth"] or "", place["truth_score"], rank, each["word"], each["score"])
            for number, place in enumerate(prediction["hidden"], start=1)
            for rank, each in enumerate(place["candidates"], start=1)
        ],
    )


@task(
    TASK,
    title="Hidden words",
    modality="literature",
    models=(),
    settings={"model": "", "hide": "", "most": 10},
    read=read,
    explain=explain,
    exports={"csv": to_csv},
)
def fill(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """The ``settings["most"]`` likeliest words for every hidden place; ``settings["hide"]`` names a word of the text to hide.

    All hidden places of a part are hidden together. Where a word was hidden by name, its own probability is told too.
    """
    most = _most(settings.get("most", 10))
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    text = str(value["text"])
    places = hidden_places(text, str(settings.get("hide") or "").strip())
    found: list[dict[str, Any]] = []
    with context.runtime.use(card.name) as model:
        spans = windows(model, text)
        read_of = material(model, value, spans)
        for low, high in spans:
            inside = [spot for spot in places if low <= spot[0] < high]
            if inside:
                context.progress.check()
                found += _foretold(model, text, (low, high), inside, most)
                context.progress.update(len(found), len(places), f"{len(found):,} of {len(places):,} hidden words foretold")
    lines = [f"{len(found):,} hidden word{'s' if len(found) != 1 else ''}."]
    for number, place in enumerate(found, start=1):
        best = ", ".join(f"{each['word']} ({each['score']:.2f})" for each in place["candidates"][:5])
        own = f"; it read '{place['truth']}' ({_told(place)})" if place["truth"] else ""
        lines.append(f"{number}. {best}{own}")
    warnings = list(notes(read_of))
    if len(spans) > 1:
        warnings.append(f"The text was read in {len(spans):,} parts: each hidden word was foretold from its own part alone.")
    data = {"text": lines, "material": read_of, "model": card.name, "hidden": found}
    return Prediction(data, card.name, tuple(warnings))


def _foretold(model: Fills, text: str, window: Spot, places: Sequence[Spot], most: int) -> list[dict[str, Any]]:
    low, high = window
    given, _ = marked(text, window, places, model.hidden)
    made: list[dict[str, Any]] = []
    for number, ((start, end), candidates) in enumerate(zip(places, model.fill([given], most)[0], strict=True)):
        typed = bool(_HIDDEN.fullmatch(text[start:end]))
        truth = None if typed else text[start:end]
        share: float | None = None
        why = ""
        if truth is not None:
            try:
                share = round(float(np.exp(model.fill_score([given], number, truth)[0])), 6)
            except InputError as error:
                why = error.message
        made.append(
            {
                "start": start,
                "end": end,
                "window": [low, high],
                "candidates": [{"word": each.word, "score": round(each.score, 6)} for each in candidates],
                "carried": round(sum(each.score for each in candidates), 6),
                "truth": truth,
                "truth_score": share,
                "truth_reason": why,
            }
        )
    return made


def _told(place: Mapping[str, Any]) -> str:
    return f"{place['truth_score']:.4f}" if place["truth_score"] is not None else "in several pieces: no single probability"


def _most(value: Json) -> int:
    try:
        most = int(value)
    except (TypeError, ValueError):
        most = 0
    if not 1 <= most <= _MOST:
        raise InputError(f"The number of words must be from 1 to {_MOST}.", f"Choose a number from 1 to {_MOST}.")
    return most
