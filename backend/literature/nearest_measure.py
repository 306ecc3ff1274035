"""literature.nearest on labelled questions (BioASQ's JSON form): BM25, and its best papers put in order by an encoder's cosine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.literature.library import Library
from backend.literature.measure import METRICS, papers_of, read_bioasq, relevant_to
from backend.literature.retrieval import fuse, lexical_ranking
from backend.literature.sentences import sentences
from backend.literature.vectors import unit
from backend.metrics import bootstrap, paired_difference
from backend.storage import open_storage
from backend.tasks import Context, pick_model, serving

TASK = "literature.nearest"
_CANDIDATES = 100


def measure_nearest(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """nDCG, recall, hit and MRR at 10 of BM25, of each model's order among BM25's best 100, and of both fused, with 95% intervals.

    Every sentence of the files' documents is read once by each model.
    """
    questions = read_bioasq(files)
    papers = papers_of([*questions, *read_bioasq(options.get("corpus") or [])])
    known = {paper.pmid for paper in papers}
    asked = [(str(question["body"]), relevant) for question in questions if (relevant := relevant_to(question, known))]
    if not asked:
        raise InputError("No question names a document that the files hold.", "Questions need 'snippets' with 'document' and 'text'.")
    names = list(options.get("models") or [card.name for card in serving(context, TASK)] or [pick_model(context, TASK).name])
    values: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="bioloom-evaluate-") as folder:
        config = replace(context.config, data=Path(folder), database_url=f"sqlite:///{Path(folder) / 'evaluate.db'}")
        own = Context(config, open_storage(config), context.runtime, context.progress)
        shelf = Library(own)
        shelf.add(papers, name="evaluation", kind="bioasq", progress=context.progress)
        shelf.refresh(wait=True)
        snapshot = shelf.snapshot()
        pmids = {paper: stored.paper.pmid for paper, stored in shelf.get(snapshot.ids.tolist()).items()}
        by_words = [[paper for paper, _ in lexical_ranking(shelf, snapshot, body, None, _CANDIDATES)] for body, _ in asked]
        _score(values, "bm25", [[pmids[paper] for paper in ranking] for ranking in by_words], asked)
        for name in names:
            card = pick_model(context, TASK, name)
            orders = _reordered(context, card.name, shelf, [body for body, _ in asked], by_words)
            _score(values, name, [[pmids[paper] for paper in ranking] for ranking in orders], asked)
            both = [[paper for paper, _ in fuse(pair)] for pair in zip(by_words, orders, strict=True)]
            _score(values, f"bm25 + {name}", [[pmids[paper] for paper in ranking] for ranking in both], asked)
    first = next(iter(METRICS))
    notes = [f"{len(papers):,} documents, each the union of its snippets; a paper's score is that of its nearest sentence."]
    for name in names:
        gain = paired_difference(values[name][first], values["bm25"][first])
        notes.append(
            f"{name} minus BM25, {first}, question by question: {gain.value:+.3f} (95% interval {gain.low:+.3f} to {gain.high:+.3f})."
        )
    systems = {name: {metric: bootstrap(scores).json() for metric, scores in metrics.items()} for name, metrics in values.items()}
    return {"task": TASK, "n": len(asked), "systems": systems, "notes": notes}


def _reordered(context: Context, name: str, shelf: Library, asked: Sequence[str], by_words: Sequence[Sequence[int]]) -> list[list[int]]:
    """BM25's papers of each question by the cosine of their nearest sentence."""
    wanted = sorted({paper for ranking in by_words for paper in ranking})
    stored = shelf.get(wanted)
    quotes = [(paper, stored[paper].paper.text[a:b]) for paper in wanted for a, b in sentences(stored[paper].paper)]
    with context.runtime.use(name) as model:
        made = []
        for at in range(0, len(quotes), 64):
            context.progress.check()
            made.append(unit(model.embed([quote for _, quote in quotes[at : at + 64]])))
            context.progress.update(at, len(quotes), f"{name}: {at:,} of {len(quotes):,} sentences read")
        towards = unit(model.embed(list(asked)))
    vectors = np.concatenate(made)
    rows: dict[int, list[int]] = {}
    for at, (paper, _) in enumerate(quotes):
        rows.setdefault(paper, []).append(at)
    orders = []
    for to, ranking in zip(towards, by_words, strict=True):
        best = {paper: float((vectors[rows[paper]] @ to).max()) for paper in ranking if paper in rows}
        orders.append(sorted(best, key=lambda paper: (-best[paper], paper)))
    return orders


def _score(
    values: dict[str, dict[str, list[float]]], name: str, rankings: Sequence[Sequence[str]], asked: Sequence[tuple[str, set[str]]]
) -> None:
    for metric, function in METRICS.items():
        values.setdefault(name, {})[metric] = [function(ranking, relevant) for ranking, (_, relevant) in zip(rankings, asked, strict=True)]
