"""Prediction sets of verdicts in results, tables and measurements; relations counted without pairs that have none."""

from __future__ import annotations

import json

import pytest

from backend.evaluate import evaluate
from backend.literature.verdict import accuracy_of, calibration_of
from backend.models.registry import get_card
from backend.tasks import find_task
from tests.literature import toys
from tests.literature.toys import ABSTRACT, Toy, register


class Sure(Toy):
    """Its sets were calibrated: an answer of one third belongs."""

    covering = 0.33


@pytest.fixture
def sure(monkeypatch):
    return register(monkeypatch, toys.card("sure"), Sure)


def run(bench, text, question="Does lithium harm?"):
    return bench.run("literature.verdict", {"text": text, "name": "text", "question": question}).prediction


def test_the_set_stands_in_result_words_and_table(bench, sure):
    found = run(bench, "Lithium may cause headache.")
    assert (found["joined"]["set"], found["joined"]["level"]) == (["yes"], 0.9)
    assert "The 90% prediction set holds yes: no and maybe are ruled out at this level." in found["text"]
    assert find_task("literature.verdict").exports["csv"](found).splitlines()[-1].endswith(",yes,yes")


def test_a_set_of_joined_parts_says_what_it_was_not_measured_for(bench, sure):
    found = run(bench, ABSTRACT)
    assert len(found["contexts"]) > 1
    assert found["joined"]["set"] == ["yes", "no"]
    assert all(each["set"] for each in found["contexts"])
    assert "joined its coverage was not measured" in found["joined"]["set_note"]
    assert find_task("literature.verdict").exports["csv"](found).splitlines()[-1].endswith(",open,yes or no")


def test_coverage_and_size_of_sets_are_measured(bench, sure, tmp_path):
    file = tmp_path / "questions.json"
    said = [("They cause it.", "yes"), ("It is not seen, no.", "no"), ("It treats.", "yes"), ("It causes.", "maybe")]
    rows = {str(at): {"QUESTION": "Is it so?", "CONTEXTS": [text], "final_decision": truth} for at, (text, truth) in enumerate(said)}
    file.write_text(json.dumps(rows), encoding="utf-8")
    made = evaluate(bench.context, "literature.verdict", [file], {"models": ["sure"]})
    figures = made["systems"]["sure"]
    assert figures["coverage90"]["value"] == 0.75
    assert figures["set_size"]["value"] == 1.0
    assert figures["coverage90"]["low"] < 0.75 < figures["coverage90"]["high"]
    assert any(note.startswith("90% sets cover:") for note in made["notes"])


def test_f1_of_marked_pairs_leaves_out_pairs_without_a_relation(bench, sure, tmp_path):
    lines = [
        {"text": "<< Aspirin >> treats [[ headache ]] well", "label": "TREATS"},
        {"text": "<< Lithium >> and [[ Aspirin ]]", "label": "CAUSE"},
        {"text": "<< Lithium >> or [[ Aspirin ]]", "label": "NONE"},
    ]
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    figures = evaluate(bench.context, "literature.relations", [file], {"models": ["sure"]})["systems"]["sure"]
    assert figures["accuracy"]["value"] == pytest.approx(2 / 3)
    assert figures["f1"]["value"] == pytest.approx(2 / 3)  # one right, none wrong, one missed


def test_what_the_card_measured_is_what_a_verdict_says_of_itself():
    card = get_card("reader-verdict")
    assert calibration_of(card).startswith("Expected calibration error 0.03 on 500 questions of PubMedQA")
    assert accuracy_of(card).startswith("Right on 59% (95% interval 55% to 63%) of 500 questions of PubMedQA")
