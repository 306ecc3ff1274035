"""What a protein's letters alone tell: weight, charge, hydropathy, absorbance; and how each number treats uncertain letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json

TWENTY = "ACDEFGHIKLMNPQRSTVWY"
_WATER = 18.0153  # Da
_READINGS = {"B": "DN", "Z": "EQ", "J": "IL", "X": TWENTY + "UO"}


def protein_numbers(sequence: str) -> dict[str, Json]:
    """Each number as ``{"value", "low", "high", "unit", "note"}``; bounds instead of a value where letters leave it open.

    Weight: average masses, unmodified chain, Da. pI: Bjellqvist's pK values as in Biopython. GRAVY: Kyte and Doolittle 1982,
    doi:10.1016/0022-2836(82)90515-0. Instability: Guruprasad et al. 1990, doi:10.1093/protein/4.2.155. Extinction at 280 nm: Pace et
    al. 1995, doi:10.1002/pro.5560041120.
    """
    from Bio.SeqUtils.IsoelectricPoint import IsoelectricPoint
    from Bio.SeqUtils.ProtParam import ProteinAnalysis
    from Bio.SeqUtils.ProtParamData import kd

    counts = Counter(sequence)
    odd = {letter: count for letter, count in counts.items() if letter not in TWENTY}
    unsure = "".join(sorted(set(odd) & set(_READINGS)))
    low, high = _weights(counts)
    numbers: dict[str, Json] = {"weight": _number(low, high, "Da", f"{unsure} left open: lightest and heaviest reading" if unsure else "")}

    acid = sequence.replace("B", "D").replace("Z", "E")
    neutral = sequence.replace("B", "N").replace("Z", "Q")
    if "X" in counts:
        numbers["pi"] = _none("", f"not given: {counts['X']:,} unknown residues (X) may be charged")
    else:
        note = "B, Z read as acids for the lower, as amides for the upper bound" if acid != neutral else ""
        numbers["pi"] = _number(IsoelectricPoint(acid).pi(), IsoelectricPoint(neutral).pi(), "", note)

    known = [kd[letter] for letter in sequence if letter in kd]
    share = len(known) / len(sequence)
    partly = "" if share == 1 else f"over the {len(known):,} of {len(sequence):,} residues that have a value"
    numbers["gravy"] = _number(float(np.mean(known)), None, "", partly) if known else _none("", "no residue has a value")
    aromatic = sum(counts[letter] for letter in "FWY")
    numbers["aromaticity"] = _number(aromatic / len(known), None, "", partly) if known else _none("", "no residue is known")
    if odd or len(sequence) < 2:
        numbers["instability"] = _none(
            "", f"not given: pairs with {', '.join(sorted(odd))} have no weight" if odd else "not given: no pair"
        )
    else:
        numbers["instability"] = _number(ProteinAnalysis(sequence).instability_index(), None, "", "above 40: likely unstable in a tube")
    base = 5500 * counts["W"] + 1490 * counts["Y"]
    least = "at least: X may be W, Y or C" if "X" in counts else ""
    numbers["extinction_reduced"] = _number(base, None, "M⁻¹ cm⁻¹", least)
    numbers["extinction_cystines"] = _number(base + 125 * (counts["C"] // 2), None, "M⁻¹ cm⁻¹", least)
    return numbers


def hydropathy(sequence: str, window: int) -> NDArray[np.float64]:
    """Mean Kyte-Doolittle value of the window about each residue; NaN at the ends and where the window holds a letter without one."""
    from Bio.SeqUtils.ProtParamData import kd

    table = np.full(128, np.nan)
    for letter, value in kd.items():
        table[ord(letter)] = value
    values = table[np.minimum(np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8), 127)]
    made = np.full(len(sequence), np.nan)
    if len(sequence) >= window:
        made[window // 2 : len(sequence) - (window - 1) // 2] = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    return made


def _weights(counts: Mapping[str, int]) -> tuple[float, float]:
    """Lightest and heaviest average mass in Da, of every reading of the letters."""
    from Bio.Data.IUPACData import protein_weights

    low = high = _WATER
    for letter, count in counts.items():
        masses = [protein_weights[reading] - _WATER for reading in _READINGS.get(letter, letter)]
        low, high = low + count * min(masses), high + count * max(masses)
    return low, high


def _number(low: float, high: float | None, unit: str, note: str) -> dict[str, Json]:
    low, high = round(float(low), 4), round(float(low if high is None else high), 4)
    return {"value": low if low == high else None, "low": min(low, high), "high": max(low, high), "unit": unit, "note": note}


def _none(unit: str, note: str) -> dict[str, Json]:
    return {"value": None, "low": None, "high": None, "unit": unit, "note": note}
