"""literature.ask: verbatim quotes with their places, a plain 'cannot answer', and bad questions told as such."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.domain import Profile, digest
from backend.errors import InputError, StorageError
from backend.literature.library import library
from backend.workbench import Workbench, run_json
from tests.literature.papers import FACTS, write

QUESTION = "Does metformin reduce cardiovascular mortality?"


@pytest.fixture
def ready(bench: Workbench, tmp_path: Path) -> Workbench:
    shelf = library(bench.context)
    shelf.import_file(write(tmp_path))
    shelf.index_vectors()
    return bench


def test_the_answer_is_made_of_verbatim_sentences_with_their_places(ready: Workbench) -> None:
    run = ready.run("literature.ask", {"question": QUESTION})
    made = run_json(run)
    assert set(made) == {"run_id", "task", "model", "seconds", "warnings", "prediction", "explanation", "answer"}
    assert set(made["model"]) == {"name", "revision", "sha256"}
    answer = made["answer"]
    assert not answer["abstained"]
    assert {item["pmid"] for item in answer["evidence"][:2]} & {"90000001", "90000002"}
    for item in answer["evidence"]:
        stored = library(ready.context).paper(item["document"]).paper.text
        assert stored[item["start"] : item["end"]] == item["quote"]
        assert item["end"] - item["start"] == len(item["quote"])
        assert item["sha256"] == digest(stored)
    assert {item["pmid"] for item in answer["evidence"]} >= {"90000001", "90000002"}, "the finding that points the other way is there too"


def test_what_the_library_cannot_answer_is_said(ready: Workbench) -> None:
    run = ready.run("literature.ask", {"question": "Which fertiliser gives the best yield of potatoes in sandy soil?"})
    assert run.prediction is not None
    answer = run.prediction["answer"]
    assert answer["abstained"]
    assert answer["evidence"] == []
    assert "nothing near enough" in answer["reason"] or "No paper" in answer["reason"]


def test_filters_that_admit_nothing_abstain_and_say_so(ready: Workbench) -> None:
    run = ready.run("literature.ask", {"question": QUESTION}, settings={"filters": {"year_from": 2030}})
    assert run.prediction is not None
    assert run.prediction["answer"]["abstained"]
    assert run.prediction["answer"]["reason"] == "No paper of the library passes the filters."


@pytest.mark.parametrize(
    ("question", "message"),
    [("", "empty"), (" \n\t\x00\x07 ", "empty"), ("x" * 10_000, "10,000 characters"), ("?? 12 !!", "no word")],
)
def test_a_question_that_cannot_be_asked(ready: Workbench, question: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ready.run("literature.ask", {"question": question})
    assert caught.value.hint
    assert ready.storage.runs.count() == 0


@pytest.mark.parametrize(
    "question",
    ["Снижает ли метформин смертность?", "二甲双胍能降低死亡率吗？", "metformin\x00\u202e death?", "<script>alert(1)</script> metformin"],
)
def test_other_languages_and_odd_characters_are_answered_or_refused_without_harm(ready: Workbench, question: str) -> None:
    run = ready.run("literature.ask", {"question": question})
    assert not any(ord(c) < 32 or c == "\u202e" for c in run.input["question"])
    if not question.isascii() and "metformin" not in question:
        assert (run.prediction or {})["answer"]["reason"].startswith("The question does not look like English.")


def test_unknown_settings_and_filters_are_named(ready: Workbench) -> None:
    with pytest.raises(InputError, match="no setting called 'depth'"):
        ready.run("literature.ask", {"question": QUESTION}, settings={"depth": 3})
    with pytest.raises(InputError, match="no filter called 'country'"):
        ready.run("literature.ask", {"question": QUESTION}, settings={"filters": {"country": "CH"}})
    with pytest.raises(InputError, match="from 1 to 10"):
        ready.run("literature.ask", {"question": QUESTION}, settings={"evidence": 50})


def test_a_profile_changes_no_evidence_score_or_confidence(ready: Workbench) -> None:
    plain = ready.run("literature.ask", {"question": QUESTION})
    for profile in (Profile("a", "A", "clinician", ("cardiology",), "plain"), Profile("b", "B", "biologist", (), "expert")):
        assert ready.run("literature.ask", {"question": QUESTION}, profile=profile).prediction == plain.prediction


def test_an_edited_text_is_never_quoted(ready: Workbench) -> None:
    with ready.storage.session(write=True) as session:
        session.execute(text("UPDATE papers SET text = replace(text, 'reduced', 'doubled') WHERE pmid = '90000001'"))
    with pytest.raises(StorageError, match="not what was indexed"):
        ready.run("literature.ask", {"question": QUESTION})


def test_a_retracted_paper_carries_its_notice_and_a_warning(bench: Workbench, tmp_path: Path) -> None:
    path = write(tmp_path)
    notice = (
        '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>Lancet 2021</RefSource><PMID>5</PMID>'
        "</CommentsCorrections></CommentsCorrectionsList><MeshHeadingList>"
    )
    path.write_text(path.read_text().replace("<MeshHeadingList>", notice, 1))
    library(bench.context).import_file(path)
    run = bench.run("literature.ask", {"question": QUESTION})
    assert run.prediction is not None
    first = next(item for item in run.prediction["answer"]["evidence"] if item["pmid"] == "90000001")
    assert first["notices"] == [{"kind": "retracted", "text": "Lancet 2021", "pmid": "5"}]
    assert any("90000001 was retracted" in warning for warning in run.warnings)


def test_the_explanation_names_sentences_and_words_of_the_stored_text(ready: Workbench) -> None:
    run = ready.run("literature.ask", {"question": QUESTION}, settings={"readers": False})
    assert run.prediction is not None
    child = ready.explain(run.id, {"evidence": 1})
    assert (child.kind, child.parent) == ("explanation", run.id)
    assert child.explanation is not None
    item = run.prediction["answer"]["evidence"][0]
    stored = library(ready.context).paper(item["document"]).paper.text
    for part in ("sentences", "words"):
        explained = child.explanation[part]
        for player in explained["attributions"]:
            assert stored[player["start"] : player["end"]] == player["label"]
        total = explained["base_value"] + sum(player["value"] for player in explained["attributions"])
        assert total == pytest.approx(explained["score"], abs=1e-3)
        assert len(explained["faithfulness"]["random_areas"]) == 20
    words = {player["label"]: player["value"] for player in child.explanation["words"]["attributions"]}
    assert max(words, key=lambda word: words[word]) in {"metformin", "cardiovascular", "mortality"}
    assert [c.id for c in ready.storage.runs.children(run.id)] == [child.id]


@pytest.mark.slow
def test_text_beyond_the_encoders_window_is_unseen_and_gets_no_share(bench: Workbench, tmp_path: Path) -> None:
    ratios = ", ".join(f"{n / 7:.4f}" for n in range(1, 130))
    endless = f"Metformin reduced cardiovascular mortality in all of these groups (hazard ratios {ratios})."
    library(bench.context).import_file(write(tmp_path, records=[(*FACTS[0][:3], endless, [], []), *FACTS[1:]]))
    run = bench.run("literature.ask", {"question": QUESTION}, settings={"readers": False})
    assert run.prediction is not None
    rank = next(item["rank"] for item in run.prediction["answer"]["evidence"] if item["quote"] == endless)
    child = bench.explain(run.id, {"evidence": rank})
    assert child.explanation is not None
    unseen = child.explanation["words"]["unseen"]
    assert unseen
    first = min(start for start, _ in unseen)
    assert all(p["value"] is None for p in child.explanation["words"]["attributions"] if p["start"] >= first)
    assert all(p["value"] is not None for p in child.explanation["words"]["attributions"] if p["end"] <= first)


def test_replay_comes_out_the_same_and_tells_what_changed(ready: Workbench, tmp_path: Path) -> None:
    run = ready.run("literature.ask", {"question": QUESTION})
    same = ready.replay(run.id)
    assert same.prediction is not None
    assert (same.prediction["same"], same.prediction["differences"], same.parent, same.kind) == (True, [], run.id, "replay")
    shelf = library(ready.context)
    shelf.remove([paper.id for paper in shelf.papers("cohort")])
    other = ready.replay(run.id)
    assert other.prediction is not None
    assert not other.prediction["same"]
    assert other.prediction["differences"][0].startswith("The library changed since the run was made")
    assert ready.storage.runs.verify().ok


def test_an_explanation_of_a_paper_that_is_gone_says_so(ready: Workbench) -> None:
    run = ready.run("literature.ask", {"question": QUESTION})
    assert run.prediction is not None
    library(ready.context).remove([run.prediction["answer"]["evidence"][0]["document"]])
    with pytest.raises(InputError, match="no longer in the library"):
        ready.explain(run.id, {"evidence": 1})
    with pytest.raises(InputError, match="no evidence sentence number 99"):
        ready.explain(run.id, {"evidence": 99})


def test_without_the_encoder_words_alone_answer_and_a_warning_says_so(ready: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready.runtime, "present", lambda name: False)
    run = ready.run("literature.ask", {"question": QUESTION})
    assert run.model["name"] == "bm25"
    assert any("words alone" in warning for warning in run.warnings)
    assert run.prediction is not None
    assert run.prediction["coverage"]["methods"] == ["bm25"]


def test_error_rates_are_told_only_for_the_search_that_they_were_measured_on(bench: Workbench, tmp_path: Path) -> None:
    shelf = library(bench.context)
    shelf.import_file(write(tmp_path))
    early = bench.run("literature.ask", {"question": QUESTION})
    assert early.prediction is not None
    assert early.prediction["support"]["answered_wrongly"] is None
    assert any("Error rates are shown once all are read" in warning for warning in early.warnings)
    shelf.index_vectors()
    late = bench.run("literature.ask", {"question": QUESTION})
    assert late.prediction is not None
    assert late.prediction["support"]["answered_wrongly"]["n"] > 0


def test_words_alone_can_be_chosen_and_another_model_is_refused(ready: Workbench) -> None:
    run = ready.run("literature.ask", {"question": QUESTION}, settings={"model": "bm25"})
    assert run.model["name"] == "bm25"
    assert run.warnings == ()
    with pytest.raises(InputError, match="cannot search papers"):
        ready.run("literature.ask", {"question": QUESTION}, settings={"model": "gpt"})


def test_asking_does_not_write_the_question_into_the_log(ready: Workbench) -> None:
    ready.run("literature.ask", {"question": "Does zebrafishomycin help Mr Planted?"}, profile=replace(Profile(), name="Dr Planted"))
    logs = "".join(path.read_text(encoding="utf-8") for path in ready.config.logs.glob("*"))
    assert "run.saved" in logs
    assert "lanted" not in logs
    assert "zebrafish" not in logs
