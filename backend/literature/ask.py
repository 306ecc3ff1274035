"""Task literature.ask: a question in, verbatim evidence from the library out, or a plain 'cannot answer'."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.literature.answering import EVIDENCE, NOT_THERE, judged, readers_ready, reason, too_long, used
from backend.literature.cite import to_bibtex, to_csv, to_json, to_ris
from backend.literature.evidence import choose
from backend.literature.language import language_of, words_about
from backend.literature.library import ENCODER, library
from backend.literature.named import named_in
from backend.literature.nearness import Retrieved
from backend.literature.retrieval import retrieve
from backend.literature.support import Support, assess
from backend.literature.weighing import Weighed, quoted, ranked, weigh
from backend.literature.why import explain
from backend.literature.yesno import kind_of
from backend.storage.papers import Filters, StoredPaper
from backend.tasks import Context, task

_RANKING = 20  # papers of the ranking that a run keeps
WORDS = "bm25"  # the model that searches by words alone
_NEAREST = 3  # titles shown when the library cannot answer


def cleaned(raw: str) -> str:
    """A question as it is read and as its characters are counted: no control characters, no white space around it or twice."""
    return " ".join("".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " " for c in raw).split())


def read_question(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A question that can be asked: white space and control characters cleaned, length checked.

    Raises
    ------
    InputError
        When it is empty, too long, or holds no word.
    """
    limit = context.config.limits.question_chars
    question = cleaned(str(value.get("question") or ""))
    if not question:
        raise InputError("The question is empty.", "Type a question, for example: Does metformin reduce cardiovascular mortality?")
    if len(question) > limit:
        raise InputError(
            f"The question has {len(question):,} characters; at most {limit:,} can be read.",
            "Shorten it to the one thing you want to know.",
        )
    if not re.search(r"[^\W\d_]", question):
        raise InputError("The question holds no word.", "Ask in words, for example: Does metformin reduce cardiovascular mortality?")
    return {"question": question}


