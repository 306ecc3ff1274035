"""A verdict in words: what the set leaves possible is said, no level changes a figure, and an error stands by what it measures."""

import re

import pytest

from backend.models.abilities import VERDICTS
from backend.profiles.verdict_words import error_words, head, means, set_words, sides_words

LEVELS = ("plain", "professional", "expert")
RATE = {"value": 0.12, "low": 0.08, "high": 0.17}
ERROR = {"false_alarm": RATE, "missed": RATE | {"value": 0.31}, "n": 200, "data": "studies of Evidence Inference"}


def figures(words: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?%?", words))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (["yes"], "90% set: yes alone; “no” and “maybe” could be ruled out."),
        (["yes", "maybe"], "90% set: yes or maybe. Only “no” could be ruled out."),
        (["maybe", "no", "yes"], "90% set: yes, no or maybe. No answer could be ruled out."),
    ],
)
def test_a_set_says_what_it_holds_and_what_is_ruled_out(held, said):
    assert set_words({"set": held, "level": 0.9}, "professional") == said


def test_an_empty_set_is_not_hidden():
    assert "empty" in set_words({"set": [], "level": 0.9}, "plain")
    assert "not calibrated" in set_words({"set": None}, "plain")


@pytest.mark.parametrize("held", [[], ["no"], ["yes", "no"], list(VERDICTS)])
def test_no_level_changes_the_figure_of_a_set(held):
    assert len({frozenset(figures(set_words({"set": held, "level": 0.9}, level))) for level in LEVELS}) == 1


def test_the_two_grounds_of_no_answer_read_differently():
    nothing, undecided = {"ground": "not in library"}, {"ground": "does not decide", "verdict": {"said": "open"}}
    assert head(nothing) == "Not in this library"
    assert head(undecided) == "Open"
    assert head({"verdict": None}) == ""
    assert means("open", "expert")  # an answer that is withheld is explained to everyone
    assert means("yes", "expert") == ""


def test_sides_are_counted_and_named():
    found = {"supports": 3, "opposes": 1, "unclear": 0, "said": "disagree", "probability": 0.8}
    assert sides_words(found) == "Of 4 papers 3 say yes and 1 says no: they disagree (probability that they truly disagree 0.80)."
    one_side = sides_words(found | {"opposes": 0, "unclear": 2})
    assert "they disagree, though no paper alone clearly says no" in one_side
    few = {"supports": 1, "opposes": 0, "unclear": 1, "said": "too few", "probability": 0.1}
    assert sides_words(few) == "Of 2 papers 1 says yes and 1 is unclear: too few to tell whether studies agree."


@pytest.mark.parametrize("level", LEVELS)
def test_the_error_of_the_meter_is_the_same_at_every_level(level):
    said = error_words(ERROR, level)
    assert {"12%", "31%", "8%", "17%", "200"} <= figures(said)
    assert "Evidence Inference" in said


def test_an_error_that_was_not_measured_is_called_so():
    assert error_words(None, "plain") == "How often this is wrong was not measured."
