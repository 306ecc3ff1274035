"""Bioloom's own measuring of background activity: spectra in blocks, a 1/f line, a peak. No weights, nothing to fetch."""

from __future__ import annotations

from pathlib import Path

from backend.domain import ModelCard
from backend.models.registry import family

CARD = ModelCard(
    name="background-spectra",
    title="Background activity by spectra",
    family="eeg_baseline",
    modality="eeg",
    tasks=("eeg.baseline",),
    source="bundled",
    licence="Apache-2.0",
    summary="Alpha peak over the 1/f fall, band powers by region, left against right, with block-bootstrap intervals. Not a learned model.",
    revision="1",
    peak_bytes=300_000_000,  # estimated for a night of 20 channels: spectra are made piece by piece
    paper="1/f: Donoghue et al. 2020, doi:10.1038/s41593-020-00744-x; centre of gravity: Corcoran et al. 2018, doi:10.1111/psyp.13064",
    limits=(
        "An interval covers how much the number varies within this recording. It does not cover how much a person varies from day to day.",
        "An interval of alpha power is too narrow where the rhythm waxes and wanes over longer than about 15 s and the recording is short.",
        "Power depends on the reference, the skull and the amplifier's filters: compare only recordings that share them.",
        "Windows with large, flat or muscle-ridden signal are left out by fixed rules; what is left may still hold artefacts.",
        "The peak is measured, not read: whether it is the posterior dominant rhythm is for the reader of the trace to say.",
    ),
)


@family("eeg_baseline", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> None:
    """Nothing to load: the task computes."""
