"""The deletion test tells a true explanation from a false one, and noise from both."""

from __future__ import annotations

import numpy as np
import pytest

from backend.domain import Faithfulness
from backend.explain.deletion import deletion_test, faithfulness, rank_correlation, share_agreement
from backend.explain.shapley import Value, coalition_table, exact_shapley, sampled_shapley

WEIGHTS = np.array([0.05, 0.4, 0.1, 0.2, 0.3, 0.15, 0.02])


def additive(present: np.ndarray) -> np.ndarray:
    return present @ WEIGHTS + 0.1


def judge(value: Value, attributions: np.ndarray, **more) -> Faithfulness:
    n = len(attributions)
    base, score = value(np.vstack([np.zeros(n, bool), np.ones(n, bool)]))
    return faithfulness(value, attributions, base=float(base), score=float(score), evaluations=0, **more)


def test_area_is_the_mean_score_on_the_way_down() -> None:
    found = deletion_test(lambda present: present @ np.array([3.0, 2.0, 1.0]), np.array([3.0, 2.0, 1.0]))
    assert found.area == pytest.approx((6 + 3 + 1 + 0) / 4)
    assert len(found.random_areas) == 5  # three parts have six orders
    assert min(found.random_areas) > found.area
    assert len(deletion_test(additive, WEIGHTS).random_areas) == 20


def test_every_selection_is_scored_once() -> None:
    asked: list[tuple[bool, ...]] = []

    def value(present: np.ndarray) -> np.ndarray:
        asked.extend(map(tuple, present.tolist()))
        return additive(present)

    found = deletion_test(value, WEIGHTS)
    assert len(asked) == len(set(asked)) == found.evaluations


def test_the_right_order_is_reliable_and_the_wrong_one_is_not() -> None:
    assert judge(additive, WEIGHTS).reliable
    wrong = judge(additive, WEIGHTS[::-1])
    assert not wrong.reliable
    assert "no faster than" in wrong.reason
    turned = judge(additive, -WEIGHTS)
    assert turned.p_value == 1


def test_shares_that_do_not_add_up_are_refused() -> None:
    found = judge(additive, WEIGHTS * 1.1)
    assert not found.reliable
    assert "do not add up" in found.reason


@pytest.mark.parametrize("n", [1, 2, 3])
def test_three_parts_are_too_few_whatever_they_say(n: int) -> None:
    found = judge(lambda present: present @ WEIGHTS[:n], WEIGHTS[:n])
    assert not found.reliable
    assert found.reason.startswith(f"Too short to test: there {'are' if n > 1 else 'is'} only {n} part")


def test_a_score_that_ignores_its_parts_explains_nothing() -> None:
    found = judge(lambda present: np.full(len(present), 0.7), np.zeros(6))
    assert not found.reliable
    assert found.p_value == 1  # equal orders count as equally good
    assert "did not change the score" in found.reason


def test_rounding_of_the_model_is_no_difference() -> None:
    shaky = np.random.default_rng(0)
    found = judge(lambda present: 0.7 + shaky.normal(0, 1e-8, len(present)), np.zeros(6))
    assert not found.reliable


@pytest.mark.parametrize("n", [4, 5, 6, 8, 10])
def test_noise_is_called_unreliable_in_95_of_100(n: int) -> None:
    """The deletion test alone lets one in five pass: Shapley values are made of the very scores that it looks at."""
    reliable = 0
    for seed in range(200):
        table = np.random.default_rng(seed).normal(size=1 << n)
        reliable += judge(lambda present, table=table: table[present @ (1 << np.arange(n))], exact_shapley(table), seed=seed).reliable
    assert reliable <= 10


def test_sampled_noise_is_called_unreliable() -> None:
    def noise(present: np.ndarray) -> np.ndarray:
        return np.array([np.random.default_rng(int("".join("01"[int(p)] for p in row), 2)).normal() for row in present])

    verdicts = [judge(noise, sampled_shapley(noise, 20, 200, seed).values, seed=seed).reliable for seed in range(20)]
    assert sum(verdicts) <= 1


def test_samples_that_disagree_are_told() -> None:
    found = judge(additive, WEIGHTS, stability=0.3)
    assert not found.reliable
    assert "Two independent samples" in found.reason


def test_one_part_that_carries_the_score_holds_though_a_random_order_finds_it_too() -> None:
    """One order in n takes the same part away first: the p-value of the order cannot fall below 1 / n, however right the shares are."""
    gate = lambda present: present[:, 3] * (0.95 + 0.01 * present[:, 5])  # noqa: E731
    verdicts = [judge(gate, exact_shapley(coalition_table(gate, 11)), seed=seed) for seed in range(10)]
    assert all(each.reliable for each in verdicts)
    assert any(each.p_value > 0.05 for each in verdicts)
    assert all(f"{20 - round(21 * each.p_value - 1)} of 20" in each.reason or "all 20" in each.reason for each in verdicts)


def test_one_part_that_is_named_wrongly_does_not_hold() -> None:
    gate = lambda present: present[:, 3] * 0.95  # noqa: E731
    wrong = np.roll(exact_shapley(coalition_table(gate, 11)), 1)
    assert not any(judge(gate, wrong, seed=seed).reliable for seed in range(10))


def test_one_part_that_only_lets_noise_through_does_not_hold() -> None:
    """A score that is nothing without one part and noise with it: its shares foretell too little of it."""

    def gated(present: np.ndarray) -> np.ndarray:
        rows = np.packbits(present, axis=1)
        return present[:, 3] * np.array([np.random.default_rng(list(row)).random() for row in rows])

    verdicts = [judge(gated, sampled_shapley(gated, 10, 200, seed).values, seed=seed) for seed in range(10)]
    assert sum(each.reliable for each in verdicts if each.p_value > 0.05) == 0


def test_shares_agree_by_what_is_large_in_them() -> None:
    noise = np.random.default_rng(0).normal(scale=0.02, size=(2, 15))
    led, other = noise.copy(), noise.copy()
    led[:, 4] += 0.9
    other[0, 4] += 0.9
    other[1, 9] += 0.9
    assert abs(rank_correlation(*led)) < 0.5  # the order among the others is noise
    assert share_agreement(*led) > 0.98
    assert share_agreement(*other) < 0.1
    assert abs(share_agreement(*noise)) < 0.5
    assert share_agreement(np.zeros(4), np.zeros(4)) == 0


def test_parts_that_only_count_together_are_told() -> None:
    def all_or_nothing(present: np.ndarray) -> np.ndarray:
        return present.sum(axis=1) % 2 + 1e-3 * (present @ WEIGHTS)

    found = judge(all_or_nothing, exact_shapley(coalition_table(all_or_nothing, 7)))
    assert not found.reliable


def test_shares_too_small_to_matter_do_not_hold_however_exact() -> None:
    """A network with random weights scores texts nearly alike."""
    faint = lambda present: 0.3 + 0.02 * (present @ WEIGHTS)  # noqa: E731
    assert judge(faint, 0.02 * WEIGHTS).reliable
    found = judge(faint, 0.02 * WEIGHTS, least_share=0.05)
    assert not found.reliable
    assert "too little" in found.reason
    assert judge(additive, WEIGHTS, least_share=0.05).reliable
