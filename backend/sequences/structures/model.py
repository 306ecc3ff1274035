"""What a structure file holds, in the words of structural biology; no parser and no drawing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from backend.errors import InputError
from backend.sequences.records import Kind

BACKBONE = ("N", "CA", "C", "O")


@dataclass(frozen=True)
class Residue:
    """One residue of a polymer, as it was observed.

    Attributes
    ----------
    number, insertion : int, str
        The author's number and insertion code ("" when there is none).
    name, letter : str
        Component name in the file ("MSE") and the one letter that it is read as ("M"; X or N where none is known).
    b : float
        Mean of the atoms' B-factor column: square ångströms, or confidence from 0 to 100 in a prediction.
    backbone : bool
        Whether N, CA, C and O are all there (protein), or P or O5' with C4' and C1' (nucleic acid).
    altlocs : str
        Letters of the alternative positions that the file gives; the one of highest occupancy was read.
    """

    number: int
    insertion: str
    name: str
    letter: str
    b: float
    backbone: bool
    altlocs: str = ""

    @property
    def label(self) -> str:
        """The author's number with its insertion code: "52A"."""
        return f"{self.number}{self.insertion}"


@dataclass(frozen=True)
class Gap:
    """Residues that the molecule has and the coordinates do not.

    Attributes
    ----------
    after : int
        Index of the observed residue before the gap; -1 at the beginning of the chain.
    letters : str
        What is missing, from the file's own full sequence; empty where only the numbering or a break in the chain tells.
    count : int
        How many; 0 where it is not known.
    """

    after: int
    count: int
    letters: str
    text: str


@dataclass(frozen=True)
class Chain:
    """One polymer chain.

    Attributes
    ----------
    full_sequence : str
        Of the whole molecule as the file declares it (SEQRES, entity_poly_seq); empty where it does not.
    coordinates : numpy.ndarray
        float32, shape (residues, 4, 3), ångströms: N, CA, C, O of each residue, NaN where absent or not a protein.
    """

    name: str
    kind: Kind
    residues: tuple[Residue, ...]
    gaps: tuple[Gap, ...] = ()
    full_sequence: str = ""
    coordinates: np.ndarray = field(default_factory=lambda: np.zeros((0, 4, 3), np.float32), compare=False, repr=False)

    @property
    def sequence(self) -> str:
        """Letters of the observed residues."""
        return "".join(residue.letter for residue in self.residues)

    def index(self, label: str) -> int:
        """Index of the residue with that author's number (and insertion code).

        Raises
        ------
        InputError
            When the chain has none.
        """
        for at, residue in enumerate(self.residues):
            if residue.label == label:
                return at
        raise InputError(
            f"Chain {self.name} has no residue {label}.",
            f"Its residues are numbered {self.residues[0].label} to {self.residues[-1].label} by the file's authors.",
        )


@dataclass(frozen=True)
class Ligand:
    """A molecule that is no polymer and no water."""

    name: str
    chain: str
    number: str
    atoms: int


@dataclass(frozen=True)
class Structure:
    """A structure file that was read: its first model.

    Attributes
    ----------
    format : str
        ``pdb`` or ``mmcif``.
    models : int
        How many the file has; the first is read.
    is_prediction : bool
        Whether the B-factor column is a predictor's confidence (pLDDT, 0 to 100); `how` says what that was concluded from.
    notes : tuple of str
        What was chosen, left out or found odd, each in a sentence.
    """

    name: str
    format: str
    title: str
    chains: tuple[Chain, ...]
    ligands: tuple[Ligand, ...] = ()
    waters: int = 0
    models: int = 1
    atoms: int = 0
    method: str = ""
    resolution: float | None = None
    is_prediction: bool = False
    how: str = ""
    altlocs: int = 0
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Residues in all chains."""
        return sum(len(chain.residues) for chain in self.chains)

    def chain(self, name: str) -> Chain:
        """The chain of that name.

        Raises
        ------
        InputError
            When there is none.
        """
        for chain in self.chains:
            if chain.name == name:
                return chain
        raise InputError(f"{self.name} has no chain {name}.", f"Its chains are {', '.join(chain.name for chain in self.chains)}.")
