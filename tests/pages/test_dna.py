"""DNA tasks of language models on the Sequences page: forms, saved runs with their warnings, hostile names of classes."""

from __future__ import annotations

import pytest

from backend.config import ASSETS
from backend.models.registry import add_local
from backend.sequences.inputs import give_file, give_text
from backend.workbench import UNTRAINED
from tests.models.untrained_dna import make_dnabert, make_genslm
from tests.pages.conftest import HOSTILE

GENE = "ATGGTGCATCTGACTCCTGAGGAGAAGTCTGCCGTTACTGCCCTGTGGGGCAAGGTGAACGTGGATGAAGTTGGTGGTGAGGCCCTGGGC"
LABELS = ("none", f"TATA {HOSTILE}", "no TATA")
TASKS = (("dna.variants", {}), ("dna.classify", {"window": 40}), ("dna.genome", {}), ("dna.generate", {"most": 6}))


@pytest.fixture
def models(bench, shared, tmp_path):
    make_dnabert(tmp_path / "bare")
    make_dnabert(tmp_path / "classes", labels=LABELS)
    make_genslm(tmp_path / "genes")
    for name, family in (("bare", "dnabert"), ("classes", "dnabert"), ("genes", "genslm")):
        add_local(bench.config, tmp_path / name, family)


@pytest.mark.parametrize(("task", "settings"), TASKS, ids=[task for task, _ in TASKS])
def test_a_saved_run_and_its_explanation_are_drawn_whole(open_page, bench, models, task, settings):
    text = f">one {HOSTILE}\n{GENE[:20]}\n" if task == "dna.generate" else f">one {HOSTILE}\n{GENE}\n>two\n{GENE[:60]}\n"
    run = bench.run(task, give_text(bench.context, text, kind="dna"), settings=settings, owner="guest", explain=True)
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    assert not app.json, "the task has a view of its own"
    assert not [button for button in app.button if button.label.startswith("Explain")], "the explanation that was made is shown"
    drawn = " ".join(str(element.value) for element in [*app.markdown, *app.caption])
    assert "<script>" not in drawn
    assert run.warnings[0] == UNTRAINED


@pytest.mark.parametrize("task", [task for task, _ in TASKS])
def test_the_form_offers_the_models_that_serve_the_task(open_page, bench, models, task):
    value = give_file(bench.context, ASSETS / "examples" / "hbb-gene.fasta")
    app = open_page("sequences", file=value["file"], name=value["name"], task=task)
    assert not app.exception
    assert app.radio[0].value == task
    assert any("(untrained)" in option for box in app.selectbox for option in box.options)
    assert any(button.label.startswith("Run") for button in app.button)


def test_without_a_model_the_form_says_where_to_get_one(open_page, bench):
    value = give_file(bench.context, ASSETS / "examples" / "hbb-gene.fasta")
    app = open_page("sequences", file=value["file"], name=value["name"], task="dna.classify")
    assert not app.exception
    assert any("No model for this" in info.value for info in app.info)
    assert not any(button.label.startswith("Run") for button in app.button)
