"""Task literature.nearest: sentences that come nearest to a question by an encoder's cosine, of one text or of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.explain.text import explain_words, to_json
from backend.literature.entities_export import rows_csv
from backend.literature.evidence import check_evidence
from backend.literature.library import Library, library
from backend.literature.nearest_measure import measure_nearest
from backend.literature.reading import pick, unknown_note
from backend.literature.retrieval import lexical_ranking, word_share
from backend.literature.sentences import sentences
from backend.literature.texts import question_of, read_text, sentence_spans
from backend.literature.vectors import spread, unit
from backend.models.families.bm25 import Words
from backend.storage.papers import Filters
from backend.tasks import Context, pick_model, task

if TYPE_CHECKING:
    from backend.models.abilities import Embeds

TASK = "literature.nearest"
_EXAMPLE = "Is metformin safe in pregnancy?"
_SHORTEST = 4  # words: a heading says nothing
_AT_ONCE = 64  # sentences between two looks at the stop button
_LIMITS = {"candidates": 200, "sentences": 20, "most": 50}


@dataclass(frozen=True)
class Sentence:
    """A sentence to compare with the question, and its rank by words: of its paper by BM25, or of itself by shared words."""

    quote: str
    start: int
    end: int
    words_rank: int
    words: float
    paper: int | None = None


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A question, with a text or without: without, or where ``settings["where"]`` is ``"library"``, it is put to the library."""
    where = str(settings.get("where") or ("text" if value.get("text") or value.get("paper") else "library"))
    if where not in ("text", "library"):
        raise InputError(f"'{where}' is no place to look.", "Choose 'text' or 'library'.")
    if where == "text":
        given = read_text(context, value, settings)
    else:
        question = " ".join(str(value.get("question") or "").split())
        given = {"question": question, "name": question}
    return {**given, "question": question_of(given, _EXAMPLE), "where": where}


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of a sentence bring it near to the question.

    Parameters
    ----------
    target : mapping
        ``{"rank": n}``, the rank by nearness; the first unless given.
    """
    at = pick(target, "rank", prediction["found"], "sentence")
    found = prediction["found"][at]
    if found["paper"] is not None:
        check_evidence({**found, "pmid": found["pmid"]}, library(context).paper(int(found["paper"])))
    with context.runtime.use(str(prediction["model"])) as model:
        to = unit(model.embed([str(prediction["question"])]))[0]
        made = explain_words(
            lambda texts: unit(model.embed(texts)) @ to,
            str(found["quote"]),
            target=f"Nearness of sentence {at + 1} to the question",
            unit="cosine similarity",
            progress=context.progress,
        )
    return {"target": {"rank": at + 1}, "model": prediction["model"], "sites": to_json(made), "sequence": found["quote"]}


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a sentence; places count characters of the text or of the paper's stored text."""
    columns = ("rank", "cosine", "rank by words", "share of words", "pmid", "paper", "title", "start", "end", "sentence")
    names = ("cosine", "words_rank", "words", "pmid", "paper", "title", "start", "end", "quote")
    return rows_csv(columns, [(rank, *(each[name] for name in names)) for rank, each in enumerate(prediction["found"], start=1)])


