"""Why an epoch, a stage or a night was called so: exact shares of the trees, by channel, band and time, tested by exchanging them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Explanation, Json
from backend.eeg.sleep.groups import Group, group, in_words
from backend.eeg.sleep.signal import demographics, leads_of, night_measures
from backend.eeg.sleep.statistics import NAMES, STAGES
from backend.errors import InputError
from backend.explain.deletion import faithfulness
from backend.explain.text import to_json
from backend.models.families.yasa_sleep import CLASSES, Classifier
from backend.progress import Progress
from backend.tasks import Context

MODEL = "yasa-sleep"
_OTHERS = 16  # epochs of the same night that lend their values to a group that is taken away
_TESTED = 8  # epochs that a stage's or a night's explanation is tested on
_TOLD = 6  # groups whose strongest measure is told in figures
BASELINE = (
    "Shares are counted from the score that the trees give when nothing is known, the mean of the nights that they were grown on. "
    f"In the test, a group that is taken away has the values of {_OTHERS} other epochs of this night, evenly spread over it, instead."
)
METHOD = (
    "Exact SHAP values of the boosted trees (TreeSHAP), added up by channel, band and time around the epoch. The measures of 7.5 min and "
    "of 2 min are set against the whole night by the classifier itself"
)


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why one epoch has its stage, what made a stage in this night, or what the night's stages rest on.

    Parameters
    ----------
    target : mapping
        ``{"epoch": n}`` counted from 1, with ``"stage"`` to ask why it is or is not that stage; ``{"stage": "N3"}``;
        ``{"night": True}``. Of an empty one: the night.

    Raises
    ------
    InputError
        When the epoch was not scored or is not there, or no epoch has the stage.
    """
    told = _told(prediction, target)
    night = night_measures(context, str(prediction["recording"]), leads_of(prediction["channels"]), demographics(settings))
    kinds = prediction["channels"]
    with context.runtime.use(MODEL) as classifiers:
        classifier = classifiers.get(eog="eog" in kinds, emg="emg" in kinds, demographics=bool(prediction["age_and_sex"]))
        columns = [night.measures.names.index(name) for name in classifier.features]
        values = night.measures.values[:, columns]
        stages = prediction["stages"]
        scored = np.flatnonzero(night.measures.scored)
        epochs, classes = _epochs(told, stages)
        groups = group(classifier.features)
        shares, base = grouped(classifier, values[epochs], classes, groups)
        context.progress.check()
        scores = classifier.scores(values[epochs])[np.arange(len(epochs)), classes]
        tested = np.unique(np.linspace(0, len(epochs) - 1, min(_TESTED, len(epochs))).round().astype(int))
        made = _tested(
            classifier, values, scored, epochs, classes, groups, shares, base, scores, tested, _subject(told, stages), context.progress
        )
        probability = float(classifier.probabilities(values[epochs])[np.arange(len(epochs)), classes].mean())
    single = len(epochs) == 1
    return {
        "target": told,
        "model": MODEL,
        "stage": CLASSES[classes[0]] if single or "stage" in told else None,
        "epochs": len(epochs),
        "probability": round(probability, 4),
        "shares": to_json(made),
        "groups": [{"channel": one.channel, "band": one.band, "context": one.context} for one in groups],
        "figures": [] if "night" in told else _figures(classifier, values, scored, epochs, made, groups),
        "by_stage": None if single or "stage" in told else _by_stage(groups, shares, classes),
        "additivity": float(np.abs(base + shares.sum(axis=1) - scores).max()),
    }


