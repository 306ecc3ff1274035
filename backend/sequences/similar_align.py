"""Two proteins side by side: global alignment with BLOSUM62, its counts, and its blocks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.errors import InputError

OPEN, EXTEND = 11, 1
MOST_CELLS = 60_000_000  # of the table that a drawn alignment keeps: two proteins of 7,700 residues
METHOD = "global alignment (Needleman and Wunsch 1970), BLOSUM62, a gap costs 11 for its first residue and 1 for each further one"
_PLAIN = str.maketrans("UOJ", "XXX")  # letters that BLOSUM62 has no row for


@dataclass(frozen=True)
class Counts:
    """What an alignment comes to.

    Attributes
    ----------
    score : int
        Sum of BLOSUM62 scores less the gaps' costs.
    columns, identical, similar, gaps : int
        Columns in all; with the same letter on both sides; with a BLOSUM62 score above zero (the same letters included); with a gap.
    """

    score: int
    columns: int
    identical: int
    similar: int
    gaps: int

    @property
    def identity(self) -> float:
        """Share of all columns, gaps included, that carry the same letter."""
        return self.identical / self.columns if self.columns else 0.0


@dataclass(frozen=True)
class Alignment:
    """Two rows of equal length, ``-`` where nothing stands; `cigar` says the same in runs.

    Runs: ``=`` the same letter, ``X`` another, ``I`` the first alone, ``D`` the second alone.
    """

    first: str
    second: str
    cigar: str
    counts: Counts


@dataclass(frozen=True)
class Block:
    """A stretch of an alignment as printed: rows, the line between them, and first and last place of each (None where all is gap)."""

    first: str
    between: str
    second: str
    first_places: tuple[int, int] | None
    second_places: tuple[int, int] | None


def align(first: str, second: str) -> Alignment:
    """Align two proteins from end to end.

    Raises
    ------
    InputError
        When one is empty, or both together are too long to be drawn.
    """
    if not first or not second:
        raise InputError("An empty sequence cannot be aligned.", "Choose two records with residues.")
    if len(first) * len(second) > MOST_CELLS:
        raise InputError(
            f"Two proteins of {len(first):,} and {len(second):,} residues are too long to draw aligned.",
            "Cut the stretch of interest out of each and align those.",
        )
    import parasail

    found = parasail.nw_trace_striped_sat(first.translate(_PLAIN), second.translate(_PLAIN), OPEN, EXTEND, parasail.blosum62)
    # parasail names runs from the second's side; here I stands for letters of the first alone
    runs = [(entry >> 4, "MIDNSHP=XB"[entry & 0xF]) for entry in found.cigar.seq]
    return _expand(first, second, "".join(f"{count}{kind}" for count, kind in runs), int(found.score))


def count_pairs(pairs: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
    """Identity over all columns, and the number of columns, of each pair's global alignment; memory stays linear in length."""
    import parasail

    made = []
    for first, second in pairs:
        found = parasail.nw_stats_striped_sat(first.translate(_PLAIN), second.translate(_PLAIN), OPEN, EXTEND, parasail.blosum62)
        made.append((found.matches / found.length if found.length else 0.0, int(found.length)))
    return made


def expand(first: str, second: str, cigar: str, score: int) -> Alignment:
    """The alignment that was saved as runs.

    Raises
    ------
    ValueError
        When the runs do not use up both sequences.
    """
    return _expand(first, second, cigar, score)


def blocks(alignment: Alignment, first: Sequence[int], second: Sequence[int], width: int = 60) -> list[Block]:
    """The alignment in printed lines.

    Parameters
    ----------
    first, second : sequence of int
        Place of each letter in the user's numbering.
    """
    made, i, j = [], 0, 0
    for at in range(0, len(alignment.first), width):
        top, low = alignment.first[at : at + width], alignment.second[at : at + width]
        own, other = len(top) - top.count("-"), len(low) - low.count("-")
        made.append(
            Block(
                top,
                "".join("|" if a == b else "+" if _score(a, b) > 0 else " " for a, b in zip(top, low, strict=True)),
                low,
                (first[i], first[i + own - 1]) if own else None,
                (second[j], second[j + other - 1]) if other else None,
            )
        )
        i, j = i + own, j + other
    return made


def _expand(first: str, second: str, cigar: str, score: int) -> Alignment:
    top, low, i, j = [], [], 0, 0
    for number, kind in re.findall(r"(\d+)([=XMID])", cigar):
        count = int(number)
        top.append("-" * count if kind == "D" else first[i : i + count])
        low.append("-" * count if kind == "I" else second[j : j + count])
        i += count if kind != "D" else 0
        j += count if kind != "I" else 0
    rows = "".join(top), "".join(low)
    if (i, j) != (len(first), len(second)) or len(rows[0]) != len(rows[1]):
        raise ValueError(f"The runs cover {i} and {j} residues of {len(first)} and {len(second)}.")
    pairs = list(zip(*rows, strict=True))
    kinds = ["I" if b == "-" else "D" if a == "-" else "=" if a == b else "X" for a, b in pairs]
    runs = "".join(f"{sum(1 for _ in run)}{kind}" for kind, run in itertools.groupby(kinds))
    similar = sum(a == b or _score(a, b) > 0 for a, b in pairs)
    return Alignment(*rows, runs, Counts(score, len(pairs), kinds.count("="), similar, kinds.count("I") + kinds.count("D")))


def _score(a: str, b: str) -> int:
    if "-" in (a, b):
        return -1
    import parasail

    matrix = parasail.blosum62
    order = {letter: at for at, letter in enumerate("ARNDCQEGHILKMFPSTWYVBZX")}
    return int(matrix.matrix[order.get(a, 22), order.get(b, 22)])
