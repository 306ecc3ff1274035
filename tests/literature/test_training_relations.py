"""What the reader of relations is trained on and how it is counted."""

from __future__ import annotations

import numpy as np
import pytest

from backend.literature.labelled import read_labelled
from backend.training.readers.relations_data import INDUCES, NONE, UNTOLD, cdr_pairs, chemprot_pairs, untold
from backend.training.readers.relations_figures import counted, settle
from tests.literature.toys import Toy

DOCUMENT = (
    "7|t|Lithium and headache.\n7|a|Lithium gave headache and cyanosis. Aspirin was given. Something gave headache.\n"
    "7\t0\t7\tLithium\tChemical\tD1\n7\t12\t20\theadache\tDisease\tD2\n7\t22\t29\tLithium\tChemical\tD1\n"
    "7\t35\t43\theadache\tDisease\tD2\n7\t48\t56\tcyanosis\tDisease\tD3\n7\t58\t65\tAspirin\tChemical\tD4\n"
    "7\t77\t86\tSomething\tChemical\t-1\n7\t92\t100\theadache\tDisease\tD2\n"
    "7\tCID\tD1\tD2\n7\tCID\tD4\tD2\n"
)


@pytest.fixture
def document(tmp_path):
    file = tmp_path / "cdr.PubTator.txt"
    file.write_text(DOCUMENT)
    return read_labelled([file])


def test_pairs_of_a_sentence_take_what_the_document_lists(document):
    ((*rows,),) = cdr_pairs(document)
    found = [(each.text[each.first.start : each.first.end], each.text[each.second.start : each.second.end], each.relation) for each in rows]
    assert found == [("Lithium", "headache", INDUCES), ("Lithium", "headache", INDUCES), ("Lithium", "cyanosis", NONE)]
    assert {each.about for each in rows} == {"D1 D2", "D1 D3"}  # what has no identifier is left out


def test_chemicals_and_genes_that_no_line_relates_are_unrelated(document, tmp_path):
    class Marker(Toy):
        kinds = ("Chemical", "Gene")

        def mentions(self, texts):
            from backend.models.abilities import Mention

            return [
                [Mention(text.index("aspirin"), text.index("aspirin") + 7, "Chemical", 0.9)] if "aspirin" in text else [] for text in texts
            ]

    file = tmp_path / "chemprot.txt"
    file.write_text(
        '{"text": "<< Lithium >> blocks [[ GSK3 ]] but aspirin does not.", "label": "INHIBITOR"}\n'
        '{"text": "<< one >> is near [[ another ]].", "label": "SUBSTRATE"}\n'
    )
    found = [
        (each.text[each.first.start : each.first.end], each.first.kind, each.second.kind, each.relation)
        for each in chemprot_pairs(file, document, Marker())
    ]
    assert found == [("Lithium", "Chemical", "Gene", "INHIBITOR"), ("GSK3", "Gene", "Chemical", NONE), ("one", "", "", "SUBSTRATE")]


def test_kinds_are_forgotten_of_a_share_of_related_pairs_only(document):
    rows = [each for found in cdr_pairs(document * 400) for each in found]
    forgotten = untold(rows, 0)
    assert forgotten == untold(rows, 0)
    share = sum(not each.first.kind for each in forgotten) / sum(each.relation != NONE for each in rows)
    assert abs(share - UNTOLD) < 0.05
    assert all(each.first.kind for each in forgotten if each.relation == NONE)


def test_a_relation_of_several_pairs_counts_once_and_one_of_no_pair_is_missed(document):
    labels = (NONE, INDUCES)
    ((*rows,),) = cdr_pairs(document)
    sure = np.array([[0.1, 0.9], [0.6, 0.4], [0.2, 0.8]])
    assert counted(labels, sure, rows, 0.5, {"7": 2}) == [(1, 1, 1)]
    assert counted(labels, sure, rows, 0.85, {"7": 2}) == [(1, 0, 1)]
    assert counted(labels, sure, rows, 0.5, {"7": 2, "8": 3}) == [(1, 1, 1), (0, 0, 3)]


def test_temperature_and_threshold_come_from_the_pairs_that_are_given(document):
    labels = (NONE, INDUCES)
    ((*rows,),) = cdr_pairs(document)
    numbers = np.array([[0.0, 0.4], [0.0, 0.4], [0.0, -0.4]])
    settled = settle(labels, {"disease": [0, 1]}, {"disease": (numbers, rows)}, {"7": 2})
    assert settled["disease"]["temperature"] < 1  # right each time, and too unsure
    assert settled["disease"]["least"] <= 0.5
