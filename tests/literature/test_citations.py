"""Guessed references are taken apart and looked up; only a title that is there, under its author, is called held."""

import pytest

from backend.literature.beside import nearest
from backend.literature.citations import look_up, similarity, take_apart
from backend.literature.library import library
from backend.models.abilities import Generated
from tests.literature import papers


@pytest.fixture
def shelf(bench, tmp_path):
    library(bench.context).import_file(papers.write(tmp_path))
    return library(bench.context)


def guessed(text):
    return Generated(text, (text,), (-2.5,), "finished")


@pytest.mark.parametrize(
    ("text", "title", "authors"),
    [
        (" Attention Is All You Need, Vaswani", "Attention Is All You Need", "Vaswani"),
        ("Aspirin, statins, and the heart, Example et al.", "Aspirin, statins, and the heart", "Example et al"),
        ("Genes, proteins and the cell cycle in yeast and in man", "Genes, proteins and the cell cycle in yeast and in man", ""),
        ("No author at all", "No author at all", ""),
        ("", "", ""),
    ],
)
def test_a_reference_is_title_comma_author(text, title, authors):
    found = take_apart(text)
    assert (found.title, found.authors) == (title, authors)


def test_titles_are_compared_without_case_accents_and_signs():
    assert similarity("Sodium Oxybate: in  narcolepsy", "sodium oxybate in narcolepsy.") == 1
    assert similarity("Ménière", "meniere") == 1
    assert similarity("", "x") == 0
    assert similarity("Aspirin for stroke", "Helicobacter pylori eradication") < 0.5


def test_each_guess_is_told_where_it_stands(shelf):
    guesses = [
        " Aspirin for primary prevention of stroke, Example",
        " Aspirin for Primary Prevention of Stroke, Nobody",
        " Aspirin for secondary prevention of a stroke, Example",
        " A paper that nobody has ever written, Example",
    ]
    found = look_up(shelf, [guessed(text) for text in guesses])
    assert [each["status"] for each in found] == ["held", "authors differ", "near", "unknown"]
    assert "PMID 90000003" in found[0]["words"]
    assert found[0]["paper"]["pmid"] == "90000003"
    assert all("may not exist" in each["words"] for each in found[2:])
    assert found[3]["paper"] is None
    assert found[0]["log_prob"] == -2.5


def test_an_empty_library_holds_nothing(bench):
    found = look_up(library(bench.context), [guessed(" Aspirin for primary prevention of stroke, Example")])
    assert found[0]["status"] == "unknown"


def test_each_written_sentence_gets_the_nearest_quote_word_for_word(bench, shelf):
    written = " Aspirin did prevent a first stroke in many people. Quarks are coloured."
    found = nearest(bench.context, written)
    assert [written[each["start"] : each["end"]] for each in found] == [
        "Aspirin did prevent a first stroke in many people.",
        "Quarks are coloured.",
    ]
    held = found[0]["nearest"]
    stored = shelf.paper(held["document"]).paper
    assert stored.text[held["start"] : held["end"]] == held["quote"]
    assert held["quote"].startswith("Aspirin did not prevent a first stroke")
    assert 0.2 <= held["shared"] <= 1
    assert found[1]["nearest"] is None


def test_an_empty_library_has_no_nearest(bench):
    assert nearest(bench.context, "Aspirin prevents stroke.") == [{"start": 0, "end": 24, "nearest": None}]
