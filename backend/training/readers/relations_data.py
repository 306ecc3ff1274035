"""Marked pairs of a sentence with their relation: chemicals with diseases (BC5CDR) and chemicals with genes (ChemProt)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backend.literature.labelled import Labelled, read_labelled, read_pairs
from backend.literature.marking import mark
from backend.literature.pairs import pairs_of
from backend.literature.texts import windows
from backend.models.abilities import Mention
from backend.progress import Silent
from backend.training.readers.corpora import part_of, read_chemprot

if TYPE_CHECKING:
    from backend.models.abilities import Marks

INDUCES = "chemical induces disease"
NONE = "none"
UNKNOWN = "-1"  # BC5CDR's identifier of what its experts found in no vocabulary: no relation can be listed of it
UNTOLD = 0.3  # share of ChemProt's related pairs that are read without their kinds, as a file that does not tell them is


@dataclass(frozen=True)
class Example:
    """A sentence with two mentions in the order of the text, and what relates them.

    Attributes
    ----------
    first, second : Mention
        Their kind is '' where it is not told.
    document : str
        Where it stands: the document, or the sentence where documents are not known.
    about : str
        What it states: the identifiers of the two, or their places where there are none.
    """

    text: str
    first: Mention
    second: Mention
    relation: str
    document: str
    about: str


def cdr_documents(data: Path) -> dict[str, list[Labelled]]:
    """BC5CDR by part, the same parts as `backend.training.readers.entities`: what is final for one reader is final for all."""
    parts: dict[str, list[Labelled]] = {"train": read_labelled([data / "bc5cdr/CDR_TrainingSet.PubTator.txt"]), "check": [], "final": []}
    names = {"train": "train", "calibration": "check", "final": "final"}
    for document in read_labelled([data / "bc5cdr/CDR_DevelopmentSet.PubTator.txt"]):
        parts[names[part_of(document.name, 0.3, 0.2)]].append(document)
    held = {document.name for name in ("check", "final") for document in parts[name]}
    return {**parts, "train": [document for document in parts["train"] if document.name not in held]}


def cdr_pairs(documents: Sequence[Labelled]) -> list[list[Example]]:
    """For each document its pairs of a chemical and a disease in one sentence, related where the document lists the relation.

    The labels are distant (Mintz et al. 2009): experts listed the relations of an abstract, not the sentences that state them.
    """
    made = []
    for document in documents:
        listed = {frozenset(pair) for _, *pair in document.relations}
        names = {(each.start, each.end): each.identifier.split("|") for each in document.marks}
        mentions = [Mention(each.start, each.end, each.kind, 1.0) for each in document.marks]
        rows = []
        for pair in pairs_of(document.text, mentions, "different kinds"):
            low, high = pair.sentence
            first, second = (names[mention.start, mention.end] for mention in (pair.first, pair.second))
            if UNKNOWN in first or UNKNOWN in second:
                continue
            related = any(frozenset((one, other)) in listed for one in first for other in second)
            places = _inside(pair.first, low), _inside(pair.second, low)
            about = " ".join(sorted((first[0], second[0])))
            rows.append(Example(document.text[low:high], *places, INDUCES if related else NONE, document.name, about))
        made.append(rows)
    return made


def chemprot_pairs(file: Path, cdr: Sequence[Labelled], marker: Marks) -> list[Example]:
    """ChemProt's related pairs, and the other chemicals and genes of their sentences as unrelated pairs.

    The file names no kinds: they are told by names of BC5CDR's chemicals and by `marker`, '' where neither knows. Sentences without any
    relation are not in the file, so unrelated pairs are fewer here than in what people read; and some state relations of other kinds.
    """
    chemicals = {document.text[m.start : m.end].lower() for document in cdr for m in document.marks if m.kind == "Chemical"}
    told = {document.text: {(a, b): kind for a, b, kind in document.spans} for document in read_chemprot([file], chemicals)}
    texts = list(told)
    marked = {text: mark(marker, text, windows(marker, text), Silent()) for text in texts}
    listed: dict[str, dict[tuple[tuple[int, int], tuple[int, int]], str]] = {text: {} for text in texts}
    for text, one, other, relation in read_pairs(file):
        first, second = sorted(((one.start, one.end), (other.start, other.end)))
        listed[text][first, second] = relation
    made = []
    for text in texts:
        kinds = {place: _kind(place, told[text], marked[text]) for pair in listed[text] for place in pair}
        for (first, second), relation in listed[text].items():
            made.append(Example(text, *_typed(first, second, kinds), relation, text, f"{first} {second}"))
        places = list(kinds)
        others = [m for m in marked[text] if m.kind in ("Chemical", "Gene") and not any(m.start < b and a < m.end for a, b in places)]
        kinds |= {(m.start, m.end): m.kind for m in others}
        ordered = sorted(kinds)
        for at, first in enumerate(ordered):
            for second in ordered[at + 1 :]:
                if first[1] <= second[0] and {kinds[first], kinds[second]} == {"Chemical", "Gene"} and (first, second) not in listed[text]:
                    made.append(Example(text, *_typed(first, second, kinds), NONE, text, f"{first} {second}"))
    return made


def untold(examples: Sequence[Example], seed: int) -> list[Example]:
    """The same with the kinds of `UNTOLD` of the related pairs forgotten."""
    rng = random.Random(seed)
    return [without_kinds(each) if each.relation != NONE and rng.random() < UNTOLD else each for each in examples]


def without_kinds(each: Example) -> Example:
    """A pair of which nothing is told but that it is related."""
    return replace(each, first=replace(each.first, kind=""), second=replace(each.second, kind=""))


def _kind(place: tuple[int, int], told: dict[tuple[int, int], str], marked: Sequence[Mention]) -> str:
    over = [m.kind for m in marked if m.start < place[1] and place[0] < m.end and m.kind in ("Chemical", "Gene")]
    return told.get(place) or (over[0] if over else "")


def _typed(first: tuple[int, int], second: tuple[int, int], kinds: dict[tuple[int, int], str]) -> tuple[Mention, Mention]:
    """Both mentions; without kinds where these are not a chemical and a gene."""
    known = {kinds[first], kinds[second]} == {"Chemical", "Gene"}
    one, other = (Mention(*place, kinds[place] if known else "", 1.0) for place in (first, second))
    return one, other


def _inside(mention: Mention, start: int) -> Mention:
    return replace(mention, start=mention.start - start, end=mention.end - start)
