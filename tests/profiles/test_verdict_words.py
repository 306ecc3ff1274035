"""A verdict in words: what the set leaves possible is said, no level changes a figure, and an error stands by what it measures."""

import re

import pytest

from backend.models.abilities import VERDICTS
from backend.profiles.verdict_words import (
    apart_words,
    error_words,
    figure_words,
    head,
    means,
    measured_words,
    not_found,
    set_words,
    sides_words,
)

LEVELS = ("plain", "professional", "expert")
RATE = {"value": 0.12, "low": 0.08, "high": 0.17}
ERROR = {"false_alarm": RATE, "missed": RATE | {"value": 0.31}, "n": 200, "data": "studies of Evidence Inference"}


def figures(words: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?%?", words))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (["yes"], "90% set: yes alone; “no” could be ruled out."),
        (["yes", "no"], "90% set: yes or no; neither of them could be ruled out."),
        (["yes", "maybe"], "90% set: yes or maybe; “no” could be ruled out."),
        (["maybe", "no", "yes"], "90% set: yes, no or maybe; none of them could be ruled out."),
    ],
)
def test_a_set_says_what_it_holds_and_never_that_maybe_is_ruled_out(held, said):
    assert set_words({"set": held, "level": 0.9}, "professional") == said


def test_an_empty_set_is_not_hidden():
    assert "empty" in set_words({"set": [], "level": 0.9}, "plain")
    assert "not calibrated" in set_words({"set": None}, "plain")


@pytest.mark.parametrize("held", [[], ["no"], ["yes", "no"], list(VERDICTS)])
def test_no_level_changes_the_figure_of_a_set(held):
    assert len({frozenset(figures(set_words({"set": held, "level": 0.9}, level))) for level in LEVELS}) == 1


def a_verdict(said, held, probabilities=(0.6, 0.25, 0.15), **more):
    return {"verdict": {"said": said, "set": held, "probabilities": list(probabilities), **more}}


@pytest.mark.parametrize(
    ("said", "held", "word"),
    [
        ("yes", ["yes"], "Yes"),
        ("no", ["no"], "No"),
        ("yes", ["yes", "no"], "Leans to yes"),
        ("no", ["no", "maybe"], "Leans to no"),
        ("yes", None, "Leans to yes"),  # without a set nothing is ruled out
        ("open", ["yes", "no", "maybe"], "Open"),
        ("open", ["yes", "no"], "Open"),
    ],
)
def test_the_headline_says_no_more_than_the_set(said, held, word):
    assert head(a_verdict(said, held)) == word


def test_a_leaning_says_in_the_same_breath_what_is_not_ruled_out():
    assert figure_words(a_verdict("yes", ["yes", "no"])["verdict"]) == "probability 0.60; no (0.25) is not ruled out"
    assert figure_words(a_verdict("yes", [])["verdict"]) == "probability 0.60"
    assert figure_words(a_verdict("yes", None)["verdict"]) == "probability 0.60; nothing is ruled out"
    assert figure_words(a_verdict("yes", ["yes"], (0.9, 0.06, 0.04))["verdict"]) == "probability 0.90"
    assert figure_words(a_verdict("open", ["yes", "no", "maybe"], (0.3, 0.45, 0.25))["verdict"]) == "likeliest: no, probability 0.45"
    assert "not enough to rule the rest out" in means(a_verdict("yes", ["yes", "no"]), "plain")


def test_how_often_it_was_right_says_that_one_study_was_read_alone():
    verdict = a_verdict("yes", ["yes"], measured="Right on 59% of 500 questions.", papers=[{}, {}])["verdict"]
    assert measured_words(verdict).startswith("Right on 59% of 500 questions. That, like the 90% set, was measured on one study read alone")
    assert "not on several joined" in measured_words(verdict)
    assert "joined" not in measured_words(verdict | {"papers": [{}]})
    assert measured_words(verdict | {"measured": ""}) == ""


def test_the_grounds_of_no_answer_read_differently():
    assert head({"ground": "does not decide", **a_verdict("open", ["yes", "no", "maybe"])}) == "Open"
    assert head({"verdict": None}) == ""
    assert means(a_verdict("open", ["yes", "no", "maybe"]), "expert")  # an answer that is withheld is explained to everyone
    assert means(a_verdict("yes", ["yes"]), "expert") == ""


