"""Protein, DNA or RNA: decided by the letters of every record at once, and asked where letters cannot decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from backend.sequences.alphabets import AMINO_ONLY_MASK, DEGENERATE_MASK, T_MASK, U_MASK, letters_of, mask_of
from backend.sequences.formats.scan import Stats
from backend.sequences.records import KINDS, Kind

ENOUGH = 20  # bases: at Swiss-Prot's frequencies (A .083, C .014, G .071, T .053) a protein of these alone has a chance near 1e-13
_STRAY_FROM = 10  # letters: below, one letter is more than a tenth
_BASES = 0.9  # share of A, C, G, T, U, N from which other letters are strays or degenerate bases among bases
_MINOR = 0.1  # share of U among T and U (or the reverse) up to which it is a slip of spelling

AMBIGUOUS, PROTEIN, DNA, RNA = 0, 1, 2, 3  # PROTEIN to RNA are 1 + index in KINDS


class Why(IntEnum):
    EMPTY = 0
    RESIDUES = 1
    BASES = 2
    DEGENERATE = 3
    SHORT = 4
    NO_T = 5
    MIXED_TU = 6
    STRAY = 7
    MIXTURE = 8
    LONG_MIXTURE = 9
    ASKED = 10


@dataclass(frozen=True)
class Kinds:
    """Verdicts on n records: uint8 kind, uint8 choices (bit k - 1 for kind k), uint8 `Why`."""

    kind: np.ndarray
    choices: np.ndarray
    why: np.ndarray


def decide(stats: Stats, share_u: np.ndarray) -> Kinds:
    """Kinds by letters.

    Parameters
    ----------
    share_u : numpy.ndarray
        float (n,): U among T and U, where both occur.
    """
    mask, letters = stats.mask, stats.letters
    share = stats.core / np.maximum(letters, 1)
    residues, degenerate = (mask & AMINO_ONLY_MASK) != 0, (mask & DEGENERATE_MASK) != 0
    has_t, has_u = (mask & T_MASK) != 0, (mask & U_MASK) != 0
    plain = np.sum([(mask & mask_of(base)) != 0 for base in "ACGTU"], axis=0)  # different bases
    as_dna = has_t & (~has_u | (share_u <= _MINOR))
    as_rna = has_u & (~has_t | (share_u >= 1 - _MINOR))
    bases = np.where(as_dna, _bit(DNA), np.where(as_rna, _bit(RNA), _bit(DNA) | _bit(RNA))).astype(np.uint8)
    either = (bases | _bit(PROTEIN)).astype(np.uint8)
    simple = ~residues & ~degenerate
    rules = [
        (letters == 0, np.uint8(0), Why.EMPTY),
        (residues & (share >= _BASES) & (letters >= _STRAY_FROM), _bit(PROTEIN), Why.STRAY),
        (residues, _bit(PROTEIN), Why.RESIDUES),
        (degenerate & (share >= _BASES) & (letters >= ENOUGH), bases, Why.DEGENERATE),
        (degenerate & (share < 0.5) & (letters >= 3 * ENOUGH), _bit(PROTEIN), Why.LONG_MIXTURE),
        (degenerate, either, Why.MIXTURE),
        (has_t & has_u & ~as_dna & ~as_rna, bases, Why.MIXED_TU),
        (simple & as_rna, bases, Why.BASES),
        (simple & as_dna & (letters >= ENOUGH) & (plain >= 2), bases, Why.BASES),
        (simple & as_dna, either, Why.SHORT),
        (simple & (letters >= ENOUGH) & (plain >= 3), bases, Why.NO_T),
    ]
    choices, why = either.copy(), np.full(len(mask), int(Why.NO_T), dtype=np.uint8)
    for rule, value, reason in reversed(rules):  # the first that holds decides
        choices, why = np.where(rule, value, choices), np.where(rule, np.uint8(reason), why)
    kind = np.zeros(len(mask), dtype=np.uint8)
    for settled in (PROTEIN, DNA, RNA):
        kind[choices == _bit(settled)] = settled
    kind[why == Why.STRAY] = AMBIGUOUS  # a base sequence with a slip is never silently a protein
    choices[kind != AMBIGUOUS] = 0
    return Kinds(kind, choices, why)


def ask(kinds: Kinds, stats: Stats, record: int | None, wanted: Kind) -> None:
    """Put in what the person said of one record, or, where `record` is None, of every record whose letters allow it."""
    code = KINDS.index(wanted) + 1
    if record is None:
        open_ = kinds.kind == AMBIGUOUS
        allowed = ((stats.mask & AMINO_ONLY_MASK) == 0) | open_ if code != PROTEIN else np.ones(len(open_), dtype=bool)
        where = np.flatnonzero(allowed & (kinds.kind != code) & (stats.letters > 0))
    else:
        where = np.array([record] if kinds.kind[record] != code and stats.letters[record] else [], dtype=np.int64)
    kinds.kind[where], kinds.choices[where], kinds.why[where] = code, 0, Why.ASKED


def choices_of(code: int) -> tuple[Kind, ...]:
    """Kinds of a code of choices."""
    return tuple(kind for bit, kind in enumerate(KINDS) if code >> bit & 1)


def explain_kind(why: int, mask: int, letters: int) -> str:
    """A verdict in words."""
    held, size = _listed(letters_of(mask)), f"{letters:,} letter{'s' if letters != 1 else ''}"
    only = _listed(letters_of(mask & AMINO_ONLY_MASK)[:5])
    return {
        Why.EMPTY: "It holds no letters.",
        Why.RESIDUES: f"It holds {only}, which stand for no base.",
        Why.BASES: f"All of its {size} are {held}.",
        Why.DEGENERATE: f"Nearly all of its {size} are bases; {_listed(letters_of(mask & DEGENERATE_MASK))} are degenerate ones.",
        Why.SHORT: f"Its {size}, all {held}, could be bases or residues.",
        Why.NO_T: f"It holds only {held}: neither T nor U tells DNA from RNA" + ("." if letters >= ENOUGH else ", nor from a peptide."),
        Why.MIXED_TU: "T and U stand side by side: DNA or RNA.",
        Why.STRAY: f"Nearly all of its {size} are bases, but {only} stand for none.",
        Why.MIXTURE: f"Its {size}, {held}, could be degenerate bases or residues.",
        Why.LONG_MIXTURE: f"Fewer than half of its {size} are A, C, G, T, U or N.",
        Why.ASKED: "You said so.",
    }[Why(why)]


def _bit(code: int) -> np.uint8:
    return np.uint8(1 << (code - 1))


def _listed(letters: str) -> str:
    return ", ".join(letters)
