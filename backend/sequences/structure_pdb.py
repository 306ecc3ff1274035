"""A predicted structure as PDB text with its confidence in the B-factor column, and its expected errors in few bytes."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, ModelCard
from backend.sequences.records import SequenceRecord

_STEP = 0.25  # ångströms; expected errors run to 32
_THREE = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split(),
        strict=True,
    )
)
_MOST_ATOMS, _MOST_NUMBER = 99_999, 9_999  # what the format's columns hold


def to_pdb(folded: Any, record: SequenceRecord, card: ModelCard) -> str:
    """One chain A, residues in the user's numbering, every atom with its residue's pLDDT; the head says what made it.

    Where the user's numbers do not fit the format's four columns, residues are counted from 1.
    """
    places = record.all_places()
    if places[0] < -999 or places[-1] > _MOST_NUMBER:
        places = list(range(1, len(places) + 1))
    head = ["PREDICTION BY ESMFOLD, NOT AN EXPERIMENT"]
    if card.untrained:
        head.append("UNTRAINED WEIGHTS: FOR TESTING THE LOADER, THE STRUCTURE MEANS NOTHING")
    lines = [f"TITLE     {head[0]}", *(f"REMARK   1 {line}" for line in head[1:])]
    lines += [f"REMARK   1 MODEL {_ascii(card.title)}", f"REMARK   1 SEQUENCE {_ascii(record.id)}"]
    lines.append("REMARK   1 B-FACTOR COLUMN: PLDDT, CONFIDENCE FROM 0 TO 100")
    number = 0
    for at, (letter, place) in enumerate(zip(record.sequence, places, strict=True)):
        name, sure = _THREE.get(letter, "UNK"), float(folded.plddt[at])
        for atom, (x, y, z), there in zip(folded.atoms, folded.positions[at], folded.exists[at], strict=True):
            if there:
                number = number % _MOST_ATOMS + 1
                lines.append(
                    f"ATOM  {number:>5} {atom if len(atom) == 4 else f' {atom:<3}'} {name} A{place:>4}    "
                    f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00{sure:6.2f}          {atom[0]:>2}"
                )
    lines += [f"TER   {number % _MOST_ATOMS + 1:>5}      {_THREE.get(record.sequence[-1], 'UNK')} A{places[-1]:>4}", "END"]
    return "\n".join(lines) + "\n"


def pack_errors(errors: NDArray[np.float32]) -> dict[str, Json]:
    """A square of expected errors (ångströms) in steps of 0.25."""
    steps = np.clip(np.rint(errors / _STEP), 0, 255).astype(np.uint8)
    return {"size": len(errors), "step": _STEP, "packed": base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()}


def unpack_errors(packed: Mapping[str, Json]) -> NDArray[np.float32]:
    """What `pack_errors` packed, (n, n) in ångströms."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(str(packed["packed"]))), np.uint8)
    return (steps.reshape(int(packed["size"]), -1) * float(packed["step"])).astype(np.float32)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode().upper()[:60]
