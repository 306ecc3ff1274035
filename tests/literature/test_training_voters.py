"""The curve that decides which papers are judged: it must tell a question's own papers from others, and say how well."""

from __future__ import annotations

import numpy as np
import pytest

from backend.literature.voters import least, measured, probability
from backend.training.voters import LEAST, Asked, fit


def asked(rng: np.random.Generator) -> Asked:
    """A question whose own paper comes nearest, among eleven others; and what is found without it."""
    near, far = rng.normal(0.8, 0.05), rng.normal(0.4, 0.05, size=11)
    return Asked(
        tuple({"sentence": float(value)} for value in [near, *far]), (True, *[False] * 11), tuple({"sentence": float(v)} for v in far)
    )


def test_papers_of_a_question_are_told_from_others_and_the_rate_is_measured_on_other_questions() -> None:
    rng = np.random.default_rng(0)
    made = fit([asked(rng) for _ in range(80)])
    figures = made["figures"]
    assert figures["questions"] == 40
    assert figures["auroc"]["value"] > 0.99
    assert figures["own"]["value"] == pytest.approx(1 / 12)
    assert figures["judged that are the question's own"]["value"] > 0.9
    assert figures["the same, their own held out"]["value"] < figures["questions with a paper judged"]["value"]
    assert probability({"sentence": 0.8}, made) > LEAST > probability({"sentence": 0.4}, made)


def test_what_ships_was_measured_with_the_threshold_that_is_used() -> None:
    assert least() == LEAST
    for searches in ("bm25+minilm", "bm25"):
        assert measured()[searches]["figures"]["auroc"]["low"] > 0.85
