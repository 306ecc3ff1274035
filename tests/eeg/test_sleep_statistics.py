"""What a hypnogram amounts to, counted by hand and by YASA's own arithmetic; what the intervals hold."""

from __future__ import annotations

import numpy as np
import pytest

from backend.eeg.sleep.statistics import BLOCK, STAGES, UNSCORED, count, drawn, encode, statistics, transitions


def codes(text: str) -> np.ndarray:
    return encode([None if one == "?" else one for one in text.split()])


def test_a_short_night_counted_by_hand():
    found = count(codes("W W N1 N2 N2 W N2 N3 R R W W"))
    assert found["trt"] == 6.0
    assert found["tst"] == 3.5
    assert found["se"] == pytest.approx(100 * 3.5 / 6)
    assert found["sol"] == 1.0
    assert found["rem_latency"] == 3.0  # from sleep onset, not from lights off
    assert found["waso"] == 1.5  # the wake after the last sleep counts too
    assert found["awakenings"] == 1
    assert found["shifts"] == 7
    assert found["min_N2"] == 1.5
    assert found["pct_R"] == pytest.approx(100 * 1 / 3.5)


def test_without_sleep_there_is_neither_latency_nor_share():
    found = count(codes("W W W"))
    assert found["tst"] == 0
    assert found["se"] == 0
    assert [found[key] for key in ("sol", "rem_latency", "waso", "pct_N2", "shift_index")] == [None] * 5


def test_what_is_not_scored_is_neither_sleep_nor_wake_nor_a_shift():
    found = count(codes("W N2 ? ? N2 W"))
    assert found["unscored"] == 1.0
    assert found["tst"] == 1.0
    assert found["waso"] == 0.5
    assert found["shifts"] == 2


def test_it_agrees_with_yasas_own_statistics():
    import yasa

    rng = np.random.default_rng(4)
    one = np.repeat(rng.integers(0, 5, 80), rng.integers(1, 15, 80))
    theirs = yasa.Hypnogram([{"W": "WAKE", "R": "REM"}.get(STAGES[code], STAGES[code]) for code in one]).sleep_statistics()
    ours = count(one)
    assert ours["trt"] == theirs["TIB"]
    assert ours["tst"] == theirs["TST"]
    assert ours["se"] == pytest.approx(theirs["SE"], abs=1e-3)
    assert ours["sol"] == theirs["SOL"]
    assert ours["rem_latency"] == theirs["Lat_REM"] - theirs["SOL"]
    for stage in ("N1", "N2", "N3"):
        assert ours[f"min_{stage}"] == theirs[stage]
        assert ours[f"pct_{stage}"] == pytest.approx(theirs[f"%{stage}"], abs=1e-3)


def test_transitions_count_each_step_once():
    table = np.array(transitions(codes("W W N2 ? N2 R")))
    assert table.sum() == 3
    assert table[0, 0] == table[0, 2] == table[2, 4] == 1


def test_drawn_hypnograms_have_each_stage_as_often_as_its_probability_says_and_hold_together_in_time():
    probabilities = np.tile([0.2, 0.1, 0.4, 0.1, 0.2], (300, 1))
    made = drawn(probabilities, np.zeros(300, int), draws=2000)
    shares = [(made == place).mean() for place in range(5)]
    assert np.abs(np.array(shares) - probabilities[0]).max() < 0.02
    changes = (made[:, 1:] != made[:, :-1]).mean() * BLOCK
    assert changes < 1.0  # at most one change a stretch of 7.5 min, however doubtful each epoch


def test_an_interval_holds_the_value_and_is_a_point_where_nothing_is_doubtful():
    sure = np.eye(5)[codes("W W N1 N2 N2 N3 R W")]
    found = statistics(codes("W W N1 N2 N2 N3 R W"), sure)
    assert found["tst"] == {"value": 2.5, "low": 2.5, "high": 2.5}
    assert found["shifts"]["low"] is None
    doubtful = statistics(codes("W " * 60 + "N2 " * 60), np.tile([0.3, 0.1, 0.4, 0.1, 0.1], (120, 1)))
    for one in doubtful.values():
        assert one["low"] is None or one["low"] <= one["value"] <= one["high"]
    assert doubtful["tst"]["high"] - doubtful["tst"]["low"] > 10


def test_unscored_epochs_stay_so_in_every_draw():
    known = codes("W ? N2 N2")
    made = drawn(np.full((4, 5), 0.2), known, draws=10)
    assert (made[:, 1] == UNSCORED).all()
    assert (made[:, 0] != UNSCORED).all()
