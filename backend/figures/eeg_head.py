"""Where electrodes lie on the head, and values between them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FOLDED = {"A1": "LPA", "A2": "RPA", "M1": "TP9", "M2": "TP10"}  # ears and mastoids, as near as the 10-05 system has them


def positions(electrodes: Sequence[str]) -> Floats:
    """Places in the plane of the map, shape (electrodes, 2): angle from the vertex in radians, right and front positive; NaN if unknown.

    The ideal sphere of the 10-05 system (Oostenveld and Praamstra 2001, doi:10.1016/S1388-2457(00)00527-7) as MNE-Python carries it,
    seen from above with angles from the vertex kept (azimuthal equidistant).
    """
    found = [place(name) for name in electrodes]
    return _flat(np.array([[np.nan] * 3 if place is None else place for place in found], np.float64).reshape(-1, 3))


def interpolate(places: Floats, values: Floats, targets: Floats) -> Floats:
    """Spherical splines (Perrin et al. 1989, doi:10.1016/0013-4694(89)90180-6): order 4, no smoothing.

    Parameters
    ----------
    places, targets : ndarray, shape (n, 3) and (m, 3)
        On the unit sphere.
    values : ndarray, shape (n,)
    """
    n = len(places)
    system = np.zeros((n + 1, n + 1))
    system[:n, :n] = _kernel(places @ places.T) + 1e-9 * np.eye(n)  # two electrodes in one place would make it singular
    system[:n, n] = system[n, :n] = 1
    weights = np.linalg.lstsq(system, np.append(values, 0), rcond=None)[0]
    drawn: Floats = _kernel(targets @ places.T) @ weights[:n] + weights[n]
    return drawn


def _kernel(cosines: Floats) -> Floats:
    degree = np.arange(1, 51, dtype=np.float64)
    factors = np.concatenate([[0], (2 * degree + 1) / (degree * (degree + 1)) ** 4 / (4 * np.pi)])
    summed: Floats = np.polynomial.legendre.legval(np.clip(cosines, -1, 1), factors)
    return summed


@cache
def _table() -> dict[str, tuple[float, float, float]]:
    import mne

    montage = mne.channels.make_standard_montage("spherical_1005")
    found = montage.get_positions()
    made = {name.casefold(): place for name, place in found["ch_pos"].items()}
    made |= {"lpa": found["lpa"], "rpa": found["rpa"]}
    return {name: tuple(float(part) for part in place / np.linalg.norm(place)) for name, place in made.items()}  # type: ignore[misc]


def place(name: str) -> tuple[float, float, float] | None:
    """On the unit sphere, right, front and up positive; None where that is no electrode."""
    table = _table()
    return table.get(name.casefold()) or table.get(_FOLDED.get(name, "").casefold())


def _flat(sphere: Floats) -> Floats:
    angle = np.arccos(np.clip(sphere[:, 2], -1, 1))
    across = np.hypot(sphere[:, 0], sphere[:, 1])
    scale = np.divide(angle, across, out=np.zeros_like(angle), where=across > 1e-9)
    scale[np.isnan(across)] = np.nan
    flat: Floats = sphere[:, :2] * scale[:, None]
    return flat
