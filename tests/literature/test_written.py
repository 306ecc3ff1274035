"""The figures of written texts: their numbers, and the same in words."""

import math

import pytest

from backend.figures.written import band, describe_labels, describe_surprise, plot_labels, plot_surprise
from backend.literature.visible import visible
from backend.literature.written import NOTICE, to_text, tokens_csv

FOUND = {"tokens": [[" the", math.log(0.5), 5], ["\n", math.log(0.25), 6], ["<b>x</b>%{y}", math.log(1 / 256), 7]]}
LABELS = {"labels": [{"label": name, "probability": p} for name, p in (("entailment", 0.2), ("neutral", 0.1), ("contradiction", 0.7))]}


def test_surprise_is_in_bits():
    figure = plot_surprise(FOUND)
    assert list(figure.data[0].y) == pytest.approx([1, 2, 8])
    assert "3.7 bits" in figure.layout.title.text
    assert not any("<" in shown or "%{" in shown for shown, _ in figure.data[0].customdata)
    words = describe_surprise(FOUND)
    assert "8.0 bits" in words
    assert "↵" in words


def test_bands_of_likelihood():
    assert [band(math.log(p)) for p in (0.9, 0.5, 0.2, 0.05, 0.001)] == ["likely", "likely", "less likely", "unlikely", "surprising"]


def test_signs_that_cannot_be_seen_are_escaped_and_every_row_says_who_wrote_it():
    assert visible("a\x1b[2J\x07\u202eb\nc\td</s>") == r"a\x1b[2J\x07\u202eb" + "\nc\td</s>"
    found = {"tokens": [["\x1b[2J", -1.0, 5], ["=1", -2.0, 6]], "written": "\x1b[2J=1", "model": "m", "how": [], "prompt": "p"}
    rows = tokens_csv(found).splitlines()
    assert rows[1] == rf"\x1b[2J,-1.0,5,{NOTICE}"
    assert rows[2] == f"'=1,-2.0,6,{NOTICE}"
    assert r"\x1b[2J=1" in to_text(found)
    assert "\x1b" not in describe_surprise(found)


def test_labels():
    assert list(plot_labels(LABELS).data[0].x) == [0.2, 0.1, 0.7]
    assert "contradiction 0.70" in describe_labels(LABELS)
