"""Why a calibrated decoder decides as it does: Shapley values of channel x band x window, beside four other ways of asking.

Two targets. ``{"trial": n}``: what made the decoder give this trial its class, against trials of all classes. ``{"calibration": true}``:
what separates trials of one class from trials of another, over trials that the decoder had not seen; that is the mean Shapley value of
the log-odds of the true class, the trial against one of another class of its session.

What a decoder uses is not what tells the classes apart: a channel can have a large share because it cancels noise in another (a
suppressor; Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067; Wilming et al. 2022, doi:10.1007/s10994-022-06167-y). So every
channel and band is also asked what it tells alone (`explain_alone`), and those that tell nothing alone stand apart from the ranking,
with their share and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import explain_alone, explain_words
from backend.eeg.decoding.candidates.base import Decoder
from backend.eeg.decoding.explain_cases import FEWEST, asked_of, baseline, cases_of, predicted
from backend.eeg.decoding.explain_grid import make_grid, name_bands, single_channels, taken_apart
from backend.eeg.decoding.trials import Trials
from backend.errors import InputError
from backend.explain.deletion import faithfulness, rank_correlation
from backend.explain.signals import Case, Floats, Grid, Shares, mean_value, occlusion, shapley_shares
from backend.progress import Progress, Silent

UNIT = "log-odds"
_EVALUATIONS = ((24, 32_000), (10_000, 10_000))  # up to so many channels, so many trials scored for the shares
_LEAST_CASES, _MOST_CASES = 8, 64
_TESTED = 24, 8  # cases of the deletion test and of occlusion, and with regions
_SINGLES, _BUNDLES = 8, 8  # parts of the deletion test: the strongest alone, the others in bundles of like size
_Z95 = 1.96


def explain_decoder(
    decoder: Decoder,
    trials: Trials,
    target: Mapping[str, Json],
    progress: Progress | None = None,
    seed: int = 0,
    *,
    background: Trials | None = None,
    temperature: float = 1.0,
    evaluations: int | None = None,
) -> dict[str, Json]:
    """Explain one trial, or the calibration as a whole.

    Parameters
    ----------
    trials : Trials
        For a calibration: the trials that it was made from. The decoder is fitted again without the sessions (or the half) whose
        trials are explained. For a new recording: its trials; then `background` must be given.
    target : mapping
        ``{"trial": n}``, counted from 0, or ``{"calibration": True}``, which an empty one means.
    background : Trials, optional
        The calibration's trials when `trials` are those of a new recording, whose labels are then not used.
    temperature : float
        What the decoder's logarithms are divided by before a person sees probabilities.
    evaluations : int, optional
        Signals scored for the shares, about; more make the standard errors smaller. By default what two cores do in some seconds.

    Returns
    -------
    dict
        JSON: see `explain_words` for the sentences, and `pages/parts/eeg/why_decoder.py` for how it is shown.

    Raises
    ------
    InputError
        When there is no such trial, too few trials, or the channels differ.
    """
    progress = progress or Silent()
    number = _check(trials, target, background)
    known = trials if background is None else background
    asked, fresh = (asked_of(decoder, trials, background, one, temperature) for one in (seed, seed + 1))
    grid = make_grid(known)
    single = single_channels(grid)
    features = explain_alone.measured(known, single)
    told_alone = explain_alone.alone(known, features, seed)
    odds = asked.odds() if background is None else asked_of(decoder, known, None, seed, temperature).odds()
    pattern = explain_alone.patterns(known, single, features, odds)
    cases = cases_of(asked, known, number, _count(grid, evaluations), seed)
    grid = _refined(grid, cases, known, seed, _Part(progress, 0.05, 0.15))
    cases = cases_of(asked, known, number, _count(grid, evaluations), seed)
    shares = shapley_shares(cases, grid, seed, _Part(progress, 0.15, 0.55), "Weighing channels, bands and times")
    again = shapley_shares(
        cases_of(fresh, known, number, max(_LEAST_CASES, len(cases) // 2), seed + 1),
        grid,
        seed + 1,
        _Part(progress, 0.55, 0.8),
        "Asking again",
    )
    few = cases[: _TESTED[len(grid.groups) < len(known.names)]]
    without = occlusion(few, grid, _Part(progress, 0.8, 0.9))
    trust = _trust(shares, again, few, grid, seed, _Part(progress, 0.9, 1.0))
    told: dict[str, Json] = {"calibration": True} if number is None else {"trial": number}
    result = {
        "target": told,
        "kind": "decoder",
        "model": decoder.candidate,
        "held_out": asked.held_out,
        "classes": list(known.classes),
        "unit": UNIT,
        "baseline": baseline(trials, number),
        "score": float(shares.score.mean()),
        "base": float(shares.base.mean()),
        "gain": _gain(shares),
        "channels": list(known.names),
        "electrodes": list(known.electrodes),
        "groups": [[known.names[row] for row in rows] for rows in grid.groups],
        "bands": name_bands(grid),
        "windows": _windows(grid, known.start_s),
        "values": _rounded(shares.mean()),
        "errors": _rounded(shares.error()),
        **_margins(shares),
        "occlusion": _rounded(without),
        "second": _rounded(again.mean().sum(axis=2)),
        "patterns": pattern.json(known.classes),
        "weights": explain_alone.weights(decoder, known) if decoder.linear else None,
        "cases": len(cases),
        "evaluations": shares.evaluations + again.evaluations,
        "seed": seed,
        "faithfulness": trust,
    }
    if number is not None:
        result["class"] = known.classes[predicted(asked, number)]
    strength = pattern.strength(grid.groups)
    result["pattern_strength"] = _rounded(strength)
    result |= explain_words.ranked(result, told_alone, strength, grid.groups)
    result |= explain_words.verdict(result)
    return result


def _check(trials: Trials, target: Mapping[str, Json], background: Trials | None) -> int | None:
    """The number of the trial to explain, or None for the calibration."""
    known = trials if background is None else background
    if min(known.counts().values()) < FEWEST:
        told = ", ".join(f"{count} of {name}" for name, count in known.counts().items())
        raise InputError(f"There are too few trials to explain a decoder: {told}.", f"It takes {FEWEST} of each class.")
    if background is not None and trials.names != background.names:
        raise InputError("The new recording's channels differ from the calibration's.", "Take a recording of the same channels.")
    if target.get("trial") is None:
        if background is not None:
            raise InputError("Say which trial to explain.", f"Give 'trial', from 0 to {len(trials) - 1}.")
        return None
    number = target["trial"]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(trials):
        raise InputError(f"There is no trial {number}.", f"Trials are counted from 0 to {len(trials) - 1}.")
    return number


def _count(grid: Grid, budget: int | None) -> int:
    """Cases that the budget pays for."""
    channels = sum(len(rows) for rows in grid.groups)
    budget = budget or next(evaluations for most, evaluations in _EVALUATIONS if channels <= most)
    return int(np.clip(budget // (2 * grid.size), _LEAST_CASES, _MOST_CASES))


def _refined(grid: Grid, cases: Sequence[Case], known: Trials, seed: int, progress: Progress) -> Grid:
    """With many channels: neighbours stand together, and only the groups with the largest shares are taken apart."""
    if len(grid.groups) == len(known.names):
        return grid
    coarse = Grid(grid.groups, (), (), grid.rate, grid.samples)
    shares = shapley_shares(cases, coarse, seed, progress, "Weighing regions of the head")
    return taken_apart(grid, np.abs(shares.mean().sum(axis=(1, 2))))


def _trust(shares: Shares, again: Shares, few: Sequence[Case], grid: Grid, seed: int, progress: Progress) -> dict[str, Json]:
    """The deletion test on bundles of parts, with the agreement of two independent samples."""
    cells = shares.mean().sum(axis=2)
    player = _bundles(cells)
    players = np.repeat(player[:, :, None], grid.shape[2], axis=2)
    count = int(player.max()) + 1
    sums = np.bincount(player.ravel(), cells.ravel(), count)
    others = np.bincount(player.ravel(), again.mean().sum(axis=2).ravel(), count)
    test = faithfulness(
        mean_value(few, grid, players),
        sums,
        base=float(shares.base.mean()),
        score=float(shares.score.mean()),
        evaluations=shares.evaluations,
        noun="part",
        stability=rank_correlation(sums, others),
        seed=seed,
        progress=progress,
    )
    return asdict(test)


def _bundles(cells: Floats) -> np.ndarray:
    """The player of each group and band: the strongest by themselves, the others in bundles, in order of their share."""
    order = np.argsort(-cells.ravel(), kind="stable")
    player = np.empty(cells.size, dtype=np.intp)
    first = min(_SINGLES, max(1, cells.size // 2))
    player[order[:first]] = np.arange(first)
    for n, rest in enumerate(part for part in np.array_split(order[first:], _BUNDLES) if len(part)):
        player[rest] = first + n
    return player.reshape(cells.shape)


def _gain(shares: Shares) -> dict[str, Json]:
    """Mean rise of the log-odds from background to trial, with its 95% interval over cases."""
    each = shares.score - shares.base
    half = _Z95 * float(each.std(ddof=1)) / len(each) ** 0.5
    return {"value": float(each.mean()), "low": float(each.mean()) - half, "high": float(each.mean()) + half}


def _margins(shares: Shares) -> dict[str, Json]:
    """Sums of the shares, each with its standard error."""
    found: dict[str, Json] = {}
    for name, over in (("cells", (2,)), ("per_group", (1, 2)), ("per_band", (0, 2)), ("per_window", (0, 1))):
        found[name] = {"values": _rounded(shares.mean().sum(axis=over)), "errors": _rounded(shares.error(over))}
    return found


def _windows(grid: Grid, start_s: float) -> list[list[float]]:
    ends = [0.0, *grid.cuts, grid.samples / grid.rate]
    return [[round(start_s + low, 3), round(start_s + high, 3)] for low, high in pairwise(ends)]


def _rounded(values: Floats) -> Any:
    return np.round(values, 6).tolist()


@dataclass(frozen=True)
class _Part:
    progress: Progress
    low: float
    high: float

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        share = done / total if total else 0.0
        self.progress.update(self.low + share * (self.high - self.low), 1.0, message)

    def check(self) -> None:
        self.progress.check()
