"""Read a structure with gemmi: chains, one conformation, missing residues, modified residues, ligands, confidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import InputError
from backend.sequences.records import Kind
from backend.sequences.structures.model import BACKBONE, Chain, Gap, Ligand, Residue, Structure
from backend.sequences.structures.parsing import parse
from backend.sequences.structures.prediction import recognise

# parents of modified bases that gemmi's table lacks (PDB Chemical Component Dictionary)
_PARENTS = {
    "5MC": "C",
    "OMC": "C",
    "OMG": "G",
    "2MG": "G",
    "M2G": "G",
    "5MU": "U",
    "YYG": "G",
    "YG": "G",
    "4SU": "U",
    "OMU": "U",
    "MIA": "A",
}
_PEPTIDE_BOND = 2.0  # ångströms from C to the next N; the bond itself measures 1.33
_SUGAR_BOND = 2.5  # ångströms from O3' to the next P; the bond itself measures 1.6


def read_structure(path: Path, name: str = "") -> Structure:
    """Read a PDB or mmCIF file, also packed.

    Of several models the first is read; of alternative positions, in each residue, that of highest occupancy.

    Raises
    ------
    InputError
        When it cannot be read, or holds neither protein nor nucleic acid.
    """
    found, form, data = parse(path, name or path.name)
    return describe(found, form, data, name or path.name)


def describe(found: Any, form: str, data: bytes, name: str) -> Structure:
    """A `Structure` of what gemmi read."""
    notes: list[str] = []
    if len(found) > 1:
        notes.append(f"The file has {len(found)} models; the first is read.")
    model = found[0]
    chains: list[Chain] = []
    ligands: list[Ligand] = []
    waters = altlocs = 0
    for each in model:
        waters += len(each.get_waters())
        for residue in each.get_ligands():
            ligands.append(Ligand(residue.name, _chain_name(each), _label(residue), len(residue)))
        made = _chain(found, each)
        if made is not None:
            chains.append(made)
            altlocs += sum(1 for residue in made.residues if residue.altlocs)
    if not chains:
        what = f"only {', '.join(sorted({ligand.name for ligand in ligands})[:5])}" if ligands else "only water or unknown atoms"
        raise InputError(f"{name} holds neither protein nor nucleic acid: {what}.", "Choose a file with at least one chain of residues.")
    if altlocs:
        notes.append(
            f"{altlocs} {'residue has' if altlocs == 1 else 'residues have'} alternative positions; that of highest occupancy is read."
        )
    sparse = [chain.name for chain in chains if chain.kind == "protein" and not any(residue.backbone for residue in chain.residues)]
    if sparse:
        notes.append(f"No whole backbone in chain {', '.join(sparse)}: the file gives CA atoms or less.")
    if found.non_ascii_line:
        notes.append(f"Line {found.non_ascii_line} holds letters outside ASCII; the coordinates are not touched by it.")
    info = dict(found.info)
    prediction, how, factor = recognise(info, data, [residue for chain in chains for residue in chain.residues], _spread(model))
    if factor != 1.0:
        chains = [_scaled(chain, factor) for chain in chains]
    return Structure(
        name=name,
        format=form,
        title=info.get("_struct.title", "").strip(),
        chains=tuple(chains),
        ligands=tuple(ligands),
        waters=waters,
        models=len(found),
        atoms=model.count_atom_sites(),
        method=info.get("_exptl.method", "").strip().lower(),
        resolution=round(found.resolution, 3) or None,
        is_prediction=prediction,
        how=how,
        altlocs=altlocs,
        notes=tuple(notes),
    )


def best_altloc(residue: Any) -> str:
    """The alternative position of highest summed occupancy; the first letter among equals; a NUL where there is none."""
    weights: dict[str, float] = {}
    for atom in residue:
        if atom.altloc != "\0":
            weights[atom.altloc] = weights.get(atom.altloc, 0.0) + atom.occ
    return min(weights, key=lambda letter: (-weights[letter], letter)) if weights else "\0"


def polymer(each: Any) -> list[Any]:
    """Residues of a chain's polymer, one a place: of residues that share a number, that of highest occupancy."""
    chosen: dict[str, Any] = {}
    for residue in each.get_polymer():
        held = chosen.get(_label(residue))
        if held is None or _occupancy(residue) > _occupancy(held):
            chosen[_label(residue)] = residue
    return list(chosen.values())


def _occupancy(residue: Any) -> float:
    return max((atom.occ for atom in residue), default=0.0)


def _chain_name(each: Any) -> str:
    return each.name.strip() or "_"


def _label(residue: Any) -> str:
    return f"{residue.seqid.num}{residue.seqid.icode.strip()}"


def _chain(found: Any, each: Any) -> Chain | None:
    import gemmi

    span = each.get_polymer()
    if not len(span):
        return None
    kind = _kind(span.check_polymer_type(), gemmi)
    if kind is None:
        return None
    observed = polymer(each)
    parents = {modified.res_id.name: modified.parent_comp_id for modified in found.mod_residues}
    seen = _altlocs(span)
    atoms = [_atoms(residue) for residue in observed]
    residues = tuple(_residue(residue, mine, kind, parents, seen) for residue, mine in zip(observed, atoms, strict=True))
    coordinates = np.full((len(residues), 4, 3), np.nan, np.float32)
    for at, mine in enumerate(atoms):
        for column, name in enumerate(BACKBONE):
            if kind == "protein" and name in mine:
                coordinates[at, column] = mine[name].pos.tolist()
    entity = found.get_entity_of(span)
    declared = [name.split(",")[0] for name in entity.full_sequence] if entity is not None else []
    full = "".join(_letter(name, kind, parents) for name in declared)
    labels = [residue.label_seq for residue in observed]
    gaps = _declared_gaps(residues, labels, full) if full and any(labels) else _seen_gaps(residues, atoms, kind)
    return Chain(_chain_name(each), kind, residues, gaps, full, coordinates)


