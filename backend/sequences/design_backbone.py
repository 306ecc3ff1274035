"""What ProteinMPNN is given of a structure: whole backbones, who is designed, who stays, and everything that it will not see."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.sequences.structures import Chain, Structure

MOST_RESIDUES = 3_000
_SPAN = re.compile(r"(-?\d+[A-Za-z]?)(?:\s*-\s*(-?\d+[A-Za-z]?))?")
_HINT = "Write them as the file numbers them: A:1-10 A:25; B:7, or B for a whole chain."


@dataclass(frozen=True)
class Site:
    """One residue of the backbone: chain, index among the chain's observed residues, the author's number, its letter."""

    chain: str
    index: int
    label: str
    letter: str


@dataclass(frozen=True)
class Problem:
    """A backbone with its task: n residues that the network reads.

    Attributes
    ----------
    coordinates : (n, 4, 3)
    numbers, chains : (n,)
        See `backend.models.families.proteinmpnn.Network.encode`.
    designed : (n,)
        True where a letter is to be chosen; the others keep theirs and are seen.
    """

    sites: tuple[Site, ...]
    coordinates: NDArray[np.float32]
    numbers: NDArray[np.int64]
    chains: NDArray[np.int64]
    designed: NDArray[np.bool_]
    warnings: tuple[str, ...]

    @property
    def sequence(self) -> str:
        """The native letters."""
        return "".join(site.letter for site in self.sites)


def pose(structure: Structure, chains: Sequence[str], fixed: str) -> Problem:
    """The problem of designing some chains of a structure.

    Parameters
    ----------
    chains : sequence of str
        Names of the chains to design; all protein chains where none is named.
    fixed : str
        Residues that keep their letter, see `parse_fixed`.

    Raises
    ------
    InputError
        When there is no protein backbone, a chain or residue named is not there, or nothing is left to design.
    """
    proteins = {chain.name: chain for chain in structure.chains if chain.kind == "protein"}
    if not proteins:
        kinds = sorted({{"dna": "DNA", "rna": "RNA"}.get(chain.kind, chain.kind) for chain in structure.chains})
        raise InputError(f"{structure.name} holds no protein, only {' and '.join(kinds)}.", "Choose a structure with a protein chain.")
    for name in chains:
        if name not in proteins:
            other = " It is a nucleic acid." if any(chain.name == name for chain in structure.chains) else ""
            raise InputError(f"{structure.name} has no protein chain {name}.{other}", f"Its protein chains are {', '.join(proteins)}.")
    wanted = set(chains or proteins)
    kept = parse_fixed(fixed, proteins, wanted)
    sites: list[Site] = []
    coordinates, numbers, owners = [], [], []
    for number, chain in enumerate(proteins.values()):
        for at, place in zip(whole(chain), steps(chain), strict=True):
            residue = chain.residues[at]
            sites.append(Site(chain.name, at, residue.label, residue.letter))
            coordinates.append(chain.coordinates[at])
            numbers.append(place)
            owners.append(number)
    if not sites:
        raise InputError(
            f"{structure.name} holds no residue with N, CA, C and O.", "Give a structure with the whole backbone, not CA atoms only."
        )
    if len(sites) > MOST_RESIDUES:
        raise InputError(
            f"{structure.name} has {len(sites):,} residues with a backbone; at most {MOST_RESIDUES:,} are read.",
            "Cut out the chains that you need.",
        )
    designed = np.array([site.chain in wanted and (site.chain, site.label) not in kept for site in sites])
    if not designed.any():
        raise InputError("Every residue is fixed: there is nothing to design.", "Fix fewer residues, or design another chain.")
    return Problem(
        tuple(sites),
        np.array(coordinates, np.float32),
        np.array(numbers, np.int64),
        np.array(owners, np.int64),
        designed,
        tuple(_told(structure, proteins, wanted, kept, sites)),
    )


def parse_fixed(text: str, proteins: Mapping[str, Chain], wanted: set[str]) -> set[tuple[str, str]]:
    """Chain and author's number of every residue named in ``A:1-10 A:25; B``; without a chain where only one is designed.

    Raises
    ------
    InputError
        When a part names no residue.
    """
    kept: set[tuple[str, str]] = set()
    for part in re.split(r"[\s,;]+", re.sub(r"\s*-\s*(?=\d)", "-", text.strip())):
        if not part:
            continue
        name, _, rest = part.rpartition(":")
        if not name and part in proteins and not (len(wanted) == 1 and _SPAN.fullmatch(part)):
            kept |= {(part, residue.label) for residue in proteins[part].residues}
            continue
        if not name and len(wanted) > 1:
            raise InputError(f"'{part}' names no chain, and {len(wanted)} are designed.", _HINT)
        name = name or next(iter(wanted))
        found = _SPAN.fullmatch(rest)
        if found is None or name not in proteins:
            raise InputError(f"'{part}' names no residue of {', '.join(proteins)}.", _HINT)
        chain = proteins[name]
        first, last = chain.index(found[1]), chain.index(found[2] or found[1])
        if last < first:
            raise InputError(f"'{part}' ends before it begins.", _HINT)
        kept |= {(name, residue.label) for residue in chain.residues[first : last + 1]}
    return kept


def whole(chain: Chain) -> list[int]:
    """Indices of the residues whose N, CA, C and O are all there."""
    return [int(at) for at in np.flatnonzero(np.isfinite(chain.coordinates).all(axis=(1, 2)))]


def steps(chain: Chain) -> list[int]:
    """Place along the chain of those residues: one apart, more where the author's numbers leave room; insertion codes take a place each."""
    made, place, last = [], 0, None
    kept = set(whole(chain))
    for at, residue in enumerate(chain.residues):
        place += 1 if last is None else max(1, residue.number - last)
        last = residue.number
        if at in kept:
            made.append(place)
    return made


