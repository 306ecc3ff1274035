"""Questions with the sentences that experts marked as evidence: BioASQ's snippets, and the trials of Evidence Inference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.domain import Json
from backend.errors import InputError
from backend.literature.labelled import read_file
from backend.literature.measure import read_bioasq
from backend.literature.sentences import split

_LEAST = 5  # words of a marked sentence: a shorter one says nothing that could be found
_HEADS = re.compile(r"(?m)^(TITLE|ABSTRACT(\.[A-Z &/,-]+)?):\s*")
_TRIAL = frozenset({"pmcid", "intervention", "comparator", "outcome", "evidence"})
_HINT = "Give BioASQ's JSON, or prompts_*.jsonl of Evidence Inference with abstracts.jsonl beside it."


@dataclass
class Asked:
    """A question, the papers it was answered from, their sentences as far as their texts are known, and the sentences marked.

    ``bearing`` are marked sentences that stand among ``documents``; ``marked`` are all marked sentences as the file has them.
    """

    question: str
    papers: frozenset[str]
    marked: tuple[str, ...]
    documents: tuple[str, ...] = ()
    bearing: frozenset[str] = frozenset()


def read_asked(files: Sequence[Path]) -> tuple[list[Asked], dict[str, str], list[str]]:
    """Questions of the files, the texts of papers that the files carry by PMID, and what was left out, in words.

    Raises
    ------
    InputError
        When a file is in neither form, or abstracts are missing.
    """
    asked: list[Asked] = []
    texts: dict[str, str] = {}
    notes: list[str] = []
    rows = {path: _lines(path) for path in files if Path(path).suffix in (".jsonl", ".ndjson")}
    abstracts = {path for path, own in rows.items() if own and "text" in own[0] and not own[0].keys() >= _TRIAL}
    for path in files:
        if path in abstracts:
            continue
        if path in rows:
            made, out = _trials(Path(path), rows[path], [row for each in abstracts for row in rows[each]])
            asked += made
            notes.append(f"{out:,} judgements of {Path(path).name} rest on a sentence outside the abstract and were left out.")
            continue
        questions = read_bioasq([path])
        texts |= dict(_texts(questions))
        asked += [each for question in questions if (each := _of_bioasq(question)).marked]
    if not asked:
        raise InputError("The files hold no question with a marked sentence.", _HINT)
    return asked, texts, notes


def place(asked: Asked, texts: Mapping[str, str]) -> None:
    """Put a question's marked sentences among the sentences of its papers whose texts are known; without any, nothing is changed."""
    spans = [(text, a, b) for paper in sorted(asked.papers) if (text := texts.get(paper)) for a, b in split(text)]
    sentences = tuple(dict.fromkeys(" ".join(text[a:b].split()) for text, a, b in spans))
    wanted = [_plain(each) for each in asked.marked]
    bearing = frozenset(each for each in sentences if _inside(_plain(each), wanted))
    if bearing and len(bearing) < len(sentences):
        asked.documents, asked.bearing = sentences, bearing


def trial_question(row: Mapping[str, Any]) -> str:
    """The question that a judgement of Evidence Inference answers, whichever way it went."""
    what = {name: " ".join(str(row[name]).split()).rstrip(".") for name in ("intervention", "comparator", "outcome")}
    return f"Does {what['intervention']} affect {what['outcome']} compared with {what['comparator']}?"


def pmid_of(document: Any) -> str:
    """The last part of a document's address."""
    return str(document or "").rstrip("/").rsplit("/", 1)[-1]


def _of_bioasq(question: Mapping[str, Json]) -> Asked:
    snippets = question.get("snippets") or ()
    named = [*(question.get("documents") or ()), *(each.get("document") for each in snippets)]
    papers = frozenset(pmid_of(_address(each) if isinstance(each, Mapping) else each) for each in named) - {""}
    marked: dict[str, None] = {}
    for each in snippets:
        text = " ".join(str(each.get("text") or "").split())
        marked |= dict.fromkeys(text[a:b] for a, b in split(text) if len(text[a:b].split()) >= _LEAST)
    return Asked(" ".join(str(question["body"]).split()), papers, tuple(marked))


def _texts(questions: Sequence[Mapping[str, Json]]) -> Iterator[tuple[str, str]]:
    """Texts of papers that stand in the file itself: with a document, or as the abstract of a snippet."""
    for question in questions:
        for each in question.get("documents") or ():
            if isinstance(each, Mapping) and (body := each.get("abstract") or each.get("text")):
                yield pmid_of(_address(each)), f"{each.get('title') or ''}\n\n{body}".strip()
        for each in question.get("snippets") or ():
            if each.get("abstract"):
                yield pmid_of(each.get("document")), f"{each.get('title') or ''}\n\n{each['abstract']}".strip()


def _address(document: Mapping[str, Json]) -> Json:
    return next((document[name] for name in ("document", "url", "pmid", "id") if document.get(name)), "")


def _trials(path: Path, rows: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]]) -> tuple[list[Asked], int]:
    """Judgements whose evidence is quoted from the abstract, those of one question taken together; and how many are not."""
    if not rows or not rows[0].keys() >= _TRIAL:
        raise InputError(f"{path.name} holds no judgements of trials.", _HINT)
    beside = path.parent / "abstracts.jsonl"
    if not given and not beside.is_file():
        raise InputError(f"The abstracts of {path.name} are missing.", "Put abstracts.jsonl into the same folder, or give it as well.")
    texts = {str(row["pmcid"]): _HEADS.sub("", str(row["text"])) for row in given or _lines(beside)}
    made: dict[tuple[str, str], Asked] = {}
    out = 0
    for row in rows:
        name, evidence = str(row["pmcid"]), " ".join(str(row["evidence"]).split())
        found = Asked(trial_question(row), frozenset([name]), (evidence,))
        if len(evidence.split()) >= _LEAST:
            place(found, texts)
        if not found.bearing:
            out += 1
        elif held := made.get((name, found.question)):
            held.bearing |= found.bearing
            held.marked += found.marked
        else:
            made[name, found.question] = found
    return [each for each in made.values() if len(each.bearing) < len(each.documents)], out


def _lines(path: Path) -> list[dict[str, Any]]:
    made = []
    for number, line in enumerate(read_file(path).splitlines(), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"Line {number:,} of {Path(path).name} is not JSON: {error}.", _HINT) from error
            if not isinstance(row, dict):
                raise InputError(f"Line {number:,} of {Path(path).name} is no JSON object.", _HINT)
            made.append(row)
    return made


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .;:,")


def _inside(sentence: str, wanted: Sequence[str]) -> bool:
    """Whether a sentence holds a marked one or lies within one; a mere word or two of it does not count."""
    return any(each in sentence or (len(sentence.split()) >= _LEAST and sentence in each) for each in wanted)
