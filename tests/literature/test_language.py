"""A question in another language is told by its function words; no English question of the labelled sets is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.literature.language import OTHER, language_of, words_about


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Senkt Metformin die kardiovaskuläre Mortalität bei Diabetes Typ 2?", "German"),
        ("Reduziert Tocilizumab die Mortalität?", "German"),
        ("welche antibiotika wirken gegen mrsa", "German"),
        ("Quels antibiotiques sont efficaces contre le SARM ?", "French"),
        ("¿Reduce la metformina la mortalidad cardiovascular?", "Spanish"),
        ("Qué antibióticos son eficaces contra SARM", "Spanish"),
        ("L'esercizio fisico è efficace nella depressione?", "Italian"),
        ("O exercício físico é eficaz na depressão?", "Portuguese"),
        ("Is lichaamsbeweging effectief bij depressie?", "Dutch"),
        ("La metformina riduce la mortalità cardiovascolare?", OTHER),  # 'la' is of three languages
        ("Снижает ли метформин смертность?", OTHER),
        ("メトホルミンは死亡率を下げますか", OTHER),
    ],
)
def test_another_language_is_recognised_and_named_where_one_stands_out(question: str, language: str) -> None:
    assert language_of(question) == language


@pytest.mark.parametrize(
    "question",
    [
        "Does metformin reduce cardiovascular mortality?",
        "metformin cardiovascular mortality",
        "Do de novo truncating mutations in WASF1 cause cancer?",
        "Does TNF-α or β-catenin drive IL-6?",
        "Is Ménière's disease or Sjögren syndrome hereditary?",
        "von Willebrand factor",
        "van der Waals forces in protein folding",
        "Los Angeles and São Paulo dengue",
        "DAS28, MIT, LES",
        "Par3 nos2b Ce=O",
        "café au lait spots",
        "",
    ],
)
def test_names_abbreviations_and_borrowed_words_are_no_other_language(question: str) -> None:
    assert language_of(question) is None


def test_no_labelled_english_question_is_taken_for_another_language(shared: Path) -> None:
    bioasq = json.loads((shared / "literature/bioasq_7b_9b.json").read_text(encoding="utf-8"))["questions"]
    pubmedqa = json.loads((shared / "literature/pubmedqa_labelled_500.json").read_text(encoding="utf-8"))
    asked = [each["body"] for each in bioasq] + [each["QUESTION"] for each in pubmedqa.values()]
    assert len(asked) == 1_997
    assert [question for question in asked if language_of(question)] == []


def test_what_is_said_names_the_language_and_what_to_do() -> None:
    assert words_about("German").startswith(
        "The question looks like German. The papers and the readers are English: ask it again in English."
    )
    assert "does not look like English" in words_about(OTHER)
