"""Spectra and averages of EEG: arithmetic on the signal, nothing learned. Tools without weights."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from backend.domain import ModelCard, Quality
from backend.models.registry import family


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return "not installed"


_SIMULATED = "300 simulated recordings of 4 min each"

SPECTRA = ModelCard(
    name="spectra",
    title="Power spectra",
    family="eeg_averages",
    modality="eeg",
    tasks=("eeg.spectrum",),
    source="bundled",
    licence="BSD-3-Clause (SciPy)",
    summary="Welch spectra, band powers and spectrograms, with intervals from resampled blocks of time.",
    revision=_version("scipy"),
    peak_bytes=400_000_000,
    paper="Welch 1967, doi:10.1109/TAU.1967.1161901; block bootstrap: Kunsch 1989, doi:10.1214/aos/1176347265",
    quality=tuple(
        Quality(metric, value, _SIMULATED, "measured by us", low, high, "python -m tests.benchmarks.eeg_spectra interval")
        for metric, value, low, high in (
            ("Share of 95% intervals that hold the alpha power, rhythm waxing and waning", 0.9333, 0.8993, 0.9564),
            ("Share of 95% intervals that hold the alpha power, rhythm in bursts", 0.88, 0.8383, 0.912),
        )
    ),
    limits=(
        "Band powers of the scalp mix brain, muscle and eyes; above 20 Hz muscle often rules.",
        "Power depends on the reference and on the amplifier's filters. Compare only like with like.",
        "An interval tells what another stretch of the same recording would give, not another day; of rhythms that come in strong bursts "
        "it is too narrow.",
    ),
)
EVOKED = ModelCard(
    name="evoked-average",
    title="Evoked averages",
    family="eeg_averages",
    modality="eeg",
    tasks=("eeg.evoked",),
    source="bundled",
    licence="BSD-3-Clause (MNE-Python)",
    summary="The mean signal after an event, and a cluster permutation test of two kinds of event.",
    revision=_version("mne"),
    peak_bytes=600_000_000,
    paper="Gramfort et al. 2013, doi:10.3389/fnins.2013.00267; test: Maris and Oostenveld 2007, doi:10.1016/j.jneumeth.2007.03.024",
    limits=(
        "The test says whether two kinds of event differ somewhere. Where and when a cluster lies is not itself tested "
        "(Sassenhagen and Draschkow 2019, doi:10.1111/psyp.13335).",
        "A mean holds only what keeps its time after the event; rhythms that jitter average away.",
    ),
)


@family(
    "eeg_averages",
    cards=(SPECTRA, EVOKED),
    title="Averages of an EEG",
    about="Spectra and responses to events, averaged with intervals: arithmetic on the signal, nothing learned.",
)
def load(folder: Path | None, card: ModelCard, device: str) -> str:
    """Nothing is loaded: what is handed out is the version."""
    return card.revision
