"""Band powers and covariances of single trials, from the trial's own spectrum: nothing is filtered across trials."""

from __future__ import annotations

import numpy as np

BANDS = ((4.0, 8.0), (8.0, 13.0), (13.0, 30.0))  # Hz: theta, alpha, beta
FLOOR = 1e-6  # uV^2: what a dead channel counts as


def covariances(x: np.ndarray, rate: float, bands: tuple[tuple[float, float], ...] = BANDS) -> np.ndarray:
    """Covariance of each trial in each band: the real part of its cross-spectrum, summed over the band's frequencies.

    Shrunk towards a multiple of the identity by the oracle approximating formula (Chen et al. 2010, doi:10.1109/TSP.2010.2053029), so
    that it can be inverted also where channels depend on one another (average reference, interpolated or bridged electrodes).

    Parameters
    ----------
    x : ndarray, shape (trials, channels, samples)
        Microvolts.

    Returns
    -------
    ndarray of float64, shape (trials, bands, channels, channels)
        uV^2.
    """
    spectrum, hertz = spectra(x, rate)
    made = np.empty((len(x), len(bands), x.shape[1], x.shape[1]))
    for n, (low, high) in enumerate(bands):
        part = spectrum[:, :, inside(hertz, low, high)]
        flat = np.concatenate([part.real, part.imag], axis=2)
        made[:, n] = shrunk(flat @ flat.transpose(0, 2, 1), flat.shape[2])
    return made


def spectra(x: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Fourier coefficients (trials, channels, frequencies), scaled so that summed squares are uV^2, and the frequencies in Hz."""
    samples = x.shape[2]
    values = x.astype(np.float64)
    ramp = np.linspace(-1.0, 1.0, samples)
    slope = (values @ ramp) / (ramp @ ramp)
    values = values - values.mean(axis=2, keepdims=True) - slope[:, :, None] * ramp
    taper = np.hanning(samples)
    made = np.fft.rfft(values * taper, axis=2) * np.sqrt(2.0 / (samples * (taper**2).sum()))
    return made, np.fft.rfftfreq(samples, 1.0 / rate)


def inside(hertz: np.ndarray, low: float, high: float) -> np.ndarray:
    """Which frequencies lie in [low, high); at least the nearest one."""
    found = (hertz >= low) & (hertz < high)
    if not found.any():
        found[int(np.argmin(np.abs(hertz - (low + high) / 2)))] = True
    return found


def shrunk(covariance: np.ndarray, samples: int) -> np.ndarray:
    """Covariances (..., c, c) estimated from `samples` values, shrunk towards their mean power."""
    size = covariance.shape[-1]
    eye = np.eye(size)
    mean = np.trace(covariance, axis1=-2, axis2=-1) / size
    square = (covariance**2).sum(axis=(-2, -1)) / size**2
    above = square + mean**2
    below = (samples + 1.0) * (square - mean**2 / size)
    share = np.where(below > 0, np.clip(above / np.where(below > 0, below, 1.0), 0.01, 1.0), 1.0)[..., None, None]
    made: np.ndarray = (1 - share) * covariance + share * (np.maximum(mean, FLOOR)[..., None, None] * eye)
    return made


def log_matrix(matrices: np.ndarray) -> np.ndarray:
    """Logarithm of symmetric positive definite matrices (..., c, c)."""
    return _mapped(matrices, lambda values: np.log(np.maximum(values, 1e-300)))


def exp_matrix(matrices: np.ndarray) -> np.ndarray:
    """Exponential of symmetric matrices."""
    return _mapped(matrices, np.exp)


def _mapped(matrices: np.ndarray, function: object) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrices)
    made: np.ndarray = (vectors * function(values)[..., None, :]) @ vectors.swapaxes(-1, -2)  # type: ignore[operator]
    return made
