"""From bytes to gemmi's own structure: packed or not, PDB or mmCIF told by content, every failure in words."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import Any

from backend.errors import InputError

MOST_BYTES = 400 * 2**20  # unpacked
_PDB = re.compile(rb"^(HEADER|TITLE |COMPND|SEQRES|CRYST1|MODEL |ATOM  |HETATM|REMARK|EXPDTA|AUTHOR|OBSLTE|PARENT|EXPDATA|DBREF )", re.M)
_CIF = re.compile(rb"^\s*data_\S*", re.M)
_HINT = "Download it again from where it came, or export it anew as PDB or mmCIF."


def is_structure(head: bytes) -> str:
    """``pdb`` or ``mmcif`` when the first bytes of a file (unpacked) look like one; empty otherwise."""
    head = head.lstrip(b"\xef\xbb\xbf")
    if _CIF.search(head) and (b"_atom_site" in head or b"_entry" in head or b"_entity" in head or b"_cell" in head):
        return "mmcif"
    return "pdb" if len(_PDB.findall(head)) >= 1 and not head.lstrip().startswith((b">", b"LOCUS", b"ID  ", b"@")) else ""


def parse(path: Path, name: str) -> tuple[Any, str, bytes]:
    """gemmi's structure with entities set up, the format, and the text.

    Raises
    ------
    InputError
        When it is no structure, is damaged, or holds no atom.
    """
    import gemmi

    data = _unpacked(path, name)
    form = is_structure(data[:200_000])
    if not form:
        raise InputError(f"{name} is neither PDB nor mmCIF.", "Structures are read from these two formats, also packed as .gz.")
    text = data.decode("utf-8", "replace")
    if form == "mmcif" and b"_atom_site." not in data:
        raise InputError(f"{name} is an mmCIF file without coordinates.", "Choose the file that holds the atoms (_atom_site).")
    try:
        kind = gemmi.CoorFormat.Pdb if form == "pdb" else gemmi.CoorFormat.Mmcif
        found = gemmi.read_structure_string(text, merge_chain_parts=True, format=kind)
    except (RuntimeError, ValueError, IndexError) as error:
        raise InputError(f"{name} cannot be read as {'PDB' if form == 'pdb' else 'mmCIF'}: {_told(error)}.", _HINT) from error
    if not len(found) or not any(len(residue) for chain in found[0] for residue in chain):
        raise InputError(f"{name} holds no atom.", "Choose the file that holds the coordinates.")
    _check_coordinates(found, form, data, name)
    found.setup_entities()
    found.assign_label_seq_id()
    return found, form, data


def _check_coordinates(found: Any, form: str, data: bytes, name: str) -> None:
    """Refuse coordinates that are no numbers: gemmi reads them as zero (PDB) or as nothing (mmCIF), and says nothing."""
    if form == "pdb":
        for number, line in enumerate(data.splitlines(), 1):
            if line.startswith((b"ATOM  ", b"HETATM")):
                try:
                    fine = all(math.isfinite(float(line[at : at + 8])) for at in (30, 38, 46))
                except ValueError:
                    fine = False
                if not fine:
                    where = line[30:54].decode("ascii", "replace").strip()
                    raise InputError(f"{name}, line {number}: '{where}' are not the three coordinates of an atom.", _HINT)
    else:
        for chain in found[0]:
            for residue in chain:
                for atom in residue:
                    if not all(map(math.isfinite, atom.pos.tolist())):
                        where = f"chain {chain.name}, residue {residue.name} {residue.seqid}, atom {atom.name}"
                        raise InputError(f"{name}: {where} has no coordinates that are numbers.", _HINT)


def _unpacked(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as source:
            data = source.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name} is packed and damaged; it cannot be unpacked to its end.", _HINT) from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}.", "Check the path and your right to read it.") from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{name} has more than {MOST_BYTES // 2**20} MB unpacked.", "Cut out the chains that you need.")
    return data


def _told(error: Exception) -> str:
    """gemmi's own words, without the name of the buffer that it read."""
    return re.sub(r"^(string|<string>|mmcif)?:?", "", " ".join(str(error).split())).strip(" .") or "the parser gave no reason"