def _told(
    structure: Structure, proteins: Mapping[str, Chain], wanted: set[str], kept: set[tuple[str, str]], sites: Sequence[Site]
) -> list[str]:
    """What the network does not see, or sees otherwise than the reader might think."""
    told = []
    for chain in proteins.values():
        seen = set(whole(chain))
        lacking = [residue.label for at, residue in enumerate(chain.residues) if at not in seen]
        if lacking:
            told.append(
                f"Chain {chain.name}: {_listed(lacking)} {_has(lacking)} no whole backbone (N, CA, C, O) and {_is(lacking)} left out."
            )
        inside = [gap for gap in chain.gaps if 0 <= gap.after < len(chain.residues) - 1]
        if inside:
            told.append(f"Chain {chain.name} has {len(inside)} gap{'s' * (len(inside) > 1)}: {'; '.join(gap.text for gap in inside[:3])}"
                        f"{' ...' if len(inside) > 3 else ''}. Nothing is designed there.")  # fmt: skip
        codes = [residue.label for residue in chain.residues if residue.insertion]
        if codes:
            told.append(f"Chain {chain.name} has insertion codes ({_listed(codes)}); each counts as one step along the chain.")
        turned = [f"{residue.name} {residue.label}" for residue in chain.residues if residue.letter not in "ACDEFGHIKLMNPQRSTVWY"]
        if turned:
            told.append(
                f"Chain {chain.name}: {_listed(turned)} {_is(turned)} none of the twenty amino acids; recovery leaves {_them(turned)} out."
            )
    context = [name for name in proteins if name not in wanted]
    if context:
        told.append(f"Chain {', '.join(context)} keeps its sequence and is seen as surroundings.")
    nucleic = [chain.name for chain in structure.chains if chain.kind != "protein"]
    if nucleic:
        told.append(f"Chain {', '.join(nucleic)} is nucleic acid, which ProteinMPNN does not see: fix the residues that touch it.")
    if structure.ligands:
        names = sorted({ligand.name for ligand in structure.ligands})
        told.append(f"{_listed(names)} {_is(names)} not seen: fix the residues that bind.")
    if structure.is_prediction:
        told.append("The structure is a prediction: where its confidence is low, so is the worth of a design.")
    return told


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
