"""Texts whose named things and relations experts marked: PubTator, BIO columns and ChemProt's lines, places as characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import InputError

_TEXT = re.compile(r"^(\w+)\|([ta])\|(.*)$")
_RELATION = re.compile(r"^\w+\t(\w+)\t(\S+)\t(\S+)$")
_MARKS = re.compile(r"<< (?P<first>.*?) >>|\[\[ (?P<second>.*?) \]\]")


@dataclass(frozen=True)
class Gold:
    """A marked place: characters `start` to `end`, its kind, its identifier where the file gives one."""

    start: int
    end: int
    kind: str
    identifier: str = ""


@dataclass(frozen=True)
class Labelled:
    """One document with what experts marked in it; `relations` are (name, identifier, identifier)."""

    name: str
    text: str
    marks: tuple[Gold, ...]
    relations: tuple[tuple[str, str, str], ...] = field(default=())


def read_labelled(files: Sequence[Path]) -> list[Labelled]:
    """Documents of files in PubTator's format, or with one token a line and its BIO label in the last column.

    Raises
    ------
    InputError
        When a file cannot be read, is in neither form, or a mark does not stand at its place.
    """
    found: list[Labelled] = []
    for path in files:
        text = read_file(path)
        found += list(_pubtator(text, Path(path).name) if any(_TEXT.match(line) for line in text[:5000].splitlines()) else _bio(text, path))
    if not any(document.marks for document in found):
        raise InputError("The files mark no named thing.", "Give PubTator's format, or one token a line with its BIO label last.")
    return found


def read_file(path: Path) -> str:
    """A file as text.

    Raises
    ------
    InputError
        When it cannot be read or is no UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{Path(path).name} cannot be read: {error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{Path(path).name} is no UTF-8 text (byte {error.start:,}).", "Save it as UTF-8.") from error


def read_pairs(path: Path) -> list[tuple[str, Gold, Gold, str]]:
    """Lines of ChemProt as SciBERT's authors publish it: JSON with a text in which << >> and [[ ]] mark a pair, and its label.

    Returns
    -------
    list of (text, first, second, label)
        The text without the marks; `first` stood between << >>, `second` between [[ ]].
    """
    made = []
    for number, line in enumerate(read_file(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            made.append((*_unmarked(str(row["text"])), str(row["label"])))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"Line {number:,} of {Path(path).name} is not a marked pair.",
                'Every line is JSON such as {"text": "<< EGFR >> inhibitor [[ gefitinib ]]", "label": "INHIBITOR"}.',
            ) from error
    if not made:
        raise InputError(f"{Path(path).name} holds no pair.", "Give one JSON object a line.")
    return made


def _unmarked(text: str) -> tuple[str, Gold, Gold]:
    plain, at, places = "", 0, {}
    for found in _MARKS.finditer(text):
        side = "first" if found["first"] is not None else "second"
        plain += text[at : found.start()]
        places[side] = Gold(len(plain), len(plain) + len(found[side]), side)
        plain += found[side]
        at = found.end()
    return plain + text[at:], places["first"], places["second"]


def _pubtator(text: str, file: str) -> Iterator[Labelled]:
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip("\n")), start=1):
        lines = block.split("\n")
        parts = {found[2]: found for line in lines if (found := _TEXT.match(line))}
        if not parts:
            raise InputError(f"Record {number:,} of {file} has neither title nor abstract.", "Give PubTator's text format.")
        whole = (parts["t"][3] if "t" in parts else "") + "\n" + (parts["a"][3] if "a" in parts else "")
        name = next(iter(parts.values()))[1]
        marks, relations = [], []
        for line in lines:
            cells = line.split("\t")
            if len(cells) >= 5 and cells[1].isdigit() and cells[2].isdigit():
                start, end = int(cells[1]), int(cells[2])
                if whole[start:end] != cells[3]:
                    raise InputError(
                        f"Record {name} of {file} marks '{cells[3]}' at {start:,}, where its text reads '{whole[start:end]}'.",
                        "Check the file: its places must count the title, one separator, then the abstract.",
                    )
                marks.append(Gold(start, end, cells[4].strip(), cells[5].strip() if len(cells) > 5 else ""))
            elif found := _RELATION.match(line):
                relations.append((found[1], found[2], found[3]))
        yield Labelled(name, whole, tuple(marks), tuple(relations))


def _bio(text: str, path: Path) -> Iterator[Labelled]:
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip() and not block.startswith("-DOCSTART-")]
    for number, block in enumerate(blocks, start=1):
        words, marks = "", list[Gold]()
        for line in block.strip("\n").split("\n"):
            cells = line.split()
            if len(cells) < 2 or not re.fullmatch(r"[OBIES](-.+)?", cells[-1]):
                raise InputError(
                    f"Sentence {number:,} of {Path(path).name}: '{line[:60]}' has no BIO label.",
                    "Give PubTator's format, or one token a line with its label last, such as: lithium B-Chemical.",
                )
            words += (" " if words else "") + cells[0]
            at = len(words) - len(cells[0])
            label, _, kind = cells[-1].partition("-")
            if label in "IE" and marks and marks[-1].kind == kind and marks[-1].end == at - 1:
                marks[-1] = Gold(marks[-1].start, len(words), kind)
            elif label != "O":
                marks.append(Gold(at, len(words), kind))
        yield Labelled(f"sentence {number}", words, tuple(marks))