@pytest.mark.parametrize(
    ("coverage", "language", "word"),
    [
        ({"matching": 33_045, "with_vectors": 33_045, "methods": ["bm25", "minilm"]}, None, "Not in this library"),
        ({"matching": 33_045, "with_vectors": 76, "methods": ["bm25", "minilm"]}, None, "Not found so far"),
        ({"matching": 33_045, "with_vectors": 76, "methods": ["bm25"]}, None, "Not found by words alone"),
        ({"matching": 0, "with_vectors": 0, "methods": ["bm25", "minilm"]}, None, "Not in this library"),
        ({"matching": 9, "with_vectors": 9, "methods": ["bm25", "minilm"]}, {"name": "German"}, "Ask again in English"),
    ],
)
def test_not_in_this_library_is_said_only_of_papers_that_were_all_read(coverage, language, word):
    assert not_found({"answer": {"language": language}, "coverage": coverage}) == word


def test_sides_are_counted_and_named():
    found = {"supports": 3, "opposes": 1, "unclear": 0, "said": "disagree", "probability": 0.8}
    assert (
        sides_words(found)
        == "Of 4 papers 3 say yes and 1 says no: they more likely disagree than agree (probability that they truly disagree 0.80)."
    )
    one_side = sides_words(found | {"opposes": 0, "unclear": 2})
    assert "they more likely disagree than agree, though no paper alone clearly says no" in one_side
    few = {"supports": 1, "opposes": 0, "unclear": 1, "said": "too few", "probability": 0.1}
    assert sides_words(few) == "Of 2 papers 1 says yes and 1 has no clear side: too few to tell whether studies agree."


def test_agreement_is_never_called_certain():
    found = {"supports": 7, "opposes": 0, "unclear": 1, "said": "agree", "probability": 0.2}
    assert "they more likely agree than disagree" in sides_words(found)


def an_answer(said, papers, sentences, meter="agree"):
    """An answer with so many papers and sentences for, against and on no side."""
    names = ("supports", "opposes", "unclear")
    return {
        **a_verdict(said, [said, "no" if said == "yes" else "yes"]),
        "contradiction": {**dict(zip(names, papers, strict=True)), "said": meter, "papers": [{}] * sum(papers)},
        "evidence": [{"stance": {"said": name}} for name, count in zip(names, sentences, strict=True) for _ in range(count)],
    }


def test_where_verdict_papers_and_sentences_part_it_is_said_in_a_sentence():
    assert apart_words(an_answer("yes", (7, 0, 1), (4, 1, 5))) == ""
    assert apart_words(an_answer("yes", (7, 0, 1), (0, 0, 10))) == (
        "Not all of this points the same way: the verdict leans to yes; of 10 sentences none for yes, none for no, 10 without a clear side."
    )
    both = apart_words(an_answer("no", (4, 1, 0), (1, 1, 8)))
    assert "of 5 papers 4 say yes and 1 says no" in both
    assert "of 10 sentences 1 for yes, 1 for no" in both
    assert "of 4 papers 3 say yes" in apart_words(an_answer("open", (3, 0, 1), (1, 1, 2)))
    assert apart_words(an_answer("open", (2, 1, 1), (1, 1, 2))) == ""
    assert "more likely disagree than agree" in apart_words(an_answer("yes", (3, 2, 0), (2, 0, 0), "disagree"))


@pytest.mark.parametrize("level", LEVELS)
def test_the_error_of_the_meter_is_the_same_at_every_level(level):
    said = error_words(ERROR, level)
    assert {"12%", "31%", "8%", "17%", "200"} <= figures(said)
    assert "Evidence Inference" in said


def test_how_often_the_meter_is_right_where_it_takes_a_side_follows_from_its_rates():
    rates = {"false_alarm": RATE | {"value": 0.1}, "missed": RATE | {"value": 0.1}, "unclear": RATE | {"value": 0.6}}
    assert "it is right in 75%; a coin would be in 50%" in error_words({**ERROR, **rates}, "plain")
    assert "coin" not in error_words(ERROR, "plain")  # an old run does not say how much was left open


def test_an_error_that_was_not_measured_is_called_so():
    assert error_words(None, "plain") == "How often this is wrong was not measured."
