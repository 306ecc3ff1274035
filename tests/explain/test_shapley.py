"""Shapley values: exact ones equal their definition, sampled ones come near, nothing is lost on the way."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

from backend.errors import Cancelled, ModelError
from backend.explain.plan import warm_up
from backend.explain.shapley import Value, coalition_table, coalitions, exact_shapley, sampled_shapley
from backend.progress import Silent


def game(n: int, seed: int = 0) -> Value:
    """Parts that count on their own, and some pairs that count together."""
    rng = np.random.default_rng(seed)
    alone, pairs = rng.normal(size=n), np.triu(rng.normal(0, 0.3, (n, n)), 1)
    return lambda present: present @ alone + np.einsum("mi,ij,mj->m", present.astype(float), pairs, present.astype(float)) + 0.5


def by_definition(table: np.ndarray, n: int) -> np.ndarray:
    values = np.zeros(n)
    orders = list(itertools.permutations(range(n)))
    for order in orders:
        mask = 0
        for player in order:
            values[player] += table[mask | 1 << player] - table[mask]
            mask |= 1 << player
    return values / len(orders)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_exact_values_equal_the_mean_over_all_orders(n: int) -> None:
    table = np.random.default_rng(n).normal(size=1 << n)
    assert exact_shapley(table) == pytest.approx(by_definition(table, n))


def test_exact_values_agree_with_kernel_shap_given_every_coalition() -> None:
    shap = pytest.importorskip("shap")
    value = game(8)
    theirs = shap.KernelExplainer(lambda rows: value(np.asarray(rows) > 0.5), np.zeros((1, 8))).shap_values(
        np.ones((1, 8)), nsamples=300, l1_reg=False, silent=True
    )
    assert exact_shapley(coalition_table(value, 8)) == pytest.approx(np.ravel(theirs), abs=1e-6)


def test_sixteen_players_add_up_and_seventeen_are_refused() -> None:
    table = coalition_table(game(16), 16)
    assert exact_shapley(table).sum() == pytest.approx(table[-1] - table[0])
    with pytest.raises(ValueError, match="at most 16"):
        coalition_table(game(17), 17)
    with pytest.raises(ValueError, match="2\\*\\*n"):
        exact_shapley(np.zeros(5))


def test_nobody_plays() -> None:
    assert exact_shapley(np.array([0.3])).shape == (0,)
    nothing = sampled_shapley(lambda present: np.full(len(present), 0.3), 0)
    assert (nothing.base, nothing.score, nothing.values.size) == (0.3, 0.3, 0)


def test_the_table_is_indexed_by_bits() -> None:
    table = coalition_table(lambda present: present @ np.array([1, 10, 100]), 3)
    assert table.tolist() == [0, 1, 10, 11, 100, 101, 110, 111]
    assert coalitions(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]


def test_sampled_values_come_near_the_exact_ones_and_add_up() -> None:
    value = game(12)
    exact = exact_shapley(coalition_table(value, 12))
    found = sampled_shapley(value, 12, evaluations=512)
    assert np.corrcoef(found.values, exact)[0, 1] > 0.99
    assert found.base + found.values.sum() == pytest.approx(found.score, abs=1e-9)
    assert 512 <= found.evaluations <= 520


def test_sampling_repeats_itself_and_leaves_numpy_s_generator_alone() -> None:
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    first = sampled_shapley(game(20), 20, 128, seed=1).values
    assert np.random.random(3).tolist() == expected.tolist()
    assert sampled_shapley(game(20), 20, 128, seed=1).values.tolist() == first.tolist()
    assert sampled_shapley(game(20), 20, 128, seed=2).values.tolist() != first.tolist()


def test_a_score_that_is_no_number_is_named() -> None:
    with pytest.raises(ModelError, match="not a number"):
        coalition_table(lambda present: np.full(len(present), np.nan), 3)
    with pytest.raises(ModelError, match="not a number"):
        coalition_table(lambda present: np.zeros(1), 3)


class Stopping(Silent):
    """Asked to stop after the second batch."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float | None]] = []

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        self.seen.append((done, total))

    def check(self) -> None:
        if len(self.seen) == 2:
            raise Cancelled()


@pytest.mark.parametrize("run", [lambda p: coalition_table(game(10), 10, p), lambda p: sampled_shapley(game(20), 20, 1000, progress=p)])
def test_progress_is_told_and_a_stop_is_honoured(run) -> None:
    progress = Stopping()
    with pytest.raises(Cancelled):
        run(progress)
    assert [done for done, _ in progress.seen] == [256, 512]


def test_warming_up_happens_once_from_many_threads() -> None:
    started: list[threading.Thread] = []
    callers = [threading.Thread(target=lambda: started.append(warm_up())) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(set(started)) == 1
    started[0].join(60)
    assert not started[0].is_alive()
