"""What a nucleic acid's letters alone tell: composition, GC, skew, weight, codons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json

_WATER = 18.0153  # Da
_MOST_WINDOWS = 500


def letters(sequence: str) -> NDArray[np.uint8]:
    """The sequence as ASCII codes, U as T."""
    return np.frombuffer(sequence.replace("U", "T").encode("ascii", "replace"), dtype=np.uint8)


def gc_share(counts: Mapping[str, int]) -> dict[str, Json]:
    """G, C and S of all letters that are certainly strong or weak; other ambiguous letters are counted in neither."""
    strong = sum(counts.get(letter, 0) for letter in "GCS")
    weak = sum(counts.get(letter, 0) for letter in "ATUW")
    left = sum(counts.values()) - strong - weak
    note = f"{left:,} ambiguous letters are in neither part" if left else ""
    return {"value": round(strong / (strong + weak), 4) if strong + weak else None, "note": note}


def strand_weight(sequence: str, kind: str) -> dict[str, Json]:
    """Average mass of one linear strand with a 5' phosphate, Da; lightest and heaviest reading where letters leave it open."""
    from Bio.Data import IUPACData

    dna = kind == "dna"
    masses = IUPACData.unambiguous_dna_weights if dna else IUPACData.unambiguous_rna_weights
    readings = IUPACData.ambiguous_dna_values if dna else IUPACData.ambiguous_rna_values
    low = high = _WATER
    unsure = 0
    for letter, count in Counter(sequence).items():
        fitting = [masses[reading] - _WATER for reading in readings.get(letter, "ACGT" if dna else "ACGU")]
        unsure += count if len(fitting) > 1 else 0
        low, high = low + count * min(fitting), high + count * max(fitting)
    low, high = round(low, 2), round(high, 2)
    note = f"{unsure:,} ambiguous letters: lightest and heaviest reading" if unsure else ""
    return {"value": low if low == high else None, "low": low, "high": high, "unit": "Da", "note": note}


def windows(sequence: str, window: int) -> dict[str, Json]:
    """GC share and GC skew, (G - C) / (G + C), of windows side by side; null where a window has no such letter.

    Parameters
    ----------
    window : int
        Letters; 0 chooses a length that gives at most 500 windows, at least 50 letters.
    """
    length = len(sequence)
    size = min(window or max(50, -(-length // _MOST_WINDOWS)), length)
    starts = np.arange(0, length, size)
    codes = letters(sequence)

    def count(of: str) -> NDArray[np.int64]:
        return np.add.reduceat(np.isin(codes, np.frombuffer(of.encode(), np.uint8)).astype(np.int64), starts)

    g, c, strong, weak = count("G"), count("C"), count("GCS"), count("ATW")
    with np.errstate(invalid="ignore", divide="ignore"):
        gc, skew = strong / (strong + weak), (g - c) / (g + c)
    return {"window": int(size), "starts": starts.tolist(), "gc": _rounded(gc), "skew": _rounded(skew)}


def codon_usage(coding: str, code: int) -> dict[str, Json]:
    """Codons of a coding sequence in frame: count, per thousand, and relative synonymous usage (Sharp et al. 1986)."""
    from Bio.Data import CodonTable

    table = CodonTable.unambiguous_dna_by_id[code]
    amino = {**table.forward_table, **dict.fromkeys(table.stop_codons, "*")}
    coding = coding.replace("U", "T")
    found = Counter(coding[at : at + 3] for at in range(0, len(coding) - 2, 3))
    known = {codon: found.get(codon, 0) for codon in sorted(amino)}
    total, family = sum(known.values()), Counter(amino.values())
    by_amino: Counter[str] = Counter()
    for codon, count in known.items():
        by_amino[amino[codon]] += count
    rows = [
        {
            "codon": codon,
            "amino": amino[codon],
            "count": count,
            "per_thousand": round(1000 * count / total, 2) if total else 0.0,
            "rscu": round(count * family[amino[codon]] / by_amino[amino[codon]], 3) if by_amino[amino[codon]] else None,
        }
        for codon, count in known.items()
    ]
    return {"codons": total, "ambiguous": sum(found.values()) - total, "rows": rows}


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 4) for value in values]
