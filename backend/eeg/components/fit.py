"""Independent components of a stretch of EEG by extended infomax, with the inputs that ICLabel judges them by."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.errors import InputError
from backend.progress import Progress

SEED = 7
MOST_STEPS = 500
_SMALL = 1e-6  # an eigenvalue below this share of the largest is no dimension of its own


@dataclass(frozen=True)
class Fit:
    """Sources and maps, strongest first. Shapes: k components, n channels, t samples.

    Attributes
    ----------
    unmixing : ndarray, shape (k, n)
        From signals in any reference to sources of unit variance.
    mixing : ndarray, shape (n, k)
        Microvolts in the average reference.
    common : ndarray, shape (k,)
        Regression of the channels' mean on each source.
    variance : ndarray, shape (k,)
        Share of the average-referenced variance that goes when the component is taken out.
    maps, spectra, lags : ndarray, shapes (k, 32, 32), (k, 100), (k, 100)
        ICLabel's inputs.
    frequencies, power : ndarray
        See `backend.eeg.cleaning.Decomposition`.
    steps : int
        Passes over the data until nothing changed, or the most that are made.
    """

    unmixing: np.ndarray
    mixing: np.ndarray
    common: np.ndarray
    variance: np.ndarray
    maps: np.ndarray
    spectra: np.ndarray
    lags: np.ndarray
    frequencies: np.ndarray
    power: np.ndarray
    steps: int


def rank_of(values: np.ndarray) -> int:
    """Dimensions of average-referenced values (channels, samples): one less than the channels, fewer where some are made of others."""
    centred = values - values.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh(np.cov(centred.astype(np.float64)))
    return int((eigenvalues > _SMALL * eigenvalues.max()).sum())


def fit(values: np.ndarray, electrodes: Sequence[str], rate: float, progress: Progress) -> Fit:
    """Decompose values.

    Parameters
    ----------
    values : ndarray, shape (channels, samples)
        Microvolts against a common reference, 1 to 100 Hz, without NaN.
    electrodes : sequence of str
        10-20 or 10-05 positions.

    Raises
    ------
    InputError
        When the algorithm does not settle.

    References
    ----------
    Extended infomax: Lee, Girolami, Sejnowski 1999, doi:10.1162/089976699300016719, as MNE-Python has it. Inputs of ICLabel:
    mne-icalabel 0.10.
    """
    import mne
    from mne.preprocessing import ICA

    signals = values.astype(np.float64)
    raw = _raw(signals, electrodes, rate)
    k = rank_of(signals)
    method: dict[str, Any] = {"extended": True}
    ica = ICA(
        k, method="infomax", fit_params=method, max_iter=MOST_STEPS, random_state=_watched(progress, signals.shape[1]), verbose="ERROR"
    )
    with warnings.catch_warnings(), mne.utils.use_log_level("ERROR"):
        warnings.simplefilter("ignore")  # ours are told in our own words
        try:
            ica.fit(raw, verbose="ERROR")
        except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
            raise InputError(
                "No independent components could be found in this recording.",
                "Mark flat and very noisy channels as bad and gross artefacts as bad segments, then try again.",
            ) from error
        progress.update(MOST_STEPS, MOST_STEPS, "Describing the components")
        maps, spectra, lags = _features(raw, ica)
    return _described(signals, raw, ica, maps, spectra, lags, rate)


def _described(signals: np.ndarray, raw: Any, ica: Any, maps: np.ndarray, spectra: np.ndarray, lags: np.ndarray, rate: float) -> Fit:
    """Order by variance, unit sources, the largest value of each map positive."""
    from scipy.signal import welch

    n = len(signals)
    mean = np.eye(n) - 1 / n
    unmixing = (ica.unmixing_matrix_ @ (ica.pca_components_[: ica.n_components_] / ica.pre_whitener_.ravel()) * 1e-6) @ mean
    sources = unmixing @ signals
    size = sources.std(axis=1)
    mixing = mean @ np.linalg.pinv(unmixing) * size
    turn = np.sign(mixing[np.abs(mixing).argmax(axis=0), np.arange(mixing.shape[1])])
    unmixing, mixing, sources = unmixing / (size * turn)[:, None], mixing * turn, sources / (size * turn)[:, None]
    referenced = mean @ signals
    total = float((referenced**2).mean())
    projected = mixing.T @ referenced  # what is left without k: |x|2 - 2 <x, a s> + |a|2 |s|2
    lost = 2 * (projected * sources).mean(axis=1) - (mixing**2).sum(axis=0) * (sources**2).mean(axis=1)
    variance = lost / n / total
    common = np.linalg.lstsq(sources.T, signals.mean(axis=0), rcond=None)[0]
    window = min(signals.shape[1], round(2 * rate))
    frequencies, power = welch(sources, rate, nperseg=window, average="median")
    shown = frequencies <= 100
    order = np.argsort(-variance, kind="stable")
    return Fit(
        unmixing[order],
        mixing[:, order],
        common[order],
        variance[order],
        maps[order],
        spectra[order],
        lags[order],
        frequencies[shown],
        10 * np.log10(np.maximum(power[order][:, shown], 1e-12)),
        int(ica.n_iter_),
    )


def _raw(signals: np.ndarray, electrodes: Sequence[str], rate: float) -> Any:
    """What MNE and mne-icalabel work on: volts, average reference, places of the electrodes about the middle of the head.

    ICLabel learned from maps on EEGLAB's sphere, on which T7 lies 96 degrees from the vertex. MNE measures places from between the ears,
    4 cm lower, which draws the rim of the head towards the vertex (T7 at 70 degrees); so the sphere through all places of the 10-05
    system is found and its centre taken as the origin (T7 at 96 degrees).
    """
    import mne

    montage = mne.channels.make_standard_montage("colin27_1005")
    known = {name.casefold(): place for name, place in montage.get_positions()["ch_pos"].items()}
    every = np.array(list(known.values()))
    centre = np.linalg.lstsq(np.column_stack([2 * every, np.ones(len(every))]), (every**2).sum(axis=1), rcond=None)[0][:3]
    info = mne.create_info(list(electrodes), rate, "eeg")
    with info._unlock():
        info["highpass"], info["lowpass"] = 1.0, 100.0
    raw = mne.io.RawArray(signals * 1e-6, info, verbose="ERROR")
    places = {name: known[name.casefold()] - centre for name in electrodes}
    raw.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"), verbose="ERROR")
    raw.set_eeg_reference("average", verbose="ERROR")
    return raw


def places() -> frozenset[str]:
    """The electrodes whose place is known, in lower case."""
    import mne

    return frozenset(name.casefold() for name in mne.channels.make_standard_montage("colin27_1005").ch_names)


def _features(raw: Any, ica: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from mne_icalabel.iclabel import get_iclabel_features

    maps, spectra, lags = get_iclabel_features(raw, ica)
    return np.moveaxis(maps[:, :, 0], -1, 0).copy(), spectra[0, :, 0].T.copy(), lags[0, :, 0].T.copy()


def _watched(progress: Progress, samples: int) -> np.random.RandomState:
    """Chance with a fixed seed. Infomax draws an order of all samples at each pass: so its passes are counted, and it can be stopped."""

    class Watched(np.random.RandomState):
        done = 0

        def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
            if size == samples:
                progress.check()
                self.done += 1
                progress.update(min(self.done, MOST_STEPS), MOST_STEPS, "Separating the components")
            return super().uniform(low, high, size)

    return Watched(SEED)
