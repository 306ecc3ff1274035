"""The pages of evidence and of prediction sets: sides in words and signs, what is missing told, the figure without what is no share."""

from __future__ import annotations

import pytest

from tests.literature import toys
from tests.literature.toys import ABSTRACT, Toy, register
from tests.pages.conftest import texts


class Sure(Toy):
    """Its sets were calibrated."""

    covering = 0.33


@pytest.fixture
def sure(monkeypatch):
    return register(monkeypatch, toys.card("sure"), Sure)


def ask(bench, task: str, text: str = ABSTRACT, question: str = "Does lithium harm?"):
    return bench.run(task, {"text": text, "name": "abstract.txt", "question": question}, owner="guest")


def test_sides_have_a_sign_a_word_and_all_three_numbers(open_page, bench, sure):
    shown = texts(open_page("texts", run=ask(bench, "literature.evidence").id))
    assert "3 of 5 sentences bear on the question" in shown
    assert "1 supports it" in shown
    assert "1 of unclear side" in shown
    assert "<b>supports</b> <span class='bl-soft'>(supports 0.62, opposes 0.12, unclear 0.25)</span>" in shown
    assert "aria-hidden='true'>▲</i>" in shown


def test_a_question_without_yes_or_no_shows_no_sides(open_page, bench, sure):
    app = open_page("texts", run=ask(bench, "literature.evidence", question="Which drug harms?").id)
    assert not app.exception
    shown = texts(app)
    assert "no sentence takes a side" in shown
    assert "<b>supports</b>" not in shown
    assert not [each for each in app.radio if each.key and each.key.startswith("evidence-of-")]


def test_a_text_without_evidence_says_so(open_page, bench, sure):
    app = open_page("texts", run=ask(bench, "literature.evidence", "Nothing of note here. Nor here.").id)
    assert not app.exception
    assert "No sentence clearly bears on the question." in texts(app)


def test_the_prediction_set_stands_under_the_verdict(open_page, bench, sure):
    shown = texts(open_page("texts", run=ask(bench, "literature.verdict", "Lithium may cause headache.").id))
    assert "The 90% prediction set holds yes: no and maybe are ruled out at this level." in shown
