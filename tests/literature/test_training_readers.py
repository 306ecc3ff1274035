"""What readers are trained on: places stay verbatim, statements become questions, documents are parted alike on every machine."""

from __future__ import annotations

import pytest

from backend.literature.labelled import read_labelled
from backend.training.readers.corpora import Marked, part_of, pubtator, read_bio, read_chemprot
from backend.training.readers.questions import as_question, opposite


def test_words_with_labels_become_a_text_whose_marks_are_verbatim(tmp_path):
    file = tmp_path / "bio.txt"
    file.write_text("Breast\tNN\tO\tB-Disease\ncancer\tNN\tO\tI-Disease\n(\tX\tO\tO\nBRCA1\tX\tO\tO\n)\tX\tO\tO\n.\tX\tO\tO\n\n")
    (found,) = read_bio(file, "toy", {"Disease": "Disease"})
    assert found.text == "Breast cancer (BRCA1)."
    assert [(found.text[a:b], kind) for a, b, kind in found.spans] == [("Breast cancer", "Disease")]


def test_a_known_chemical_tells_which_mark_is_the_gene(tmp_path):
    file = tmp_path / "chemprot.txt"
    file.write_text(
        '{"text": "<< EGFR >> is blocked by [[ gefitinib ]].", "label": "INHIBITOR"}\n'
        '{"text": "[[ EGFR ]] binds << erlotinib >>.", "label": "INHIBITOR"}\n'
        '{"text": "<< unknown >> acts on [[ nothing ]].", "label": "INHIBITOR"}\n'
    )
    found = read_chemprot([file], {"gefitinib"})
    assert found[0].text == "EGFR is blocked by gefitinib."
    assert [[(each.text[a:b], kind) for a, b, kind in each.spans] for each in found] == [
        [("EGFR", "Gene"), ("gefitinib", "Chemical")],
        [("EGFR", "Gene"), ("erlotinib", "Chemical")],
        [],
    ]


def test_what_is_kept_for_the_final_figure_is_read_back_by_the_evaluation(tmp_path):
    document = Marked("12", "toy", "Aspirin eases headache.", ((0, 7, "Chemical"), (14, 22, "Disease")), frozenset({"Chemical", "Disease"}))
    file = tmp_path / "final.PubTator.txt"
    file.write_text(pubtator([document]))
    (read,) = read_labelled([file])
    assert [(read.text[mark.start : mark.end], mark.kind) for mark in read.marks] == [("Aspirin", "Chemical"), ("headache", "Disease")]


def test_documents_are_parted_by_their_id_alone():
    parts = [part_of(str(id), 0.5, 0.2) for id in range(2_000)]
    assert parts == [part_of(str(id), 0.5, 0.2) for id in range(2_000)]
    assert 0.45 < parts.count("train") / 2_000 < 0.55
    assert 0.16 < parts.count("calibration") / 2_000 < 0.24


@pytest.mark.parametrize(
    ("statement", "question", "yes"),
    [
        ("Metformin reduces mortality in diabetes.", "Does metformin reduce mortality in diabetes?", True),
        ("Anosmia in male monkeys does not alter copulatory activity.", "Does anosmia in male monkeys alter copulatory activity?", False),
        ("Serum zinc is not associated with survival in sepsis.", "Is serum zinc associated with survival in sepsis?", False),
        ("Our results suggest that exercise improved mood in adults.", "Did exercise improve mood in adults?", True),
    ],
)
def test_a_finding_becomes_a_question_with_its_answer(statement, question, yes):
    assert as_question(statement) == (question, yes)


@pytest.mark.parametrize(
    "statement", ["Effects of lithium on the heart: a review of cases", "Does lithium help?", "Binding of morphine to glial cells"]
)
def test_what_states_nothing_becomes_no_question(statement):
    assert as_question(statement) is None


def test_one_word_of_direction_is_turned_round_and_two_are_not():
    assert opposite("Does zinc increase survival?") == "Does zinc decrease survival?"
    assert opposite("Does zinc increase or reduce survival?") is None
    assert opposite("Does zinc bind albumin?") is None
