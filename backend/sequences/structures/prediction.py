"""Is the B-factor column a predictor's confidence? AlphaFold, ESMFold and their kin put pLDDT there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backend.sequences.structures.model import Residue

BANDS = (("very low", 0.0), ("low", 50.0), ("confident", 70.0), ("very high", 90.0))
"""AlphaFold's four bands: name and lower bound (Jumper et al. 2021, doi:10.1038/s41586-021-03819-2; AlphaFold DB)."""

_NAMED = re.compile(rb"alphafold|esmfold|colabfold|openfold|rosettafold|boltz-?[12]|chai-1", re.I)
_QUALITY = re.compile(rb"_ma_qa_metric\.|_ma_qa_metric_local\.|plddt", re.I)
_HEAD = 60_000  # bytes of a file in which a predictor names itself


def recognise(info: Mapping[str, str], data: bytes, residues: Sequence[Residue], spread: bool) -> tuple[bool, str, float]:
    """Whether the structure is a prediction with pLDDT in its B-factor column.

    Parameters
    ----------
    spread : bool
        Whether B-factors differ within a residue. A predictor writes one value to all atoms of a residue.

    Returns
    -------
    (bool, str, float)
        Whether, what that was concluded from, and the factor that brings the values to 0 to 100.
    """
    values = [residue.b for residue in residues]
    low, high = min(values), max(values)
    if low < 0 or high > 100 or high == 0:
        return False, "", 1.0
    experiment = info.get("_exptl.method", "").strip().upper()
    if experiment and "THEORETICAL" not in experiment and "PREDICT" not in experiment:
        return False, "", 1.0
    head = data[:_HEAD]
    named = _NAMED.search(head)
    metric = _QUALITY.search(head)
    if not named and not metric:
        if spread or experiment or low == high or info.get("_cell.Z_PDB", "1") not in ("", "1"):
            return False, "", 1.0
        reason = "The file names no experiment, and every residue has one B-factor for all its atoms, between 0 and 100"
    elif named:
        reason = f"The file names {named.group().decode()}"
    else:
        reason = "The file declares a pLDDT score"
    factor = 100.0 if high <= 1.0 else 1.0
    scaled = "; its values from 0 to 1 were multiplied by 100" if factor == 100.0 else ""
    return True, f"{reason}: its B-factor column is read as confidence (pLDDT){scaled}.", factor


def band(value: float) -> str:
    """The band of a pLDDT value."""
    return next(name for name, bound in reversed(BANDS) if value >= bound or bound == 0.0)
