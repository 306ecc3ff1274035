"""How often a relation is right, and which are shown unasked: experts decide, and the level is not chosen where it is measured."""

from __future__ import annotations

import csv
import io

import pytest

from backend.literature.labelled import Gold, Labelled
from backend.literature.relation_rows import relation_row, said_as
from backend.literature.relation_words import weighed
from backend.literature.relations import to_csv
from backend.training.readers.relations_precision import Read, choose, of_document, of_sentence, precision, settled

TEXT = "Lithium caused tremor and not headache."
DOCUMENT = Labelled(
    "7",
    TEXT,
    (Gold(0, 7, "Chemical", "D1"), Gold(15, 21, "Disease", "D2"), Gold(30, 38, "Disease", "-1")),
    (("CID", "D1", "D2"),),
)


def stated(head_at, tail_at, kind="Disease", score=0.8, relation="chemical induces disease"):
    return {
        "head": TEXT[slice(*head_at)],
        "tail": TEXT[slice(*tail_at)],
        "relation": relation,
        "score": score,
        "sure": score,
        "crossed": False,
        "relieved": "",
        "head_at": list(head_at),
        "tail_at": list(tail_at),
        "head_kind": "Chemical",
        "tail_kind": kind,
        "verified": True,
        "sentence": [0, len(TEXT)],
    }


def test_a_relation_is_right_where_the_names_are_those_that_experts_relate():
    assert of_document(DOCUMENT, [stated((0, 7), (15, 21)), stated((0, 7), (8, 14)), stated((0, 7), (30, 38))]) == [
        Read(0.8, True),
        Read(0.8, False),  # the last has no identifier: nothing can be listed of it
    ]


def test_a_relation_with_a_gene_must_be_the_one_that_experts_name():
    listed = {frozenset(((0, 7), (15, 21))): "INHIBITOR"}
    pairs = [stated((0, 7), (15, 21), "Gene", relation=name) for name in ("INHIBITOR", "ACTIVATOR")] + [stated((0, 7), (30, 38), "Gene")]
    assert [each.right for each in of_sentence(listed, pairs)] == [True, False, False]
    assert of_sentence(listed, [stated((0, 7), (0, 7), "Gene", relation="INHIBITOR")]) == [Read(0.8, False)]


def test_the_lowest_level_that_is_right_often_enough_is_chosen_and_measured_elsewhere():
    check = [[Read(0.35, False), Read(0.65, at % 4 != 0), Read(0.85, at % 10 != 0)] for at in range(40)]
    final = [[Read(0.35, False), Read(0.65, False), Read(0.85, at % 4 != 0)] for at in range(40)]
    assert precision(check, 0.6)["value"] == pytest.approx(0.825)
    assert choose(check) == 0.4  # nothing lies between it and 0.65
    found = settled(check, final, "texts kept apart")
    assert found["shown"] == 0.4
    assert (found["right"]["shown"]["n"], found["right"]["shown"]["value"]) == (80, 0.375)
    assert (found["right"]["others"]["n"], found["right"]["others"]["value"]) == (40, 0.0)
    assert [each["n"] for each in found["right"]["at"]] == [120, 120, *[80] * 6, *[40] * 4]


def test_where_no_level_is_right_often_enough_the_best_is_taken():
    assert choose([[Read(0.65, False), Read(0.95, at % 2 == 0)] for at in range(40)]) == 0.7


def test_a_relation_below_the_level_is_not_shown_unasked_and_says_how_often_such_are_right():
    right = {"shown": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 90}, "others": {"value": 0.4, "low": 0.3, "high": 0.5, "n": 80}}
    measured = {"disease": {"least": 0.3, "shown": 0.75, "data": "abstracts kept apart", "right": right}}
    sure, less = weighed(TEXT, [stated((0, 7), (15, 21), score=score) for score in (0.8, 0.7, 0.29)], measured)
    assert (sure["shown"], sure["right"]["value"], sure["right"]["data"]) == (True, 0.7, "abstracts kept apart")
    assert (less["shown"], less["right"]["value"]) == (False, 0.4)
    (other,) = weighed(TEXT, [stated((0, 7), (15, 21), "Gene")], measured)
    assert (other["shown"], other["right"]) == (True, None)
    assert [said_as(each) for each in weighed(TEXT, [stated((0, 7), at) for at in ((15, 21), (30, 38))], {})] == ["asserted", "denied"]


def test_of_two_clauses_with_a_pair_each_the_names_are_not_crossed():
    text = "Rifampicin caused nausea in some, and vancomycin caused tremor."
    pairs = {("Rifampicin", "nausea"): 0.78, ("vancomycin", "tremor"): 0.69, ("vancomycin", "nausea"): 0.67, ("Rifampicin", "tremor"): 0.62}
    relations = []
    for (head, tail), sure in pairs.items():
        spots = {f"{side}_at": [text.index(name), text.index(name) + len(name)] for side, name in (("head", head), ("tail", tail))}
        relations.append(stated((0, 7), (15, 21), score=sure) | spots | {"head": head, "tail": tail, "sentence": [0, len(text)]})
    assert [each["crossed"] for each in weighed(text, relations, {})] == [False, False, True, True]
    assert not any(each["crossed"] for each in weighed(text, relations[:1] + relations[3:], {}))
    relations[1]["sure"] = 0.4  # an unsure name is no reason to give its partner to another
    assert {(each["head"], each["tail"]) for each in weighed(text, relations, {}) if each["crossed"]} == set(list(pairs)[2:])


def test_a_disease_that_a_chemical_may_relieve_is_not_shown_as_induced_unasked():
    text = "Metformin in the attenuation of atherosclerosis."
    spots = {"head": "Metformin", "head_at": [0, 9], "tail": "atherosclerosis", "tail_at": [32, 47], "sentence": [0, len(text)]}
    right = {name: {"value": 0.7, "low": 0.6, "high": 0.8, "n": 90} for name in ("shown", "others")}
    measured = {"disease": {"least": 0.3, "shown": 0.5, "data": "abstracts kept apart", "right": right}}
    (found,) = weighed(text, [stated((0, 7), (15, 21)) | spots], measured)
    assert (found["relieved"], found["shown"]) == ("attenuation", False)
    (gene,) = weighed(text, [stated((0, 7), (15, 21), "Gene", relation="INHIBITOR") | spots], measured)
    assert gene["relieved"] == ""


def test_the_table_tells_the_paper_the_sentence_and_its_place():
    (each,) = weighed(TEXT, [stated((0, 7), (30, 38))], {})
    row = relation_row(each, TEXT, {"pmid": "34096218", "title": "Lithium", "year": 2021, "start": 100, "evidence": 3})
    assert (row["Evidence"], row["PMID"], row["Title"], row["Year"]) == (3, "34096218", "Lithium", 2021)
    assert (row["Subject"], row["Relation"], row["Object"], row["Its sentence"]) == ("Lithium", "induces", "headache", "denied")
    assert (row["Sentence"], row["Sentence begins at character"], row["Sentence ends at character"]) == (TEXT, 100, 100 + len(TEXT))


def test_a_run_of_before_still_leaves_as_a_table():
    old = stated((0, 7), (15, 21)) | {"denied": ""}
    found = {"material": {"content": TEXT, "name": "A pasted text"}, "relations": [old]}
    ((row,)) = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert (row["Title"], row["Object"], row["Less certain"], row["Its sentence"]) == ("A pasted text", "tremor", "no", "asserted")
    assert to_csv(found | {"relations": []}).strip() == ""
