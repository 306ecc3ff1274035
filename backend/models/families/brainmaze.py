"""OpenSpindleNet: a network that marks sleep spindles in one channel of scalp EEG, as brainmaze-eeg-models carries it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.registry import family
from backend.models.spindle_network import RATE, THRESHOLD, WINDOW, grid, intervals, scalogram, standardised, surest
from backend.progress import Progress, Silent

Floats = NDArray[np.float64]

_FILE = "spindle-detector-eeg.onnx"
_BATCH = 8  # windows judged at once
_PLANTED = "80 spindles planted in 20 min of simulated N2 sleep at 256 Hz; says nothing of people"

CARD = ModelCard(
    name="openspindlenet",
    title="OpenSpindleNet, scalp EEG",
    family="openspindlenet",
    modality="eeg",
    tasks=("eeg.spindles",),
    source="wheel",
    licence="BSD-3-Clause (brainmaze-eeg-models); network MIT",
    summary="Marks sleep spindles in one channel of scalp EEG, from the signal and its wavelet picture in windows of 30 s.",
    revision="0.1.0",
    package="brainmaze-eeg-models",
    package_sha256="25ec131ac5ed39cf8032a07cc22f5744f13a589f45b10885726e096e41e1d104",
    folder="brainmaze_eeg_models/spindles/_models",
    files={_FILE: "8368ef11554dda32178d65320c5b4690456c5c6cebd207d4ba0e68d3d5179e81"},
    parameters=682_069,
    download_bytes=18_375_581,
    disk_bytes=2_817_943,
    peak_bytes=302_317_568,  # python -m backend.models.measure openspindlenet (libraries included; one thread)
    peak_is_measured=True,
    paper="Sejak, Mivalt, Sladky, Vsiansky, Carvalho, St Louis, Worrell, Kremen 2025, doi:10.1016/j.compbiomed.2025.110854",
    quality=tuple(
        Quality(metric, value, _PLANTED, "measured by us", low, high, "python -m tests.benchmarks.eeg_spindles 20 1")
        for metric, value, low, high in (
            ("Sensitivity, 6 to 10 uV", 0.538, 0.429, 0.643),
            ("Sensitivity, 10 to 15 uV", 0.875, 0.785, 0.931),
            ("Sensitivity, 15 to 25 uV", 1.0, 0.954, 1.0),
            ("Precision, 10 to 15 uV", 1.0, 0.948, 1.0),
        )
    ),
    limits=(
        "For sleep stages N2 and N3. Elsewhere it also marks alpha and artefacts; marks outside are left out.",
        "Its answer depends on the band up to 125 Hz: the publisher found 7% more spindles in one hour at 128 Hz and 26% more at 100 Hz "
        "than at 250 Hz. Compare only recordings of like rate and filters.",
        "Reads each channel on its own. A probability is the network's own and was not calibrated here.",
        "A window judges 30 s at once: a large artefact in it makes spindles nearby harder to see.",
    ),
)


class Spindler:
    """One channel to spindles. Safe to share between threads."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._turn = threading.Lock()

    def heads(self, windows: Floats) -> NDArray[np.float32]:
        """Answers for windows of 30 s.

        Parameters
        ----------
        windows : ndarray, shape (n, 7500)
            At 250 Hz, in any unit, without NaN.

        Returns
        -------
        ndarray of float32, shape (n, 30, 3)
            For each second: probability that a spindle's centre lies in it, where in it, and its length over 2 s.
        """
        made = [np.empty((0, 30, 3), np.float32)]
        for at in range(0, len(windows), _BATCH):
            part = np.asarray(windows[at : at + _BATCH], np.float64)
            raw = standardised(part)[:, None].astype(np.float32)
            picture = standardised(scalogram(part - part.mean(axis=-1, keepdims=True))).astype(np.float32)
            with self._turn:
                found = self._session.run(["detection"], {"raw_signal": raw, "spectrogram": picture})[0]
            made.append(1 / (1 + np.exp(-found)))
        return np.concatenate(made)

    def detect(
        self, values: Floats, wanted: NDArray[np.bool_] | None = None, progress: Progress | None = None, threshold: float = THRESHOLD
    ) -> Floats:
        """Spindles in an unbroken stretch.

        Parameters
        ----------
        values : ndarray, shape (samples,)
            At 250 Hz, without NaN, 30 s or longer.
        wanted : ndarray of bool, shape (samples,), optional
            Where spindles are asked for; windows that answer for none of it are not judged.

        Returns
        -------
        ndarray, shape (n, 3)
            First and last second from the stretch's beginning, and probability, in order of time.
        """
        progress = progress or Silent()
        starts, bounds = grid(len(values))
        edges = np.ceil(bounds).astype(int)
        chosen = [n for n in range(len(starts)) if wanted is None or wanted[edges[n] : edges[n + 1]].any()]
        rows = [np.empty((0, 3))]
        for at in range(0, len(chosen), _BATCH):
            progress.check()
            part = chosen[at : at + _BATCH]
            heads = self.heads(np.stack([values[starts[n] : starts[n] + WINDOW] for n in part]))
            for n, head in zip(part, heads, strict=True):
                found = intervals(head, threshold)
                found[:, :2] += starts[n]
                centre = found[:, :2].mean(axis=1)
                last = n == len(starts) - 1
                rows.append(found[(centre >= bounds[n]) & ((centre < bounds[n + 1]) | last)])
            progress.update(min(at + _BATCH, len(chosen)), len(chosen), "Looking for spindles")
        made = surest(np.concatenate(rows))
        made[:, :2] /= RATE
        made[:, 1] = np.minimum(made[:, 1], len(values) / RATE)
        return made

    def exercise(self) -> None:
        """Work on two full batches, so that memory can be measured."""
        self.heads(np.random.default_rng(0).standard_normal((2 * _BATCH, WINDOW)))


def golden_window() -> Floats:
    """30 s made by rule: a falling spectrum and two spindles of 13 Hz, at 10 s and 20.5 s."""
    time = np.arange(WINDOW) / RATE
    wave = np.zeros(WINDOW)
    for hertz in np.arange(0.5, 60, 0.037):
        wave += np.sin(2 * np.pi * hertz * time + 1.7 * hertz**2) / hertz
    for centre in (10.0, 20.5):
        wave += 5 * np.exp(-(((time - centre) / 0.45) ** 2)) * np.sin(2 * np.pi * 13 * time)
    return wave


# seconds of golden_window() and what the publisher's own code answers there
_GOLDEN = {9: (0.992782, 0.937549, 0.508316), 20: (0.999981, 0.163202, 0.595418), 28: (0.142348, 0.361453, 0.467026)}


@family("openspindlenet", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Spindler:
    """Load the network and check it on a made window.

    Raises
    ------
    ModelError
        When the window does not get the answers of the publisher's own code.
    """
    import onnxruntime

    assert folder is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # so that a run comes out the same on every machine
    made = Spindler(onnxruntime.InferenceSession(str(folder / _FILE), options, providers=["CPUExecutionProvider"]))
    heads = made.heads(golden_window()[None])[0]
    if any(np.abs(heads[second] - expected).max() > 1e-4 for second, expected in _GOLDEN.items()):
        raise ModelError(f"{card.title} gives other answers for a known window than published.", "Remove the model and fetch it again.")
    return made
