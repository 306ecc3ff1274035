"""Which decoder explains which trial, and which trials stand for its absent parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.eeg.decoding.candidates.base import Decoder
from backend.eeg.decoding.trials import Trials
from backend.explain.signals import Case, Floats

FEWEST = 8  # trials of each class


@dataclass(frozen=True)
class Asked:
    """Decoders with the trials that they have not seen: each session's trials have a decoder recentred on that session."""

    trials: Trials
    decoders: Mapping[int, Decoder]  # by number of the trial
    held_out: bool

    def odds(self) -> Floats:
        """Of each class for each trial, (trials, classes)."""
        found = np.empty((len(self.trials), len(self.trials.classes)))
        for decoder in {id(one): one for one in self.decoders.values()}.values():
            at = [n for n, one in self.decoders.items() if one is decoder]
            found[at] = log_odds(decoder.predict_proba(self.trials.x[at]))
        return found


def asked_of(decoder: Decoder, trials: Trials, background: Trials | None, seed: int) -> Asked:
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
    return Asked(trials, decoders, again or background is not None)


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
        near = known is asked.trials and (known.block == known.block[number]).sum() > 2 * FEWEST
        others = np.flatnonzero(known.block == known.block[number]) if near else np.arange(len(known))
        others = others[others != number] if known is asked.trials else others
        picked = _in_turn(rng, others, known.y, count)
        return [_case(decoder, asked.trials.x[number], known.x[other], label) for other in picked]
    found = []
    for trial in _in_turn(rng, np.arange(len(known)), known.y, min(count, len(known))):
        others = np.flatnonzero((known.block == known.block[trial]) & (known.y != known.y[trial]))
        if not len(others):
            others = np.flatnonzero(known.y != known.y[trial])
        found.append(_case(asked.decoders[int(trial)], known.x[trial], known.x[rng.choice(others)], int(known.y[trial])))
    return found


def _in_turn(rng: np.random.Generator, which: np.ndarray, y: np.ndarray, count: int) -> list[int]:
    """`count` of the trials `which`, classes in turn, none twice before all of its class were taken."""
    queues = [rng.permutation(which[y[which] == label]) for label in np.unique(y[which])]
    return [int(queues[n % len(queues)][n // len(queues) % len(queues[n % len(queues)])]) for n in range(count)]


def _case(decoder: Decoder, x: np.ndarray, background: np.ndarray, label: int) -> Case:
    return Case(x, background, lambda signals: log_odds(decoder.predict_proba(signals))[:, label])


def log_odds(probabilities: np.ndarray) -> Floats:
    """Log-odds of each class against all others; probabilities so near 0 or 1 that they cannot be told from it count as 1e-9."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p) - np.log1p(-p))


def predicted(asked: Asked, number: int) -> int:
    return int(asked.decoders[number].predict_proba(asked.trials.x[[number]])[0].argmax())
