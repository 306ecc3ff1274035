"""gemmi: reads macromolecular structures. A tool without weights, nothing to fetch."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from backend.domain import ModelCard
from backend.models.registry import family

CARD = ModelCard(
    name="gemmi",
    title="gemmi",
    family="gemmi",
    modality="sequences",
    tasks=("structure.view",),
    source="bundled",
    licence="MPL-2.0",
    summary="Reads PDB and mmCIF: chains, residues, alternative positions, what is missing. A reader, not a predictor.",
    revision=version("gemmi"),
    peak_bytes=250 * 2**20,
    paper="Wojdyr 2022, doi:10.21105/joss.04200",
    limits=(
        "Reads the first model of a file and, of alternative positions, that of highest occupancy.",
        "Says nothing about how good a structure is beyond what the file itself declares.",
    ),
)


@family("gemmi", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> ModuleType:
    """gemmi has no weights: what is loaded is the library."""
    import gemmi

    module: ModuleType = gemmi
    return module
