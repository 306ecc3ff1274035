"""Sentences that bear on a question: verbatim and all of them, explained, exported, measured on what experts marked."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from backend.errors import InputError
from backend.evaluate import evaluate
from backend.literature import seen
from backend.literature.evidence_cases import read_asked, trial_question
from backend.literature.evidence_measure import ratio
from backend.literature.library import library
from backend.literature.seen import mark
from backend.tasks import find_task
from tests.literature import toys
from tests.literature.papers import write
from tests.literature.toys import ABSTRACT, register

TASK = "literature.evidence"
QUESTION = "Does lithium cause regurgitation?"


@pytest.fixture
def toy(monkeypatch):
    return register(monkeypatch, toys.card("toy"))


def run(bench, question=QUESTION, **value):
    given = value or {"text": ABSTRACT, "name": "abstract"}
    return bench.run(TASK, {**given, "question": question})


def test_every_sentence_is_weighed_best_first_with_its_side(bench, toy):
    found = run(bench).prediction
    assert [(each["quote"].split()[0], each["bearing"], each["stance"]["said"]) for each in found["sentences"]] == [
        ("Aspirin", 0.9, "unclear"),
        ("Lithium", 0.5, "supports"),
        ("There", 0.5, "opposes"),
        ("Lithium", 0.1, "unclear"),
        ("A", 0.1, "unclear"),
    ]
    assert all(ABSTRACT[each["start"] : each["end"]] == each["quote"] for each in found["sentences"])
    assert (found["clear"], found["counts"]) == (3, {"supports": 1, "opposes": 1, "unclear": 1})
    assert found["text"][0] == (
        "3 of 5 sentences bear on the question with a probability of at least 0.50: 1 supports, 1 opposes, 1 unclear."
    )


def test_sentences_for_and_against_are_told(bench, toy):
    assert any("for and against" in line for line in run(bench).warnings)
    assert not run(bench, text="Lithium may cause headache.", name="one").warnings


def test_a_question_without_yes_or_no_has_no_sides(bench, toy):
    made = run(bench, "Which drug causes regurgitation?")
    assert made.prediction["question_kind"] == "open"
    assert {each["stance"] is None for each in made.prediction["sentences"]} == {True}
    with pytest.raises(InputError, match="take no side"):
        bench.explain(made.id, {"rank": 1, "of": "stance"})


def test_bearing_and_side_are_explained_by_the_words_of_the_sentence(bench, toy):
    made = run(bench)
    why = bench.explain(made.id, {"rank": 2}).explanation
    by_word = {item["label"]: item["value"] for item in why["sites"]["attributions"]}
    assert max(by_word, key=by_word.get) == "cause"
    assert why["sites"]["faithfulness"]["additivity_residual"] < 1e-6
    side = bench.explain(made.id, {"rank": 3, "of": "stance"}).explanation
    by_word = {item["label"]: item["value"] for item in side["sites"]["attributions"]}
    assert max(by_word, key=by_word.get) == "no"
    assert side["sites"]["target"] == "the side of sentence 3: opposes"
    with pytest.raises(InputError, match="no sentence number 6"):
        bench.explain(made.id, {"rank": 6})
    with pytest.raises(InputError, match="'colour' cannot be explained"):
        bench.explain(made.id, {"rank": 1, "of": "colour"})


def test_the_table_holds_every_sentence_with_its_place(bench, toy):
    found = run(bench).prediction
    rows = list(csv.DictReader(io.StringIO(find_task(TASK).exports["csv"](found))))
    assert len(rows) == 5
    assert (rows[1]["side"], rows[1]["supports"]) == ("supports", "0.625")
    assert ABSTRACT[int(rows[1]["start"]) : int(rows[1]["end"])] == rows[1]["sentence"]


def test_all_sentences_of_quoted_papers_are_weighed(bench, toy, tmp_path):
    shelf = library(bench.context)
    shelf.import_file(write(tmp_path), "papers.nbib")
    asked = bench.run("literature.ask", {"question": "Does metformin reduce cardiovascular mortality?"}, settings={"readers": False})
    quoted = {item["document"] for item in asked.prediction["answer"]["evidence"]}
    assert quoted
    made = run(bench, "Does metformin reduce mortality?", run=asked.id)
    assert {each["paper"] for each in made.prediction["sentences"]} == quoted
    for each in made.prediction["sentences"]:
        stored = shelf.paper(each["paper"]).paper
        assert (stored.text[each["start"] : each["end"]], stored.pmid) == (each["quote"], each["pmid"])
    assert bench.explain(made.id, {"rank": 1}).explanation["sequence"] == made.prediction["sentences"][0]["quote"]


DOCUMENTS = {
    "1": "Lithium may cause harm to the valve. Patients were followed for ten years in one centre.",
    "2": "Aspirin treats pain that tumours cause.",
}


def bioasq(tmp_path, texts=True):
    """Three questions, of which the toy ranks the snippets of two first; with the papers' texts or without."""

    def of(pmid: str) -> dict[str, str]:
        return {"document": f"http://pubmed/{pmid}", **({"abstract": DOCUMENTS[pmid]} if texts else {})}

    def snippet(pmid: str, text: str) -> dict[str, str]:
        return {"document": f"http://pubmed/{pmid}", "text": text}

    questions = [
        {"body": QUESTION, "documents": [of("1")], "snippets": [snippet("1", "Lithium may cause harm to the valve.")]},
        {"body": "Does aspirin treat pain?", "documents": [of("2")], "snippets": [snippet("2", DOCUMENTS["2"])]},
        {
            "body": "Who was studied?",
            "documents": [of("1")],
            "snippets": [snippet("1", "Patients were followed for ten years in one centre.")],
        },
    ]
    file = tmp_path / "bioasq.json"
    file.write_text(json.dumps({"questions": questions}), encoding="utf-8")
    return file


