"""A structure's chains as sequence records, with everything that reading had to decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.sequences.records import Alteration, Entry, SequenceRecord, Span
from backend.sequences.structures.model import Chain, Structure
from backend.sequences.structures.reading import read_structure

_STANDARD = frozenset("ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL A C G U DA DC DG DT".split())
_WORDS = {"protein": "amino acids", "dna": "deoxyribonucleotides", "rna": "ribonucleotides"}


def chain_records(path: Path, name: str = "") -> list[SequenceRecord]:
    """One record a polymer chain, of its observed residues; its id is the chain's name.

    Raises
    ------
    InputError
        When the file cannot be read, or holds neither protein nor nucleic acid.
    """
    return as_records(read_structure(path, name))


def as_records(structure: Structure) -> list[SequenceRecord]:
    """The records of a structure that was read already."""
    taken: dict[str, int] = {}
    return [_record(structure, chain, _unique(chain.name, taken)) for chain in structure.chains]


def _unique(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}_{taken[name]}"


def _record(structure: Structure, chain: Chain, record_id: str) -> SequenceRecord:
    numbers = np.array([residue.number for residue in chain.residues], np.int64)
    rising = bool(np.all(np.diff(numbers) > 0)) and not any(residue.insertion for residue in chain.residues)
    places = numbers if rising else np.arange(1, len(numbers) + 1, dtype=np.int64)
    alterations: list[Alteration] = []
    if not rising:
        codes = [f"{residue.label}" for residue in chain.residues if residue.insertion]
        why = f"insertion codes ({', '.join(codes[:6])}{' ...' if len(codes) > 6 else ''})" if codes else "an order that does not rise"
        text = (
            f"The authors' numbers have {why}; residues are counted 1 to {len(numbers)} instead, "
            f"from {chain.residues[0].label} to {chain.residues[-1].label}."
        )
        alterations.append(Alteration("numbering", text, ((1, len(numbers)),)))
    alterations += _modified(chain, places)
    alterations += _missing(chain, places)
    several = [at for at, residue in enumerate(chain.residues) if residue.altlocs]
    if several:
        count = f"{len(several)} {'residue has' if len(several) == 1 else 'residues have'}"
        text = f"{count} alternative positions; that of highest occupancy is read."
        alterations.append(Alteration("altloc", text, _spans(several, places)))
    if structure.models > 1:
        text = f"The file has {structure.models} models; this is the chain of the first."
        alterations.append(Alteration("model", text))
    plain = rising and int(places[0]) == 1 and int(places[-1]) == len(places)
    entry = Entry(
        id=record_id,
        name=chain.name,
        kind=chain.kind,
        why=f"Its residues are {_WORDS[chain.kind]}",
        length=len(chain.residues),
        alterations=tuple(alterations),
        description=f"{structure.title or structure.name}, chain {chain.name}",
    )
    return SequenceRecord(entry, chain.sequence, None if plain else places)


def _modified(chain: Chain, places: np.ndarray) -> list[Alteration]:
    """Residues outside the standard set, each name with the letter that it is read as."""
    found: dict[tuple[str, str], list[int]] = {}
    for at, residue in enumerate(chain.residues):
        if residue.name not in _STANDARD:
            found.setdefault((residue.name, residue.letter), []).append(at)
    made = []
    for (name, letter), where in found.items():
        known = letter not in "XN" or name in ("UNK", "N", "DN")
        text = f"{name} at {_listed(where, chain)} is read as {letter}" + ("." if known else ": its parent residue is not known.")
        made.append(Alteration("modified", text, _spans(where, places)))
    return made


def _missing(chain: Chain, places: np.ndarray) -> list[Alteration]:
    return [
        Alteration("missing", f"{gap.text[:1].upper()}{gap.text[1:]}; the record has what was observed.", _around(gap.after, places))
        for gap in chain.gaps
    ]


def _around(after: int, places: np.ndarray) -> tuple[Span, ...]:
    """The observed neighbours of a gap."""
    sides = [at for at in (after, after + 1) if 0 <= at < len(places)]
    return ((int(places[sides[0]]), int(places[sides[-1]])),)


def _listed(where: list[int], chain: Chain) -> str:
    labels = [chain.residues[at].label for at in where]
    return f"{', '.join(labels[:8])}{f' and {len(labels) - 8} more' if len(labels) > 8 else ''}"


def _spans(where: list[int], places: np.ndarray) -> tuple[Span, ...]:
    spans: list[tuple[int, int]] = []
    for at in where:
        place = int(places[at])
        if spans and spans[-1][1] == place - 1:
            spans[-1] = (spans[-1][0], place)
        else:
            spans.append((place, place))
    return tuple(spans)
