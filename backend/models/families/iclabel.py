"""ICLabel: a network that says what an independent component of EEG is, from its scalp map, its spectrum and its autocorrelation."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.registry import family

Floats = NDArray[np.float32]

CLASSES = ("brain", "muscle", "eye", "heart", "line noise", "channel noise", "other")
GRID, BINS = 32, 100
_FILE = "ICLabelNet.onnx"
_BATCH = 64  # components judged at once: some 100 MB of activations

CARD = ModelCard(
    name="iclabel",
    title="ICLabel",
    family="iclabel",
    modality="eeg",
    tasks=("eeg.ica",),
    source="wheel",
    licence="BSD-3-Clause (mne-icalabel)",
    summary="Says whether an independent component is brain, muscle, eye, heart, line noise, channel noise or something else.",
    revision="0.10.0",
    package="mne-icalabel",
    package_sha256="57c6821103d5db2869ee9fcd4df566495a2a0c4256e4c948804eb2219a8bdbf8",
    folder="mne_icalabel/iclabel/network/assets",
    files={_FILE: "b7dc72bc3fa5960b2843fc6d5ba60add842b0a240c6371598be09b595182c04b"},
    parameters=2_903_817,
    download_bytes=48_812_387,
    disk_bytes=11_622_722,
    peak_bytes=215_027_712,  # python -m backend.models.measure iclabel
    peak_is_measured=True,
    paper="Pion-Tonachini, Kreutz-Delgado, Makeig 2019, doi:10.1016/j.neuroimage.2019.05.026; "
    "mne-icalabel: Li, Feitelberg, Saini, Höchenberger, Scheltienne 2022, doi:10.21105/joss.04484",
    limits=(
        "Learned from components that people labelled, most of them of 32 channels or more at 250 Hz or more; with few channels or a low "
        "rate it is less sure.",
        "Made for extended infomax on an average reference between 1 and 100 Hz. Above half the sampling rate the spectrum is only "
        "continued flat.",
        "Knows no epilepsy: spikes and slow waves may be called eye, muscle or other. Look at the trace before taking a component out.",
        "Its probabilities say how like the labelled examples a component is, not how often such a component is rightly removed.",
    ),
)

# Made inputs and what the publisher's own PyTorch network (ICLabelNet.pt of the same package) answers to them.
_GOLDEN = ((0.087689, 0.009161, 0.883114, 0.000753, 0.002529, 0.000792, 0.015961),)


class Labeller:
    """Maps, spectra and autocorrelations to the probabilities of the seven classes. Safe to share between threads."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._turn = threading.Lock()

    def predict(self, maps: Floats, spectra: Floats, lags: Floats) -> NDArray[np.float64]:
        """Probabilities of `CLASSES`.

        Parameters
        ----------
        maps : array of shape (n, 32, 32)
            Scalp maps on ICLabel's grid, largest absolute value 0.99, 0 outside the head.
        spectra : array of shape (n, 100)
            Log power at 1 to 100 Hz, largest absolute value 0.99.
        lags : array of shape (n, 100)
            Autocorrelation at 10 to 1000 ms, 1 at lag 0, times 0.99.

        Returns
        -------
        array of shape (n, 7)
            Each row sums to one; the same whatever stands beside a component. As its authors do, the mean over the map, its negative and
            the mirror images of both, since the sign of a component means nothing.
        """
        made = [np.empty((0, len(CLASSES)))]
        for at in range(0, len(maps), _BATCH):
            part = slice(at, at + _BATCH)
            image = np.asarray(maps[part], np.float32)[:, None]
            turned = np.concatenate([image, -image, image[:, :, :, ::-1], -image[:, :, :, ::-1]])
            feed = {
                "topo": turned,
                "psds": np.tile(np.asarray(spectra[part], np.float32)[:, None, None], (4, 1, 1, 1)),
                "autocorr": np.tile(np.asarray(lags[part], np.float32)[:, None, None], (4, 1, 1, 1)),
            }
            with self._turn:
                made.append(np.asarray(self._session.run(None, feed)[0], np.float64))
        return np.concatenate(made)

    def exercise(self) -> None:
        """Work on two full batches, so that memory can be measured."""
        self.predict(*(np.repeat(part, 2 * _BATCH, axis=0) for part in golden_input()))


def golden_input() -> tuple[Floats, Floats, Floats]:
    """One made component: a frontal hill as of blinks, a falling spectrum, a slowly falling autocorrelation."""
    front, side = np.mgrid[-1 : 1 : GRID * 1j, -1 : 1 : GRID * 1j]
    hill = np.exp(-((front - 1) ** 2 + side**2) / 0.4) * (front**2 + side**2 <= 1)
    spectrum = -np.log10(np.arange(1, BINS + 1)) + 0.5
    lags = np.exp(-np.arange(1, BINS + 1) / 30)
    return tuple((0.99 * part / np.abs(part).max()).astype(np.float32)[None] for part in (hill, spectrum, lags))  # type: ignore[return-value]


@family("iclabel", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Labeller:
    """Load the network and check it on a made component.

    Raises
    ------
    ModelError
        When the component does not get its known label.
    """
    import onnxruntime

    assert folder is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # so that a run comes out the same on every machine
    session = onnxruntime.InferenceSession(str(folder / _FILE), options, providers=["CPUExecutionProvider"])
    made = Labeller(session)
    if np.abs(made.predict(*golden_input()) - _GOLDEN).max() > 1e-4:
        raise ModelError(f"{card.title} gives another label for a known component than published.", "Remove the model and fetch it again.")
    return made