def test_marked_sentences_among_those_of_their_own_papers(bench, toy, tmp_path):
    made = evaluate(bench.context, TASK, [bioasq(tmp_path)], {"models": ["toy"]})
    assert list(made["systems"]) == ["toy", "minilm", "bm25"]
    own = [note for note in made["notes"] if "sentences of their own papers" in note]
    assert own[0].startswith("2 questions")
    # of the second question's paper every sentence is marked: it is put to the sentences of the others
    assert any(note.startswith("1 questions came without the texts") for note in made["notes"])
    assert made["n"] == 3
    assert made["systems"]["toy"]["map"]["value"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert set(made["systems"]["bm25"]) == {"map", "precision@5", "recall@10"}
    assert made["ratios"]["toy"]["value"] == pytest.approx(
        made["systems"]["toy"]["map"]["value"] / made["systems"]["minilm"]["map"]["value"]
    )


def test_texts_of_papers_come_from_the_library_too(bench, toy, tmp_path):
    library(bench.context).import_file(write(tmp_path), "papers.nbib")
    snippet = {"document": "http://pubmed/90000003", "text": "Aspirin did not prevent a first stroke in people at low risk."}
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"questions": [{"body": "Does aspirin prevent stroke?", "snippets": [snippet]}]}), encoding="utf-8")
    made = evaluate(bench.context, TASK, [file], {"models": ["toy"]})
    assert any("1 of these papers are in your library" in note for note in made["notes"])
    assert made["n"] == 1


def test_without_texts_a_question_never_meets_sentences_of_its_own_papers(bench, toy, tmp_path):
    made = evaluate(bench.context, TASK, [bioasq(tmp_path, texts=False)], {"models": ["toy"]})
    assert made["n"] == 3
    assert "on average 1.0 marked of" in made["notes"][0]
    assert any("40 nearest by meaning and the 40 nearest by words" in note for note in made["notes"])


