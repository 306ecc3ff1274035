"""Text tasks through the real families on tiny untrained checkpoints: page, command line and replay alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.config import Config
from backend.models.registry import add_local
from backend.workbench import UNTRAINED, Workbench
from tests.models.tiny_bert import make
from tests.test_cli import Shell

TEXT = (
    "Aspirin in heart failure: a trial\n\n"
    "Patients with diabetes were treated with metformin 2 mg daily. Aspirin reduced stroke in patients with heart failure. "
    "Insulin lowered blood glucose; headache was induced in the trial. Does the gene BRCA1 induce breast cancer?"
)
HEADS = {
    "literature.entities": "marks",
    "literature.relations": "relations",
    "literature.verdict": "verdict",
    "literature.answer": "spans",
}
TARGETS = {
    "literature.entities": {"mention": 1},
    "literature.relations": {"relation": 1},
    "literature.verdict": {"context": 1},
    "literature.answer": {"answer": 1},
}
LISTED = {
    "literature.entities": "mentions",
    "literature.relations": "relations",
    "literature.verdict": "contexts",
    "literature.answer": "spans",
}


@pytest.fixture
def own(tmp_path: Path) -> Config:
    """A data folder with a checkpoint of every head, added as a person adds one."""
    from backend.config import load_config

    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    for head in HEADS.values():
        add_local(config, make(tmp_path / head, head, name=f"biobert-{head}", window=512), "biobert")
    return config


@pytest.fixture
def bioloom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Config) -> Shell:
    return Shell(monkeypatch, capsys, own)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "abstract.txt"
    made.write_text(TEXT, encoding="utf-8")
    return made


@pytest.mark.parametrize("task", HEADS)
def test_a_text_is_read_from_the_command_line(bioloom: Shell, file: Path, task: str) -> None:
    made = bioloom.json("read", file, "--task", task, "--question", "Does aspirin reduce stroke?")
    assert made["warnings"][0] == UNTRAINED
    found = made["prediction"]
    if task == "literature.verdict":
        assert sum(found["joined"]["probabilities"]) == pytest.approx(1, abs=1e-4)
        for each in found["contexts"]:
            assert sum(each["probabilities"]) == pytest.approx(1, abs=1e-4)
    if found[LISTED[task]]:
        explained = bioloom.json(
            "read", file, "--task", task, "--question", "Does aspirin reduce stroke?", "--target", *_pair(TARGETS[task])
        )["explanation"]
        assert explained["target"] == TARGETS[task]
        assert explained["sites"]["faithfulness"]["additivity_residual"] < 1e-3
    assert bioloom.json("runs", "replay", made["run_id"])["same"] is True
    code, out, _ = bioloom("read", file, "--task", task, "--question", "Does aspirin reduce stroke?")
    assert code == 0
    first, second, *_ = out.splitlines()
    assert first == UNTRAINED
    assert second.startswith(f"By {made['model']['name']}: ")
    assert out.count(UNTRAINED) == 1


def _pair(target: dict[str, int]) -> list[str]:
    return [f"{name}={value}" for name, value in target.items()]


def test_a_result_with_nothing_to_explain_is_kept_all_the_same(bioloom: Shell, file: Path) -> None:
    made = bioloom.json("read", file, "--task", "literature.entities", "--set", "least=1", "--explain")
    assert made["prediction"]["mentions"] == []
    assert made["explanation"] is None
    code, out, _ = bioloom("read", file, "--task", "literature.entities", "--set", "least=1", "--explain")
    assert code == 0
    assert "Why: not explained. There is no mention number 1. This result has 0" in out
    code, _, err = bioloom("read", file, "--task", "literature.entities", "--set", "least=1", "--target", "mention=1")
    assert code == 2
    assert "no mention number 1" in err


def test_a_question_that_is_not_asked_is_not_used_and_that_is_said(bioloom: Shell, file: Path) -> None:
    made = bioloom.json("read", file, "--task", "literature.entities", "--question", "Which drug?")
    assert "The question was not used: literature.entities asks none." in made["warnings"]
    assert bioloom.json("runs", "list")[0]["title"] == "abstract.txt"
    asked = bioloom.json("read", file, "--task", "literature.answer", "--question", "Which drug?")
    assert not any("not used" in warning for warning in asked["warnings"])


def test_what_is_piped_in_is_read(bioloom: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Pipe:
        buffer = (tmp_path / "pipe").open("wb+")

    Pipe.buffer.write(TEXT.encode())
    Pipe.buffer.seek(0)
    monkeypatch.setattr("sys.stdin", Pipe)
    made = bioloom.json("read", "-", "--task", "literature.entities")
    Pipe.buffer.close()
    for each in made["prediction"]["mentions"]:
        assert TEXT[each["start"] : each["end"]] == each["text"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("read", "x.txt"), "No task was named."),
        (("read", "x.txt", "--task", "protein.variants"), "protein.variants is not a task on a text."),
        (("read", "x.txt", "--task", "nonsense"), "nonsense is not a task on a text.\nName one with --task: literature."),
        (("read", "--task", "literature.entities"), "Name one text"),
        (("read", "--task", "literature.answer", "--question", "Which drug?"), "There is no text to read."),
        (("read", "no-such-file.txt", "--task", "literature.entities"), "no-such-file.txt cannot be read"),
        (("read", "x.txt", "--paper", "1", "--task", "literature.entities"), "Name one text"),
    ],
)
def test_mistakes_are_answered_with_what_to_do(bioloom: Shell, words: tuple[str, ...], message: str) -> None:
    code, _, err = bioloom(*words)
    assert code == 2
    assert message in err


def test_a_text_that_is_no_utf8_is_refused(bioloom: Shell, tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("Sjögren".encode("latin-1"))
    code, _, err = bioloom("read", file, "--task", "literature.entities")
    assert code == 2
    assert "UTF-8" in err


def test_a_paper_and_the_papers_of_an_answer_are_read(bioloom: Shell, tmp_path: Path) -> None:
    from tests.literature.papers import write

    bioloom.json("library", "import", write(tmp_path))
    paper = bioloom.json("library", "list")["papers"][0]["id"]
    made = bioloom.json("read", "--paper", str(paper), "--task", "literature.entities")
    assert made["prediction"]["material"]["paper"] == paper
    asked = bioloom.json("ask", "Does metformin reduce cardiovascular mortality?")
    if asked["answer"]["evidence"]:
        made = bioloom.json("read", "--run", asked["run_id"], "--task", "literature.verdict")
        assert made["prediction"]["run"] == asked["run_id"]


def test_untrained_checkpoints_are_measured_and_called_untrained(bioloom: Shell, shared: Path, tmp_path: Path) -> None:
    whole = (shared / "literature" / "bc5cdr" / "CDR_DevelopmentSet.PubTator.txt").read_text(encoding="utf-8")
    few = tmp_path / "few.txt"
    few.write_text("\n\n".join(whole.split("\n\n")[:3]) + "\n", encoding="utf-8")
    made = bioloom.json("evaluate", "literature.entities", few)
    (figures,) = made["systems"].values()
    assert {"precision", "recall", "f1", "chemical_f1", "disease_f1", "ece"} <= set(figures)
    assert next(iter(made["systems"])).endswith("(untrained)")
    assert any("untrained" in note for note in made["notes"])
    related = bioloom.json("evaluate", "literature.relations", few)
    assert {"precision", "recall", "f1"} <= set(next(iter(related["systems"].values())))
    rows = dict(list(json.loads((shared / "literature" / "pubmedqa_labelled_500.json").read_text()).items())[:4])
    questions = tmp_path / "few.json"
    questions.write_text(json.dumps(rows), encoding="utf-8")
    judged: dict[str, Any] = bioloom.json("evaluate", "literature.verdict", questions)
    assert judged["n"] == 4


def test_models_of_two_heads_are_not_needed_at_once(own: Config) -> None:
    """Mentions are marked before the reader of relations is held."""
    bench = Workbench(own)
    try:
        run = bench.run("literature.relations", {"text": TEXT, "name": "text"})
        assert run.prediction is not None
        assert run.prediction["marked_by"] == "marks"
    finally:
        bench.close()


def test_models_that_write_judge_and_relate_too(tmp_path: Path) -> None:
    from backend.config import load_config
    from tests.models.tiny_writers import biogpt

    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    for name in ("QA-PubMedQA-BioGPT", "RE-BC5CDR-BioGPT"):
        add_local(config, biogpt(tmp_path / name, learned=9, tokens=640), "biogpt")
    bench = Workbench(config)
    try:
        run = bench.run("literature.verdict", {"text": TEXT, "name": "text", "question": "Does aspirin reduce stroke?"})
        assert run.prediction is not None
        assert sum(run.prediction["joined"]["probabilities"]) == pytest.approx(1, abs=1e-4)
        explained = bench.explain(run.id, {"context": 1}).explanation
        assert explained is not None
        assert explained["sites"]["faithfulness"]["additivity_residual"] < 1e-3
        related = bench.run("literature.relations", {"text": TEXT, "name": "text"})
        assert related.prediction is not None
        assert related.prediction["generated"] is True
        assert any("generating model" in warning for warning in related.warnings)
    finally:
        bench.close()
