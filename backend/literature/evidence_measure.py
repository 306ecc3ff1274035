"""literature.evidence on questions whose evidence experts marked: how high it is ranked by readers, by similarity and by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, ModelCard, digest
from backend.errors import InputError
from backend.literature.counting import system_name
from backend.literature.evidence_cases import Asked, place, read_asked
from backend.literature.library import ENCODER, library
from backend.literature.seen import seen_by, seen_note, unseen
from backend.metrics import Interval, average_precision, bootstrap, recall_at
from backend.models.families.bm25 import LexicalIndex, Words
from backend.tasks import Context, pick_model, serving

if TYPE_CHECKING:
    from backend.models.abilities import Weighs

TASK = "literature.evidence"
NEAR = 40  # sentences of other papers taken by meaning, and as many by words
WORDS = "bm25"
_AT_ONCE = 64  # sentences between two looks at the stop button
_DRAWS = 2_000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A question with the sentences to be ranked: which of them were marked, and how near they come by meaning and by words."""

    question: str
    sentences: tuple[str, ...]
    bears: NDArray[np.bool_]
    meaning: Floats
    words: Floats
    own: bool  # the sentences are those of its own papers


def measure_evidence(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Mean average precision, precision at 5 and recall at 10 of each reader, of MiniLM's similarity and of BM25, with 95% intervals.

    Options beside those of `backend.evaluate`: ``unseen``, only questions that no reader measured was trained on.
    """
    asked, texts, notes = read_asked(files)
    names = list(options.get("models") or []) or [card.name for card in serving(context, TASK)]
    cards = [pick_model(context, TASK, name) for name in names or [""]]
    kept = list(asked)
    if options.get("unseen"):
        kept = [each for each, new in zip(asked, unseen([each.question for each in asked], cards), strict=True) if new]
        if not kept:
            raise InputError("The readers were trained on every question of the files.", "Give other questions, or measure all of them.")
        notes.append(f"Only the {len(kept):,} of {len(asked):,} questions that the readers were not trained on.")
    wanted = sorted({paper for each in kept if not each.documents for paper in each.papers} - texts.keys())
    found = library(context).texts_of(wanted)
    known = texts | found
    for each in kept:
        if not each.documents:
            place(each, known)
    cases = _cases(context, kept, asked)
    if not cases:
        raise InputError("No question has both marked sentences and others to tell them from.", "Give a file with more questions.")
    values = {ENCODER: _figures(cases, [case.meaning for case in cases]), WORDS: _figures(cases, [case.words for case in cases])}
    by_name = {}
    for card in cards:
        by_name[system_name(card)] = card
        values[system_name(card)] = _figures(cases, _weighed(context, card, cases))
    ratios = {name: ratio(values[name]["map"], values[ENCODER]["map"]) for name in by_name}
    systems = {name: {metric: bootstrap(scores).json() for metric, scores in values[name].items()} for name in (*by_name, ENCODER, WORDS)}
    questions = [case.question for case in cases]
    seen = {name: warned for name, card in by_name.items() if (warned := seen_note(questions, card))}
    notes = [*seen.values(), *_material(cases, len(found)), *notes, *_of_readers(by_name, ratios)]
    notes.append("A sentence counts as marked where it holds a marked one or lies within one.")
    return {
        "task": TASK,
        "n": len(cases),
        "systems": systems,
        "ratios": {name: cell.json() for name, cell in ratios.items()},
        "seen": seen,
        "clear": {name: {ENCODER: not cell.low <= 1 <= cell.high} for name, cell in ratios.items()},
        "notes": notes,
    }


def ratio(a: Floats, b: Floats, seed: int = 0) -> Interval:
    """Mean of a over mean of b on the same questions, with its 95% interval by drawing questions, both systems together."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(a), size=(_DRAWS, len(a)))
    low, high = np.percentile(a[rows].mean(axis=1) / np.maximum(b[rows].mean(axis=1), 1e-12), [2.5, 97.5])
    return Interval(float(a.mean() / max(b.mean(), 1e-12)), float(low), float(high))


def _cases(context: Context, kept: Sequence[Asked], every: Sequence[Asked]) -> list[Case]:
    """Candidates of each question, in an order that says nothing, with their nearness by meaning and by words.

    Questions without the texts of their papers are put to the marked sentences of others: the nearest by meaning and the nearest by words.
    """
    others = _pool(every) if any(not each.documents for each in kept) else {}
    texts = list(others) + sorted({text for each in kept for text in (*each.documents, *each.marked)} - others.keys())
    row = {text: at for at, text in enumerate(texts)}
    words = Words()
    index = LexicalIndex.build([words.words(text) for text in texts])
    with context.runtime.use(ENCODER) as encoder:
        vectors = encoder.encode(texts, context.progress, fast=True)
        questions = encoder.encode([each.question for each in kept])
    pool = list(others)
    made = []
    for each, question in zip(kept, questions, strict=True):
        context.progress.check()
        meaning, by_words = vectors @ question, index.scores(words.words(each.question))
        bearing = each.bearing
        candidates = set(each.documents)
        if not each.documents:
            bearing = frozenset(each.marked)
            foreign = np.array([text not in bearing and not others[text] & each.papers for text in pool], dtype=bool)
            rows = np.flatnonzero(foreign)
            best = [rows[np.argsort(-scores[rows], kind="stable")[:NEAR]] for scores in (meaning, by_words)]
            candidates = {*bearing, *(pool[int(at)] for at in np.concatenate(best))}
        order = sorted(candidates, key=digest)
        bears = np.array([text in bearing for text in order])
        at = [row[text] for text in order]
        if bears.any() and not bears.all():
            made.append(
                Case(each.question, tuple(order), bears, meaning[at].astype(float), by_words[at].astype(float), bool(each.documents))
            )
    return made


def _pool(every: Sequence[Asked]) -> dict[str, frozenset[str]]:
    """Marked sentences of all questions, each with the papers of the questions that marked it."""
    made: dict[str, frozenset[str]] = {}
    for each in every:
        for text in each.marked:
            made[text] = made.get(text, frozenset()) | each.papers
    return made


def _weighed(context: Context, card: ModelCard, cases: Sequence[Case]) -> list[Floats]:
    made = []
    with context.runtime.use(card.name) as model:
        for at, case in enumerate(cases, start=1):
            made.append(bearings(context, model, case.question, case.sentences))
            context.progress.update(at, len(cases), f"{card.title}: {at:,} of {len(cases):,} questions")
    return made


def bearings(context: Context, model: Weighs, question: str, sentences: Sequence[str]) -> Floats:
    """Probability that each sentence bears on the question, a few read at a time."""
    made = []
    for at in range(0, len(sentences), _AT_ONCE):
        context.progress.check()
        made.append(np.asarray(model.weigh(question, sentences[at : at + _AT_ONCE])[0], dtype=np.float64))
    return np.concatenate(made)


def _figures(cases: Sequence[Case], scores: Sequence[Floats]) -> dict[str, Floats]:
    """``map``, ``precision@5`` and ``recall@10`` of each question."""
    made: dict[str, list[float]] = {"map": [], "precision@5": [], "recall@10": []}
    for case, own in zip(cases, scores, strict=True):
        order = np.argsort(-own, kind="stable").tolist()
        relevant = set(np.flatnonzero(case.bears).tolist())
        made["map"].append(average_precision(case.bears, own))
        made["precision@5"].append(sum(at in relevant for at in order[:5]) / 5)
        made["recall@10"].append(recall_at(10, order, relevant))
    return {name: np.array(values) for name, values in made.items()}


def _material(cases: Sequence[Case], stored: int) -> list[str]:
    own = [case for case in cases if case.own]
    marked = sum(int(case.bears.sum()) for case in cases) / len(cases)
    lines = [f"{len(cases):,} questions; on average {marked:.1f} marked of {np.mean([len(c.sentences) for c in cases]):.1f} sentences."]
    if own:
        lines.append(
            f"{len(own):,} questions are put to the sentences of their own papers"
            + (f" ({stored:,} of these papers are in your library)." if stored else ".")
        )
    if len(own) < len(cases):
        lines.append(
            f"{len(cases) - len(own):,} questions came without the texts of their papers: their marked sentences are ranked among those of "
            f"other questions from other papers, the {NEAR} nearest by meaning and the {NEAR} nearest by words. Some of these may bear on "
            "the question too, and both baselines are at a disadvantage, for these sentences were picked by them."
        )
    return lines


def _of_readers(by_name: Mapping[str, ModelCard], ratios: Mapping[str, Interval]) -> list[str]:
    lines = []
    for name, card in by_name.items():
        cell = ratios[name]
        lines.append(
            f"{card.title}: mean average precision {cell.value:.2f} times that of MiniLM's similarity "
            f"(95% interval {cell.low:.2f} to {cell.high:.2f}, question by question)."
        )
        if seen_by(card):
            lines.append(
                f"{card.title} was trained on seven tenths of BioASQ 7b-9b and on the trials of Evidence Inference's training part."
            )
        if card.untrained:
            lines.append(f"{card.title} is untrained: its figures are those of random numbers.")
    return lines
