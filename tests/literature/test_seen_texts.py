"""A text that a reader was trained on is known again in every form in which a file gives it, and its figure is called no test."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from backend.errors import InputError
from backend.literature import seen, seen_texts
from backend.literature.labelled import read_labelled
from backend.literature.seen_texts import asked_marks, trained_marks
from backend.models.reader_cards import ENTITIES, RELATIONS
from tests.literature.test_reading import PUBTATOR
from tests.literature.toys import card, register

SENTENCE = "Tricuspid valve regurgitation was found in a newborn infant whose mother had taken lithium carbonate (1.2 g/day)."
ABSTRACT = f"A case of toxicity.\nWe report what we saw in one centre. {SENTENCE} It went away."


@pytest.fixture
def toy(monkeypatch):
    return register(monkeypatch, card("toy"))


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        "Tricuspid valve regurgitation was found in a newborn infant whose mother had taken lithium carbonate ( 1 . 2 g / day ) .",
        ABSTRACT.replace("\n", " "),
        "Another title\nAnother beginning of an abstract that nobody has read so far. " + SENTENCE.upper(),
    ],
    ids=["alone", "as tokens", "whole", "within another text"],
)
def test_a_sentence_is_known_again_however_it_is_given(text):
    assert trained_marks(ABSTRACT) & asked_marks(text)


@pytest.mark.parametrize(
    "text", ["It went away.", "A case of toxicity.", "Tricuspid valve regurgitation was found in an old man.", SENTENCE[30:], ""]
)
def test_what_is_short_or_other_is_not_called_known(text):
    assert not trained_marks(ABSTRACT) & asked_marks(text)


def test_the_shipped_readers_know_their_own_corpora_and_no_document_kept_for_their_figures(shared):
    from backend.training.readers.corpora import part_of

    documents = read_labelled([shared / "literature/bc5cdr/CDR_DevelopmentSet.PubTator.txt"])
    final = [part_of(each.name, 0.3, 0.2) == "final" for each in documents]
    for one in (ENTITIES, RELATIONS):
        known = seen_texts.seen_texts([each.text for each in documents], [one])
        assert known == [not each for each in final]
    assert not any(seen_texts.seen_texts([each.text for each in documents], [replace(ENTITIES, source="local")]))


@pytest.mark.parametrize("task", ["literature.entities", "literature.relations"])
def test_documents_trained_on_are_told_first_and_can_be_left_out(bench, toy, tmp_path, monkeypatch, task):
    from backend.evaluate import evaluate

    file = tmp_path / "gold.txt"
    title = "Lithium was given for a year to forty adults of one large centre in the south."
    more = f"3|t|{title}\n3|a|They had headache.\n3\t0\t7\tLithium\tChemical\tD2\n"
    file.write_text(PUBTATOR.rstrip("\n") + "\n\n" + more, encoding="utf-8")
    monkeypatch.setattr(seen_texts, "FOLDER", tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / seen.NAME).write_text(seen_texts.to_json([f"{title} And more."]))
    made = evaluate(bench.context, task, [file], {"models": ["toy"]})
    warned = made["notes"][0]
    assert "1 of 3 documents hold sentences that were used in training" in warned
    assert warned.endswith("this is no test of it.")
    assert made["seen"] == {"toy": warned}
    left = evaluate(bench.context, task, [file], {"models": ["toy"], "unseen": True})
    assert left["seen"] == {}
    assert left["n"] < made["n"]
    assert left["notes"][0].startswith(f"Only the {left['n']} of 3 documents") or any("Only the" in note for note in left["notes"])
    file.write_text(more, encoding="utf-8")
    with pytest.raises(InputError, match="trained on"):
        evaluate(bench.context, task, [file], {"models": ["toy"], "unseen": True})


def test_pairs_trained_on_are_told_too(bench, toy, tmp_path, monkeypatch):
    from backend.evaluate import evaluate

    file = tmp_path / "pairs.txt"
    trained = "Aspirin treats headache in forty adults of one large centre in the far south of the land"
    first = trained.replace("Aspirin", "<< Aspirin >>").replace("headache", "[[ headache ]]")
    rows = [{"text": first, "label": "TREATS"}, {"text": "<< Lithium >> may cause [[ nausea ]] in some who take it", "label": "CAUSE"}]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    monkeypatch.setattr(seen_texts, "FOLDER", tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / seen.NAME).write_text(seen_texts.to_json([trained]))
    made = evaluate(bench.context, "literature.relations", [file], {"models": ["toy"]})
    assert made["notes"][0].startswith("1 of 2 pairs hold sentences")
    assert evaluate(bench.context, "literature.relations", [file], {"models": ["toy"], "unseen": True})["n"] == 1
