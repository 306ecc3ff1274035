"""Decoders fitted to a patient's own trials: methods without weights of their own; what is learned is kept with the patient."""

from __future__ import annotations

from pathlib import Path

from backend.domain import ModelCard
from backend.models.registry import family

_LIMITS = (
    "Fitted to one patient and one montage; it says nothing of anyone else.",
    "Its accuracy is told for a next session like those it was fitted to. Other electrodes, amplifiers or drugs may change that.",
    "Cleaning by ICA uses the whole recording, held-out trials included, though never their labels.",
)
_KINDS = {
    "tangent": (
        "Riemannian tangent space",
        "Covariances between channels at 8 to 30 Hz, recentred for each session, with logistic regression.",
        "Barachant et al. 2012, doi:10.1109/TBME.2011.2172210; Zanini et al. 2018, doi:10.1109/TBME.2017.2742541",
    ),
    "pooled": (
        "Riemannian tangent space, with other patients",
        "As the tangent space, fitted to the patient's trials and to those of others who consented, each side with half the weight.",
        "Barachant et al. 2012, doi:10.1109/TBME.2011.2172210; Zanini et al. 2018, doi:10.1109/TBME.2017.2742541",
    ),
    "slow": (
        "Slow potentials",
        "Means of each channel in successive windows, with shrinkage LDA.",
        "Blankertz et al. 2011, doi:10.1016/j.neuroimage.2010.06.048",
    ),
    "combined": (
        "Slow potentials and band power",
        "Means in windows and logarithms of power in five bands, with shrinkage LDA.",
        "Mensh et al. 2004, doi:10.1109/TBME.2004.827081",
    ),
    "csp": (
        "Common spatial patterns",
        "Mixtures of channels whose power at 8 to 30 Hz differs most between the classes, with LDA.",
        "Blankertz et al. 2008, doi:10.1109/MSP.2008.4408441",
    ),
    "bandpower": (
        "Band power",
        "Logarithms of each channel's power in four bands, with logistic regression.",
        "Pfurtscheller and Lopes da Silva 1999, doi:10.1016/S1388-2457(99)00141-8",
    ),
    "eegnet": (
        "EEGNet, small",
        "A small convolutional network: filters in space and time that are learned together.",
        "Lawhern et al. 2018, doi:10.1088/1741-2552/aace8c",
    ),
}


def card_name(candidate: str) -> str:
    """The name of a candidate's card."""
    return f"eeg-{candidate}"


CARDS = tuple(
    ModelCard(
        name=card_name(name),
        title=title,
        family="eeg_decoders",
        modality="eeg",
        tasks=("eeg.calibrate", "eeg.decode"),
        source="bundled",
        licence="part of Bioloom",
        summary=summary,
        revision="1",
        peak_bytes=200 * 2**20,
        paper=paper,
        limits=_LIMITS,
    )
    for name, (title, summary, paper) in _KINDS.items()
)


@family(
    "eeg_decoders",
    cards=CARDS,
    title="Decoders for one patient",
    about="Calibrated on trials of the patient to tell what was imagined or meant; a decoder that is no better than chance says so.",
)
def load(folder: Path | None, card: ModelCard, device: str) -> str:
    """Nothing is loaded: decoders are fitted by `backend.eeg.decoding.candidates`."""
    return card.revision
