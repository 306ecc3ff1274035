"""Whether two kinds of trial differ: a cluster permutation test over channels and times (Maris and Oostenveld 2007)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.progress import Progress

Floats = NDArray[np.floating]

ALPHA = 0.05
NEIGHBOURS = np.deg2rad(45)  # neighbours of the 10-20 system lie up to 36 degrees apart
_STEP_S = 0.008  # times closer than this are taken together for the test
_MOST_TOLD = 10


def compare(
    one: Floats, two: Floats, times: Floats, names: Sequence[str], electrodes: Sequence[str], permutations: int, progress: Progress
) -> dict[str, Json]:
    """Test two sets of trials against each other, after the event.

    Welch's t for every channel and time; neighbours over the threshold of its two-sided 0.05 form clusters, whose summed t is compared
    with the largest cluster of each permutation of the trials' kinds. Every cluster's p holds for all channels and times together, and for
    both directions (each is tested on its own, its p doubled).

    Parameters
    ----------
    one, two : ndarray, shape (trials, channels, samples)

    Returns
    -------
    dict
        ``p`` of the strongest cluster, ``clusters`` with p below `ALPHA`, and ``words``.
    """
    import mne
    from scipy.stats import t as student

    progress.check()
    after = np.flatnonzero(times >= 0)
    step = max(1, round(_STEP_S / float(times[1] - times[0])))
    groups = [after[n : n + step] for n in range(0, len(after) - step + 1, step)]
    axis = np.array([times[group].mean() for group in groups])
    sets = [np.stack([made[:, :, group].mean(axis=2) for group in groups], axis=1) for made in (one, two)]  # trials, times, channels
    threshold = float(student.ppf(1 - ALPHA / 2, len(one) + len(two) - 2))
    adjacency = _neighbours(electrodes)
    every: list[tuple[float, int, NDArray[np.intp], NDArray[np.intp], Floats]] = []  # p, which is higher, times, channels, t
    for higher, pair in ((1, sets), (2, sets[::-1])):
        progress.check()
        found, clusters, chances, _ = mne.stats.spatio_temporal_cluster_test(
            pair,
            threshold=threshold,
            n_permutations=permutations,
            tail=1,  # MNE's test of two groups compares with the largest positive cluster only: each side has its own test, p doubled
            stat_fun=_welch,
            adjacency=adjacency,
            rng=0,
            n_jobs=1,
            out_type="indices",
            verbose="ERROR",
            buffer_size=None,
        )
        every += [(min(1.0, 2 * float(p)), higher, when, where, found) for (when, where), p in zip(clusters, chances, strict=True)]
    told: list[dict[str, Json]] = []
    for p, higher, when, where, found in sorted(every, key=lambda item: (item[0], -float(item[4][item[2], item[3]].sum()))):
        if p >= ALPHA or len(told) == _MOST_TOLD:
            continue
        sums = np.bincount(where, weights=found[when, where], minlength=len(names))
        order = [int(n) for n in np.argsort(-sums, kind="stable") if sums[n] > 0]
        told.append(
            {
                "p": round(p, 5),
                "from_s": round(float(axis[when.min()]), 4),
                "to_s": round(float(axis[when.max()]), 4),
                "channels": [names[n] for n in order],
                "higher": higher,
                "sum_t": round(float(found[when, where].sum()), 1),
            }
        )
    least = min((item[0] for item in every), default=1.0)
    return {"p": round(least, 5), "permutations": permutations, "step_s": step * float(times[1] - times[0]), "clusters": told,
            "words": _words(told, least)}  # fmt: skip


def _welch(*sets: Floats) -> Floats:
    one, two = sets
    variance = one.var(axis=0, ddof=1) / len(one) + two.var(axis=0, ddof=1) / len(two)
    found: Floats = (one.mean(axis=0) - two.mean(axis=0)) / np.sqrt(np.maximum(variance, 1e-12))
    return found


def _neighbours(electrodes: Sequence[str]) -> Any:
    """Which channels lie next to each other; those without a place have no neighbour."""
    import mne
    from scipy.sparse import csr_matrix

    known = {
        name.casefold(): place / np.linalg.norm(place)
        for name, place in mne.channels.make_standard_montage("spherical_1005").get_positions()["ch_pos"].items()
    }
    near = np.eye(len(electrodes), dtype=bool)
    for n, one in enumerate(electrodes):
        for m, two in enumerate(electrodes):
            a, b = known.get(one.casefold()), known.get(two.casefold())
            if a is not None and b is not None and float(a @ b) >= np.cos(NEIGHBOURS):
                near[n, m] = True
    return csr_matrix(near)


def _words(clusters: Sequence[dict[str, Json]], least: float) -> str:
    if not clusters:
        return f"No difference between the two events was found (smallest cluster p {least:.2g}). That is no proof that there is none."
    first = clusters[0]
    more = f"; {len(clusters) - 1} more cluster{'s' if len(clusters) > 2 else ''}" if len(clusters) > 1 else ""
    return (
        f"The two events differ (p {first['p']:.2g}): the strongest cluster runs from about {1000 * first['from_s']:.0f} to "
        f"{1000 * first['to_s']:.0f} ms, most at {', '.join(first['channels'][:4])}{more}. The test says that they differ; when and where "
        "is a description."
    )
