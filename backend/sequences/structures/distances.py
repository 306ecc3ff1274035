"""Distances between residues of a structure, by the names their authors gave them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.sequences.structures.drawing import Drawing

MOST_PAIRS = 100
_RESIDUE = re.compile(r"(?:(\S+?)[:/])?(-?\d+[A-Za-z]?)")
_HINT = "Write pairs as A:48 A:63, several with semicolons; the chain may be left out where there is only one."


@dataclass(frozen=True)
class Distance:
    """Between two residues, ångströms: of their CA atoms (P for nucleic acids), and of the two heavy atoms nearest to each other."""

    first: str
    second: str
    anchors: float
    nearest: float
    atoms: tuple[str, str]

    def json(self) -> dict[str, Json]:
        return {
            "first": self.first,
            "second": self.second,
            "anchors": self.anchors,
            "nearest": self.nearest,
            "atoms": list(self.atoms),
        }


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """Pairs out of ``A:48 A:63; B:5 B:9``.

    Raises
    ------
    InputError
        When a part is no pair, or there are too many.
    """
    pairs = []
    for part in (piece for piece in re.split(r"[;\n]", text) if piece.strip()):
        words = re.split(r"[\s,]+|(?<=[\dA-Za-z])-(?=[A-Za-z\d])", part.strip())
        if len(words) != 2 or not all(_RESIDUE.fullmatch(word) for word in words):
            raise InputError(f"'{part.strip()}' is no pair of residues.", _HINT)
        pairs.append((words[0], words[1]))
    if len(pairs) > MOST_PAIRS:
        raise InputError(f"{len(pairs)} pairs were given; at most {MOST_PAIRS} are measured.", "Give fewer.")
    return pairs


def measure_pairs(drawing: Drawing, pairs: Sequence[tuple[str, str]]) -> list[Distance]:
    """The distance of each pair.

    Raises
    ------
    InputError
        When a residue is not there.
    """
    atoms, names = _atoms(drawing)
    return [_distance(drawing, atoms, names, _place(drawing, first), _place(drawing, second)) for first, second in pairs]


def _atoms(drawing: Drawing) -> tuple[np.ndarray, list[str]]:
    lines = [line for line in drawing.text.splitlines() if line.startswith("ATOM")]
    places = np.array([[float(line[30:38]), float(line[38:46]), float(line[46:54])] for line in lines])
    return places, [line[12:16].strip() for line in lines]


def _place(drawing: Drawing, text: str) -> int:
    found = _RESIDUE.fullmatch(text)
    chains = drawing.structure.chains
    if found is None:
        raise InputError(f"'{text}' names no residue.", _HINT)
    name, label = found.groups()
    if name is None and len(chains) > 1:
        raise InputError(f"'{text}' names no chain, and there are {len(chains)}.", _HINT)
    chain = chains[0] if name is None else drawing.structure.chain(name)
    return drawing.place(chain.name, chain.index(label))


def _distance(drawing: Drawing, atoms: np.ndarray, names: list[str], first: int, second: int) -> Distance:
    starts = drawing.starts
    ours, theirs = atoms[starts[first] : starts[first + 1]], atoms[starts[second] : starts[second + 1]]
    apart = np.linalg.norm(ours[:, None] - theirs[None], axis=-1)
    at, to = np.unravel_index(int(np.argmin(apart)), apart.shape)
    return Distance(
        drawing.labels[first],
        drawing.labels[second],
        round(float(np.linalg.norm(drawing.anchors[first] - drawing.anchors[second])), 2),
        round(float(apart[at, to]), 2),
        (names[starts[first] + int(at)], names[starts[second] + int(to)]),
    )