def _kind(polymer_type: Any, gemmi: Any) -> Kind | None:
    types = gemmi.PolymerType
    if polymer_type in (types.PeptideL, types.PeptideD, types.CyclicPseudoPeptide):
        return "protein"
    if polymer_type == types.Dna:
        return "dna"
    return "rna" if polymer_type in (types.Rna, types.DnaRnaHybrid) else None


def _altlocs(span: Any) -> dict[str, str]:
    """Letters of alternative positions, by residue number: of atoms, or of residues that share a place."""
    seen: dict[str, set[str]] = {}
    for residue in span:
        seen.setdefault(_label(residue), set()).update(atom.altloc for atom in residue if atom.altloc != "\0")
    return {label: "".join(sorted(letters)) for label, letters in seen.items()}


def _atoms(residue: Any) -> dict[str, Any]:
    """Atoms by name, of the chosen position."""
    best = best_altloc(residue)
    return {atom.name: atom for atom in residue if atom.altloc in ("\0", best)}


def _residue(residue: Any, atoms: dict[str, Any], kind: Kind, parents: dict[str, str], seen: dict[str, str]) -> Residue:
    if kind == "protein":
        whole = all(name in atoms for name in BACKBONE)
    else:
        whole = "C4'" in atoms and "C1'" in atoms and ("P" in atoms or "O5'" in atoms)
    return Residue(
        number=residue.seqid.num,
        insertion=residue.seqid.icode.strip(),
        name=residue.name,
        letter=_letter(residue.name, kind, parents),
        b=round(float(np.mean([atom.b_iso for atom in atoms.values()])), 2) if atoms else 0.0,
        backbone=whole,
        altlocs=seen[_label(residue)],
    )


def _letter(name: str, kind: Kind, parents: dict[str, str]) -> str:
    import gemmi

    allowed, unknown = ("ACDEFGHIKLMNPQRSTVWYUO", "X") if kind == "protein" else ("ACGTU", "N")
    for each in (name, parents.get(name, "")):
        letter = gemmi.find_tabulated_residue(each).one_letter_code.upper() if each else " "
        letter = _PARENTS.get(each, "") if letter not in allowed and kind != "protein" else letter
        if letter and letter in allowed:
            return letter
    return unknown


def _declared_gaps(residues: Sequence[Residue], labels: Sequence[int | None], full: str) -> tuple[Gap, ...]:
    """What the declared sequence has between the observed residues; `labels` are their places in it, from 1."""
    gaps: list[Gap] = []
    last = 0
    for at, label in enumerate(labels):
        if label is None:
            continue
        gaps += _gap(residues, at - 1, full[last : label - 1])
        last = label
    return (*gaps, *_gap(residues, len(residues) - 1, full[last:]))


def _gap(residues: Sequence[Residue], after: int, letters: str) -> list[Gap]:
    return [Gap(after, len(letters), letters, _between(residues, after, len(letters), letters))] if letters else []


def _seen_gaps(residues: Sequence[Residue], atoms: Sequence[dict[str, Any]], kind: Kind) -> tuple[Gap, ...]:
    """Breaks in the chain that its numbering or its geometry tells."""
    gaps = []
    first, second, reach = ("C", "N", _PEPTIDE_BOND) if kind == "protein" else ("O3'", "P", _SUGAR_BOND)
    for at in range(len(residues) - 1):
        jump = residues[at + 1].number - residues[at].number
        here, there = atoms[at].get(first), atoms[at + 1].get(second)
        broken = here.pos.dist(there.pos) > reach if here is not None and there is not None else jump > 1
        if broken:
            count = max(jump - 1, 0)
            gaps.append(Gap(at, count, "", _between(residues, at, count, "")))
    return tuple(gaps)


def _between(residues: Sequence[Residue], after: int, count: int, letters: str) -> str:
    many = f"{count} {'residue' if count == 1 else 'residues'}" if count else "an unknown number of residues"
    shown = f" ({letters if len(letters) <= 24 else letters[:21] + '...'})" if letters else ""
    if after < 0:
        return f"{many} before {residues[0].label}{shown} not observed"
    if after >= len(residues) - 1:
        return f"{many} after {residues[-1].label}{shown} not observed"
    return f"{many} between {residues[after].label} and {residues[after + 1].label}{shown} not observed"


def _spread(model: Any) -> bool:
    """Whether B-factors differ within any residue, as they do in experiments."""
    return any(max(values) - min(values) > 0.011 for chain in model for residue in chain if (values := [atom.b_iso for atom in residue]))


def _scaled(chain: Chain, factor: float) -> Chain:
    from dataclasses import replace

    return replace(chain, residues=tuple(replace(residue, b=round(residue.b * factor, 2)) for residue in chain.residues))
