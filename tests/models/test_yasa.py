"""YASA's trees are read as text, never unpickled, and give the publisher's own numbers."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from backend.errors import ModelError
from backend.models.families import yasa_sleep
from tests.prepare import models_folder


@pytest.fixture(scope="module")
def folder() -> Path:
    found = models_folder() / yasa_sleep.CARD.name / yasa_sleep.CARD.sha256[:12]
    if not found.is_dir():
        pytest.skip("the embedded model was not fetched: python -m tests.prepare")
    return found


@pytest.fixture(scope="module")
def classifiers(folder: Path) -> yasa_sleep.SleepClassifiers:
    return yasa_sleep.load(folder, yasa_sleep.CARD, "cpu")


@pytest.mark.parametrize("eog", [True, False])
@pytest.mark.parametrize("emg", [True, False])
@pytest.mark.parametrize("demographics", [True, False])
def test_each_classifier_gives_what_the_publishers_own_object_gives(folder, classifiers, eog, emg, demographics):
    import joblib

    found = classifiers.get(eog=eog, emg=emg, demographics=demographics)
    theirs = joblib.load(folder / found.name)
    measures = np.random.default_rng(1).normal(size=(40, len(found.features))).astype(np.float32)
    assert tuple(theirs.feature_name_) == found.features
    assert tuple(theirs.classes_) == yasa_sleep.CLASSES
    assert np.abs(theirs.predict_proba(measures) - found.probabilities(measures)).max() < 1e-12


def test_shares_of_the_measures_add_up_to_the_log_odds_and_these_to_the_probabilities(classifiers):
    found = classifiers.get(eog=True, emg=False, demographics=False)
    measures = np.random.default_rng(2).normal(size=(25, len(found.features))).astype(np.float32)
    scores = found.scores(measures)
    for place in range(5):
        shares, base = found.contributions(measures, np.full(25, place))
        assert np.abs(base + shares.sum(axis=1) - scores[:, place]).max() < 1e-9
        assert np.abs(found.score_of(measures, place) - scores[:, place]).max() < 1e-12
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    assert np.abs(odds / odds.sum(axis=1, keepdims=True) - found.probabilities(measures)).max() < 1e-12


def test_the_shares_are_those_of_the_whole_classifier(folder, classifiers):
    import joblib

    found = classifiers.get(eog=False, emg=False, demographics=False)
    measures = np.random.default_rng(3).normal(size=(6, len(found.features))).astype(np.float32)
    theirs = joblib.load(folder / found.name).booster_.predict(measures, pred_contrib=True).reshape(6, 5, -1)
    classes = np.array([0, 1, 2, 3, 4, 2])
    shares, base = found.contributions(measures, classes)
    assert np.abs(theirs[np.arange(6), classes, :-1] - shares).max() < 1e-9
    assert np.abs(theirs[np.arange(6), classes, -1] - base).max() < 1e-9


def test_a_file_without_trees_or_with_other_trees_is_refused(folder, tmp_path):
    name = "clf_eeg_lgb_0.5.0.joblib"
    (tmp_path / name).write_bytes(zlib.compress(b"no trees at all"))
    with pytest.raises(ModelError, match="holds no trees"):
        yasa_sleep.SleepClassifiers(tmp_path).get(eog=False, emg=False, demographics=False)
    (tmp_path / name).write_bytes(b"not even compressed")
    with pytest.raises(ModelError, match="cannot be read"):
        yasa_sleep.SleepClassifiers(tmp_path).get(eog=False, emg=False, demographics=False)
    other = (folder / "clf_eeg+demo_lgb_0.5.0.joblib").read_bytes()
    (tmp_path / name).write_bytes(other)
    with pytest.raises(ModelError, match="other numbers"):
        yasa_sleep.SleepClassifiers(tmp_path).get(eog=False, emg=False, demographics=False)


def test_measures_of_another_number_are_refused(classifiers):
    with pytest.raises(ModelError, match="measures"):
        classifiers.get(eog=False, emg=False, demographics=False).probabilities(np.zeros((2, 3), np.float32))