@task(
    TASK,
    title="Nearest sentences",
    modality="literature",
    models=(),
    settings={"model": "", "where": "", "candidates": 100, "sentences": 3, "most": 20, "filters": {}},
    read=read,
    explain=explain,
    exports={"csv": to_csv},
    measure=measure_nearest,
)
def nearest(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Sentences by cosine to the question, each with its rank by words.

    In the library the papers that share most words with the question are looked at (``candidates``, by BM25), of each the sentences that
    share most of them (``sentences``); a paper counts once, by its nearest.
    """
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    most = _number(settings, "most")
    question, where = str(value["question"]), str(value["where"])
    if where == "library":
        shelf = library(context)
        pool, papers = candidates(shelf, question, _number(settings, "candidates"), _number(settings, "sentences"), settings.get("filters"))
    else:
        pool, papers = _of_text(str(value["text"]), question), 0
    warnings: list[str] = []
    if not pool:
        warnings.append("No paper of the library shares a word with the question: there was nothing to compare.")
    with context.runtime.use(card.name) as model:
        cosines = nearness(context, model, question, [each.quote for each in pool])
        warnings += unknown_note(model.unknown_share(question), "the question")
        warnings += unknown_note(model.unknown_share("\n".join(each.quote for each in pool)), "the sentences") if pool else ()
    order = np.argsort(-cosines, kind="stable").tolist()
    if where == "library":  # a paper once, by its nearest sentence
        best: dict[int | None, int] = {}
        for i in order:
            best.setdefault(pool[i].paper, i)
        order = list(best.values())
    found = [_item(context, value, pool[i], float(cosines[i])) for i in order[:most]]
    level = spread(cosines)
    picked = (
        f"The model read only what was picked by words: the {papers:,} papers that share most with the question (BM25), "
        f"and of each at most {settings['sentences']} sentences that share most."
        if where == "library" and papers
        else ""
    )
    of = f"{len(pool):,} sentences of {papers:,} papers" if where == "library" else f"{len(pool):,} sentences of the text"
    lines = [f"{len(found):,} nearest of {of}."]
    if picked:
        lines.append(picked)
    lines += [
        f"{rank}. {each['cosine']:.3f} (by words: {each['words_rank']}) {each['quote']}" for rank, each in enumerate(found[:10], start=1)
    ]
    if card.family != "minilm":
        warnings.append(
            "The encoder was not trained to compare sentences: read the order as a second opinion beside that by words. "
            "Measure it on questions of yours with: bioloom evaluate literature.nearest."
        )
    data = {
        "text": lines,
        "question": question,
        "where": where,
        "name": value.get("name"),
        "model": card.name,
        "found": found,
        "compared": len(pool),
        "papers": papers,
        "picked": picked,
        "level": level,
    }
    return Prediction(data, card.name, tuple(warnings))


def candidates(shelf: Library, question: str, papers: int, each: int, filters: Json = None) -> tuple[list[Sentence], int]:
    """Of the best `papers` by BM25, the `each` sentences that share most words with the question; and how many papers these are."""
    snapshot = shelf.snapshot()
    ranking = lexical_ranking(shelf, snapshot, question, shelf.allowed(Filters.read(filters)), papers)
    stored = shelf.get([paper for paper, _ in ranking])
    covered = word_share(shelf, snapshot, question)
    made: list[Sentence] = []
    for rank, (paper, _) in enumerate(ranking, start=1):
        if paper not in stored:
            continue
        text = stored[paper].paper.text
        own = [Sentence(text[a:b], a, b, rank, round(covered(text[a:b]), 4), paper) for a, b in sentences(stored[paper].paper)]
        own = [one for one in own if len(one.quote.split()) >= _SHORTEST] or own
        made += sorted(own, key=lambda one: (-one.words, one.start))[:each]
    return made, len(ranking)


def nearness(context: Context, model: Embeds, question: str, quotes: Sequence[str]) -> Any:
    """Cosine of each quote with the question."""
    if not quotes:
        return np.zeros(0, dtype=np.float32)
    to = unit(model.embed([question]))[0]
    made = []
    for at in range(0, len(quotes), _AT_ONCE):
        context.progress.check()
        made.append(unit(model.embed(quotes[at : at + _AT_ONCE])) @ to)
        done = min(at + _AT_ONCE, len(quotes))
        context.progress.update(done, len(quotes), f"{done:,} of {len(quotes):,} sentences compared")
    return np.concatenate(made)


def _of_text(text: str, question: str) -> list[Sentence]:
    words = Words()
    wanted = set(words.words(question))
    spans = sentence_spans(text)
    shares = [len(wanted & set(words.words(text[start:end]))) / max(1, len(wanted)) for start, end in spans]
    ranks = {at: rank for rank, at in enumerate(sorted(range(len(spans)), key=lambda i: (-shares[i], i)), start=1)}
    return [Sentence(text[start:end], start, end, ranks[at], round(shares[at], 4)) for at, (start, end) in enumerate(spans)]


def _item(context: Context, value: Mapping[str, Json], sentence: Sentence, cosine: float) -> dict[str, Json]:
    item: dict[str, Json] = {
        "quote": sentence.quote,
        "start": sentence.start,
        "end": sentence.end,
        "cosine": round(cosine, 4),
        "words_rank": sentence.words_rank,
        "words": sentence.words,
        "paper": sentence.paper,
        "pmid": "",
        "year": None,
        "title": str(value.get("name") or ""),
        "sha256": value.get("sha256", ""),
        "notices": [],
    }
    if sentence.paper is not None:
        stored = library(context).paper(sentence.paper)
        paper = stored.paper
        notices = [{"kind": notice.kind, "text": notice.text, "pmid": notice.pmid} for notice in paper.notices]
        item |= {"pmid": paper.pmid, "year": paper.year, "title": paper.title, "sha256": stored.sha256, "notices": notices}
        check_evidence(item, stored)
    return item


def _number(settings: Mapping[str, Json], name: str) -> int:
    try:
        found = int(settings[name])
    except (KeyError, TypeError, ValueError):
        found = 0
    if not 1 <= found <= _LIMITS[name]:
        raise InputError(f"'{name}' must be from 1 to {_LIMITS[name]}.", f"Choose a number from 1 to {_LIMITS[name]}.")
    return found
