"""Two models on one input: two ordinary saved runs, their differences in words; the same from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from backend import cli
from backend.config import ASSETS, Config
from backend.errors import InputError
from backend.models.registry import add_local
from backend.sequences.inputs import give_text
from backend.side_by_side import comparable, compare, run_both
from tests.models import tiny_bert
from tests.models.untrained_esm import make

PROTEINS = ">one\nMKVLAAGIVGLLLAQPSTSQ\n>two\nMKVLAAGIVGLLLAQPSTSW\n>three\nGSHMTTPRRWYNQEDCFH\n>four\nGSHMTTPRRWYNQEDCFK\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny ESM-2 with random weights that says so."""
    made = tmp_path / "tiny-esm"
    made.mkdir()
    make(made)
    (made / "UNTRAINED").write_text("")
    return made


@pytest.fixture
def own_models(tmp_path: Path) -> Config:
    from backend.config import load_config

    return load_config({"BIOLOOM_DATA": str(tmp_path / "own"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def opened(own_models: Config, folder: Path):
    from backend.workbench import Workbench

    bench = Workbench(own_models)
    add_local(own_models, folder, "esm")
    yield bench
    bench.close()


def test_every_task_with_a_choice_of_models_can_be_compared() -> None:
    assert {"literature.ask", "protein.similar", "protein.variants"} <= set(comparable())


def test_both_runs_are_saved_and_their_maps_are_ranked_against_each_other(opened) -> None:
    value = give_text(opened.context, PROTEINS.split(">two")[0])
    first, second = run_both(opened, "protein.variants", value, ["tiny-esm", "blosum62"], settings={"method": "wildtype"})
    assert [opened.storage.runs.get(run.id).model["name"] for run in (first, second)] == ["tiny-esm", "blosum62"]
    assert first.input_sha256 == second.input_sha256
    found = compare(first, second)
    assert [each.name for each in found.agreements] == ["Scores of substitutions", "Furthest apart"]
    assert any("UNTRAINED" in warning and "tiny-esm" in warning for warning in found.warnings)
    assert found.differences
    assert all(" by tiny-esm, " in line and line.endswith(" by blosum62") for line in found.differences)


def test_neighbours_of_two_models_are_compared(opened) -> None:
    value = give_text(opened.context, PROTEINS)
    found = compare(*run_both(opened, "protein.similar", value, ["tiny-esm", "kmers"], settings={"neighbours": 1}))
    assert {"Nearest record", "Neighbours"} <= {each.name for each in found.agreements}


def test_a_run_beside_itself_differs_in_nothing(opened) -> None:
    value = give_text(opened.context, PROTEINS)
    run = opened.run("protein.similar", value, settings={"model": "kmers"})
    found = compare(run, opened.run("protein.similar", value, settings={"model": "kmers"}))
    assert found.differences == ()
    assert found.warnings == ()


def test_other_settings_are_told(opened) -> None:
    value = give_text(opened.context, PROTEINS)
    runs = [opened.run("protein.similar", value, settings={"model": "kmers", "neighbours": most}) for most in (2, 3)]
    assert compare(*runs).warnings == ("They also differ in their settings: neighbours.",)


@pytest.mark.parametrize(
    ("task", "models", "said"),
    [
        ("protein.similar", ["kmers", "kmers"], "needs two different ones"),
        ("protein.similar", ["kmers"], "Only one model was named"),
        ("protein.similar", ["kmers", "viennarna"], "does not serve"),
        ("rna.fold", ["a", "b"], "no choice of models"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words_and_nothing_is_saved(opened, task, models, said) -> None:
    with pytest.raises(InputError, match=said):
        run_both(opened, task, give_text(opened.context, PROTEINS), models)
    assert opened.storage.runs.count() == 0


def test_runs_of_different_tasks_are_refused(opened) -> None:
    value = give_text(opened.context, PROTEINS)
    with pytest.raises(InputError, match="different tasks"):
        compare(opened.run("protein.similar", value, settings={"model": "kmers"}), opened.run("protein.variants", value))


def shell(monkeypatch, capsys, config: Config, *words: object) -> tuple[int, str, str]:
    monkeypatch.setenv("BIOLOOM_DATA", str(config.data))
    monkeypatch.setenv("BIOLOOM_DEVICE", "cpu")
    monkeypatch.setattr(sys, "argv", ["bioloom", *map(str, words)])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_line_compares_and_prints_stable_json(monkeypatch, capsys, opened, own_models) -> None:
    file = ASSETS / "examples" / "ubiquitin.fasta"
    words = ("compare", file, "--task", "protein.variants", "--models", "tiny-esm,blosum62")
    code, out, err = shell(monkeypatch, capsys, own_models, *words, "--json")
    assert code == 0, err
    made = json.loads(out)
    assert set(made) == {"task", "runs", "agreements", "differences", "warnings"}
    assert [run["model"]["name"] for run in made["runs"]] == ["tiny-esm", "blosum62"]
    assert made["differences"]["count"] >= len(made["differences"]["first"]) > 0
    code, out, _ = shell(monkeypatch, capsys, own_models, *words)
    assert code == 0
    assert "Rank correlation" in out
    assert out.startswith("UNTRAINED")


def test_the_command_line_says_what_is_missing(monkeypatch, capsys, own_models) -> None:
    code, _, err = shell(monkeypatch, capsys, own_models, "compare", "--task", "rna.fold", "--models", "a,b")
    assert code == 2
    assert "Tasks that are:" in err
    code, _, err = shell(monkeypatch, capsys, own_models, "compare", "--task", "protein.similar", "--models", "a,b")
    assert code == 2
    assert "No file was given." in err


TEXT = "Metformin reduced the risk of diabetes in patients. Aspirin lowered [MASK] risk. Blood glucose and insulin were lower in the trial."


@pytest.mark.parametrize(
    ("task", "head", "value", "measured"),
    [
        ("literature.entities", "marks", {}, {"Named things"}),
        ("literature.verdict", "verdict", {"question": "Does metformin reduce risk?"}, {"Verdict"}),
        ("literature.answer", "spans", {"question": "Which drug lowered risk?"}, {"Answer"}),
        ("literature.fill", "words", {}, {"Hidden words"}),
        ("literature.embed", "words", {}, set()),
        ("literature.nearest", "words", {"question": "Does metformin reduce risk?"}, {"Sentences"}),
    ],
)
def test_text_tasks_are_measured_in_their_own_terms(own_models, tmp_path, task, head, value, measured) -> None:
    from backend.workbench import Workbench

    names = [
        add_local(own_models, tiny_bert.make(tmp_path / f"bert-{seed}", head, name="scibert-x", seed=seed), "scibert").name
        for seed in (0, 1)
    ]
    bench = Workbench(own_models)
    try:
        found = compare(*run_both(bench, task, {"text": TEXT, "name": "made", **value}, names))
    finally:
        bench.close()
    assert measured <= {each.name for each in found.agreements}
    assert len(found.warnings) == 2, "both are untrained, and said to be"


@pytest.mark.parametrize(
    ("task", "measured"),
    [
        ("protein.contacts", {"Strongest contacts"}),
        ("sequence.embed", {"Nearness", "Nearest record"}),
        ("protein.variants", {"Scores of substitutions"}),
    ],
)
def test_two_folders_of_one_family_are_measured_in_the_tasks_own_terms(own_models, tmp_path, task, measured) -> None:
    from backend.workbench import Workbench

    names = []
    for layers in (2, 3):
        made = tmp_path / f"esm-{layers}"
        made.mkdir()
        make(made, (layers, 40, 4))
        (made / "UNTRAINED").write_text("")
        names.append(add_local(own_models, made, "esm").name)
    bench = Workbench(own_models)
    try:
        found = compare(*run_both(bench, task, give_text(bench.context, PROTEINS), names))
    finally:
        bench.close()
    assert measured <= {each.name for each in found.agreements}
