"""What BioGPT was fine-tuned for, and the wording that each fine-tune was taught: its prompts and the form of its answers.

Source of the wordings: the scripts published with Luo et al. 2022 (doi:10.1093/bib/bbac409), which make the training data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.models.abilities import Stated

ANSWER = "the answer to the question given the context is"
LEARNED = 9  # virtual tokens between what is read and what is written, in every published fine-tune
PURPOSE_FILE = "purpose.txt"


@dataclass(frozen=True)
class Purpose:
    """One fine-tune.

    Attributes
    ----------
    key : str
        Part of the published folder's name, lower case.
    form : str
        How one relation is written, with {head}, {tail} and, where it is named, {relation}.
    share : (int, int)
        Share of the model's places that what is read may take, as in training.
    """

    key: str
    title: str
    tasks: tuple[str, ...]
    relations: tuple[str, ...] = ()
    form: str = ""
    share: tuple[int, int] = (5, 8)


_INTERACTION = "the interaction between {head} and {tail} is {relation}"
PURPOSES = (
    Purpose("pubmedqa", "PubMedQA: yes, no or maybe", ("literature.verdict", "literature.write"), share=(7, 8)),
    Purpose(
        "bc5cdr",
        "BC5CDR: diseases that chemicals induce",
        ("literature.relations", "literature.write"),
        ("chemical-induced disease",),
        "the relation between {head} and {tail} exists",
    ),
    Purpose(
        "ddi",
        "DDI: interactions of drugs",
        ("literature.relations", "literature.write"),
        ("advise", "effect", "int", "mechanism"),
        _INTERACTION,
    ),
    Purpose("dti", "KD-DTI: interactions of drugs and targets", ("literature.relations", "literature.write"), (), _INTERACTION),
)


def purpose_of(*names: str) -> Purpose | None:
    """The fine-tune that a folder's or checkpoint's name speaks of; None for a plain language model."""
    whole = " ".join(names).lower()
    return next((each for each in PURPOSES if re.search(rf"(?<![a-z0-9]){each.key}(?![a-z0-9])", whole)), None)


def purpose_in(folder: Path) -> Purpose | None:
    """The fine-tune of a folder: by its file purpose.txt where the person wrote one, else by its name."""
    said = folder / PURPOSE_FILE
    return purpose_of(said.read_text(encoding="utf-8", errors="replace")) if said.is_file() else purpose_of(folder.name)


def read_statements(purpose: Purpose, written: str, text: str, pieces: Sequence[str], shares: Sequence[float]) -> list[Stated]:
    """Relations of a generated target, each only where it has exactly the taught form.

    Parameters
    ----------
    written : str
        What the model wrote: statements between semicolons, a full stop at the end.
    text : str
        What it read: names are looked for in it.
    pieces, shares
        Tokens of `written` as text, and the probability of each.
    """
    made: dict[tuple[str, str, str], Stated] = {}
    at = 0
    for part in written.split(";"):
        start, end = at, at + len(part)
        at = end + 1
        said = part.strip().removesuffix(".").strip()
        for head, tail, relation in _parsed(purpose, said, text):
            score = _mean(_within(pieces, shares, start, end))
            stated = Stated(head, relation, tail, score, find_name(text, head), find_name(text, tail))
            made.setdefault((head, relation, tail), stated)
    return list(made.values())


def statement(purpose: Purpose, stated: Stated) -> str:
    """A relation in the form that the model was taught."""
    return purpose.form.format(head=stated.head, tail=stated.tail, relation=stated.relation)


def find_name(text: str, name: str) -> tuple[int, int] | None:
    """Where a name first stands in a text as a whole word, in any case and any spacing; None where it does not."""
    parts = [re.escape(part) for part in re.findall(r"\w+|[^\w\s]", name)]
    if not parts:
        return None
    left, right = (r"(?<!\w)" if name[0].isalnum() else ""), (r"(?!\w)" if name[-1].isalnum() else "")
    found = re.search(left + r"\s*".join(parts) + right, text, re.IGNORECASE)
    return found.span() if found else None


def _parsed(purpose: Purpose, said: str, text: str) -> list[tuple[str, str, str]]:
    """Head, tail and relation of one statement; where a name itself holds 'and', the split whose names stand in the text is taken."""
    form = re.escape(purpose.form).replace(r"\{head\}\ and\ \{tail\}", "(?P<both>.+)").replace(r"\{relation\}", "(?P<relation>.+)")
    found = re.fullmatch(form, said, re.IGNORECASE)
    if not found:
        return []
    relation = found.groupdict().get("relation") or (purpose.relations[0] if purpose.relations else "")
    both = found["both"]
    splits = [(both[: hit.start()].strip(), both[hit.end() :].strip()) for hit in re.finditer(r" and ", both)]
    splits = [(head, tail) for head, tail in splits if head and tail]
    if not splits:
        return []
    known = [pair for pair in splits if all(find_name(text, name) for name in pair)]
    head, tail = (known or splits)[-1]
    return [(head, tail, relation.strip())]


def _within(pieces: Sequence[str], shares: Sequence[float], start: int, end: int) -> Iterable[float]:
    at = 0
    for piece, share in zip(pieces, shares, strict=True):
        if at < end and at + len(piece) > start:
            yield share
        at += len(piece)


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return sum(held) / len(held) if held else 0.0
