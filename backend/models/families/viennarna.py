"""ViennaRNA: minimum free energy, base-pair probabilities and a flat layout of an RNA. A tool without weights; the extra `rna`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.errors import InputError, ModelError
from backend.models.registry import family

_PAIRING = frozenset(("AU", "UA", "GC", "CG", "GU", "UG"))
_IMPOSSIBLE = 10_000  # kcal/mol: what ViennaRNA calls the energy of no structure at all
_SHORT = 200  # up to here the partition function needs no rescaling by the least free energy


_ARCHIVE = "1,840 known structures of 5S ribosomal and transfer RNA (ArchiveII)"


def _installed() -> str:
    try:
        return version("ViennaRNA")
    except PackageNotFoundError:
        return "not installed"


CARD = ModelCard(
    name="viennarna",
    title="ViennaRNA",
    family="viennarna",
    modality="sequences",
    tasks=("rna.fold",),
    source="bundled",
    licence="ViennaRNA licence: free for research and teaching; commercial use restricted, ask its authors",
    summary="Folds one RNA strand by measured nearest-neighbour energies, and gives the probability of every base pair.",
    revision=_installed(),
    peak_bytes=841_883_648,  # one strand of 3,000 bases
    peak_is_measured=True,
    paper="Lorenz et al. 2011, doi:10.1186/1748-7188-6-26; McCaskill 1990, doi:10.1002/bip.360290621",
    quality=tuple(
        Quality(metric, value, _ARCHIVE, "measured by us", low, high, "bioloom evaluate rna.fold")
        for metric, value, low, high in (
            ("Mean F1 of base pairs", 0.633, 0.621, 0.644),
            ("Mean PPV of base pairs", 0.603, 0.592, 0.615),
            ("Mean sensitivity to base pairs", 0.668, 0.656, 0.680),
            ("Mean F1 of base pairs, centroid structure", 0.647, 0.636, 0.658),
            ("Mean F1 of base pairs, longest stems without energies", 0.350, 0.341, 0.359),
        )
    ),
    limits=(
        "No pseudoknots, no tertiary contacts, no proteins, no modified bases.",
        "Energies were measured in 1 M salt; a cell differs.",
        "The longer the strand, the less often the single best structure is the real one.",
    ),
    non_commercial=True,
)


@dataclass(frozen=True)
class Fold:
    """What ViennaRNA finds for one strand of n bases; energies in kcal/mol, structures in dot-bracket.

    Attributes
    ----------
    probabilities : numpy.ndarray
        float64, shape (n, n), symmetric: probability that two bases pair.
    entropy : numpy.ndarray
        float64, shape (n,): how undecided the partner of each base is, in bits.
    """

    mfe: str
    mfe_energy: float
    mfe_frequency: float
    centroid: str
    centroid_energy: float
    centroid_distance: float
    ensemble_energy: float
    diversity: float
    probabilities: NDArray[np.float64]
    entropy: NDArray[np.float64]


class Folder:
    """ViennaRNA behind our own words."""

    def __init__(self, tool: Any) -> None:
        self._tool = tool

    def fold(self, sequence: str, temperature: float = 37.0, dangles: int = 2, constraint: str = "") -> Fold:
        """Fold one strand of the letters A, C, G, U (others never pair); `temperature` in degrees Celsius.

        Raises
        ------
        InputError
            When the constraint does not fit the strand.
        """
        compound = self._compound(sequence, temperature, dangles, constraint)
        best, energy = compound.mfe()
        if energy > _IMPOSSIBLE:
            raise InputError("No structure meets the whole constraint.", "Leave some of its signs free.")
        compound.exp_params_rescale(energy)
        _, ensemble = compound.pf()
        probabilities = _symmetric(compound.bpp())
        centroid, distance = compound.centroid()
        return Fold(
            mfe=best,
            mfe_energy=float(energy),
            mfe_frequency=float(compound.pr_structure(best)),
            centroid=centroid,
            centroid_energy=float(compound.eval_structure(centroid)),
            centroid_distance=float(distance),
            ensemble_energy=float(ensemble),
            diversity=float(compound.mean_bp_distance()),
            probabilities=probabilities,
            entropy=np.asarray(compound.positional_entropy(), dtype=np.float64)[1:],
        )

    def probabilities(self, sequence: str, temperature: float = 37.0, dangles: int = 2, constraint: str = "") -> NDArray[np.float64]:
        """Base-pair probabilities only, shape (n, n)."""
        compound = self._compound(sequence, temperature, dangles, constraint)
        if len(sequence) > _SHORT:
            compound.exp_params_rescale(compound.mfe()[1])
        compound.pf()
        return _symmetric(compound.bpp())

    def layout(self, structure: str) -> NDArray[np.float64]:
        """Coordinates of each base in a flat drawing, shape (n, 2) (naview, Bruccoleri and Heinrich 1988)."""
        placed = self._tool.naview_xy_coordinates(structure)
        return np.array([(placed[i].X, placed[i].Y) for i in range(len(structure))], dtype=np.float64)

    def exercise(self) -> None:
        """Fold the longest strand that the task takes, for the measurement of memory."""
        letters = np.random.default_rng(0).choice(list("ACGU"), 3_000)
        self.fold("".join(letters))

    def _compound(self, sequence: str, temperature: float, dangles: int, constraint: str) -> Any:
        details = self._tool.md()
        details.temperature, details.dangles = float(temperature), int(dangles)
        compound = self._tool.fold_compound(sequence, details)
        if constraint:
            check_constraint(sequence, constraint)
            compound.hc_add_from_db(constraint, self._tool.CONSTRAINT_DB_DEFAULT | self._tool.CONSTRAINT_DB_ENFORCE_BP)
        return compound


def check_constraint(sequence: str, constraint: str) -> None:
    """Refuse a constraint that ViennaRNA would quietly leave out.

    Raises
    ------
    InputError
        Naming the first sign that does not fit.
    """
    if not constraint:
        return
    hint = "Give one sign a base: . free, x unpaired, | paired, < or > paired with a later or earlier base, ( ) paired with each other."
    if len(constraint) != len(sequence):
        raise InputError(f"The constraint has {len(constraint):,} signs, the strand {len(sequence):,} bases.", hint)
    open_: list[int] = []
    for at, sign in enumerate(constraint):
        if sign not in ".x|<>()":
            raise InputError(f"The constraint holds '{sign}' at sign {at + 1:,}.", hint)
        if sign == "(":
            open_.append(at)
        elif sign == ")":
            if not open_:
                raise InputError(f"The ')' at sign {at + 1:,} of the constraint closes nothing.", hint)
            first = open_.pop()
            if sequence[first] + sequence[at] not in _PAIRING:
                pair = f"{sequence[first]} (sign {first + 1:,}) with {sequence[at]} (sign {at + 1:,})"
                raise InputError(f"The constraint pairs {pair}, which cannot pair.", "Only A-U, G-C and G-U pair in this model.")
            if at - first <= 3:
                raise InputError(f"The constraint pairs signs {first + 1:,} and {at + 1:,}: a loop holds three bases or more.", hint)
    if open_:
        raise InputError(f"The '(' at sign {open_[-1] + 1:,} of the constraint is never closed.", hint)


def _symmetric(upper: Any) -> NDArray[np.float64]:
    table = np.asarray(upper, dtype=np.float64)[1:, 1:]
    return table + table.T


@family("viennarna", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Folder:
    """Nothing but the package itself.

    Raises
    ------
    ModelError
        When it is not installed.
    """
    try:
        import RNA
    except ImportError as error:
        raise ModelError(
            "ViennaRNA is not installed.", "Install it with: pip install 'bioloom[rna]'. Its licence restricts commercial use."
        ) from error
    return Folder(RNA)
