"""Why a component got its label: Shapley values of its map, spectrum and autocorrelation, and of regions and bands within them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Explanation, Json
from backend.eeg import cleaning
from backend.errors import InputError
from backend.explain.text import explain_players, to_json
from backend.models.families.iclabel import BINS, CLASSES, GRID
from backend.tasks import Context

MODEL = "iclabel"
INPUTS = ("Scalp map", "Spectrum", "Autocorrelation")
MOST_OTHERS, MOST_OF_PARTS = 8, 4  # other components that stand for absent inputs, and for absent parts of them: 256 selections each
BANDS = ((1, 7, "1-7 Hz"), (8, 30, "8-30 Hz"), (31, 100, "31-100 Hz"))
REGIONS = ("Map, front", "Map, middle", "Map, sides", "Map, back")


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which of ICLabel's three inputs, and which parts of them, made a component's label.

    Parameters
    ----------
    target : mapping
        ``component`` (from 1), and ``label`` (one of `CLASSES`); of an empty one the first suggested component, else the first, and its
        own label.

    Returns
    -------
    dict
        ``inputs``: exact Shapley values of the three inputs. ``parts``: exact Shapley values of regions of the map, bands of the spectrum
        and the autocorrelation, with their deletion test.

    Raises
    ------
    InputError
        When there is no such component or label.
    """
    number, label = _target(prediction, target)
    found = cleaning.read(context, str(prediction["recording"]), str(prediction["file"]))
    own = number - 1
    column = CLASSES.index(label)
    about = f"ICLabel's probability that component {number} is {label}"
    done = 0
    with context.runtime.use(MODEL) as labeller:

        def score(others: list[int], parts: list[Any], present: NDArray[np.bool_]) -> np.ndarray:
            nonlocal done
            scores = np.empty(len(present))
            for at, row in enumerate(present):
                context.progress.check()
                done += 1
                context.progress.update(done, 2 ** len(INPUTS) + 2 ** (len(REGIONS) + len(BANDS) + 1), "Scoring with parts left out")
                inputs = _mixed(found, own, others, parts, row)
                scores[at] = labeller.predict(*inputs)[:, column].mean()
            return scores

        def explained(parts: list[Any], labels: tuple[str, ...], noun: str, most: int) -> Explanation:
            others = _others(found.count, own, most)
            baseline = (
                f"Absent {noun}s are those of {len(others)} other components of the same recording, one after the other; the mean of what "
                "ICLabel then says. No input is ever empty: ICLabel never saw an empty one."
            )
            return explain_players(
                lambda present: score(others, parts, present),
                [Attribution(name, None) for name in labels],
                target=about,
                unit="probability",
                baseline=baseline,
                noun=noun,
            )

        inputs = explained([("map", np.ones((GRID, GRID), bool)), ("band", (1, BINS)), ("lags", None)], INPUTS, "input", MOST_OTHERS)
        regions = [("map", mask) for mask in _regions()]
        bands = [("band", (first, last)) for first, last, _ in BANDS]
        names = (*REGIONS, *(f"Spectrum, {name}" for _, _, name in BANDS), INPUTS[2])
        parts = explained([*regions, *bands, ("lags", None)], names, "part", MOST_OF_PARTS)
    probabilities = prediction["components"][own]["probabilities"]
    return {
        "target": {"component": number, "label": label},
        "model": MODEL,
        "probability": probabilities[column],
        "inputs": to_json(inputs),
        "parts": to_json(parts),
    }


def _others(count: int, own: int, most: int) -> list[int]:
    """Up to `most` other components, from the strongest to the weakest."""
    every = [n for n in range(count) if n != own]
    return [every[round(at)] for at in np.linspace(0, len(every) - 1, min(most, len(every)))]


def _mixed(
    found: cleaning.Decomposition, own: int, others: list[int], parts: list[Any], present: NDArray[np.bool_]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The component's inputs with absent parts taken from each of the others, one version each. Parts that are no players stay its own."""
    count = len(others)
    maps = np.repeat(found.maps[own : own + 1], count, axis=0)
    spectra = np.repeat(found.spectra[own : own + 1], count, axis=0)
    lags = np.repeat(found.lags[own : own + 1], count, axis=0)
    # a component's sign means nothing: the others are turned to agree with it, or a seam would run through the mixed map
    sign = np.sign(np.einsum("kxy,xy->k", found.maps[others], found.maps[own]))
    turned = found.maps[others] * np.where(sign == 0, 1, sign)[:, None, None]
    for (what, which), kept in zip(parts, present, strict=True):
        if kept:
            continue
        if what == "map":
            maps[:, which] = turned[:, which]
        elif what == "band":
            spectra[:, which[0] - 1 : which[1]] = found.spectra[others][:, which[0] - 1 : which[1]]
        else:
            lags[:] = found.lags[others]
    return maps, spectra, lags


def _regions() -> list[NDArray[np.bool_]]:
    """The pixels of `REGIONS`; the first axis of a map points to the nose."""
    front, side = np.mgrid[-1 : 1 : GRID * 1j, -1 : 1 : GRID * 1j]
    middle = np.hypot(front, side) < 0.45
    turn = np.arctan2(side, front)
    ahead, behind = np.abs(turn) <= np.pi / 4, np.abs(turn) >= 3 * np.pi / 4
    sides = ~ahead & ~behind
    return [ahead & ~middle, middle, sides & ~middle, behind & ~middle]


def _target(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> tuple[int, str]:
    components = prediction["components"]
    number = target.get("component") or (prediction["suggested"] or [1])[0]
    if not isinstance(number, int) or not 1 <= number <= len(components):
        raise InputError(f"There is no component {number}.", f"Components are 1 to {len(components)}.")
    label = target.get("label") or components[number - 1]["label"]
    if label not in CLASSES:
        raise InputError(f"ICLabel knows no '{label}'.", f"Its labels are: {', '.join(CLASSES)}.")
    return number, str(label)