def test_trials_are_read_with_the_abstracts_beside(tmp_path):
    row = {"pmcid": "7", "intervention": "aspirin", "comparator": "placebo", "outcome": "pain", "label": "decreased"}
    prompts = tmp_path / "prompts_check.jsonl"
    inside = {**row, "evidence": "Aspirin reduced pain at night"}
    prompts.write_text("\n".join(json.dumps(each) for each in (inside, {**row, "evidence": "A sentence of the full text only."})))
    with pytest.raises(InputError, match=r"abstracts of prompts_check\.jsonl are missing"):
        read_asked([prompts])
    abstract = "TITLE: \nAspirin for pain\n\nABSTRACT.RESULTS:\nWe asked forty adults twice. Aspirin reduced pain at night, p = 0.01."
    (tmp_path / "abstracts.jsonl").write_text(json.dumps({"pmcid": "7", "split": "train", "text": abstract}))
    (found,), _, notes = read_asked([prompts])
    assert found.question == trial_question(row) == "Does aspirin affect pain compared with placebo?"
    assert found.bearing == {"Aspirin reduced pain at night, p = 0.01."}
    assert "We asked forty adults twice." in found.documents
    assert notes == ["1 judgements of prompts_check.jsonl rest on a sentence outside the abstract and were left out."]


def test_files_in_no_known_form_are_told(bench, toy, tmp_path):
    file = tmp_path / "questions.json"
    file.write_text('{"questions": [{"body": "Why?", "snippets": []}]}')
    with pytest.raises(InputError, match="no question with a marked sentence"):
        evaluate(bench.context, TASK, [file])
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"a": 1}')
    with pytest.raises(InputError, match="no judgements of trials"):
        evaluate(bench.context, TASK, [lines])


def test_questions_trained_on_are_told_and_can_be_left_out(bench, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(seen, "FOLDER", tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / seen.NAME).write_text(seen.to_json([QUESTION.upper()]))
    file = bioasq(tmp_path, texts=False)
    made = evaluate(bench.context, TASK, [file], {"models": ["toy"]})
    assert "1 of 3 questions were trained on by Toy toy: this is no test of it." in made["notes"]
    left = evaluate(bench.context, TASK, [file], {"models": ["toy"], "unseen": True})
    assert left["n"] == 2
    assert not any("this is no test" in note for note in left["notes"])
    rows = {"1": {"QUESTION": QUESTION, "CONTEXTS": ["It may cause it."], "final_decision": "yes"}}
    file.write_text(json.dumps(rows))
    made = evaluate(bench.context, "literature.verdict", [file], {"models": ["toy"]})
    assert "1 of 1 questions were trained on by Toy toy: this is no test of it." in made["notes"]
    with pytest.raises(InputError, match="trained on every question"):
        evaluate(bench.context, "literature.verdict", [file], {"models": ["toy"], "unseen": True})


def test_a_mark_forgets_case_and_white_space_and_the_question():
    assert mark("Does  it\nhelp?") == mark("does it help?") != mark("Does it harm?")
    assert len(mark("Does it help?")) == 8


def test_the_ratio_is_of_means_on_the_same_questions():
    a, b = np.array([0.9, 0.6, 0.3, 0.6]), np.array([0.6, 0.4, 0.2, 0.4])
    found = ratio(a, b)
    assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.5, 1.5))


def test_what_the_readers_were_trained_on_leaves_out_the_final_part(tmp_path):
    from backend.training.readers.evidence_data import part_of
    from backend.training.readers.seen import of_evidence

    names = [f"q{n}" for n in range(40)]
    snippet = {"document": "http://pubmed/1", "text": "Lithium may cause harm to the valve."}
    rows = [{"id": name, "type": "summary", "body": f"What of {name}?", "documents": [], "snippets": [snippet]} for name in names]
    (tmp_path / "bioasq_7b_9b.json").write_text(json.dumps({"questions": rows}))
    (tmp_path / "evidence_inference").mkdir()
    row = {"pmcid": "7", "intervention": "aspirin", "comparator": "placebo", "outcome": "pain"}
    (tmp_path / "evidence_inference" / "prompts_train.jsonl").write_text(json.dumps(row))
    asked = of_evidence(tmp_path)
    assert asked[-1] == trial_question(row)
    assert asked[:-1] == [f"What of {name}?" for name in names if part_of(name) != "final"]
    assert 0 < len(asked[:-1]) < len(names)
