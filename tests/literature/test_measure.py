"""Evaluation on files in BioASQ's form: the contract of its JSON, the union of snippets, and bad files told as such."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.errors import InputError
from backend.evaluate import evaluate
from backend.literature.measure import papers_of, read_bioasq
from backend.workbench import Workbench
from tests.literature.papers import FACTS


def bioasq(folder: Path, name: str = "questions.json") -> Path:
    """Each made-up record asked for by its own title, its sentences as snippets."""
    questions = [
        {
            "body": f"What is known about {title.split(':')[0].lower()}?",
            "documents": [f"http://www.ncbi.nlm.nih.gov/pubmed/{pmid}"],
            "snippets": [
                {
                    "document": f"http://www.ncbi.nlm.nih.gov/pubmed/{pmid}",
                    "text": sentence.strip(),
                    "beginSection": "abstract",
                    "offsetInBeginSection": abstract.find(sentence),
                }
                for sentence in abstract.split(". ")
            ],
        }
        for pmid, _, title, abstract, _, _ in FACTS
    ]
    path = folder / name
    path.write_text(json.dumps({"questions": questions}), encoding="utf-8")
    return path


def test_all_four_systems_are_measured_in_one_run(bench: Workbench, tmp_path: Path) -> None:
    made = evaluate(bench.context, "literature.retrieve", [bioasq(tmp_path)])
    assert (made["task"], made["n"]) == ("literature.retrieve", 5)
    assert list(made["systems"]) == ["bm25", "minilm", "fused", "stack"]
    for metrics in made["systems"].values():
        assert set(metrics) == {"ndcg@10", "recall@10", "hit@10", "mrr@10"}
        for figure in metrics.values():
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert made["systems"]["fused"]["hit@10"]["value"] == 1
    assert any("Fused minus BM25" in note for note in made["notes"])
    assert not any(made["clear"][name][name] for name in made["systems"]), "no search is told from itself"
    assert bench.storage.runs.count() == 0, "measuring leaves no trace in the history"


def test_further_documents_make_it_harder_not_different(bench: Workbench, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.json"
    snippet = {"document": "pubmed/777", "text": "Zinc in the soil of gardens."}
    corpus.write_text(json.dumps({"questions": [{"body": "x?", "snippets": [snippet]}]}))
    made = evaluate(bench.context, "literature.retrieve", [bioasq(tmp_path)], {"corpus": [corpus]})
    assert made["n"] == 5, "questions come from the files, not from the corpus"
    assert "6 documents" in made["notes"][0]


def test_a_documents_text_is_the_union_of_its_snippets_in_their_order(tmp_path: Path) -> None:
    def snippet(text: str, section: str, offset: int) -> dict[str, object]:
        return {"document": "http://x/pubmed/1", "text": text, "beginSection": section, "offsetInBeginSection": offset}

    rows = [
        {"body": "a?", "snippets": [snippet("Second sentence here.", "abstract", 50), snippet("The title", "title", 0)]},
        {"body": "b?", "snippets": [snippet("First sentence here.", "abstract", 0), snippet("sentence here", "abstract", 7)]},
    ]
    (paper,) = papers_of(rows)
    assert paper.text == "The title\nFirst sentence here.\nSecond sentence here."
    assert (paper.pmid, paper.title) == ("1", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "not JSON"),
        ('{"rows": []}', "no list of questions"),
        ('{"questions": [{"body": ""}]}', "Question 1 of bad.json has no text"),
        ('{"questions": [{"body": "a?"}]}', "No question names a document"),
        ("[1, 2]", "no list of questions"),
    ],
)
def test_files_in_another_form_are_refused(bench: Workbench, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        evaluate(bench.context, "literature.retrieve", [path])
    assert caught.value.hint


def test_the_developers_bioasq_file_has_the_questions_it_should(shared: Path) -> None:
    rows = read_bioasq([shared / "literature" / "bioasq_7b_9b.json"])
    assert len(rows) == 1497
    assert len(papers_of(rows)) == 7808
