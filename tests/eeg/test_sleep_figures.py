"""Figures of a staged night say in words what they show, survive nights with gaps or without sleep, and carry more than colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.eeg.sleep.export import statistics_rows
from backend.eeg.sleep.statistics import STAGES, encode, statistics, transitions
from backend.figures.eeg_sleep import (
    COLOURS,
    describe_night,
    describe_stages,
    night_rows,
    plot_epoch,
    plot_night,
    plot_stages,
)
from backend.figures.eeg_sleep_why import describe_shares, plot_shares, shares_rows, shares_table


def night(text: str, clock: str = "22:15:00") -> dict[str, Any]:
    stages = [None if one == "?" else one for one in text.split()]
    codes = encode(stages)
    rows = np.where(codes[:, None] == np.arange(5), 0.8, 0.05)
    return {
        "recording": "A1",
        "epoch_s": 30,
        "clock": clock,
        "duration_s": len(stages) * 30.0,
        "stages": stages,
        "order": list(STAGES),
        "probabilities": [None if stage is None else row.tolist() for stage, row in zip(stages, rows, strict=True)],
        "flags": [{"epoch": place + 1, "flag": "not recorded"} for place, stage in enumerate(stages) if stage is None],
        "lights": {"off_epoch": 1, "on_epoch": len(stages)},
        "statistics": statistics(codes, rows),
        "transitions": transitions(codes),
    }


def test_the_hypnogram_has_wake_above_and_deep_sleep_below_with_rem_between():
    figure = plot_night(night("W W N1 N2 N2 ? N3 N3 R W"), epoch=4)
    axis = figure.layout.yaxis
    assert list(axis.ticktext) == ["N3", "N2", "N1", "REM", "Wake"]
    heights = {trace.name: set(np.asarray(trace.y)) for trace in figure.data if trace.mode == "markers" and trace.name in axis.ticktext}
    assert heights["N3"] == {0.0}
    assert heights["Wake"] == {4.0}
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.stackgroup is None)
    assert np.isnan(np.asarray(line.y)[5])  # what was not scored is not drawn
    assert len({COLOURS[stage] for stage in STAGES}) == 5


def test_words_and_numbers_say_what_the_figure_shows():
    found = night("W W N1 N2 N2 ? N3 N3 R W")
    assert "Sleep began 1 min after lights off, REM sleep 3 min later" in describe_night(found)
    rows = night_rows(found)
    assert rows[5]["stage"] == ""
    assert rows[5]["p_N2"] == ""
    assert rows[2]["clock"] == "22:16:00"
    assert "N2 1.0 min" in describe_stages(found)
    assert {row["key"] for row in statistics_rows(found)} >= {"tst", "sol", "min_R", "pct_N3"}


@pytest.mark.parametrize("text", ["W W W W", "N2 N2", "? W ? N1"])
def test_nights_without_sleep_without_wake_or_with_gaps_are_drawn(text: str):
    found = night(text, clock="")
    assert plot_night(found).data
    assert plot_stages(found).layout.title.text
    assert describe_night(found)


def test_shares_stand_in_the_row_of_their_band_and_the_column_of_their_time():
    groups = [
        {"channel": "eeg", "band": "fdelta", "context": "own"},
        {"channel": "eeg", "band": "fdelta", "context": "past"},
        {"channel": "night", "band": "time", "context": "own"},
    ]
    attributions = [
        {"label": "EEG delta 1-4 Hz, the epoch itself", "value": 1.5},
        {"label": "b", "value": -0.5},
        {"label": "c", "value": 0.1},
    ]
    made = {"groups": groups, "shares": {"attributions": attributions}}
    rows, table = shares_table(made)
    assert [name for _, name in rows] == ["EEG delta 1-4 Hz", "Time of the night"]
    assert table[0, 0] == 1.5
    assert table[0, 2] == -0.5
    assert np.isnan(table[0, 1])
    assert np.nansum(table) == pytest.approx(sum(one["value"] for one in attributions))
    figure = plot_shares(made)
    assert figure.data[0].zmin == -figure.data[0].zmax  # no share is drawn white
    assert figure.data[0].text[0][0] == "+1.50"  # the number stands on its colour
    assert "+1.50" in describe_shares(made)
    assert shares_rows(made)[1]["share"] == -0.5


def test_traces_are_drawn_negative_up_as_in_every_reader_of_eeg():
    values = np.zeros((2, 4000), np.float32)
    values[0, 2000] = -80.0
    figure = plot_epoch(["C4-M1", "E1-M2"], values, 100.0, "Epoch 3", 5.0)
    assert max(figure.data[0].y) == pytest.approx(80.0)
    assert "negative is up" in figure.layout.xaxis.title.text
