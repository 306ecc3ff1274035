"""A nucleic acid read as codons: in which frame and why, with the protein it codes for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.models.codons import CODONS
from backend.sequences.overview_orfs import find_orfs, genetic_codes
from backend.sequences.records import SequenceRecord

FRAMES = ("auto", "1", "2", "3")
LEAST_ORF = 20  # residues; shorter ones turn up by chance


@dataclass(frozen=True)
class Reading:
    """A record as codons.

    Attributes
    ----------
    sequence : str
        All its letters as DNA.
    start, end : int
        Half-open letters that are read; a multiple of three lies between them.
    codons : tuple of str
    amino : str
        One letter a codon: ``*`` a stop, X where a letter is none of A, C, G, T.
    why : str
        How the frame was chosen, in words.
    """

    sequence: str
    start: int
    end: int
    codons: tuple[str, ...]
    amino: str
    why: str

    @property
    def left_over(self) -> int:
        """Letters after the last whole codon up to the end of the record, where the frame runs to its end; else 0."""
        rest = len(self.sequence) - self.end
        return rest if rest < 3 else 0


def genetic_code(number: Any) -> dict[str, str]:
    """Amino acid of each codon by one of NCBI's genetic codes, ``*`` for a stop.

    Raises
    ------
    InputError
        When there is no such code.
    """
    from Bio.Data import CodonTable

    if int(number) not in CodonTable.unambiguous_dna_by_id:
        raise InputError(f"There is no genetic code {number}.", f"NCBI's codes are: {', '.join(map(str, genetic_codes()))}.")
    table = CodonTable.unambiguous_dna_by_id[int(number)]
    return {codon: table.forward_table.get(codon, "*") for codon in CODONS}


def read_codons(record: SequenceRecord, frame: str, code: int) -> Reading:
    """The codons of a record.

    Parameters
    ----------
    frame : str
        ``1``, ``2``, ``3``: from that letter to the end. ``auto``: the longest reading frame that begins with ATG on the given strand and
        has at least 20 residues, its stop codon included; from the first letter where there is none.

    Raises
    ------
    InputError
        For a frame that is none, or a record without one whole codon in it.
    """
    if frame not in FRAMES:
        raise InputError(f"'{frame}' is no reading frame.", f"Frames are: {', '.join(FRAMES)}.")
    sequence, table = record.sequence.replace("U", "T"), genetic_code(code)
    start, end, why = 0, len(sequence), ""
    if frame == "auto":
        orfs, _ = find_orfs(sequence, code, LEAST_ORF, both=False)
        if orfs:
            longest = max(orfs, key=lambda orf: orf.end - orf.start)
            start, end = longest.start, longest.end
            why = f"the longest reading frame from an ATG{'' if longest.complete else ', which ends with the record rather than a stop'}"
        else:
            why = f"from the first base: no reading frame from an ATG has {LEAST_ORF} residues or more"
    else:
        start, why = int(frame) - 1, f"from base {frame}, as asked"
    end -= (end - start) % 3
    if end - start < 3:
        raise InputError(f"{record.id} holds no whole codon in frame {frame}.", "Give at least three bases.")
    codons = tuple(sequence[at : at + 3] for at in range(start, end, 3))
    return Reading(sequence, start, end, codons, "".join(table.get(codon, "X") for codon in codons), why)


def told_of(record: SequenceRecord, reading: Reading) -> list[str]:
    """What the reader must know of the reading itself."""
    told = []
    if "U" in record.sequence:
        told.append(f"{record.id}: {record.sequence.count('U'):,} U were read as T.")
    if reading.start or reading.end < len(reading.sequence) - 2:
        told.append(
            f"{record.id}: codons were read from {record.place(reading.start):,} to {record.place(reading.end - 1):,}, {reading.why}; "
            "the rest was not read."
        )
    if reading.left_over:
        one = reading.left_over == 1
        told.append(
            f"{record.id}: the last {'base makes' if one else 'two bases make'} no whole codon and {'was' if one else 'were'} not read."
        )
    if odd := [i for i, codon in enumerate(reading.codons) if codon not in CODONS]:
        named = ", ".join(f"{reading.codons[i]} at {record.place(reading.start + 3 * i):,}" for i in odd[:6])
        many, were = ("codons hold", "were") if len(odd) > 1 else ("codon holds", "was")
        told.append(f"{record.id}: {len(odd):,} {many} a letter other than A, C, G, T and {were} read as unknown ({named}).")
    if stops := reading.amino[:-1].count("*"):
        told.append(
            f"{record.id}: {stops:,} stop codon{'s stand' if stops != 1 else ' stands'} inside what was read: perhaps not a reading frame."
        )
    return told


def usage(codons: Sequence[str]) -> NDArray[np.float64]:
    """ln p of each codon by how often the others of the same sequence are it, each of the 64 counted once more; NaN for an unknown."""
    counts = Counter(codon for codon in codons if codon in CODONS)
    total = sum(counts.values()) - 1 + len(CODONS)
    return np.array([np.log(counts[codon] / total) if codon in CODONS else np.nan for codon in codons])


def synonyms(table: Mapping[str, str]) -> NDArray[np.bool_]:
    """Whether two codons code for the same, (64, 64) in the order of `CODONS`."""
    amino = np.array([table[codon] for codon in CODONS])
    return np.asarray(amino[:, None] == amino[None, :])
