"""The copy of a structure that a browser draws: one model, one conformation, plain coordinates, nothing of the file's own text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import digest
from backend.sequences.structures.model import Chain, Structure
from backend.sequences.structures.parsing import parse
from backend.sequences.structures.reading import best_altloc, describe, polymer

MOST_ATOMS = 120_000  # above, only the backbone is drawn
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BACKBONE = frozenset(("N", "CA", "C", "O", "P", "O5'", "C5'", "C4'", "C3'", "O3'", "OP2", "N1", "N3"))
_THREE = dict(
    zip("ARNDCQEGHILKMFPSTWYV", "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split(), strict=True)
)


@dataclass(frozen=True)
class Drawing:
    """What the viewer needs.

    Attributes
    ----------
    text : str
        PDB lines, written here: letters of the file's header, comments or names never reach the browser. Centred on the origin;
        without water and hydrogen.
    starts : tuple of int
        First atom of each residue, over all chains in order, and one past the last: what follows are ligands.
    labels : tuple of str
        One a residue: "A Lys 48".
    anchors : numpy.ndarray
        float32, shape (residues, 3): CA, else P, C1' or the first atom, ångströms in the file's own frame.
    """

    id: str
    structure: Structure
    text: str
    starts: tuple[int, ...]
    labels: tuple[str, ...]
    anchors: np.ndarray
    notes: tuple[str, ...] = ()

    def place(self, chain: str, index: int) -> int:
        """Residue number `index` of a chain, counted over all chains."""
        before = 0
        for each in self.structure.chains:
            if each.name == chain:
                return before + index
            before += len(each.residues)
        raise KeyError(chain)


def draw(path: Path, name: str = "") -> Drawing:
    """The drawing of a file's first model.

    Raises
    ------
    InputError
        As `read_structure` does.
    """
    found, form, data = parse(path, name or path.name)
    structure = describe(found, form, data, name or path.name)
    model = found[0]
    sparse = model.count_atom_sites() > MOST_ATOMS
    centre = np.array(model.calculate_center_of_mass().tolist())
    lines: list[str] = []
    starts: list[int] = []
    labels: list[str] = []
    anchors: list[list[float]] = []
    count = 0
    spans = {(each.name.strip() or "_"): each for each in model if len(each.get_polymer())}
    numbers: dict[tuple[str, str], tuple[str, int]] = {}
    for at, chain in enumerate(structure.chains):
        letter = _LETTERS[at % len(_LETTERS)]
        for number, residue, gemmis in _numbered(chain, polymer(spans[chain.name])):
            numbers[spans[chain.name].name, residue.label] = (letter, number)
            starts.append(count)
            three = _name(chain, residue.letter)
            labels.append(f"{chain.name} {_spoken(chain, residue)} {residue.label}")
            kept = [atom for atom in _heavy(gemmis) if not sparse or atom.name in _BACKBONE] or _heavy(gemmis)[:1]
            for atom in kept:
                lines.append(_line("ATOM  ", count, atom, three, letter, number, centre))
                count += 1
            anchors.append(_anchor(gemmis))
    starts.append(count)
    for each in model:
        for residue in each.get_ligands():
            for atom in _heavy(residue):
                lines.append(_line("HETATM", count, atom, "LIG", "z", residue.seqid.num, centre))
                count += 1
    text = "\n".join([*_secondary(found, numbers), *lines, "END", ""])
    notes = ["Water and hydrogen atoms are not drawn."] if structure.waters or model.has_hydrogen() else []
    if sparse:
        notes.append(f"More than {MOST_ATOMS:,} atoms: the backbone is drawn, side chains are not.")
    return Drawing(digest(text), structure, text, tuple(starts), tuple(labels), np.array(anchors, np.float32), tuple(notes))


def _numbered(chain: Chain, residues: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Numbers for the copy: from 1, one apart along the chain and more across each gap."""
    breaks = {gap.after for gap in chain.gaps}
    number = 0
    for at, (residue, gemmis) in enumerate(zip(chain.residues, residues, strict=True)):
        number += 2 if at - 1 in breaks and at else 1
        yield number, residue, gemmis


def _heavy(residue: Any) -> list[Any]:
    best = best_altloc(residue)
    return [atom for atom in residue if atom.altloc in ("\0", best) and not atom.is_hydrogen()]


def _anchor(residue: Any) -> list[float]:
    atoms = {atom.name: atom for atom in reversed(_heavy(residue) or list(residue))}
    found = next((atoms[name] for name in ("CA", "P", "C1'") if name in atoms), None) or next(iter(reversed(atoms.values())))
    place: list[float] = found.pos.tolist()
    return place


def _name(chain: Chain, letter: str) -> str:
    if chain.kind == "protein":
        return _THREE.get(letter, "UNK")
    return f"D{letter}" if chain.kind == "dna" else letter


def _spoken(chain: Chain, residue: Any) -> str:
    return str(residue.name).capitalize() if chain.kind == "protein" else str(residue.name)


def _line(record: str, count: int, atom: Any, three: str, letter: str, number: int, centre: np.ndarray) -> str:
    element = atom.element.name.upper()
    name = re.sub(r"[^A-Za-z0-9'*]", "", atom.name)[:4]
    padded = name.ljust(4) if len(element) == 2 or len(name) == 4 else f" {name:<3}"
    x, y, z = np.clip(np.array(atom.pos.tolist()) - centre, -999, 9999)
    return (
        f"{record}{(count + 1) % 100_000:5d} {padded} {three:>3} {letter}{number % 10_000:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {element:>2}"
    )


def _secondary(found: Any, numbers: dict[tuple[str, str], tuple[str, int]]) -> Iterator[str]:
    """HELIX and SHEET lines of what the file itself declares; the viewer works them out where it declares none."""
    stretches = [("H", helix.start, helix.end) for helix in found.helices]
    stretches += [("S", strand.start, strand.end) for sheet in found.sheets for strand in sheet.strands]
    for kind, start, end in stretches:
        ends = [numbers.get((each.chain_name, f"{each.res_id.seqid.num}{each.res_id.seqid.icode.strip()}")) for each in (start, end)]
        if ends[0] is None or ends[1] is None or ends[0][0] != ends[1][0]:
            continue
        (letter, first), (_, last) = ends[0], ends[1]
        if kind == "H":
            yield f"HELIX    1   1 UNK {letter} {first % 10_000:4d}  UNK {letter} {last % 10_000:4d}  1"
        else:
            yield f"SHEET    1   A 1 UNK {letter}{first % 10_000:4d}  UNK {letter}{last % 10_000:4d}  0"
