"""Other patients who consented: their trials make the uncalibrated model, and help a candidate of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backend.eeg.decoding.candidates import base, centring, tangent
from backend.eeg.decoding.candidates.base import Candidate, LinearDecoder
from backend.eeg.decoding.trials import Trials, cut_trials, labels_of
from backend.errors import InputError
from backend.tasks import Context

NAME = "pooled"
MOST_PATIENTS, MOST_EACH = 30, 200
FEWEST_CHANNELS = 3
_FIRST_BLOCK = 1_000_000  # sessions of others are numbered from here


@dataclass(frozen=True)
class Pool:
    """Trials of others on the same channels, and whose they are."""

    trials: Trials
    patients: tuple[str, ...]
    recordings: tuple[str, ...]

    def candidate(self) -> Candidate:
        """Tangent space fitted to the patient's trials and those of others, each side with half the weight."""
        material = tangent.material(self.trials.x, self.trials.rate)

        def fit_from(own: np.ndarray, trials: Trials, seed: int) -> LinearDecoder:
            return _fit(own, trials, material, self.trials)

        return Candidate(
            NAME,
            "Tangent space, with other patients' trials",
            tangent.CANDIDATE.source,
            tangent.material,
            fit_from,
            tangent.CANDIDATE.restore,
        )

    def uncalibrated(self, trials: Trials, seed: int = 0) -> np.ndarray:
        """Probabilities (n, classes) of a patient's trials from a decoder of the others alone, recentred on them without labels."""
        decoder = tangent.CANDIDATE.fit(self.trials, seed)
        made = np.empty((len(trials), len(trials.classes)))
        for block in np.unique(trials.block):
            at = trials.block == block
            made[at] = decoder.adapted(trials.x[at]).predict_proba(trials.x[at])
        return made


def find_pool(context: Context, patient: str, trials: Trials, labels: tuple[str, ...], window: tuple[float, float]) -> Pool | None:
    """Trials of all other consenting patients with the same labels and channels; None where there are none."""
    found: list[Trials] = []
    patients: list[str] = []
    used: list[str] = []
    for other in sorted(context.storage.patients.search(limit=10_000), key=lambda one: one.id):
        if other.id == patient or not other.pooled or len(patients) >= MOST_PATIENTS:
            continue
        wanted = {label.casefold() for label in labels}
        recordings = [
            one.id
            for one in context.storage.recordings.list(patient=other.id)
            if wanted <= {label.casefold() for label in labels_of(context, [one.id])}
            and set(trials.names) <= {channel["name"] for channel in one.channels}
        ]
        if not recordings:
            continue
        try:
            cut = cut_trials(context, recordings, labels, window, names=trials.names, rate=trials.rate).trials
        except InputError:
            continue  # of another montage or window: such a patient does not help
        part = cut.pick(np.arange(min(len(cut), MOST_EACH)))
        found.append(replace(part, block=part.block + _FIRST_BLOCK + 1000 * len(found)))
        patients.append(other.id)
        used += recordings
    if not found or len(trials.names) < FEWEST_CHANNELS:
        return None
    first = found[0]
    return Pool(
        replace(
            first,
            x=np.concatenate([one.x for one in found]),
            y=np.concatenate([one.y for one in found]),
            onset_s=np.concatenate([one.onset_s for one in found]),
            block=np.concatenate([one.block for one in found]),
        ),
        tuple(patients),
        tuple(used),
    )


def _fit(own: np.ndarray, trials: Trials, others: np.ndarray, pool: Trials) -> LinearDecoder:
    material = np.concatenate([own, others])
    y, block = np.concatenate([trials.y, pool.y]), np.concatenate([trials.block, pool.block])
    learned = centring.block_means(material[:, 1], block)
    features = tangent.placed(material, block, learned)
    learned["centre"] = learned["centres"][np.searchsorted(learned["blocks"], trials.block.max())]
    kept = learned["blocks"] < _FIRST_BLOCK  # nothing of a single other patient's session is kept
    learned |= {"blocks": learned["blocks"][kept], "centres": learned["centres"][kept]}
    weight = np.concatenate([np.full(len(own), 0.5 / len(own)), np.full(len(others), 0.5 / len(others))]) * len(y)
    learned |= {"mean": np.average(features, axis=0, weights=weight), "scale": np.ones(features.shape[1])}
    learned |= base.logistic(features - learned["mean"], y, len(trials.classes), weight=weight)
    return LinearDecoder(replace(tangent.RECIPE, name=NAME), base.Spec.of(trials), learned)
