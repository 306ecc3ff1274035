"""What a hypnogram amounts to: the parameters of the AASM manual, and how far they could lie elsewhere by the classifier's own doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json

STAGES = ("W", "N1", "N2", "N3", "R")
NAMES: Mapping[str, str] = {"W": "Wake", "N1": "N1", "N2": "N2", "N3": "N3", "R": "REM"}
UNSCORED = -1
EPOCH_MIN = 0.5
BLOCK = 15  # epochs, 7.5 min: the span over which the classifiers smooth, and so over which their errors go together
DRAWS = 1000


@dataclass(frozen=True)
class Parameter:
    """One figure of the night: its key, what it is called, its unit, and what it means in one sentence."""

    key: str
    name: str
    unit: str
    meaning: str
    interval: bool = True  # whether drawing hypnograms from probabilities says something of it


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("trt", "Total recording time (TRT)", "min", "From lights off to lights on.", False),
    Parameter("tst", "Total sleep time (TST)", "min", "All epochs of N1, N2, N3 and REM sleep between lights off and lights on."),
    Parameter("se", "Sleep efficiency", "%", "TST as a share of TRT."),
    Parameter("sol", "Sleep latency", "min", "From lights off to the first epoch of any sleep."),
    Parameter("rem_latency", "REM latency", "min", "From sleep onset to the first epoch of REM sleep."),
    Parameter("waso", "Wake after sleep onset (WASO)", "min", "Wake between sleep onset and lights on."),
    Parameter("awakenings", "Awakenings", "", "Runs of wake between sleep onset and the last epoch of sleep.", False),
    Parameter("shifts", "Stage shifts", "", "Changes of stage from one scored epoch to the next.", False),
    Parameter("shift_index", "Stage shifts an hour of sleep", "/h", "Stage shifts divided by TST in hours.", False),
    Parameter("unscored", "Not scored", "min", "Epochs that touch a gap or in which a channel is flat.", False),
)


def count(codes: NDArray[np.integer]) -> dict[str, float | None]:
    """Every parameter of one hypnogram between lights off and lights on.

    Parameters
    ----------
    codes : ndarray of int, shape (epochs,)
        Places in `STAGES`, `UNSCORED` where nothing is known.

    Returns
    -------
    dict
        By the keys of `PARAMETERS`, and ``min_W`` ... ``min_R`` and ``pct_N1`` ... ``pct_R`` (of TST); None where there is none, such as
        a REM latency without REM sleep.
    """
    codes = np.asarray(codes)
    asleep = codes > 0
    onset = int(np.argmax(asleep)) if asleep.any() else None
    last = int(len(codes) - 1 - np.argmax(asleep[::-1])) if asleep.any() else None
    trt, tst = len(codes) * EPOCH_MIN, float(asleep.sum()) * EPOCH_MIN
    dreams = np.flatnonzero(codes == 4)
    shifts = float(((codes[1:] != codes[:-1]) & (codes[1:] >= 0) & (codes[:-1] >= 0)).sum())
    made: dict[str, float | None] = {
        "trt": trt,
        "tst": tst,
        "se": 100 * tst / trt if trt else None,
        "sol": None if onset is None else onset * EPOCH_MIN,
        "rem_latency": None if onset is None or not len(dreams) else (int(dreams[0]) - onset) * EPOCH_MIN,
        "waso": None if onset is None else float((codes[onset:] == 0).sum()) * EPOCH_MIN,
        "awakenings": None if onset is None or last is None else _runs(codes[onset : last + 1] == 0),
        "shifts": shifts,
        "shift_index": shifts / (tst / 60) if tst else None,
        "unscored": float((codes == UNSCORED).sum()) * EPOCH_MIN,
    }
    for place, stage in enumerate(STAGES):
        made[f"min_{stage}"] = float((codes == place).sum()) * EPOCH_MIN
        if place:
            made[f"pct_{stage}"] = 100 * float(made[f"min_{stage}"] or 0) / tst if tst else None
    return made


def transitions(codes: NDArray[np.integer]) -> list[list[int]]:
    """How often each stage (row, as `STAGES`) was followed by each (column); staying is counted too."""
    made = np.zeros((5, 5), int)
    known = (codes[:-1] >= 0) & (codes[1:] >= 0)
    np.add.at(made, (codes[:-1][known], codes[1:][known]), 1)
    rows: list[list[int]] = made.tolist()
    return rows


def drawn(probabilities: NDArray[np.floating], codes: NDArray[np.integer], draws: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """Hypnograms (draws, epochs) drawn from the probabilities, so that each epoch has each stage as often as its probability says.

    Epochs of one stretch of 7.5 min share one draw (the Gumbel-max rule with common noise; stretches begin at a random place each
    time): the classifier's errors go together in time, and independent draws would make nights fall to pieces and totals look certain.
    """
    rng = np.random.default_rng(seed)
    epochs = len(codes)
    logs = np.log(np.clip(np.asarray(probabilities, np.float64), 1e-12, None))
    blocks = epochs // BLOCK + 2
    made = np.empty((draws, epochs), np.int64)
    for draw in range(draws):
        noise = rng.gumbel(size=(blocks, 5))
        place = (np.arange(epochs) + rng.integers(BLOCK)) // BLOCK
        made[draw] = (logs + noise[place]).argmax(axis=1)
    made[:, np.asarray(codes) == UNSCORED] = UNSCORED
    return made


def statistics(codes: NDArray[np.integer], probabilities: NDArray[np.floating]) -> dict[str, Json]:
    """Every parameter with the bounds of its interval: ``{key: {"value", "low", "high"}}``; None where there is none.

    The interval holds the parameter in 95% of hypnograms drawn by `drawn`. It tells of the classifier's doubt only: not of errors that it
    does not know of, and not of the difference to another scorer. A bound that lay beyond the value itself is drawn to the value.
    """
    value = count(codes)
    sampled = [count(one) for one in drawn(probabilities, codes)]
    without = {parameter.key for parameter in PARAMETERS if not parameter.interval}
    made: dict[str, Json] = {}
    for key, figure in value.items():
        low = high = None
        several = [one[key] for one in sampled]
        known = [one for one in several if one is not None]
        if key not in without and figure is not None and len(known) >= 0.95 * len(several):
            low, high = (float(bound) for bound in np.percentile(known, [2.5, 97.5]))
            low, high = min(low, figure), max(high, figure)
        made[key] = {"value": _round(figure), "low": _round(low), "high": _round(high)}
    return made


def encode(stages: Sequence[str | None]) -> NDArray[np.int64]:
    """Stages as places in `STAGES`, None as `UNSCORED`."""
    return np.array([UNSCORED if stage is None else STAGES.index(stage) for stage in stages], np.int64)


def _runs(there: NDArray[np.bool_]) -> float:
    return float((np.diff(np.concatenate([[0], there.astype(np.int8)])) == 1).sum())


def _round(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)
