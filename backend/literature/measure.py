"""literature.retrieve on labelled questions (BioASQ's JSON form): how often each search finds the papers that experts named."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.domain import Json, Paper, Section
from backend.errors import InputError
from backend.literature.library import ENCODER, Library
from backend.literature.retrieval import fuse, lexical_ranking, retrieve, semantic_ranking
from backend.metrics import bootstrap, hit_at, mrr_at, ndcg_at, paired_difference, recall_at
from backend.storage import open_storage
from backend.tasks import Context

DEPTH = 10
METRICS: dict[str, Callable[[Sequence[str], set[str]], float]] = {
    f"ndcg@{DEPTH}": lambda ranked, relevant: ndcg_at(DEPTH, ranked, relevant),
    f"recall@{DEPTH}": lambda ranked, relevant: recall_at(DEPTH, ranked, relevant),
    f"hit@{DEPTH}": lambda ranked, relevant: hit_at(DEPTH, ranked, relevant),
    f"mrr@{DEPTH}": lambda ranked, relevant: mrr_at(DEPTH, ranked, relevant),
}


def read_bioasq(files: Sequence[Path]) -> list[dict[str, Json]]:
    """Questions of files in BioASQ's JSON form: ``{"questions": [{"body", "documents", "snippets": [...]}]}``.

    Raises
    ------
    InputError
        When a file is not JSON or holds no question in that form.
    """
    questions: list[dict[str, Json]] = []
    for path in files:
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(f"{Path(path).name} cannot be read: {error.strerror}.", "Check the path.") from error
        except (ValueError, UnicodeDecodeError) as error:
            raise InputError(f"{Path(path).name} is not JSON: {error}.", "Give a file in BioASQ's form.") from error
        rows = found.get("questions") if isinstance(found, Mapping) else found
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise InputError(f"{Path(path).name} holds no list of questions.", 'Give {"questions": [{"body": ..., "snippets": [...]}]}.')
        for number, row in enumerate(rows, start=1):
            if not str(row.get("body") or "").strip():
                raise InputError(f"Question {number} of {Path(path).name} has no text.", "Every question needs a 'body'.")
            questions.append(dict(row))
    return questions


def papers_of(questions: Sequence[Mapping[str, Json]]) -> list[Paper]:
    """One paper a PMID: the union of its snippets, in the order of their places, none twice."""
    pieces: dict[str, dict[str, tuple[int, int]]] = {}
    for question in questions:
        for snippet in question.get("snippets") or ():
            pmid = _pmid(snippet.get("document"))
            text = " ".join(str(snippet.get("text") or "").split())
            if pmid and text:
                place = (snippet.get("beginSection") != "title", int(snippet.get("offsetInBeginSection") or 0))
                pieces.setdefault(pmid, {}).setdefault(text, place)
    papers: list[Paper] = []
    for pmid, texts in pieces.items():
        kept = [text for text in texts if not any(text != other and text in other for other in texts)]
        body = "\n".join(sorted(kept, key=lambda text: texts[text]))
        papers.append(Paper(body, "", (Section("", 0, len(body)),), pmid=pmid, source="bioasq"))
    return papers


def relevant_to(question: Mapping[str, Json], known: set[str]) -> set[str]:
    """PMIDs that the question's experts named and that the library holds."""
    named = [snippet.get("document") for snippet in question.get("snippets") or ()] + list(question.get("documents") or ())
    return {pmid for pmid in map(_pmid, named) if pmid in known}


def measure_retrieval(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """nDCG, recall, hit and MRR at 10 for BM25, MiniLM, their fusion and the whole stack, with 95% bootstrap intervals."""
    questions = read_bioasq(files)
    papers = papers_of([*questions, *read_bioasq(options.get("corpus") or [])])
    known = {paper.pmid for paper in papers}
    asked = [(str(q["body"]), relevant_to(q, known)) for q in questions]
    answerable = [(body, relevant) for body, relevant in asked if relevant]
    if not answerable:
        raise InputError("No question names a document that the files hold.", "Questions need 'snippets' with 'document' and 'text'.")
    with tempfile.TemporaryDirectory(prefix="bioloom-evaluate-") as folder:
        config = replace(context.config, data=Path(folder), database_url=f"sqlite:///{Path(folder) / 'evaluate.db'}")
        own = Context(config, open_storage(config), context.runtime, context.progress)
        shelf = Library(own)
        shelf.add(papers, name="evaluation", kind="bioasq", progress=context.progress)
        shelf.index_vectors(context.progress)
        values = _ask_all(context, shelf, answerable)
    systems = {name: {metric: bootstrap(scores).json() for metric, scores in metrics.items()} for name, metrics in values.items()}
    first = next(iter(METRICS))
    gain = paired_difference(values["fused"][first], values["bm25"][first])
    apart = {
        one: {other: not (cell := paired_difference(own[first], values[other][first])).low <= 0 <= cell.high for other in values}
        for one, own in values.items()
    }
    notes = [
        f"{len(papers):,} documents, each the union of its snippets.",
        f"{len(asked) - len(answerable)} questions name no document of the files and were left out.",
        f"Fused minus BM25, nDCG of the first {DEPTH}, question by question: {gain.value:+.3f} (95% interval {gain.low:+.3f} to "
        f"{gain.high:+.3f}).",
    ]
    return {"task": "literature.retrieve", "n": len(answerable), "systems": systems, "clear": apart, "notes": notes}


def _ask_all(context: Context, shelf: Library, asked: Sequence[tuple[str, set[str]]]) -> dict[str, dict[str, list[float]]]:
    snapshot = shelf.snapshot()
    pmids = {paper_id: stored.paper.pmid for paper_id, stored in shelf.get(snapshot.ids.tolist()).items()}
    values: dict[str, dict[str, list[float]]] = {}
    for done, (question, relevant) in enumerate(asked):
        context.progress.check()
        with context.runtime.use(ENCODER) as encoder:
            vector = encoder.encode([question])[0]
            by_words = [paper for paper, _ in lexical_ranking(shelf, snapshot, question, None)]
            by_meaning = [paper for paper, _ in semantic_ranking(shelf, snapshot, vector, None)]
            rankings: dict[str, Sequence[Any]] = {
                "bm25": by_words,
                "minilm": by_meaning,
                "fused": [paper for paper, _ in fuse([by_words, by_meaning])],
                "stack": [found.paper for found in retrieve(shelf, question, encoder).papers],
            }
        for name, ranking in rankings.items():
            ranked = [pmids[paper] for paper in ranking[:DEPTH]]
            for metric, function in METRICS.items():
                values.setdefault(name, {}).setdefault(metric, []).append(function(ranked, relevant))
        context.progress.update(done + 1, len(asked), f"{done + 1:,} of {len(asked):,} questions asked")
    return values


def _pmid(document: Any) -> str:
    return str(document or "").rstrip("/").rsplit("/", 1)[-1]
