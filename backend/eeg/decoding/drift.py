"""Is this still the signal that a decoder was calibrated on?

Each trial's covariance (1 to 45 Hz) is compared with the calibration's by the Riemannian distance to its centre. For the calibration's own
trials the centre leaves out their session (their stretch of time, where there is one session only), so that they do not lie nearer for
having made it. Told is how often a new trial lies farther out than one of the calibration: 50% or less when it changed no more than
before. Sessions always differ a little, so the verdict rests on that share; a permutation of stretches of trials says whether it could
be chance. Which channels changed is told by their band powers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import spectral
from backend.eeg.decoding.trials import Trials
from backend.errors import InputError

BAND = ((1.0, 45.0),)
BANDS = (("delta", 1.0, 4.0), ("theta", 4.0, 8.0), ("alpha", 8.0, 13.0), ("beta", 13.0, 30.0), ("gamma", 30.0, 45.0))
CHANGED, SHIFTED = 0.90, 0.75  # share of new trials farther out: 'changed' from the first, 'shifted' from the second
_STRETCH = 5  # trials that are permuted together
_PERMUTATIONS = 2000
_LOUD = 2.0  # standard deviations of the calibration's trials by which a channel's mean power must differ to be named


def reference(trials: Trials) -> dict[str, np.ndarray]:
    """What is kept of a calibration for later comparison: centre, distances (n,), means and deviations of log power (channels, bands)."""
    covariances = spectral.covariances(trials.x, trials.rate, BAND)[:, 0]
    logs = spectral.log_matrix(covariances)
    distances = np.empty(len(trials))
    for part in _parts(trials.block):
        rest = np.ones(len(trials), bool)
        rest[part] = False
        distances[part] = _distances(covariances[part], logs[rest].mean(axis=0) if rest.any() else logs.mean(axis=0))
    power = _log_power(trials)
    return {
        "drift_centre": logs.mean(axis=0),
        "drift_distances": distances,
        "drift_mean": power.mean(axis=0),
        "drift_deviation": power.std(axis=0) + 1e-9,
    }


def drift(kept: Mapping[str, np.ndarray], trials: Trials, seed: int = 0) -> dict[str, Json]:
    """Compare new trials with what was kept; ``state`` is ``same``, ``shifted`` or ``changed``."""
    covariances = spectral.covariances(trials.x, trials.rate, BAND)[:, 0]
    old, new = kept["drift_distances"], _distances(covariances, kept["drift_centre"])
    farther = _farther(old, new)
    p = _p(old, new, seed)
    moved = (_log_power(trials).mean(axis=0) - kept["drift_mean"]) / kept["drift_deviation"]
    # after taking out a common factor of all channels: another gain is another gain, not another signal
    centre = kept["drift_centre"]
    rescaled = covariances * np.exp(np.trace(centre) / len(centre) - np.linalg.slogdet(covariances)[1].mean() / len(centre))
    loud = [
        {"channel": trials.names[row], "band": BANDS[column][0], "deviations": round(float(moved[row, column]), 2)}
        for row, column in sorted(zip(*np.where(np.abs(moved) >= _LOUD), strict=True), key=lambda at: -abs(moved[at]))
    ]
    unlike = farther >= SHIFTED and p <= 0.05
    state = "changed" if (farther >= CHANGED and p <= 0.05) or len({one["channel"] for one in loud}) > len(trials.names) / 4 else ""
    state = state or ("shifted" if unlike or loud else "same")
    return {
        "state": state,
        "sentence": _sentence(state, loud),
        "farther": farther,
        "farther_at_equal_gain": _farther(old, _distances(rescaled, centre)),
        "p": p,
        "channels": loud[:12],
        "n": len(new),
        "distances": {"calibration": _quantiles(old), "now": _quantiles(new)},
        "rule": f"Changed: {CHANGED:.0%} or more of the new trials lie farther out than the calibration's, or over a quarter of the "
        f"channels moved by {_LOUD:g} standard deviations. Shifted: {SHIFTED:.0%} or more do, or single channels moved.",
    }


def check_comparable(names: Sequence[str], here: Sequence[str], title: str) -> None:
    """Raise InputError when a recording lacks channels of the calibration.

    Raises
    ------
    InputError
        Naming what is missing, and what to do.
    """
    if missing := [name for name in names if name not in here]:
        raise InputError(
            f"Not comparable: '{title}' lacks {len(missing)} of the {len(names)} channels of the calibration: {', '.join(missing[:8])}.",
            "Name the channels alike at import, record them, or calibrate again on channels that both recordings have.",
        )


def _sentence(state: str, loud: Sequence[Mapping[str, Json]]) -> str:
    named = ", ".join(dict.fromkeys(f"{one['channel']} ({one['band']})" for one in loud[:4]))
    if state == "same":
        return "This is still the signal that the decoder was calibrated on."
    if state == "shifted":
        told = f"The signal has shifted since the calibration{f', most at {named}' if named else ''}."
        return f"{told} Recentring allows for much of that; watch the results."
    told = f"The signal has changed since the calibration{f', most at {named}' if named else ''}."
    return f"{told} The calibration's accuracy no longer applies: check electrodes and reference, or calibrate again."


def _distances(covariances: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Affine-invariant Riemannian distances (n,) of covariances from exp(`centre`), per root of channels."""
    whiten = spectral.exp_matrix(-centre / 2)
    values = np.linalg.eigvalsh(whiten @ covariances @ whiten)
    made: np.ndarray = np.sqrt((np.log(np.maximum(values, 1e-300)) ** 2).sum(axis=1) / len(centre))
    return made


def _log_power(trials: Trials) -> np.ndarray:
    spectrum, hertz = spectral.spectra(trials.x, trials.rate)
    power = np.abs(spectrum) ** 2
    parts = [power[:, :, spectral.inside(hertz, low, high)].sum(axis=2) for _, low, high in BANDS]
    return np.log(np.stack(parts, axis=2) + spectral.FLOOR)


def _farther(old: np.ndarray, new: np.ndarray) -> float:
    """Share of pairs in which the new trial lies farther out than the old one."""
    ranks = np.searchsorted(np.sort(old), new)
    return float(ranks.mean() / len(old))


def _p(old: np.ndarray, new: np.ndarray, seed: int) -> float:
    """One-sided, for stretches of trials permuted between old and new (Phipson and Smyth 2010)."""
    rng = np.random.default_rng(seed)
    parts = [np.arange(at, min(at + _STRETCH, len(old))) for at in range(0, len(old), _STRETCH)]
    parts += [len(old) + np.arange(at, min(at + _STRETCH, len(new))) for at in range(0, len(new), _STRETCH)]
    ranks = np.concatenate([old, new]).argsort().argsort().astype(float)
    sums = np.array([ranks[part].mean() for part in parts])
    many = -(-len(new) // _STRETCH)
    observed = sums[-many:].mean()
    drawn = np.array([rng.permutation(sums)[:many].mean() for _ in range(_PERMUTATIONS)])
    return float((1 + (drawn >= observed - 1e-12).sum()) / (1 + _PERMUTATIONS))


def _parts(block: np.ndarray) -> list[np.ndarray]:
    """Sessions; fifths of a single one."""
    sessions = np.unique(block)
    if len(sessions) > 1:
        return [np.flatnonzero(block == one) for one in sessions]
    return [part for part in np.array_split(np.arange(len(block)), 5) if len(part)]


def _quantiles(values: np.ndarray) -> list[float]:
    return [round(float(one), 4) for one in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])]
