"""Why an answer is what it is: what spoke for a paper's verdict, for a sentence as evidence, and for its being found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.explain.text import explain_words
from backend.literature.answering import EVIDENCE
from backend.literature.evidence import check_evidence
from backend.literature.judging import log_odds
from backend.literature.library import library
from backend.literature.reading import pick
from backend.literature.why_found import explain_found
from backend.literature.why_judged import explain_judged
from backend.literature.why_words import placed
from backend.models.abilities import STANCES
from backend.storage.papers import StoredPaper
from backend.tasks import Context


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why a paper was read as it was, or why a sentence is evidence.

    Parameters
    ----------
    target : mapping
        ``{"verdict": n}``: which sentences of the n-th judged paper spoke for its verdict; with ``"sentence": k`` the words of its k-th
        sentence, the others staying. ``{"evidence": rank, "of": "bearing" or "stance"}``: which words of a quoted sentence. Without
        ``"of"``, why the search found the sentence (see `why_found`). All counted from 1. An empty target asks for the first verdict
        where there is one, else for the first sentence.

    Returns
    -------
    dict
        ``{"target", "model", "document", "start", "sites", "sequence"}``: places count characters of ``sequence``, which begins at
        ``start`` of the document's stored text. Without ``"of"`` as `why_found.explain_found` gives it.
    """
    verdict = prediction["answer"].get("verdict")
    if "verdict" in target or ("evidence" not in target and verdict):
        return _verdict(context, prediction, target)
    item = _item(prediction, target)
    stored = library(context).paper(int(item["document"]))
    check_evidence(item, stored)
    if target.get("of") is None:
        return explain_found(context, str(prediction["question"]), stored, item)
    return _sentence(context, prediction, item, str(target["of"]))


def _verdict(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json]) -> dict[str, Json]:
    verdict = prediction["answer"].get("verdict")
    if not verdict:
        raise InputError("This answer has no verdict to explain.", "Explain one of its sentences.")
    at = pick(target, "verdict", verdict["papers"], "judged paper")
    paper, question = verdict["papers"][at], str(prediction["question"])
    text = _part(library(context).paper(int(paper["document"])), paper)
    made = explain_judged(context, str(verdict["model"]), question, text, paper["probabilities"], f"paper {at + 1}", target)
    sentence = {"sentence": made.pop("sentence")} if "sentence" in made else {}
    where = {"document": paper["document"], "start": paper["start"]}
    return {"target": {"verdict": at + 1, **sentence}, "model": verdict["model"], **where, **made}


def _sentence(context: Context, prediction: Mapping[str, Json], item: Mapping[str, Json], of: str) -> dict[str, Json]:
    question, text = str(prediction["question"]), str(item["quote"])
    if of not in ("bearing", "stance"):
        raise InputError(f"A sentence has no '{of}' to explain.", "Allowed values are 'bearing' and 'stance'; leave it out for the search.")
    if item.get(of) is None:
        raise InputError(
            f"Sentence {item['rank']} of this answer has no {of}.", "A stance needs a yes/no question, and both need the readers."
        )
    side = int(np.argmax(item["stance"]["probabilities"])) if of == "stance" else 0
    about = f"that sentence {item['rank']} bears on the question" if of == "bearing" else f"that sentence {item['rank']} {_says(side)}"
    with context.runtime.use(EVIDENCE) as model:

        def odds(texts: Sequence[str]) -> np.ndarray:
            bearing, stances = model.weigh(question, texts)
            return log_odds(bearing if of == "bearing" else stances[:, side])

        made = explain_words(odds, text, target=about, unit="ln odds", progress=context.progress)
    named = {"evidence": item["rank"], "of": of}
    where = {"document": item["document"], "start": item["start"]}
    return {"target": named, "model": EVIDENCE, **where, "sites": placed(made, 0), "sequence": text}


def _says(side: int) -> str:
    return {"supports": "supports it", "opposes": "opposes it", "unclear": "takes no side"}[STANCES[side]]


def _item(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> Mapping[str, Json]:
    evidence = prediction["answer"]["evidence"]
    rank = int(target.get("evidence", 1))
    if not 1 <= rank <= len(evidence):
        raise InputError(f"There is no evidence sentence number {rank}.", f"This answer has {len(evidence)}.")
    found: Mapping[str, Json] = evidence[rank - 1]
    return found


def _part(stored: StoredPaper, paper: Mapping[str, Json]) -> str:
    """The text that was judged.

    Raises
    ------
    StorageError
        When the stored text is no longer what was judged.
    """
    text = stored.paper.text[paper["start"] : paper["end"]]
    check_evidence({**paper, "quote": text}, stored)
    return text
