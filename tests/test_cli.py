"""The command line: the JSON that scripts depend on, exit code 2 with message and hint, one road with the pages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend import cli
from backend.config import Config
from tests.literature.papers import write


class Shell:
    """Runs `bioloom` in this process on a data folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Config) -> None:
        self._patch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("BIOLOOM_DATA", str(config.data))
        monkeypatch.setenv("BIOLOOM_DEVICE", "cpu")

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        self._patch.setattr(sys, "argv", ["bioloom", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *words: str | Path) -> Any:
        code, out, err = self(*words, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def bioloom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Config) -> Shell:
    return Shell(monkeypatch, capsys, config)


def test_the_story_from_the_command_line(bioloom: Shell, tmp_path: Path) -> None:
    made = bioloom.json("library", "import", write(tmp_path), "--collection", "Examples")
    assert (made["works"], made["imports"][0]["added"]) == (5, 5)
    assert bioloom.json("library", "list", "metformin")["count"] == 2

    asked = bioloom.json(
        "ask", "Does metformin reduce cardiovascular mortality?", "--study-type", "randomised trial", "--year-from", "2015"
    )
    assert set(asked) == {"run_id", "task", "model", "seconds", "warnings", "prediction", "explanation", "answer"}
    assert {"abstained", "verdict", "confidence", "evidence"} <= set(asked["answer"])
    for item in asked["answer"]["evidence"]:
        assert {"document", "pmid", "quote", "start", "end", "sha256", "score", "year", "study_type"} <= set(item)
        assert item["end"] - item["start"] == len(item["quote"])
        assert item["study_type"] == "randomised trial"

    (listed,) = bioloom.json("runs", "list")
    assert listed["id"] == asked["run_id"]
    assert bioloom.json("runs", "show", asked["run_id"])["answer"] == asked["answer"]
    assert bioloom.json("runs", "replay", asked["run_id"])["same"] is True
    assert bioloom.json("runs", "verify")["ok"] is True

    code, ris, _ = bioloom("runs", "export", asked["run_id"], "--format", "ris")
    assert code == 0
    assert "TY  - JOUR" in ris
    exported = tmp_path / "run.json"
    bioloom.json("runs", "export", asked["run_id"], "-o", exported)
    assert json.loads(exported.read_text())["run"]["id"] == asked["run_id"]

    first = bioloom.json("library", "list")["papers"][0]["id"]
    assert bioloom.json("library", "remove", str(first)) == {"removed": 1, "works": 4}


def test_models_are_listed_with_what_scripts_need(bioloom: Shell) -> None:
    cards = {card["name"]: card for card in bioloom.json("models", "list")}
    assert {"minilm", "bm25"} <= set(cards)
    for card in cards.values():
        assert {"name", "family", "modality", "tasks", "source", "licence", "parameters", "fits", "loaded"} <= set(card)
    assert bioloom.json("models", "show", "minilm")["parameters"] == cards["minilm"]["parameters"]
    assert all(row["ok"] for row in bioloom.json("models", "verify"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ask", ""], "question is empty"),
        (["ask", "x" * 10_000], "10,000 characters"),
        (["ask", "metformin", "--year-from", "2020", "--year-to", "2010"], "backwards"),
        (["ask", "metformin", "--evidence", "11"], "from 1 to 10"),
        (["library", "import", "nowhere.xml"], "no file"),
        (["library", "remove", "12345"], "No paper has the id 12345"),
        (["models", "show", "gpt-9"], "gpt-9"),
        (["runs", "show", "FFFFFFFF"], "FFFFFFFF"),
        (["evaluate", "protein.fold", "x.json"], "cannot be measured"),
        (["evaluate", "literature.retrieve", "nowhere.json"], "cannot be read"),
    ],
)
def test_bad_input_ends_with_code_2_message_and_hint(bioloom: Shell, words: list[str], message: str) -> None:
    code, out, err = bioloom(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    code, out, err = bioloom(*words, "--json")
    assert (code, out) == (2, "")
    error = json.loads(err)["error"]
    assert message in error["message"]
    assert error["hint"]


def test_a_damaged_run_is_found_and_ends_with_code_1(bioloom: Shell, tmp_path: Path, config: Config) -> None:
    import sqlite3

    bioloom.json("library", "import", write(tmp_path))
    bioloom.json("ask", "Does metformin reduce cardiovascular mortality?")
    with sqlite3.connect(config.data / "bioloom.db") as database:
        database.execute("UPDATE runs SET payload = replace(payload, 'reduced', 'doubled')")
    code, out, _ = bioloom("runs", "verify")
    assert code == 1
    assert "NOT intact" in out


def test_listing_is_instant_because_nothing_heavy_is_imported() -> None:
    code = "import sys, backend.cli, backend.workbench, backend.tasks; backend.tasks.tasks(); print([m for m in ('torch', 'transformers', 'streamlit', 'shap') if m in sys.modules])"  # fmt: skip  # noqa: E501
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_recordings_to_learn_from_and_to_judge_on_are_named_in_one_go(bioloom: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def measure(context: object, task: str, files: object, options: dict[str, object], progress: object = None) -> dict[str, object]:
        seen.update(options)
        return {"task": task, "n": 0, "systems": {}}

    monkeypatch.setattr("backend.evaluate.evaluate", measure)
    words = "evaluate eeg.calibrate --train one.edf two.edf --test three.edf --labels T1,T2 --json".split()
    assert bioloom(*words)[0] == 0
    assert [[str(path) for path in seen[name]] for name in ("train", "test")] == [["one.edf", "two.edf"], ["three.edf"]]  # type: ignore[union-attr]
    assert seen["labels"] == "T1,T2"


def test_an_explanation_that_was_asked_for_is_printed(bioloom: Shell, tmp_path: Path) -> None:
    file = tmp_path / "strand.fasta"
    file.write_text(">hairpin\nGGGGAAAACCCC\n")
    code, out, err = bioloom("analyse", file, "--task", "rna.fold", "--kind", "rna", "--explain")
    assert code == 0, err
    made = bioloom.json("runs", "list")[0]
    assert "By viennarna:\n>hairpin\n" in out
    assert "Why: " in out
    assert "This explanation holds: " in out or "This explanation may not hold: " in out
    assert f"Saved as run {made['id']}" in out
    code, out, _ = bioloom("runs", "list")
    assert f"{made['task']}  {made['title']}" in out


def test_control_characters_are_shown_and_never_sent_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from backend.cli.results import result_text
    from backend.cli.shared import show

    made = {"model": {"name": "biogpt"}, "warnings": [], "run_id": "A1", "explanation": None}
    show(made, False, lambda run: result_text(run, ["\x1b[2Jgone\x9b\r!", "a\tb"]))
    out = capsys.readouterr().out
    assert out.startswith("By biogpt: \\x1b[2Jgone\\x9b\\x0d!\na\tb\n")
    show({"text": "\x1b\x9b"}, True, str)
    out = capsys.readouterr().out
    assert "\x9b" not in out
    assert json.loads(out) == {"text": "\x1b\x9b"}


def test_a_measurement_says_first_that_it_is_no_test_and_names_its_figures_in_words() -> None:
    from backend.cli.evaluate import _evaluation_text

    warned = "9 of 20 questions were trained on by A reader: this is no test of it."
    cell = {"value": 0.05, "low": 0.04, "high": 0.06}
    made = {"task": "t", "n": 20, "systems": {"a": {"ece": cell, "coverage90": cell}}, "seen": {"a": warned}, "notes": [warned, "A note."]}
    first, second, figures, *notes = _evaluation_text(made).splitlines()
    assert (first, second) == ("t: n = 20", warned)
    assert figures == "a: expected calibration error 0.050 (0.040-0.060); 90% sets cover 0.050 (0.040-0.060)"
    assert notes == ["In brackets the 95% bootstrap interval.", "A note."]
