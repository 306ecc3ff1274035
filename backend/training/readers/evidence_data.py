"""Sentences that bear on a question and sentences that do not: BioASQ's snippets, trials' evidence, and titles with their abstracts."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.domain import Paper
from backend.literature.sentences import sentences, split
from backend.training.readers.questions import as_question, opposite
from backend.training.readers.verdict_data import trial_abstracts, trial_questions

STANCES = ("supports", "opposes", "unclear")


@dataclass(frozen=True)
class Asked:
    """A question, sentences that bear on it (each with its stance or ''), and sentences of the same papers that do not."""

    id: str
    source: str
    question: str
    bearing: tuple[tuple[str, str], ...]
    other: tuple[str, ...]
    papers: frozenset[str]


def part_of(name: str) -> str:
    """In which part a question falls by its id alone: 'train' (seven tenths), 'check' (one) or 'final' (two)."""
    at = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10
    return "final" if at < 2 else "check" if at == 2 else "train"


def read_snippets(file: Path) -> list[Asked]:
    """BioASQ's questions with the sentences of their snippets; those of a yes/no question take its answer as their stance."""
    made = []
    for item in json.loads(file.read_text(encoding="utf-8"))["questions"]:
        answer = {"yes": "supports", "no": "opposes"}.get(str(item.get("exact_answer")).lower(), "") if item["type"] == "yesno" else ""
        found: dict[str, str] = {}
        for snippet in item["snippets"]:
            text = " ".join(snippet["text"].split())
            found |= {text[a:b]: answer for a, b in split(text) if len(text[a:b].split()) >= 5}
        papers = {name.rsplit("/", 1)[-1] for name in [*item["documents"], *(s["document"] for s in item["snippets"])]}
        if found:
            made.append(Asked(item["id"], "BioASQ", item["body"], tuple(found.items()), (), frozenset(papers)))
    return made


def read_evidence(folder: Path, name: str, seed: int) -> list[Asked]:
    """Trials whose evidence is quoted from their abstract: that sentence among the others."""
    rng = random.Random(seed)
    abstracts = trial_abstracts(folder)
    made = []
    for held, asked in trial_questions(folder, name, rng):
        evidence = " ".join(str(held["evidence"]).split())
        body = abstracts.get(held["pmcid"], [])
        inside = [each for each in body if len(each) > 20 and (each in evidence or evidence in each)]
        for question, answer in asked:
            stance = "supports" if answer == "yes" else "opposes"
            others = tuple(each for each in body if each not in inside)
            made.append(
                Asked(
                    held["pmcid"],
                    "trials",
                    question,
                    tuple((s, stance) for s in inside or [evidence]),
                    others if inside else (),
                    frozenset([held["pmcid"]]),
                )
            )
    return made


def read_titles(papers: Sequence[Paper], seed: int, most: int) -> list[Asked]:
    """Titles that state a finding as questions; their own CONCLUSIONS bear on them, BACKGROUND and METHODS do not. Weak labels."""
    rng = random.Random(seed)
    made = []
    for paper in papers:
        conclusions = [s for s in paper.sections if "CONCL" in s.label.upper()]
        before = [s for s in paper.sections if re.search("BACKGR|OBJECTIV|AIM|PURPOSE|METHOD|INTRODU|DESIGN|SETTING", s.label.upper())]
        if not conclusions or not before or paper.title.rstrip(" ].").endswith("?"):
            continue
        spans = sentences(paper)
        inside = {
            kind: [paper.text[a:b] for a, b in spans if any(s.start <= a < s.end for s in sections) and len(paper.text[a:b].split()) >= 6]
            for kind, sections in (("bears", conclusions), ("not", before))
        }
        words = _content(paper.title)
        near = sorted(inside["bears"], key=lambda text: -len(words & _content(text)))[:1]
        if not near or len(words & _content(near[0])) < 2:
            continue
        asked, stance = as_question(paper.title), ""
        question = paper.title.rstrip(".")
        if asked is not None:
            question, positive = asked
            turned = opposite(question)
            if turned is not None and positive and rng.random() < 0.5:
                question, positive = turned, False
            stance = "supports" if positive else "opposes"
        made.append(Asked(paper.pmid, "titles", question, ((near[0], stance),), tuple(inside["not"]), frozenset([paper.pmid])))
    rng.shuffle(made)
    made.sort(key=lambda each: not each.bearing[0][1])  # those with a stance first
    return made[:most]


def _content(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 3}
