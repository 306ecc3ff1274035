"""Calibration on simulated scores whose truth is known: the temperature comes back, sets cover, nothing is judged by what it chose."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from backend.literature.conformal import members, set_in_words, set_of
from backend.training.readers import calibrate
from backend.training.readers.calibrate import Scored, choose, covering_of, held_out, shift_helps, shift_of, softmax, temperature_of

TRUE = 2.5


def drawn(n: int, seed: int, temperature: float = TRUE, spread: float = 4.0) -> Scored:
    """Scores of a reader that is too sure by `temperature`: answers are drawn from what the scores would say if it were not."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, spread, (n, 3)) + np.array([1.5, 0.5, -1.5])
    truth = np.array([rng.choice(3, p=row) for row in softmax(scores / temperature)])
    return Scored(scores, truth, rng.permutation(n) % 5)


def test_the_temperature_that_made_the_answers_is_found():
    held = drawn(5_000, 1)
    assert temperature_of(held.scores, held.truth) == pytest.approx(TRUE, rel=0.06)
    sure = drawn(5_000, 2, temperature=1.0)
    assert temperature_of(sure.scores, sure.truth) == pytest.approx(1.0, rel=0.06)


def test_sets_cover_nine_of_ten_fresh_questions():
    """Over many calibrations on 500 questions the mean coverage is 90%, whatever the temperature."""
    fresh = drawn(20_000, 3)
    covered = []
    for seed in range(40):
        held = drawn(500, 100 + seed)
        shares = softmax(held.scores / temperature_of(held.scores, held.truth))
        least = covering_of(shares, held.truth)
        new = softmax(fresh.scores / temperature_of(held.scores, held.truth))
        covered.append(members(new, least)[np.arange(len(new)), fresh.truth].mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.01)
    assert np.std(covered) < 0.03


def test_the_threshold_is_the_one_of_the_definition():
    """Of 20 calibration questions the strangest has a p value of 2 in 21, below one tenth; the second strangest 3 in 21, above."""
    own = np.linspace(0.05, 0.95, 20)
    shares = np.column_stack([own, 1 - own, np.zeros(20)])
    assert covering_of(shares, np.zeros(20, dtype=int)) == pytest.approx(np.sort(own)[1], abs=1e-4)


def test_a_shift_that_is_missing_is_found_and_one_that_is_not_is_not_made_up():
    held = drawn(4_000, 4, temperature=1.0)
    lost = Scored(held.scores - np.array([0.0, 0.0, 1.5]), held.truth, held.folds)  # a reader that never says maybe
    assert shift_helps(lost)
    assert shift_of(lost.scores, lost.truth)[2] > 0.5
    chosen = choose(lost)
    assert chosen.shift[0] == 0
    noise = np.random.default_rng(5)
    random = Scored(noise.normal((4.0, 0, 0), size=(200, 3)), noise.choice(3, 200, p=[0.9, 0.05, 0.05]), np.arange(200) % 5)
    assert not shift_helps(random)
    assert not any(choose(random).shift)


def test_figures_are_of_folds_that_chose_nothing():
    """One fold whose scores are nonsense must not move its own temperature."""
    held = drawn(1_000, 6)
    figures = held_out({"PubMedQA": held, "BioASQ": drawn(300, 7)}, ["PubMedQA"])
    assert figures["PubMedQA"]["n"] == 1_000
    assert figures["PubMedQA"]["ece"]["value"] < figures["PubMedQA"]["ece as trained"]["value"]
    assert 0.86 < figures["PubMedQA"]["coverage90"]["value"] < 0.94
    spoilt = Scored(np.where(held.folds[:, None] == 2, 100 * held.scores, held.scores), held.truth, held.folds)
    others = held.folds != 2
    assert choose(spoilt.rows(others)) == choose(held.rows(others))
    assert held_out({"PubMedQA": spoilt}, ["PubMedQA"])["PubMedQA"]["ece"]["value"] > figures["PubMedQA"]["ece"]["value"]


def test_the_command_adds_to_the_readers_settings(tmp_path, monkeypatch, capsys):
    held = drawn(60, 8)
    answers = [("yes", "no", "maybe")[at] for at in held.truth]
    questions = {str(n): {"QUESTION": "?", "CONTEXTS": ["."], "final_decision": answer} for n, answer in enumerate(answers)}
    (tmp_path / "pubmedqa_labelled_500.json").write_text(json.dumps(questions))
    (tmp_path / "bioasq_7b_9b.json").write_text(json.dumps({"questions": []}))
    np.savez(tmp_path / "folds.npz", PubMedQA_scores=held.scores, PubMedQA_folds=held.folds)
    out = tmp_path / "verdict.json"
    out.write_text(json.dumps({"answers": ["yes", "no", "maybe"], "temperature": 1.0}))
    monkeypatch.setattr(sys, "argv", ["calibrate", str(tmp_path), str(tmp_path / "folds.npz"), str(out)])
    calibrate.main()
    made = json.loads(out.read_text())
    assert made["answers"] == ["yes", "no", "maybe"]
    assert made["temperature"] > 1.2
    assert 0 < made["covering"] < 0.5
    assert {"accuracy", "macro_f1", "ece", "accuracy@60", "coverage90", "set_size"} <= set(made["calibration"]["held out"]["PubMedQA"])
    np.savez(tmp_path / "folds.npz", PubMedQA_scores=held.scores[:9], PubMedQA_folds=held.folds[:9])
    with pytest.raises(ValueError, match="9 scores of PubMedQA, whose file holds 60"):
        calibrate.main()


def test_a_set_is_never_empty_and_says_what_it_rules_out():
    assert members(np.array([[0.4, 0.35, 0.25]]), 0.9).tolist() == [[True, False, False]]
    assert set_of([0.2, 0.7, 0.1], 0.15) == ["no", "yes"]
    assert set_of([0.2, 0.7, 0.1], None) is None
    assert set_in_words(["no", "yes"]) == "The 90% prediction set holds no and yes: neither is ruled out at this level."
    assert set_in_words(["yes"]).endswith("no and maybe are ruled out at this level.")
    assert "nothing is ruled out" in set_in_words(["yes", "no", "maybe"])