def grouped(
    classifier: Classifier, values: NDArray[np.float32], classes: NDArray[np.integer], groups: Sequence[Group]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of each group in the score of each epoch's class (epochs, groups), and the score they are counted from (epochs,)."""
    each, base = classifier.contributions(values, classes)
    return np.stack([each[:, list(one.columns)].sum(axis=1) for one in groups], axis=1), base


def _told(prediction: Mapping[str, Any], target: Mapping[str, Json]) -> dict[str, Json]:
    """The target in its one spelling."""
    stages = prediction["stages"]
    stage = target.get("stage")
    if stage is not None and stage not in STAGES:
        raise InputError(f"There is no stage '{stage}'.", f"Stages are: {', '.join(STAGES)}.")
    if target.get("epoch") is not None:
        try:
            epoch = int(target["epoch"])
        except (TypeError, ValueError) as error:
            raise InputError(f"'{target['epoch']}' is no epoch.", "Give its number; the first is 1.") from error
        if not 1 <= epoch <= len(stages):
            raise InputError(f"There is no epoch {epoch}.", f"Epochs are counted from 1 to {len(stages)}.")
        if stages[epoch - 1] is None:
            raise InputError(f"Epoch {epoch} was not scored, so there is nothing to explain.", "Choose one that was.")
        return {"epoch": epoch} | ({} if stage in (None, stages[epoch - 1]) else {"stage": stage})
    if stage is not None:
        if stage not in stages:
            raise InputError(f"No epoch of this night was called {NAMES[stage]}.", "Choose a stage that occurs.")
        return {"stage": stage}
    return {"night": True}


def _epochs(told: Mapping[str, Any], stages: Sequence[str | None]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The epochs to explain (from 0) and the class whose score is explained in each."""
    if "epoch" in told:
        chosen = [int(told["epoch"]) - 1]
    else:
        chosen = [place for place, stage in enumerate(stages) if stage is not None and told.get("stage") in (None, stage)]
    called = [told.get("stage") if "epoch" in told and "stage" in told else stages[place] for place in chosen]
    return np.array(chosen, np.int64), np.array([CLASSES.index(str(stage)) for stage in called], np.int64)


def _subject(told: Mapping[str, Any], stages: Sequence[str | None]) -> str:
    if "epoch" in told:
        stage = told.get("stage") or stages[int(told["epoch"]) - 1]
        return f"score of {NAMES[str(stage)]} in epoch {told['epoch']}"
    if "stage" in told:
        return f"mean score of {NAMES[str(told['stage'])]} over the epochs called so"
    return "mean score of the called stage over the night"


def _tested(
    classifier: Classifier,
    values: NDArray[np.float32],
    scored: NDArray[np.integer],
    epochs: NDArray[np.int64],
    classes: NDArray[np.int64],
    groups: Sequence[Group],
    shares: NDArray[np.float64],
    base: NDArray[np.float64],
    scores: NDArray[np.float64],
    tested: NDArray[np.integer],
    subject: str,
    progress: Progress,
) -> Explanation:
    """The mean explanation over the epochs, with its deletion test on some of them."""
    others = scored[np.linspace(0, len(scored) - 1, min(_OTHERS, len(scored))).round().astype(int)]
    if len(tested) > 1:
        others = others[:: max(1, len(others) // 4)]  # several epochs are tested, so fewer stand in for what is absent
    belongs = np.zeros((len(groups), values.shape[1]), np.int8)
    for place, one in enumerate(groups):
        belongs[place, list(one.columns)] = 1

    def value(present: NDArray[np.bool_]) -> np.ndarray:
        kept = (present.astype(np.int8) @ belongs).astype(bool)
        made = np.zeros(len(present))
        for at in tested:
            rows = np.where(kept[:, None, :], values[epochs[at]], values[others][None]).reshape(-1, values.shape[1])
            made += classifier.score_of(rows, int(classes[at])).reshape(len(present), len(others)).mean(axis=1)
        return made / len(tested)

    mean = shares[tested].mean(axis=0) if len(tested) > 1 else shares[0]
    trust = faithfulness(
        value,
        mean,
        base=float(base[tested].mean()),
        score=float(scores[tested].mean()),
        evaluations=1,
        noun="group",
        progress=progress,
    )
    whole = shares.mean(axis=0)
    note = "" if len(epochs) == 1 else f"; mean of {len(epochs):,} epochs, tested on {len(tested)} of them"
    return Explanation(
        method=f"{METHOD}{note}.",
        target=subject,
        score=float(scores.mean()),
        base_value=float(base.mean()),
        baseline=BASELINE,
        unit="score",
        attributions=tuple(Attribution(one.label, float(share)) for one, share in zip(groups, whole, strict=True)),
        faithfulness=trust,
    )


def _figures(
    classifier: Classifier,
    values: NDArray[np.float32],
    scored: NDArray[np.integer],
    epochs: NDArray[np.int64],
    made: Explanation,
    groups: Sequence[Group],
) -> list[dict[str, Json]]:
    """Of the groups with the largest shares: one measure each, as it is here and as it is in the night."""
    rows: list[dict[str, Json]] = []
    order = np.argsort([-abs(one.value or 0.0) for one in made.attributions], kind="stable")
    for place in order[:_TOLD]:
        one = groups[place]
        column = one.columns[0]
        if len(one.columns) > 1:  # the measure that stands farthest from the middle of the night
            night = values[scored][:, list(one.columns)]
            middle, spread = np.nanmedian(night, axis=0), np.nanstd(night, axis=0) + 1e-12
            away = np.abs(values[epochs][:, list(one.columns)].mean(axis=0) - middle) / spread
            column = one.columns[int(np.nanargmax(away))]
        here = float(np.median(values[epochs, column]))
        below = float((values[scored, column] < here).mean())
        words, unit = in_words(classifier.features[column])
        rows.append(
            {
                "group": one.label,
                "share": round(float(made.attributions[place].value or 0.0), 4),
                "measure": words,
                "value": round(here, 4),
                "unit": unit,
                "above": round(below, 4),
            }
        )
    return rows


def _by_stage(groups: Sequence[Group], shares: NDArray[np.float64], classes: NDArray[np.integer]) -> dict[str, Json]:
    """For each stage of the night, the mean share of every group in the epochs called so."""
    return {
        stage: [round(float(one), 4) for one in shares[classes == CLASSES.index(stage)].mean(axis=0)]
        for stage in STAGES
        if (classes == CLASSES.index(stage)).any()
    }
