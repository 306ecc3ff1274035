"""Which decoder explains which trial, and which trials stand for its absent parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.eeg.decoding.candidates.base import Decoder
from backend.eeg.decoding.trials import Trials
from backend.explain.signals import Case, Floats

FEWEST = 8  # trials of each class
BASELINES = {
    "calibration": "An absent part is replaced by the same part of a trial of another class from the same session.",
    "session": "An absent part is replaced by the same part of other trials of the same session, as many called each class.",
    "trial": "An absent part is replaced by the same part of trials of the calibration, as many of each class.",
}


@dataclass(frozen=True)
class Asked:
    """Decoders with the trials that they have not seen: each session's trials have a decoder recentred on that session."""

    trials: Trials
    decoders: Mapping[int, Decoder]  # by number of the trial
    held_out: bool
    temperature: float = 1.0  # probabilities are those that the person is shown: log-odds are divided by it

    def odds(self) -> Floats:
        """Of each class for each trial, (trials, classes)."""
        found = np.empty((len(self.trials), len(self.trials.classes)))
        for decoder in {id(one): one for one in self.decoders.values()}.values():
            at = [n for n, one in self.decoders.items() if one is decoder]
            found[at] = log_odds(decoder.predict_proba(self.trials.x[at]), self.temperature)
        return found


def asked_of(decoder: Decoder, trials: Trials, background: Trials | None, seed: int, temperature: float = 1.0) -> Asked:
    """Decoders for trials: fitted again to the other half of the sessions, or the other half of the time where there is one session."""
    from backend.eeg.decoding.candidates import CANDIDATES

    candidate = CANDIDATES.get(decoder.candidate)
    half = _halves(trials)
    decoders: dict[int, Decoder] = {}
    again = background is None and candidate is not None and all(min(trials.pick(half == n).counts().values()) >= 2 for n in (0, 1))
    for part in np.unique(half) if again else (None,):
        fitted = candidate.fit(trials.pick(half != part), seed) if again and candidate else decoder
        mine = np.flatnonzero(half == part) if again else np.arange(len(trials))
        for block in np.unique(trials.block[mine]):
            at = mine[trials.block[mine] == block]
            moved = fitted.adapted(trials.x[at])
            decoders |= dict.fromkeys(at.tolist(), moved)
    return Asked(trials, decoders, again or background is not None, temperature)


def _halves(trials: Trials) -> np.ndarray:
    """0 for the earlier sessions, 1 for the later ones; within a single session, for its earlier and later half."""
    blocks = np.unique(trials.block)
    if len(blocks) > 1:
        return np.isin(trials.block, blocks[(len(blocks) + 1) // 2 :]).astype(int)
    return (np.arange(len(trials)) >= len(trials) // 2).astype(int)


def cases_of(asked: Asked, known: Trials, number: int | None, count: int, seed: int) -> list[Case]:
    """Trials with the trials that stand for their absent parts, classes taking turns."""
    rng = np.random.default_rng([seed, 17])
    if number is not None:
        decoder, label = asked.decoders[number], predicted(asked, number)
        near = others_near(asked.trials, number)
        if len(near) >= 2 * FEWEST:  # what the decoder calls them, as those of a new recording have no labels
            y = decoder.predict_proba(asked.trials.x).argmax(axis=1)
            stand_in = [asked.trials.x[other] for other in _in_turn(rng, near, y, count)]
        else:
            rest = np.arange(len(known)) if known is not asked.trials else np.delete(np.arange(len(known)), number)
            stand_in = [known.x[other] for other in _in_turn(rng, rest, known.y, count)]
        return [_case(asked, decoder, asked.trials.x[number], other, label) for other in stand_in]
    found = []
    for trial in _in_turn(rng, np.arange(len(known)), known.y, min(count, len(known))):
        others = np.flatnonzero((known.block == known.block[trial]) & (known.y != known.y[trial]))
        if not len(others):
            others = np.flatnonzero(known.y != known.y[trial])
        found.append(_case(asked, asked.decoders[int(trial)], known.x[trial], known.x[rng.choice(others)], int(known.y[trial])))
    return found


def baseline(trials: Trials, number: int | None) -> str:
    """What stands for absent parts, in words."""
    if number is None:
        return BASELINES["calibration"]
    return BASELINES["session" if len(others_near(trials, number)) >= 2 * FEWEST else "trial"]


def others_near(trials: Trials, number: int) -> np.ndarray:
    """The other trials of a trial's session."""
    near = np.flatnonzero(trials.block == trials.block[number])
    return np.asarray(near[near != number])


def _in_turn(rng: np.random.Generator, which: np.ndarray, y: np.ndarray, count: int) -> list[int]:
    """`count` of the trials `which`, classes in turn, none twice before all of its class were taken."""
    queues = [rng.permutation(which[y[which] == label]) for label in np.unique(y[which])]
    return [int(queues[n % len(queues)][n // len(queues) % len(queues[n % len(queues)])]) for n in range(count)]


def _case(asked: Asked, decoder: Decoder, x: np.ndarray, background: np.ndarray, label: int) -> Case:
    return Case(x, background, lambda signals: log_odds(decoder.predict_proba(signals), asked.temperature)[:, label])


def log_odds(probabilities: np.ndarray, temperature: float = 1.0) -> Floats:
    """Log-odds of each class against all others; probabilities so near 0 or 1 that they cannot be told from it count as 1e-9."""
    logs = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), 1e-9, 1 - 1e-9)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    p = np.clip(raised / raised.sum(axis=1, keepdims=True), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(p) - np.log1p(-p))


def predicted(asked: Asked, number: int) -> int:
    return int(asked.decoders[number].predict_proba(asked.trials.x[[number]])[0].argmax())
