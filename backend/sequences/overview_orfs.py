"""Open reading frames of a strand or of both, by any genetic code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from backend.errors import InputError
from backend.sequences.overview_nucleic import letters

Begin = Literal["ATG", "table", "any"]
_COMPLEMENT = str.maketrans("ACGTUNRYSWKMBDHV", "TGCAANYRSWMKVHDB")


@dataclass(frozen=True)
class Orf:
    """One open reading frame.

    Attributes
    ----------
    start, end : int
        Half-open letters of the given strand, from 0, the stop codon included.
    frame : int
        1 to 3 on the given strand, -1 to -3 on the other: -1 begins with the last letter.
    protein : str
        Translation without the stop; a codon with an ambiguous letter that leaves the residue open is X.
    complete : bool
        Whether it ends in a stop codon rather than with the sequence.
    """

    start: int
    end: int
    frame: int
    protein: str
    complete: bool


def complement(sequence: str) -> str:
    """The other strand, read from its own 5' end, in DNA letters."""
    return sequence.translate(_COMPLEMENT)[::-1]


def genetic_codes() -> dict[int, str]:
    """NCBI's genetic codes by number."""
    from Bio.Data import CodonTable

    return {number: ", ".join(name for name in table.names if name) for number, table in CodonTable.unambiguous_dna_by_id.items()}


def find_orfs(sequence: str, code: int, shortest: int, begin: Begin = "ATG", both: bool = True, most: int = 2_000) -> tuple[list[Orf], int]:
    """Reading frames of at least `shortest` residues, the longest `most` of them by place, and how many there are in all.

    Parameters
    ----------
    begin : str
        ``ATG``, ``table`` (every start codon of the code), or ``any`` (from stop to stop). A frame begins with the first start after
        a stop. The first residue is M where a start codon is asked for. A codon with an ambiguous letter neither starts nor stops.

    Raises
    ------
    InputError
        When there is no such genetic code.
    """
    from Bio.Data import CodonTable
    from Bio.Seq import translate

    if code not in CodonTable.unambiguous_dna_by_id:
        raise InputError(f"There is no genetic code {code}.", f"NCBI's codes are: {', '.join(map(str, genetic_codes()))}.")
    table = CodonTable.unambiguous_dna_by_id[code]
    starts = _codons(["ATG"] if begin == "ATG" else table.start_codons)
    stops = _codons(table.stop_codons)
    strands = [(1, sequence.replace("U", "T"))] + ([(-1, complement(sequence))] if both else [])
    found: list[tuple[int, int, int, int, bool]] = []  # length, strand, start, end on that strand, complete
    for strand, text in strands:
        base = _numbers(text)
        for frame in range(3):
            whole = (len(text) - frame) // 3
            if whole < shortest:
                continue
            triple = base[frame : frame + 3 * whole].reshape(whole, 3)
            codons = np.where((triple > 3).any(axis=1), -1, triple @ np.array([16, 4, 1]))
            ends = np.flatnonzero(np.isin(codons, stops))
            bounds = np.append(ends, whole)
            firsts = np.concatenate([[0], ends + 1])
            if begin != "any":
                at = np.append(np.flatnonzero(np.isin(codons, starts)), whole)
                firsts = at[np.searchsorted(at, firsts)]
            for number in np.flatnonzero(bounds - firsts >= shortest):
                first, last, complete = int(firsts[number]), int(bounds[number]), bool(bounds[number] < whole)
                found.append((last - first, strand * (frame + 1), frame + 3 * first, frame + 3 * (last + complete), complete))
    found.sort(key=lambda orf: (-orf[0], orf[2]))
    made = []
    texts = dict(strands)
    for _, frame, start, end, complete in found[:most]:
        strand = 1 if frame > 0 else -1
        protein = translate(texts[strand][start:end], table=code)
        protein = protein[:-1] if complete else protein
        protein = "M" + protein[1:] if begin != "any" and protein else protein
        where = (start, end) if strand > 0 else (len(sequence) - end, len(sequence) - start)
        made.append(Orf(*where, frame, protein, complete))
    return sorted(made, key=lambda orf: (orf.start, orf.end)), len(found)


def _numbers(text: str) -> np.ndarray:
    table = np.full(256, 4, dtype=np.int64)
    table[np.frombuffer(b"TCAG", np.uint8)] = np.arange(4)
    return table[letters(text)]


def _codons(names: list[str]) -> np.ndarray:
    return np.array([_numbers(name) @ np.array([16, 4, 1]) for name in names])
