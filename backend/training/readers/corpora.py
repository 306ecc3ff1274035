"""Labelled corpora as texts with mentions; and which documents are trained on, calibrated on, or kept for the final figure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.literature.labelled import read_labelled

Part = Literal["train", "calibration", "final"]
Span = tuple[int, int, str]

_MARK = re.compile(r"<< (.*?) >>|\[\[ (.*?) \]\]")
_NO_SPACE_BEFORE = set(".,;:!?)]}%'")
_GENES = {"protein": "Gene", "DNA": "Gene", "RNA": "Gene"}


@dataclass(frozen=True)
class Marked:
    """A text with the mentions that were marked in it.

    Attributes
    ----------
    spans : tuple
        Characters (half-open) and kind of every mention.
    kinds : frozenset of str
        Kinds of which every mention was marked: what is unmarked is none of these, but may be of any other kind.
    """

    id: str
    corpus: str
    text: str
    spans: tuple[Span, ...]
    kinds: frozenset[str]


def part_of(id: str, train: float, calibration: float) -> Part:
    """Where a document belongs, by the hash of its id: the same on every machine."""
    at = int(hashlib.sha256(id.encode()).hexdigest()[:8], 16) / 16**8
    return "train" if at < train else "calibration" if at < train + calibration else "final"


def read_pubtator(file: Path, corpus: str, kinds: Iterable[str]) -> list[Marked]:
    """Documents of a PubTator file: title, a space, abstract, as its offsets count."""
    wanted = frozenset(kinds)
    return [
        Marked(
            found.name,
            corpus,
            found.text.replace("\n", " "),
            tuple((mark.start, mark.end, mark.kind) for mark in found.marks if mark.kind in wanted),
            wanted,
        )
        for found in read_labelled([file])
    ]


def read_bio(file: Path, corpus: str, names: dict[str, str]) -> list[Marked]:
    """Sentences of a file with a word a line and its label (B-, I-, O) last, joined as people would write them.

    Parameters
    ----------
    names : dict
        Our kind for each of the file's; its other kinds count as unmarked.
    """
    made: list[Marked] = []
    words: list[tuple[str, str]] = []
    for line in [*file.read_text(encoding="utf-8").splitlines(), ""]:
        cells = line.split()
        if cells and cells[0] != "-DOCSTART-":
            words.append((cells[0], cells[-1]))
        elif words:
            text, spans = _joined(words, names)
            made.append(Marked(f"{corpus}-{len(made)}", corpus, text, tuple(spans), frozenset(names.values())))
            words = []
    return made


def read_chemprot(files: Iterable[Path], chemicals: set[str]) -> list[Marked]:
    """Sentences in which one chemical and one protein at a time are marked, without saying which is which.

    A known chemical names its partner a gene, a known gene its partner a chemical, until nothing new is learned. What stays unknown is
    not marked, and unmarked words may be anything: ``kinds`` is empty.
    """
    found: dict[str, set[tuple[int, int]]] = {}
    pairs: list[tuple[str, str]] = []
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            text, spans = _unmarked(json.loads(line)["text"])
            if len(spans) == 2:
                found.setdefault(text, set()).update(spans)
                pairs.append((text[spans[0][0] : spans[0][1]].lower(), text[spans[1][0] : spans[1][1]].lower()))
    kind = dict.fromkeys(chemicals, "Chemical")
    for _ in range(6):
        for first, second in pairs:
            for a, b in ((first, second), (second, first)):
                if a in kind and b not in kind:
                    kind[b] = "Gene" if kind[a] == "Chemical" else "Chemical"
    made = []
    for at, (text, places) in enumerate(found.items()):
        known = [(a, b, kind[text[a:b].lower()]) for a, b in sorted(places) if text[a:b].lower() in kind]
        made.append(Marked(f"chemprot-{at}", "ChemProt", text, tuple(_apart(known)), frozenset()))
    return made


def _unmarked(text: str) -> tuple[str, list[tuple[int, int]]]:
    spans, out, last, size = [], [], 0, 0
    for match in _MARK.finditer(text):
        before = text[last : match.start()]
        inner = match[1] if match[1] is not None else match[2]
        size += len(before)
        spans.append((size, size + len(inner)))
        size += len(inner)
        out += [before, inner]
        last = match.end()
    return "".join([*out, text[last:]]), spans


def _apart(spans: list[Span]) -> Iterator[Span]:
    end = -1
    for span in spans:
        if span[0] >= end:
            yield span
            end = span[1]


def _joined(words: list[tuple[str, str]], names: dict[str, str]) -> tuple[str, list[Span]]:
    text = ""
    spans: list[Span] = []
    for word, label in words:
        if text and word[0] not in _NO_SPACE_BEFORE and not text.endswith(("(", "[", "-", "/")) and word not in ("-", "/"):
            text += " "
        start = len(text)
        text += word
        kind = names.get(label[2:])
        if kind and label.startswith("I-") and spans and spans[-1][2] == kind and not label.startswith("B-") and spans[-1][1] >= start - 1:
            spans[-1] = (spans[-1][0], len(text), kind)
        elif kind:
            spans.append((start, len(text), kind))
    return text, spans


def pubtator(documents: Iterable[Marked]) -> str:
    """Documents as a PubTator file, their whole text in the place of the title."""
    blocks = []
    for number, document in enumerate(documents, start=1):
        id = document.id if document.id.isdigit() else str(number)
        lines = [f"{id}|t|{document.text}", f"{id}|a|"]
        lines += [f"{id}\t{start}\t{end}\t{document.text[start:end]}\t{kind}\t-" for start, end, kind in document.spans]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def gene_names() -> dict[str, str]:
    """JNLPBA's kinds that are genes or their products."""
    return dict(_GENES)
