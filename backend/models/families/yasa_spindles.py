"""YASA's spindle detector: three thresholds on the sigma band, nothing learned. The second opinion on OpenSpindleNet."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.models.registry import family

Floats = NDArray[np.float64]


def _installed() -> str:
    try:
        return version("yasa")
    except PackageNotFoundError:
        return "not installed"


_PLANTED = "80 spindles planted in 20 min of simulated N2 sleep at 256 Hz; says nothing of people"

CARD = ModelCard(
    name="yasa-spindles",
    title="YASA's spindle detector",
    family="yasa_spindles",
    modality="eeg",
    tasks=("eeg.spindles",),
    source="bundled",
    licence="BSD-3-Clause",
    summary="Marks where relative power, correlation and amplitude of the 12 to 15 Hz band all rise for 0.5 to 2 s.",
    revision=_installed(),
    peak_bytes=300_000_000,
    paper="Vallat and Walker 2021, doi:10.7554/eLife.70092; method after Lacourse et al. 2018, doi:10.1016/j.jneumeth.2018.08.014",
    quality=tuple(
        Quality(metric, value, _PLANTED, "measured by us", low, high, "python -m tests.benchmarks.eeg_spindles 20 1")
        for metric, value, low, high in (
            ("Sensitivity, 6 to 10 uV", 0.038, 0.013, 0.105),
            ("Sensitivity, 10 to 15 uV", 0.325, 0.232, 0.434),
            ("Sensitivity, 15 to 25 uV", 0.688, 0.579, 0.778),
            ("Precision, 15 to 25 uV", 1.0, 0.935, 1.0),
        )
    ),
    limits=(
        "Its amplitude threshold follows the recording's own mean and spread, at most 10 uV: who has few spindles gets a lower one.",
        "Looks for 12 to 15 Hz; slower frontal spindles of 10 to 12 Hz are mostly missed.",
    ),
)


class Detector:
    """The detector with its published thresholds."""

    def detect(self, values: Floats, rate: float, wanted: NDArray[np.bool_]) -> Floats:
        """Spindles of one channel.

        Parameters
        ----------
        values : ndarray, shape (samples,)
            Microvolts, without NaN.
        rate : float
            Samples a second; 100 is enough.
        wanted : ndarray of bool, shape (samples,)
            Where thresholds are taken from and spindles are sought.

        Returns
        -------
        ndarray, shape (n, 2)
            First and last second, in order of time.
        """
        import yasa

        if not wanted.any():
            return np.empty((0, 2))
        stage = np.where(wanted, 2, 0)
        found = yasa.spindles_detect(values, rate, ch_names=["channel"], hypno=stage, include=(2,), verbose="critical")
        if found is None:
            return np.empty((0, 2))
        made: Floats = found.summary()[["Start", "End"]].to_numpy(np.float64)
        return made[np.argsort(made[:, 0], kind="stable")]


@family("yasa_spindles", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Detector:
    """Nothing is loaded."""
    return Detector()
