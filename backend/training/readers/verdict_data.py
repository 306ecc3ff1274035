"""Questions with contexts and answers: two labelled sets, a set of trials, and weak labels from titles and conclusions."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.domain import Paper
from backend.literature.sentences import split
from backend.training.readers.questions import as_question, opposite

ANSWERS = ("yes", "no", "maybe")


@dataclass(frozen=True)
class Item:
    """A question put to a context."""

    id: str
    source: str
    question: str
    context: str
    answer: str


def read_pubmedqa(file: Path) -> list[Item]:
    """Question and contexts without the conclusion (the reasoning-required form)."""
    held = json.loads(file.read_text(encoding="utf-8"))
    return [
        Item(pmid, "PubMedQA", item["QUESTION"], "\n".join(item["CONTEXTS"]), item["final_decision"].lower()) for pmid, item in held.items()
    ]


def read_bioasq(file: Path) -> list[Item]:
    """Yes/no questions with the text of their snippets."""
    made = []
    for item in json.loads(file.read_text(encoding="utf-8"))["questions"]:
        answer = str(item.get("exact_answer")).lower()
        if item["type"] == "yesno" and answer in ANSWERS and item["snippets"]:
            texts = list(dict.fromkeys(" ".join(snippet["text"].split()) for snippet in item["snippets"]))
            made.append(Item(item["id"], "BioASQ", item["body"], "\n".join(texts), answer))
    return made


def read_trials(folder: Path, name: str, seed: int) -> list[Item]:
    """Questions on every judgement of Evidence Inference 2.0, answered yes and no alike often, with the sentence that says so."""
    rng = random.Random(seed)
    abstracts = trial_abstracts(folder)
    made = []
    for held, chosen in trial_questions(folder, name, rng):
        evidence = " ".join(str(held["evidence"]).split())
        for question, answer in chosen:
            made.append(
                Item(held["pmcid"], "Evidence Inference", question, _around(evidence, abstracts.get(held["pmcid"], []), rng), answer)
            )
    return made


def trial_abstracts(folder: Path) -> dict[str, list[str]]:
    """Sentences of every abstract of the trials, by PMC id."""
    rows = (json.loads(line) for line in (folder / "abstracts.jsonl").read_text(encoding="utf-8").splitlines())
    return {held["pmcid"]: _body(held["text"]) for held in rows}


def trial_questions(folder: Path, name: str, rng: random.Random) -> Iterator[tuple[dict[str, Any], list[tuple[str, str]]]]:
    """Each judgement of trials with the questions that it answers, yes and no alike often."""
    for line in (folder / f"prompts_{name}.jsonl").read_text(encoding="utf-8").splitlines():
        held = json.loads(line)
        if len(" ".join(str(held["evidence"]).split())) < 20:
            continue
        what = {key: " ".join(str(held[key]).split()).rstrip(".") for key in ("intervention", "comparator", "outcome")}
        asked = {
            "increased": (f"Does {what['intervention']} increase {what['outcome']} compared with {what['comparator']}?",),
            "decreased": (f"Does {what['intervention']} reduce {what['outcome']} compared with {what['comparator']}?",),
            "any": (
                f"Does {what['intervention']} affect {what['outcome']} compared with {what['comparator']}?",
                f"Is there a difference in {what['outcome']} between {what['intervention']} and {what['comparator']}?",
                f"Is {what['outcome']} different with {what['intervention']}?",
            ),
        }
        other = [rng.choice(asked[key]) for key in ("increased", "decreased") if key != held["label"]]
        if held["label"] == "no difference":
            yield held, [(rng.choice([*other, rng.choice(asked["any"])]), "no")]
        else:
            yield held, [(rng.choice(asked[held["label"]]), "yes"), (rng.choice(asked["any"]), "yes"), (other[0], "no")]


def weak_items(papers: Sequence[Paper], seed: int) -> list[Item]:
    """Titles and conclusions that state a finding, as questions put to the rest of the abstract; many of them turned round."""
    rng = random.Random(seed)
    made = []
    for paper in papers:
        conclusions = [s for s in paper.sections if "CONCL" in s.label.upper()]
        rest = [s for s in paper.sections if s not in conclusions]
        context = "\n".join(paper.text[s.start : s.end] for s in rest)
        if paper.title.rstrip(" ].").endswith("?"):
            continue  # such papers are what PubMedQA is made of: its other questions may be asked of this reader
        statements = [paper.text[a:b] for s in conclusions for a, b in split(paper.text, s.start, s.end)][:3]
        if len(context) < 300:
            continue
        for statement in (paper.title, *statements):
            asked = as_question(statement)
            if asked is None:
                continue
            question, positive = asked
            turned = opposite(question)
            if turned is not None and positive and rng.random() < 0.6:
                question, positive = turned, False
            made.append(Item(paper.pmid, "weak", question, context, "yes" if positive else "no"))
    yes, no = ([item for item in made if item.answer == answer] for answer in ("yes", "no"))
    rng.shuffle(yes)
    made = [*yes[: int(1.3 * len(no))], *no]
    rng.shuffle(made)
    return made


def _body(text: str) -> list[str]:
    plain = re.sub(r"(?m)^(TITLE|ABSTRACT(\.[A-Z &/,-]+)?):\s*", "", text)
    return [" ".join(plain[a:b].split()) for a, b in split(plain)]


def _around(evidence: str, sentences: Sequence[str], rng: random.Random) -> str:
    """The evidence alone, or among up to eight sentences of its abstract."""
    others = [sentence for sentence in sentences if sentence not in evidence and evidence not in sentence]
    if rng.random() < 0.4 or not others:
        return evidence
    start = rng.randrange(len(others))
    kept = others[start : start + 8]
    kept.insert(rng.randrange(len(kept) + 1), evidence)
    return " ".join(kept)
