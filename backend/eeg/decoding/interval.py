"""What a decoder will do in the next session: an interval that holds the spread between sessions as well as chance.

Model: the logit of a session's accuracy is normal around the patient's own mean; right answers within a session are binomial. The
spread between sessions is drawn towards what is usual (`SPREAD`), because one or two sessions say little about it. A decoder judged
within a session meets a new one, where it could do worse (`FALL`; 200 simulated patients showed none). The prediction for a session not
yet recorded follows by summing over a grid (no sampling, no random numbers). `SPREAD`, `SHARE` and `FALL` were chosen on simulated
patients by ``python -m tests.benchmarks.eeg_calibrate --choose``; how often the interval then holds on others, the same command measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.metrics import Interval

SPREAD = 0.25  # scale of the half-normal prior of the standard deviation between sessions, in logits
SHARE = 0.8  # of the trials count as independent: folds share training trials
FALL = {"sessions": 0.0, "stretches": 0.0}  # logits lost from held-out folds to a new session: none on 200 simulated patients

Floats = NDArray[np.float64]
_MU = np.linspace(-4.0, 7.0, 221)
_TAU = np.linspace(0.02, 1.6, 40)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


def next_session(right: Sequence[float], trials: Sequence[float], chance: float, kind: str = "sessions") -> Interval:
    """Median and 95% interval of the balanced accuracy in the next session.

    Parameters
    ----------
    right, trials : sequence of float
        For each session: balanced accuracy times trials, and trials (see `effective`).
    chance : float
    kind : {'sessions', 'stretches'}
        Whether whole sessions were held out, or stretches of them.
    """
    prior = -0.5 * ((_MU - _logit(chance) - 0.5) / 1.5)[:, None] ** 2 - 0.5 * (_TAU / SPREAD)[None] ** 2
    points = _MU[:, None, None] + _TAU[None, :, None] * _NODES
    log_p, log_q = -np.logaddexp(0, -points), -np.logaddexp(0, points)
    log_weights = np.log(_WEIGHTS / _WEIGHTS.sum())
    for k, n in zip(right, trials, strict=True):
        inner = SHARE * (k * log_p + (n - k) * log_q) + log_weights
        peak = inner.max(axis=2)
        prior = prior + peak + np.log(np.exp(inner - peak[..., None]).sum(axis=2))
    weight = np.exp(prior - prior.max())
    weight /= weight.sum()
    low, middle, high = (_quantile(weight, share, -FALL[kind]) for share in (0.025, 0.5, 0.975))
    return Interval(middle, low, high)


def effective(y: np.ndarray, predicted: np.ndarray, classes: int) -> tuple[float, float]:
    """Right answers and trials of a session as if its classes were equally frequent: the same balanced accuracy, the same variance."""
    counts = np.bincount(y, minlength=classes).astype(float)
    hits = np.bincount(y[predicted == y], minlength=classes).astype(float)
    there = counts > 0
    share = hits[there] / counts[there]
    smooth = (hits[there] + 0.5) / (counts[there] + 1.0)
    mean = float(smooth.mean())
    variance = float((smooth * (1 - smooth) / counts[there]).sum()) / there.sum() ** 2
    n = min(float(counts.sum()), mean * (1 - mean) / variance)
    return float(share.mean()) * n, n


def _quantile(weight: Floats, share: float, shift: float) -> float:
    """The accuracy below which the next session lies with probability `share`."""
    from scipy.special import ndtr

    low, high = -8.0, 10.0
    for _ in range(50):
        at = (low + high) / 2
        below = float((weight * ndtr((at - shift - _MU[:, None]) / _TAU[None])).sum())
        low, high = (at, high) if below < share else (low, at)
    return float(1 / (1 + np.exp(-(low + high) / 2)))


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))