@task(
    "literature.ask",
    title="Ask the papers",
    modality="literature",
    models=(ENCODER, WORDS),
    settings={"filters": {}, "evidence": 10, "model": ENCODER, "readers": True},
    read=read_question,
    explain=explain,
    exports={
        "ris": lambda prediction: to_ris(prediction["answer"]["evidence"]),
        "bibtex": lambda prediction: to_bibtex(prediction["answer"]["evidence"]),
        "csv": lambda prediction: to_csv(prediction["answer"]["evidence"]),
        "json": lambda prediction: to_json(prediction["answer"]["evidence"]),
    },
)
def ask(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Answer ``value['question']`` with up to ``settings['evidence']`` verbatim sentences and, by the readers, a verdict.

    Without ``settings['readers']``, which runs of earlier versions do not have, sentences come by nearness alone and nothing is judged.
    The profile changes nothing here: it only orders and words what a page shows.
    """
    question = str(value["question"])
    filters = Filters.read(settings.get("filters"))
    most = _evidence_count(settings, context.config.limits.evidence)
    shelf = library(context)
    warnings: list[str] = []
    if _model(settings) == ENCODER and shelf.encoder_ready():
        with context.runtime.use(ENCODER) as encoder:
            found = retrieve(shelf, question, encoder, filters)
        model = ENCODER
    else:
        found = retrieve(shelf, question, None, filters)
        model = WORDS
        if _model(settings) == ENCODER:
            warnings.append("The sentence encoder is not on this machine: papers were found by words alone. Fetch it on the Models page.")
    if not shelf.count():
        warnings.append(
            "The library is empty: `bioloom prepare` reads the embedded abstracts, and the Library page imports your own papers."
        )
    snapshot = shelf.snapshot()
    unread = len(snapshot.ids) - int((snapshot.lexical_at >= 0).sum())
    if unread:
        warnings.append(f"{unread:,} papers were imported a moment ago and are not yet found by their words. Ask again in a minute.")
    if found.with_vectors < found.matching and model == ENCODER:
        warnings.append(
            f"Meaning is known for {found.with_vectors:,} of {found.matching:,} papers so far; the others were searched by words only. "
            "Error rates are shown once all are read, because that is how they were measured."
        )
    language = language_of(question)
    reads = settings.get("readers") and model == ENCODER and language is None  # the readers know English only
    weighed = _read(context, question, found, warnings) if reads else None
    support = assess(found)
    measured = language is None and (model == WORDS or found.with_vectors == found.matching)
    evidence = _evidence(question, found, weighed, support, most) if support.enough else []
    answer: dict[str, Json] = {
        "abstained": not evidence,
        "verdict": None,
        "confidence": round(support.confidence, 4),
        "reason": _reason(found, filters, evidence, model == ENCODER, language is None),
        "evidence": evidence,
    }
    if weighed is not None:
        answer |= _judged(context, question, found, weighed, support, evidence)
        answer |= {"reason": reason(answer)} if evidence else {}
    if language is not None:
        told = words_about(language)
        answer |= {"language": {"name": language, "words": told}, "reason": f"{told} {answer['reason']}"}
    data: dict[str, Json] = {
        "question": question,
        "filters": filters.json(),
        "answer": answer,
        "nearest": [_nearest(found.stored[paper.paper]) for paper in found.papers[:_NEAREST] if paper.paper in found.stored],
        "ranking": [
            {
                "document": paper.paper,
                "pmid": found.stored[paper.paper].paper.pmid,
                "score": round(paper.score, 6),
                "bm25_rank": paper.bm25_rank,
                "minilm_rank": paper.minilm_rank,
                "similarity": None if paper.similarity is None else round(paper.similarity, 4),
            }
            for paper in found.papers[:_RANKING]
            if paper.paper in found.stored
        ],
        "coverage": {
            "works": shelf.count(),
            "matching": found.matching,
            "with_vectors": found.with_vectors,
            "methods": list(found.methods),
            "library_version": snapshot.version,
        },
        "support": {
            "similarity": round(support.similarity, 4),
            "words": round(support.words, 4),
            "threshold": support.threshold,
            # rates measured in English with every paper read for meaning say nothing about another language or a search that had not
            "answered_wrongly": support.answered_wrongly if measured else None,
            "refused_wrongly": support.refused_wrongly if measured else None,
            "quoting": _quoting(support, measured, weighed is not None),
            "data": support.data if measured else "",
        },
    }
    if weighed is not None:
        data["readers"] = used(context)
    for item in evidence:
        if any(notice["kind"] == "retracted" for notice in item["notices"]):
            left = "; no verdict is read from it" if answer.get("question_kind") == "yes/no" else ""
            warnings.append(f"PMID {item['pmid'] or item['document']} was retracted; its sentences are shown with a notice{left}.")
    return Prediction(data, model, tuple(dict.fromkeys(warnings)))


def _read(context: Context, question: str, found: Retrieved, warnings: list[str]) -> list[Weighed] | None:
    """The search's best sentences, read; None, with a warning, where the readers cannot read them."""
    if not readers_ready(context):
        warnings.append("The readers are not on this machine: sentences are ranked by nearness and nothing is judged.")
        return None
    if too_long(context, question):
        warnings.append("The question is too long for the readers: sentences are ranked by nearness and nothing is judged. Shorten it.")
        return None
    context.progress.check()
    with context.runtime.use(EVIDENCE) as model:
        return weigh(model, question, found)


def _evidence(question: str, found: Retrieved, weighed: Sequence[Weighed] | None, support: Support, most: int) -> list[dict[str, Json]]:
    """The sentences that are quoted: by the reader where it read them, else by nearness."""
    if weighed is None:
        return choose(found, most, support.least)
    return quoted(found, ranked(weighed, support.least), most, kind_of(question) == "yes/no")


def _judged(
    context: Context, question: str, found: Retrieved, weighed: Sequence[Weighed], support: Support, evidence: Sequence[Mapping[str, Json]]
) -> dict[str, Json]:
    """What the readers add to an answer; nothing is judged without evidence, nor for a question that yes or no cannot answer."""
    kind = kind_of(question)
    added: dict[str, Json] = {"question_kind": kind, "ground": None if evidence else NOT_THERE, "contradiction": None, "named": None}
    if evidence:
        added["named"] = named_in(context, evidence)
    if evidence and kind == "yes/no":
        added |= judged(context, question, found, ranked(weighed, support.least))
    return added


def _quoting(support: Support, measured: bool, read: bool) -> dict[str, Json]:
    """From which score on papers are quoted; the rates of what is kept are those of sentences chosen by the search alone."""
    return dict(support.quoting) if measured and not read else {"least": support.least}


def _evidence_count(settings: Mapping[str, Json], limit: int) -> int:
    try:
        most = int(settings.get("evidence", limit))
    except (TypeError, ValueError):
        most = 0
    if not 1 <= most <= limit:
        raise InputError(f"The number of evidence sentences must be from 1 to {limit}.", f"Choose a number from 1 to {limit}.")
    return most


def _model(settings: Mapping[str, Json]) -> str:
    chosen = str(settings.get("model") or ENCODER)
    if chosen not in (ENCODER, WORDS):
        raise InputError(f"The model '{chosen}' cannot search papers.", f"Choose {ENCODER} (meaning and words) or {WORDS} (words alone).")
    return chosen


def _nearest(stored: StoredPaper) -> dict[str, Json]:
    return {"document": stored.id, "pmid": stored.paper.pmid, "title": stored.paper.title, "year": stored.paper.year}


def _reason(found: Retrieved, filters: Filters, evidence: Sequence[Mapping[str, Json]], meaning: bool, english: bool) -> str:
    if not found.matching:
        return "No paper of the library passes the filters." if filters else "The library is empty."
    if not evidence and not english:
        return "Nothing near enough to quote was found by these words."
    if not evidence and meaning and found.with_vectors < found.matching:
        return (
            f"Nothing near enough to this question to quote was found so far. Of {found.matching:,} papers searched {found.with_vectors:,} "
            "are read for meaning, the others were searched by their words at most. Ask again when all are read."
        )
    if not found.papers:
        return "No paper of the library shares a word or a meaning with the question."
    if not evidence:
        return "The library holds nothing near enough to this question to quote as an answer."
    papers = len({item["document"] for item in evidence})
    if len(evidence) == 1:
        return "One sentence comes near the question. It is quoted, not judged."
    source = "one paper" if papers == 1 else f"{papers} papers"
    return f"{len(evidence)} sentences from {source} come near the question. They are quoted, not judged."
