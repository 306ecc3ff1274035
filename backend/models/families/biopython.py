"""Biopython: tables of weights, genetic codes and restriction enzymes. A tool without weights; nothing to fetch."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from backend.domain import ModelCard
from backend.models.registry import family


def _version() -> str:
    try:
        return version("biopython")
    except PackageNotFoundError:
        return "not installed"


CARD = ModelCard(
    name="biopython",
    title="Biopython",
    family="biopython",
    modality="sequences",
    tasks=("sequence.overview",),
    source="bundled",
    licence="Biopython License (BSD-like); restriction enzymes: REBASE",
    summary="Weights, isoelectric points, genetic codes and restriction enzymes: arithmetic on the letters, nothing learned.",
    revision=_version(),
    peak_bytes=60 * 2**20,
    paper="Cock et al. 2009, doi:10.1093/bioinformatics/btp163; REBASE: Roberts et al. 2023, doi:10.1093/nar/gkac975",
    limits=(
        "Weights and isoelectric points are those of unmodified, unfolded chains.",
        "The instability index (Guruprasad et al. 1990) was fitted to twelve unstable and thirty-two stable proteins.",
    ),
)


@family("biopython", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> str:
    """Nothing is loaded: what is handed out is the version."""
    return card.revision
