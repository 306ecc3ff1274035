"""Contacts of a structure, and how many of the predicted ones are among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.metrics import binomial_interval

TOUCH = 8.0  # ångströms between CB atoms, the field's bound (CASP; Rao et al. 2021, doi:10.1101/2020.12.15.422761)
_LONG = 24  # places along the chain from which a pair is called long-range
_TOPS = (("L", 1), ("L/2", 2), ("L/5", 5))


def true_contacts(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Whether CB atoms lie within 8 Å, shape (n, n): 1 or 0, NaN where a residue lacks backbone atoms.

    CB is placed from N, CA and C by ideal geometry for every residue, glycine too, as in the field's own evaluations.

    Parameters
    ----------
    coordinates : array (n, 4, 3)
        N, CA, C, O in ångströms, NaN where absent.
    """
    n_, ca, c_ = (coordinates[:, at].astype(np.float64) for at in range(3))
    along, beyond = ca - n_, c_ - ca
    cb = -0.58273431 * np.cross(along, beyond) + 0.56802827 * along - 0.54067466 * beyond + ca
    apart = np.linalg.norm(cb[:, None] - cb[None], axis=-1)
    return np.where(np.isnan(apart), np.nan, apart < TOUCH)


def compare(contacts: Sequence[Sequence[Json]], real: NDArray[np.float64], length: int, apart: int) -> dict[str, Json]:
    """Share of the strongest predicted pairs that touch, with its 95% interval, and the share that any pair would reach.

    Parameters
    ----------
    contacts : sequence of (i, j, probability)
        The strongest first; at least as many as there are residues where the protein has so many pairs.
    """
    known = [(int(i), int(j)) for i, j, _ in contacts if np.isfinite(real[int(i), int(j)])]
    rows: list[dict[str, Json]] = []
    for name, least in (("medium and long", apart), ("long", _LONG)):
        fitting = [pair for pair in known if pair[1] - pair[0] >= least]
        first, second = np.triu_indices(length, least)
        every = real[first, second]
        chance = float(np.nanmean(every)) if np.isfinite(every).any() else None
        for top, part in _TOPS:
            pairs = fitting[: max(1, length // part)]
            if not pairs or len(pairs) < max(1, length // part):
                continue  # so many pairs of this range were not kept: a share of fewer would be another measure
            hits = sum(bool(real[pair]) for pair in pairs)
            share = binomial_interval(hits, len(pairs))
            rows.append({"range": name, "from": least, "top": top, "pairs": len(pairs), "hits": hits, **share.json(), "any_pair": chance})
    first, second = np.nonzero(np.triu(np.nan_to_num(real), apart))
    return {
        "pairs": [[int(i), int(j)] for i, j in zip(first, second, strict=True)],
        "missing": int(np.isnan(np.diag(real)).sum()),
        "precision": rows,
        "bound": TOUCH,
    }
