"""PubTator text: titles, abstracts and marked mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from backend.domain import Annotation, Paper, Skipped
from backend.literature.formats.compose import clean, make_paper
from backend.literature.formats.plain import read_text
from backend.literature.formats.source import Source

_TEXT = re.compile(r"^(\w+)\|([ta])\|(.*)$")


def read(source: Source) -> Iterator[Paper | Skipped]:
    """Every record; a mention whose words are not at the place the file gives is left out and told."""
    blocks = re.split(r"\n\s*\n", read_text(source).strip("\n"))
    for number, block in enumerate(blocks, 1):
        yield from _record(block.split("\n"), number)


def _record(lines: list[str], number: int) -> Iterator[Paper | Skipped]:
    texts = {found[2]: found for line in lines if (found := _TEXT.match(line))}
    raw = texts["t"][3] if "t" in texts else ""
    body = texts["a"][3] if "a" in texts else ""
    identity = next(iter(texts.values()))[1] if texts else ""
    paper = make_paper(clean(raw), [("", clean(body), None)], pmid=identity if identity.isdigit() else "", source="pubtator")
    if paper is None:
        yield Skipped(f"record {number}", "It has neither a title nor an abstract.")
        return
    annotations, lost = [], 0
    for line in lines:
        cells = line.split("\t")
        if len(cells) < 5 or not (cells[1].isdigit() and cells[2].isdigit()):
            continue
        start, mention = int(cells[1]), clean(cells[3])
        if start <= len(raw):  # PubTator counts the title, one separator, then the abstract
            at = len(clean(raw[:start] + "|")) - 1
        else:
            at = (paper.sections[0].start if paper.sections else 0) + len(clean(body[: start - len(raw) - 1] + "|")) - 1
        if mention and paper.text[at : at + len(mention)] == mention:
            annotations.append(Annotation(at, at + len(mention), cells[4], cells[5].strip() if len(cells) > 5 else ""))
        else:
            lost += 1
    yield replace(paper, annotations=tuple(annotations))
    if lost:
        yield Skipped(f"record {number}", f"{lost} annotations were left out: their words are not where the file says. The text was kept.")
