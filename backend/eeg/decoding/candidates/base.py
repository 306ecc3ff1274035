"""What every candidate is, and the linear decoder that most of them end in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.trials import Trials


@dataclass(frozen=True)
class Spec:
    """What a decoder was fitted to, and what it must be given."""

    classes: tuple[str, ...]
    names: tuple[str, ...]
    rate: float
    samples: int
    start_s: float

    @staticmethod
    def of(trials: Trials) -> Spec:
        return Spec(trials.classes, trials.names, trials.rate, trials.x.shape[2], trials.start_s)

    def json(self) -> dict[str, Json]:
        return {
            "classes": list(self.classes),
            "names": list(self.names),
            "rate": self.rate,
            "samples": self.samples,
            "start_s": self.start_s,
        }

    @staticmethod
    def read(data: Mapping[str, Json]) -> Spec:
        return Spec(tuple(data["classes"]), tuple(data["names"]), float(data["rate"]), int(data["samples"]), float(data["start_s"]))


class Decoder(Protocol):
    """A fitted decoder. Every method is a pure function; nothing is learned after `Candidate.fit`."""

    @property
    def candidate(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def rate(self) -> float: ...

    @property
    def linear(self) -> bool: ...

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes) of trials (n, channels, samples) in microvolts."""

    def predict_from(self, material: np.ndarray) -> np.ndarray:
        """The same from `Candidate.material`."""

    def adapted(self, x: np.ndarray) -> Decoder:
        """The decoder recentred on unlabelled trials of a session; itself where there is nothing to recentre, or too few trials."""

    def adapted_from(self, material: np.ndarray) -> Decoder:
        """The same from `Candidate.material`."""

    def at_block(self, block: int, material: np.ndarray) -> Decoder:
        """The decoder as it stands in a block of the training trials; for a block that it never saw, `adapted_from` its trials."""

    def features(self, x: np.ndarray) -> np.ndarray:
        """What the linear stage sees, (n, d)."""

    def weights(self) -> np.ndarray | None:
        """Log-odds (d, classes) of a linear decoder, else None."""

    def places(self) -> list[dict[str, Json]]:
        """Channels, band and window of each feature."""

    def arrays(self) -> dict[str, np.ndarray]: ...

    def meta(self) -> dict[str, Json]: ...


def _fits(trials: Trials) -> str:
    return ""


@dataclass(frozen=True)
class Candidate:
    """A way to make a decoder.

    Attributes
    ----------
    material : callable (x, rate) -> ndarray (n, ...)
        What the candidate needs of each trial, computed from that trial alone and without its label: the costly part, done once
        and shared by all folds without a leak.
    fit_from : callable (material, trials, seed) -> Decoder
        Everything that is learned from more than one trial. `trials` gives labels, blocks and the spec; its `x` may be empty.
    restore : callable (arrays, meta) -> Decoder
    linear : bool
    unfit : callable (trials) -> str
        Why it cannot be used on such trials; '' when it can.
    """

    name: str
    title: str
    source: str  # the paper
    material: Callable[[np.ndarray, float], np.ndarray]
    fit_from: Callable[[np.ndarray, Trials, int], Decoder]
    restore: Callable[[Mapping[str, np.ndarray], Mapping[str, Json]], Decoder]
    linear: bool = True
    unfit: Callable[[Trials], str] = _fits

    def fit(self, trials: Trials, seed: int = 0) -> Decoder:
        """A decoder fitted to all of `trials`."""
        return self.fit_from(self.material(trials.x, trials.rate), trials, seed)


Embed = Callable[[np.ndarray, Mapping[str, np.ndarray], Spec], np.ndarray]
Recentre = Callable[[np.ndarray, Mapping[str, np.ndarray], Spec], Mapping[str, np.ndarray]]
Places = Callable[[Mapping[str, np.ndarray], Spec], list[dict[str, Json]]]


@dataclass(frozen=True)
class Recipe:
    """What makes one linear candidate: from material to features, and how that is recentred on a new session."""

    name: str
    material: Callable[[np.ndarray, float], np.ndarray]
    embed: Embed
    places: Places
    recentre: Recentre | None = None


