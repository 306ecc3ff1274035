"""Parts of a signal: they add up to it, lie where they are said to lie, and share a score as Shapley values do."""

from __future__ import annotations

import numpy as np
import pytest

from backend.errors import ModelError
from backend.explain.shapley import coalition_table, exact_shapley
from backend.explain.signals import Case, Grid, mean_value, occlusion, shapley_shares

RATE = 128.0


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def grid():
    return Grid(((0,), (1, 2)), (4.0, 13.0), (0.7,), RATE, 192)


def test_bands_and_windows_add_up_to_the_signal(grid, rng):
    x = rng.normal(size=(3, grid.samples)) * 20 + 300  # with an amplifier's offset
    assert np.allclose(grid.split(x).sum(axis=1), x, atol=1e-9)
    assert np.allclose(grid.bands().sum(axis=0), 1)
    assert np.allclose(grid.windows().sum(axis=0), 1)
    assert grid.bands().min() >= 0
    assert grid.windows().min() >= 0


@pytest.mark.parametrize(("hertz", "band"), [(2.0, 0), (8.0, 1), (25.0, 2)])
def test_a_rhythm_lies_in_its_band(grid, hertz, band):
    wave = np.sin(2 * np.pi * hertz * np.arange(grid.samples) / RATE)
    power = (grid.split(np.tile(wave, (3, 1)))[0] ** 2).sum(axis=1)
    assert power[band] / power.sum() > 0.95


def test_with_all_parts_a_trial_is_itself_and_with_none_the_background(grid, rng):
    case = Case(rng.normal(size=(3, 192)), rng.normal(size=(3, 192)), lambda x: x.sum(axis=(1, 2)))
    present = np.stack([np.ones(grid.shape, bool), np.zeros(grid.shape, bool)])
    mixed = grid.mixed(case, present)
    assert np.allclose(mixed[0], case.x)
    assert np.allclose(mixed[1], case.background)


def test_shares_add_up_and_of_a_linear_score_they_are_each_parts_own(grid, rng):
    weights = rng.normal(size=(3, 192))
    case = Case(rng.normal(size=(3, 192)), rng.normal(size=(3, 192)), lambda x: (x * weights).sum(axis=(1, 2)))
    shares = shapley_shares([case], grid)
    assert shares.base[0] + shares.values.sum() == pytest.approx(shares.score[0], abs=1e-6)
    difference = grid.split(case.x) - grid.split(case.background)
    first = (difference[0, 1] * grid.windows()[0] * weights[0]).sum()
    assert shares.values[0, 0, 1, 0] == pytest.approx(first, abs=1e-4)


def test_of_parts_that_act_together_the_shares_are_the_exact_shapley_values(rng):
    grid = Grid(((0,), (1,)), (10.0,), (), RATE, 128)
    x, background = rng.normal(size=(2, 2, 128))

    def score(signals):
        power = np.log((signals**2).mean(axis=2))
        return power[:, 0] * power[:, 1] + 3 * power[:, 0]

    case = Case(x, background, score)
    table = coalition_table(mean_value([case], grid, np.arange(4).reshape(2, 2, 1)), 4)
    found = shapley_shares([case] * 200, grid, seed=1)
    assert np.allclose(found.mean().ravel(), exact_shapley(table), atol=4 * found.error().max() + 1e-6)
    assert np.ptp(exact_shapley(table)) > 20 * found.error().max()  # the comparison can tell shares apart


def test_occlusion_is_the_fall_when_one_part_is_replaced(grid, rng):
    case = Case(rng.normal(size=(3, 192)), rng.normal(size=(3, 192)), lambda x: (x[:, 0] ** 2).mean(axis=1))
    fall = occlusion([case], grid)
    without = case.x - 0
    difference = grid.split(case.x) - grid.split(case.background)
    without[0] = case.x[0] - difference[0, 2]
    assert fall[0, 2] == pytest.approx((case.x[0] ** 2).mean() - (without[0] ** 2).mean(), abs=1e-5)
    assert np.allclose(fall[1], 0, atol=1e-9)


def test_a_score_that_is_no_number_is_refused(grid, rng):
    case = Case(rng.normal(size=(3, 192)), rng.normal(size=(3, 192)), lambda x: np.full(len(x), np.nan))
    with pytest.raises(ModelError, match="not a number"):
        shapley_shares([case], grid)
