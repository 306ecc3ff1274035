"""Evidence: verbatim sentences of stored papers, each with its place and the hash of the text it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from backend.domain import Json, digest
from backend.errors import StorageError
from backend.literature.nearness import Retrieved, ScoredSentence
from backend.storage.papers import StoredPaper

PAPERS = 20  # the answer quotes from this many of the best papers
_PER_PAPER = 2  # sentences from one paper, so that ten sentences are at least five papers
SHORTEST = 5  # words; a shorter sentence says nothing that could be cited


def choose(found: Retrieved, most: int, least: float = 0.0) -> list[dict[str, Json]]:
    """Up to `most` of the best sentences that score `least`, by the search alone; see `quote`."""
    return quote(found, ((sentence, sentence.score) for sentence in found.sentences), most, least)


def quote(found: Retrieved, ranked: Iterable[tuple[ScoredSentence, float]], most: int, least: float) -> list[dict[str, Json]]:
    """Up to `most` sentences of value `least` of the best papers, at most two of a paper, none twice; each checked against its text.

    Parameters
    ----------
    ranked : iterable of (ScoredSentence, float)
        Sentences with what they are ranked by, best first.
    """
    best = {paper.paper for paper in found.papers[:PAPERS]}
    taken: dict[int, int] = {}
    quotes: set[str] = set()
    evidence: list[dict[str, Json]] = []
    for sentence, value in ranked:
        if len(evidence) == most or value < least:
            break
        if sentence.paper not in best or taken.get(sentence.paper, 0) == _PER_PAPER:
            continue
        stored = found.stored[sentence.paper]
        text = stored.paper.text[sentence.start : sentence.end]
        same = re.sub(r"\W+", " ", text.casefold())
        if same in quotes or len(text.split()) < SHORTEST:
            continue
        quotes.add(same)
        taken[sentence.paper] = taken.get(sentence.paper, 0) + 1
        item = _item(stored, sentence, text, len(evidence) + 1)
        check_evidence(item, stored)
        evidence.append(item)
    return evidence


def _item(stored: StoredPaper, sentence: ScoredSentence, text: str, rank: int) -> dict[str, Json]:
    paper = stored.paper
    section = next((s for s in paper.sections if s.start <= sentence.start < s.end), None)
    return {
        "document": stored.id,
        "pmid": paper.pmid,
        "doi": paper.doi,
        "title": paper.title,
        "authors": list(paper.authors),
        "journal": paper.journal,
        "year": paper.year,
        "volume": paper.volume,
        "issue": paper.issue,
        "pages": paper.pages,
        "language": paper.language,
        "study_type": stored.study_type,
        "study_type_source": stored.study_type_source,
        "notices": [{"kind": n.kind, "text": n.text, "pmid": n.pmid} for n in paper.notices],
        "section": section.label if section else "",
        "page": section.page if section else None,
        "quote": text,
        "start": sentence.start,
        "end": sentence.end,
        "sha256": stored.sha256,
        "score": round(sentence.score, 4),
        "similarity": None if sentence.similarity is None else round(sentence.similarity, 4),
        "words": round(sentence.words, 4),
        "rank": rank,
    }


def check_evidence(item: Mapping[str, Json], stored: StoredPaper) -> None:
    """Make sure that a quote is, to the character, what the library stores.

    Raises
    ------
    StorageError
        When the stored text was altered or the quote is not at its place.
    """
    text = stored.paper.text
    if digest(text) != item["sha256"] or text[item["start"] : item["end"]] != item["quote"]:
        raise StorageError(
            f"The stored text of paper {stored.id} (PMID {stored.paper.pmid or 'none'}) is not what was indexed.",
            "Remove the paper on the Library page and import its record again.",
        )
