"""Three-dimensional structures: read PDB and mmCIF, match residues to a sequence, make the copy that a browser draws."""

from backend.sequences.structures.mapping import Fit, Match, fit_structure, map_residues, match_sequence
from backend.sequences.structures.model import Chain, Gap, Ligand, Residue, Structure
from backend.sequences.structures.reading import read_structure
from backend.sequences.structures.records import chain_records

__all__ = [
    "Chain",
    "Fit",
    "Gap",
    "Ligand",
    "Match",
    "Residue",
    "Structure",
    "chain_records",
    "fit_structure",
    "map_residues",
    "match_sequence",
    "read_structure",
]
