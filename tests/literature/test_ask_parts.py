"""What an answer is made of, without a model: kinds of questions, disagreement of studies, which sentences come first."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from backend.literature.contradiction import both_sides, probability, side, word
from backend.literature.weighing import measures, stance_of
from backend.literature.yesno import kind_of
from backend.training.contradiction import Group, Study, fit, groups_of, rates
from backend.training.quoting import WITHIN, Row, chosen_share, quotes_of, shares_right


@pytest.mark.parametrize(
    "question",
    [
        "Does metformin reduce cardiovascular mortality?",
        "Transgastric endoscopic splenectomy: is it possible?",
        "As of Feb 2019, are major brain gangliosides a target for the treatment of Alzheimer's disease?",
        "Tocilizumab is an anti-TNF antibody, yes or no?",
        "Rotator cuff tear--an occupational disease?",
        "Are patients aware of when they do not understand?",
        "isn't aspirin harmful in dengue",
    ],
)
def test_a_question_that_yes_or_no_answers(question: str) -> None:
    assert kind_of(question) == "yes/no"


@pytest.mark.parametrize(
    "question",
    [
        "What is the function of the protein Cuf1?",
        "Roflumilast Cream is effective for which disease?",
        "List intramembrane rhomboid peptidases",
        "Can you summarize Myasthenia Gravis?",
        "In which patients is metformin contraindicated?",
        "metformin heart failure",
    ],
)
def test_a_question_that_needs_more_than_yes_or_no(question: str) -> None:
    assert kind_of(question) == "open"


def test_the_probability_of_both_sides_is_the_sum_over_all_outcomes() -> None:
    shares = np.random.default_rng(0).dirichlet((1, 1, 1), 4)
    outcomes = [(sides, np.prod([row[s] for row, s in zip(shares, sides, strict=True)])) for sides in product(range(3), repeat=4)]
    assert both_sides(shares) == pytest.approx(sum(p for sides, p in outcomes if 0 in sides and 1 in sides))
    assert both_sides(np.array([[0.9, 0.1, 0.0]])) == pytest.approx(0, abs=1e-12), "one study cannot disagree with itself"


def test_the_meter_says_too_few_unclear_or_a_side() -> None:
    curve = {"intercept": 0.0, "weights": [1.0, 0.0], "disagree_from": 0.7, "agree_below": 0.3}
    clear = np.array([[0.98, 0.01, 0.01], [0.97, 0.02, 0.01], [0.01, 0.98, 0.01]])
    assert word(probability(clear, curve), 3, curve) == "disagree"
    assert word(probability(clear[[0, 1, 0]], curve), 3, curve) == "agree"
    assert word(0.5, 3, curve) == "unclear"
    assert word(0.9, 2, curve) == "too few"
    assert [side(row) for row in ([0.9, 0.1, 0.0], [0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.4, 0.3, 0.3])] == [
        "supports",
        "opposes",
        "unclear",
        "unclear",
    ]


def studies(strength: float, count: int = 60) -> list[Study]:
    """Studies whose reader puts weight on the true side; each has its own rows, so that a repeated study would be seen."""
    rng = np.random.default_rng(1)
    made: list[Study] = []
    for _ in range(count):
        made.append({name: rng.dirichlet(np.eye(3)[at] * strength + 0.7, size=2) for at, name in enumerate(("yes", "no"))})
    return made


def test_groups_hold_no_study_twice_and_are_of_one_side_or_of_both() -> None:
    held = studies(3.0)
    owner = {tuple(row): i for i, study in enumerate(held) for rows in study.values() for row in rows}
    groups = groups_of(held, 200, 0)
    assert {len(group.shares) for group in groups} == set(range(3, 9))
    assert sum(group.mixed for group in groups) == 100
    for group in groups:
        owners = [owner[tuple(row)] for row in group.shares]
        assert len(set(owners)) == len(owners)
        sides = {
            next(name for name, rows in held[i].items() if (rows == row).all(1).any()) for i, row in zip(owners, group.shares, strict=True)
        }
        assert len(sides) == (2 if group.mixed else 1)


def test_a_reader_that_sees_the_side_is_seldom_wrong_and_one_that_guesses_is_told_by_its_rates() -> None:
    good, guess = (groups_of(studies(strength), 400, 2) for strength in (30.0, 0.0))
    sure = rates(good, fit(good))
    assert sure["false_alarm"] < 0.05
    assert sure["missed"] < 0.05
    lost = rates(guess, fit(guess))
    assert lost["auroc"] < 0.75
    assert lost["unclear"] > 0.5, "what cannot be told is left unclear"
    assert isinstance(guess[0], Group)


def test_a_side_is_named_only_from_its_stated_probability() -> None:
    assert stance_of((0.7, 0.2, 0.1))["said"] == "supports"
    assert stance_of((0.45, 0.4, 0.15))["said"] == "unclear"
    assert measures([])["bearing"] < -10, "a search that found nothing has measures as well"


def test_the_order_is_chosen_that_puts_answering_papers_first() -> None:
    rows = [Row(1, False, 0.9, 0.1), Row(1, False, 0.8, 0.2), Row(1, False, 0.7, 0.9), Row(2, True, 0.5, 0.8), Row(2, True, 0.4, 0.7)]
    assert [row.paper for row in quotes_of(rows, None, 3)] == [1, 1, 2], "at most two of a paper"
    assert shares_right([rows], None) == [1 / 3]
    assert shares_right([rows], 0.0) == [2 / 3]
    assert chosen_share([rows]) == 0.0
    assert [row.score for row in quotes_of(rows, WITHIN, 3)] == [0.7, 0.8, 0.5], "papers by the search, in each first what bears most"
