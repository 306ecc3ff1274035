"""Rules of signal quality: a tool without weights, so that a run can name what judged its channels."""

from __future__ import annotations

from pathlib import Path

from backend.domain import ModelCard
from backend.models.registry import family

CARD = ModelCard(
    name="channel-quality",
    title="Channel quality rules",
    family="channel_quality",
    modality="eeg",
    tasks=("eeg.quality",),
    source="bundled",
    licence="Apache-2.0",
    summary="Judges every channel minute by minute: flat, clipped, mains, muscle, drift, unlike the others, bridged.",
    revision="first rules",
    peak_bytes=300_000_000,
    paper="Bigdely-Shamlo et al. 2015 (PREP), doi:10.3389/fninf.2015.00016; bridges: Alschuler et al. 2014, "
    "doi:10.1016/j.clinph.2013.08.024",
    limits=(
        "Correlation and amplitude are judged against the other EEG channels: where most are bad, the good ones look odd.",
        "Of every minute a piece is analysed; flat stretches, clipping and drift are looked for in all of it.",
        "A strong alpha rhythm, seizures and sleep spindles are signal, but can exceed a limit; look before marking a channel.",
        "Nothing is said of impedances: they are not in the recording.",
    ),
)


class Rules:
    """Nothing to hold in memory."""

    def exercise(self) -> None:
        """Nothing to work on."""


@family("channel_quality", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Rules:
    """The rules themselves stand in `backend.eeg.quality.channels`."""
    return Rules()