@dataclass(frozen=True)
class LinearDecoder:
    """softmax(features @ weights + intercept), with features standardised by what was learned in training."""

    recipe: Recipe
    spec: Spec
    learned: Mapping[str, np.ndarray] = field(repr=False)  # mean, scale, weights, intercept, and the recipe's own
    linear: bool = True

    @property
    def candidate(self) -> str:
        return self.recipe.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self.spec.classes

    @property
    def names(self) -> tuple[str, ...]:
        return self.spec.names

    @property
    def rate(self) -> float:
        return self.spec.rate

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.predict_from(self.recipe.material(x, self.spec.rate))

    def predict_from(self, material: np.ndarray) -> np.ndarray:
        return softmax(self._features(material) @ self.learned["weights"] + self.learned["intercept"])

    def adapted(self, x: np.ndarray) -> LinearDecoder:
        return self.adapted_from(self.recipe.material(x, self.spec.rate)) if self.recipe.recentre else self

    def adapted_from(self, material: np.ndarray) -> LinearDecoder:
        if self.recipe.recentre is None:
            return self
        return replace(self, learned={**self.learned, **self.recipe.recentre(material, self.learned, self.spec)})

    def at_block(self, block: int, material: np.ndarray) -> LinearDecoder:
        known = np.flatnonzero(self.learned["blocks"] == block)
        if not len(known):
            return self.adapted_from(material)
        return replace(self, learned={**self.learned, "centre": self.learned["centres"][known[0]]})

    def features(self, x: np.ndarray) -> np.ndarray:
        return self._features(self.recipe.material(x, self.spec.rate))

    def weights(self) -> np.ndarray | None:
        return self.learned["weights"]

    def places(self) -> list[dict[str, Json]]:
        return self.recipe.places(self.learned, self.spec)

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(self.learned)

    def meta(self) -> dict[str, Json]:
        return {"candidate": self.recipe.name, **self.spec.json()}

    def _features(self, material: np.ndarray) -> np.ndarray:
        made: np.ndarray = (self.recipe.embed(material, self.learned, self.spec) - self.learned["mean"]) / self.learned["scale"]
        return made


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows of scores to probabilities."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    made: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return made


def logistic(
    features: np.ndarray, y: np.ndarray, classes: int, strength: float = 1.0, weight: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Logistic regression with L2 penalty and balanced classes on features of any number; ``weights`` (d, classes), ``intercept``.

    The penalty is relative to the features' mean squared length, so that it means the same for 6 and for 6,000 of them.
    """
    from sklearn.linear_model import LogisticRegression

    length = float(np.sqrt(np.mean(np.sum(features**2, axis=1)))) or 1.0
    basis = _row_space(features / length)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=500, tol=1e-6)
    model.fit((features / length) @ basis, y, sample_weight=weight)
    return _columns(basis @ model.coef_.T / length, model.intercept_, classes)


def shrinkage_lda(features: np.ndarray, y: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Linear discriminant analysis with Ledoit and Wolf's shrinkage of the covariance within classes, and equal priors.

    Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4. Solved among the trials, so that a thousand features cost no more than
    a hundred.
    """
    means = np.stack([features[y == k].mean(axis=0) for k in range(classes)])
    inner = features - means[y]
    n, d = inner.shape
    power = (inner**2).sum(axis=1)
    mean = power.sum() / n / d
    square = ((inner @ inner.T) ** 2).sum() / n**2 if n < d else ((inner.T @ inner) ** 2).sum() / n**2
    distance = (square - d * mean**2) / d
    noise = min(((power**2).sum() / n - square) / n / d, distance)
    share = float(noise / distance) if distance > 0 else 1.0
    basis = _row_space(features)
    covariance = (1 - share) * (inner @ basis).T @ (inner @ basis) / n + max(share * mean, 1e-12) * np.eye(basis.shape[1])
    weights = basis @ np.linalg.solve(covariance, (means @ basis).T)
    return {"weights": weights, "intercept": -0.5 * (means * weights.T).sum(axis=1)}


def standard(features: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and scale (d,) of features."""
    scale = features.std(axis=0)
    return {"mean": features.mean(axis=0), "scale": np.where(scale > 1e-12, scale, 1.0)}


def every_place(names: Sequence[str], bands: Sequence[tuple[float, float]]) -> list[dict[str, Json]]:
    """One feature for each channel and band, channels varying slowest."""
    return [{"channels": [name], "band": list(band), "window": None} for name in names for band in bands]


def _row_space(features: np.ndarray) -> np.ndarray:
    """An orthonormal basis (d, r) of the rows, in which the penalised weights lie: few, however many features there are."""
    if features.shape[1] <= 2 * features.shape[0]:
        return np.eye(features.shape[1])
    q, _ = np.linalg.qr(features.T)
    return q


def _columns(weights: np.ndarray, intercept: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """One column for each class; two classes of scikit-learn share one column."""
    if classes == 2 and weights.shape[1] == 1:
        weights, intercept = np.concatenate([-weights, weights], axis=1) / 2, np.concatenate([-intercept, intercept]) / 2
    return {"weights": weights, "intercept": intercept}
