"""literature.ask with the readers: a verdict with its set, two grounds of abstention, sides of sentences, whether papers disagree."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.cli.ask import answer_text
from backend.domain import Run, digest
from backend.errors import InputError
from backend.literature import voters
from backend.literature.answering import EVIDENCE, USUAL, VERDICT, drawn, part_of, readers_ready, weighted
from backend.literature.contradiction import measured
from backend.literature.library import ENCODER, library
from backend.literature.nearness import ScoredSentence
from backend.literature.retrieval import retrieve
from backend.literature.warming import warm_readers
from backend.literature.weighing import Weighed
from backend.models.registry import get_card
from backend.profiles.verdict_words import head
from backend.workbench import Workbench, run_json
from tests.literature.papers import write

QUESTION = "Does metformin reduce cardiovascular mortality?"


@pytest.fixture
def ready(bench: Workbench, tmp_path: Path) -> Workbench:
    if not readers_ready(bench.context):
        pytest.skip("the readers of evidence and verdicts are not on this machine")
    shelf = library(bench.context)
    shelf.import_file(write(tmp_path))
    shelf.index_vectors()
    return bench


def asked(bench: Workbench, question: str = QUESTION, **settings: Any) -> tuple[Run, dict[str, Any]]:
    run = bench.run("literature.ask", {"question": question}, settings=settings)
    assert run.prediction is not None
    return run, run.prediction["answer"]


def test_a_yes_no_question_gets_a_verdict_with_its_set_and_the_papers_it_was_read_from(ready: Workbench) -> None:
    run, answer = asked(ready)
    assert answer["question_kind"] == "yes/no"
    verdict = answer["verdict"]
    assert verdict["said"] in ("yes", "no", "maybe", "open")
    assert (answer["ground"] == "does not decide") == (verdict["said"] == "open")
    assert sum(verdict["probabilities"]) == pytest.approx(1, abs=1e-4)
    with ready.runtime.use(VERDICT) as model:
        covering = model.covering
    reached = {name for name, p in zip(("yes", "no", "maybe"), verdict["probabilities"], strict=True) if p >= covering}
    assert reached <= set(verdict["set"])
    assert 1 <= len(verdict["papers"]) <= 5
    assert sum(paper["weight"] for paper in verdict["papers"]) == pytest.approx(1, abs=1e-3)
    alone = verdict["set"] == [verdict["said"]]
    assert ("ruled out" in answer["reason"]) == (not alone and verdict["said"] != "open"), "the sentence says no more than the set"
    for paper in verdict["papers"]:
        stored = library(ready.context).paper(paper["document"]).paper.text
        assert (paper["start"], paper["end"], paper["sha256"]) == (0, len(stored), digest(stored)), "an abstract is read whole"
    assert {item["document"] for item in answer["evidence"]} >= {paper["document"] for paper in verdict["papers"][:1]}
    assert {reader["name"] for reader in (run.prediction or {})["readers"]} == {EVIDENCE, VERDICT}


def test_a_papers_sentences_are_ranked_by_the_reader_and_take_a_side_only_where_one_is_likely(ready: Workbench) -> None:
    _, answer = asked(ready)
    papers = [item["document"] for item in answer["evidence"]]
    assert papers == sorted(papers, key=papers.index), "sentences of one paper stand together"
    for one, two in pairwise(answer["evidence"]):
        assert one["document"] != two["document"] or one["bearing"] >= two["bearing"]
    for item in answer["evidence"]:
        stance = item["stance"]
        assert (max(stance["probabilities"]) >= stance["least"]) or stance["said"] == "unclear"


def test_an_open_question_is_answered_with_sentences_and_no_verdict(ready: Workbench) -> None:
    _, answer = asked(ready, "Which drug reduces cardiovascular mortality in type 2 diabetes?")
    assert answer["question_kind"] == "open"
    assert answer["verdict"] is None
    assert answer["contradiction"] is None
    assert all(item["stance"] is None and 0 <= item["bearing"] <= 1 for item in answer["evidence"])
    assert answer["reason"].endswith("Whether they answer it was not judged.")


def test_a_question_in_another_language_is_searched_and_not_judged(ready: Workbench) -> None:
    run, answer = asked(ready, "Senkt Metformin die kardiovaskuläre Mortalität?")
    assert (run.prediction or {})["support"]["answered_wrongly"] is None, "the rates are those of English questions"
    assert answer["language"]["name"] == "German"
    assert answer["reason"].startswith("The question looks like German.")
    assert answer["verdict"] is None
    assert "language" not in asked(ready)[1]


def test_nothing_in_the_library_is_another_ground_than_papers_that_do_not_decide(ready: Workbench) -> None:
    _, answer = asked(ready, QUESTION, filters={"year_from": 2030})
    assert (answer["ground"], answer["abstained"], answer["verdict"]) == ("not in library", True, None)


def test_the_meter_counts_every_judged_paper_and_states_its_error(ready: Workbench) -> None:
    _, answer = asked(ready)
    meter = answer["contradiction"]
    assert meter["supports"] + meter["opposes"] + meter["unclear"] == len(meter["papers"])
    assert {paper["document"] for paper in answer["verdict"]["papers"]} <= {paper["document"] for paper in meter["papers"]}
    assert meter["said"] in ("agree", "disagree", "too few", "unclear")
    assert 0 <= meter["probability"] <= 1
    assert {"false_alarm", "missed", "n", "data", "command"} <= set(meter["error"])


def test_without_the_readers_the_answer_is_the_one_of_before(ready: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    run, answer = asked(ready, readers=False)
    assert set(answer) == {"abstained", "verdict", "confidence", "reason", "evidence"}
    assert answer["verdict"] is None
    assert not any("bearing" in item for item in answer["evidence"])
    assert run.warnings == ()
    present = ready.runtime.present
    monkeypatch.setattr(ready.runtime, "present", lambda name: name != VERDICT and present(name))
    lacking, same = asked(ready)
    assert same == answer
    assert any("readers are not on this machine" in warning for warning in lacking.warnings)


def test_a_run_of_before_the_readers_replays_as_it_was_made(ready: Workbench) -> None:
    run, _ = asked(ready, readers=False)
    settings = {name: value for name, value in run.settings.items() if name != "readers"}
    old = ready.storage.runs.append(replace(run, id=ready.storage.runs.new_run_id(), settings=settings))
    again = ready.replay(old.id)
    assert again.prediction is not None
    assert (again.prediction["same"], again.prediction["differences"]) == (True, [])
    assert ready.explain(old.id, {"evidence": 1}).explanation is not None


def test_an_answer_replays_the_same_and_the_readers_stay_in_memory(ready: Workbench) -> None:
    run, _ = asked(ready)
    first = {model.name: model.since for model in ready.runtime.loaded()}
    assert {ENCODER, EVIDENCE, VERDICT} <= set(first)
    again = ready.replay(run.id)
    assert again.prediction is not None
    assert (again.prediction["same"], again.prediction["differences"]) == (True, [])
    assert {model.name: model.since for model in ready.runtime.loaded()} == first, "nothing was put out and loaded again"


def test_no_verdict_is_read_from_a_retracted_paper(bench: Workbench, tmp_path: Path) -> None:
    if not readers_ready(bench.context):
        pytest.skip("the readers of evidence and verdicts are not on this machine")
    path = write(tmp_path)
    notice = (
        '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>Lancet 2021</RefSource><PMID>5</PMID>'
        "</CommentsCorrections></CommentsCorrectionsList><MeshHeadingList>"
    )
    path.write_text(path.read_text().replace("<MeshHeadingList>", notice, 1))
    library(bench.context).import_file(path)
    run, answer = asked(bench)
    assert "90000001" in {item["pmid"] for item in answer["evidence"]}
    assert "90000001" not in {paper["pmid"] for paper in (answer["verdict"] or {"papers": ()})["papers"]}
    assert any("no verdict is read from it" in warning for warning in run.warnings)


def test_a_question_beyond_the_readers_is_answered_by_nearness_with_a_warning(ready: Workbench) -> None:
    long = "Does metformin reduce cardiovascular mortality " + "in adults with type 2 diabetes and heart failure " * 35 + "?"
    run, answer = asked(ready, long)
    assert "question_kind" not in answer
    assert any("too long for the readers" in warning for warning in run.warnings)


def test_of_a_long_text_the_passage_with_the_best_sentence_is_judged(ready: Workbench, tmp_path: Path) -> None:
    filler = " ".join(f"Visit {n} was done as planned in the clinic of the third district." for n in range(120))
    finding = "Metformin reduced cardiovascular mortality compared with placebo."
    shelf = library(ready.context)
    shelf.import_file(write(tmp_path, "long.xml", [("90000009", 2019, "A long report", f"{filler} {finding} {filler}", [], [])]))
    stored = next(paper for paper in shelf.papers(limit=10) if paper.paper.pmid == "90000009")
    start = stored.paper.text.index(finding)
    best = Weighed(ScoredSentence(stored.id, start, start + len(finding), 0.9, 0.9, 1.0), 0.9, (1.0, 0.0, 0.0))
    with ready.runtime.use(VERDICT) as model:
        part = part_of(model, QUESTION, stored, best, 0.9)
        assert model.lengths([part.text])[0] <= model.window
    assert finding in part.text
    assert len(part.text) < len(stored.paper.text)


def test_a_paper_that_may_not_answer_decides_no_more_than_it_answers() -> None:
    sure = np.array([[0.05, 0.9, 0.05]])
    assert drawn(sure, np.array([1.0])) == pytest.approx(sure)
    assert drawn(sure, np.array([0.0]))[0] == pytest.approx(USUAL)
    half = drawn(sure, np.array([0.5]))[0]
    assert half.sum() == pytest.approx(1)
    assert 0.9 > half[1] > USUAL[1]


def test_papers_that_hold_few_of_the_questions_words_are_not_judged(ready: Workbench) -> None:
    """All five papers are found; those about sleep or other drugs hold a word or two of the question and answer nothing of it."""
    shelf = library(ready.context)
    with ready.runtime.use(ENCODER) as encoder:
        found = retrieve(shelf, QUESTION, encoder)
    likely = voters.about(shelf, QUESTION, found)
    by_pmid = {found.stored[paper].paper.pmid: p for paper, p in likely.items()}
    assert list(likely.values()) == sorted(likely.values(), reverse=True)
    assert by_pmid["90000001"] >= voters.least() > by_pmid["90000004"]
    _, answer = asked(ready)
    assert all(paper["about"] >= voters.least() for paper in answer["verdict"]["papers"])


def test_verdicts_are_joined_by_weight_and_one_alone_is_itself() -> None:
    yes, no = np.array([0.8, 0.15, 0.05]), np.array([0.1, 0.7, 0.2])
    assert (weighted(yes[None], np.array([1.0])) == yes).all()
    assert weighted(np.stack([yes, no]), np.array([0.9, 0.1])).argmax() == 0
    assert weighted(np.stack([yes, no]), np.array([0.1, 0.9])).argmax() == 1
    assert weighted(np.stack([yes, yes]), np.array([0.3, 0.7])) == pytest.approx(yes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "target", [{"verdict": 1}, {"verdict": 1, "sentence": 2}, {"evidence": 1, "of": "bearing"}, {"evidence": 1, "of": "stance"}, {}]
)
def test_an_explanation_adds_up_and_names_places_of_the_stored_text(ready: Workbench, target: dict[str, Any]) -> None:
    run, _ = asked(ready)
    made = ready.explain(run.id, target).explanation
    assert made is not None
    assert made["target"] == (target or {"verdict": 1})
    stored = library(ready.context).paper(made["document"]).paper.text
    assert stored[made["start"] : made["start"] + len(made["sequence"])] == made["sequence"]
    sites = made["sites"]
    assert sites["unit"] == "ln odds"
    assert all(made["sequence"][item["start"] : item["end"]] == item["label"] for item in sites["attributions"])
    assert sites["base_value"] + sum(item["value"] for item in sites["attributions"]) == pytest.approx(sites["score"], abs=1e-3)
    assert len(sites["faithfulness"]["random_areas"]) == 20


def test_what_cannot_be_explained_is_told(ready: Workbench) -> None:
    run, _ = asked(ready)
    with pytest.raises(InputError, match="no judged paper number 99"):
        ready.explain(run.id, {"verdict": 99})
    with pytest.raises(InputError, match="no 'mood' to explain"):
        ready.explain(run.id, {"evidence": 1, "of": "mood"})
    plain, _ = asked(ready, readers=False)
    with pytest.raises(InputError, match="no verdict"):
        ready.explain(plain.id, {"verdict": 1})
    with pytest.raises(InputError, match="has no stance"):
        ready.explain(plain.id, {"evidence": 1, "of": "stance"})


def test_the_command_line_tells_the_verdict_its_set_and_the_side_of_each_sentence(ready: Workbench) -> None:
    run, answer = asked(ready)
    told = answer_text(run_json(run))
    assert f"Verdict: {head(answer)}; " in told
    assert "measured on one study read alone" in told
    assert "90% set: " in told
    assert "Do the studies disagree? " in told
    assert told.count("bears on the question with probability") == len(answer["evidence"])
    none, _ = asked(ready, QUESTION, filters={"year_from": 2030})
    assert "No verdict: nothing near enough to the question was found." in answer_text(run_json(none))
    plain, _ = asked(ready, readers=False)
    assert "erdict" not in answer_text(run_json(plain))


def test_the_meter_was_measured_with_the_reader_that_ships(ready: Workbench) -> None:
    assert measured()["reader"] == get_card(VERDICT).sha256


def test_readers_are_loaded_before_the_first_question_where_they_are_here(ready: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    warm_readers(ready.context)
    assert {EVIDENCE, VERDICT} <= {each.name for each in ready.runtime.loaded()}
