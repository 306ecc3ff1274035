"""Two models on one input on the page: agreement first, both results whole, untrained ones marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.untrained_esm import make
from tests.pages.conftest import texts

PROTEINS = ">one\nMKVLAAGIVGLLLAQPSTSQ\n>two\nMKVLAAGIVGLLLAQPSTSW\n>three\nGSHMTTPRRWYNQEDCFH\n"


@pytest.fixture
def added(bench, tmp_path: Path) -> str:
    from backend.models.registry import add_local

    made = tmp_path / "tiny-esm"
    made.mkdir()
    make(made)
    (made / "UNTRAINED").write_text("")
    return add_local(bench.config, made, "esm").name


def give(bench, text: str = PROTEINS) -> dict:
    from backend.sequences.inputs import give_text

    return give_text(bench.context, text)


def test_it_begins_with_a_task_two_models_and_an_input(open_page, bench, added):
    app = open_page("side_by_side", task="protein.variants")
    assert not app.exception
    assert not app.error
    first, second = (app.selectbox(key=f"beside-{place}-protein.variants").value for place in ("first", "second"))
    assert first != second
    assert app.button(key="beside-go").disabled


def test_two_models_run_on_one_file_and_stand_beside_each_other(open_page, bench, added):
    value = give(bench)
    app = open_page("side_by_side", task="protein.similar", file=value["file"], name=value["name"])
    app.selectbox(key="beside-first-protein.similar").set_value(added).run()
    app.selectbox(key="beside-second-protein.similar").set_value("kmers").run()
    app.button(key="beside-go").click().run(timeout=120)
    for job in bench.jobs.list(active=True):
        bench.jobs.wait(job.id, 60)
    app.run(timeout=60)
    assert not app.exception
    assert not app.error
    assert {"first", "second"} <= set(app.query_params)
    shown = texts(app)
    assert "Nearest record" in shown
    assert "UNTRAINED" in shown
    assert "First: tiny-esm (untrained)" in shown
    assert bench.storage.runs.count() == 2


def test_a_saved_run_is_asked_again_by_another_model(open_page, bench, added):
    run = bench.run("protein.variants", give(bench, PROTEINS.split(">two")[0]), settings={"model": "blosum62"}, owner="guest")
    app = open_page("side_by_side", run=run.id)
    assert not app.exception
    assert app.selectbox(key=f"beside-other-{run.id}").value == added
    app.button(key="beside-again").click().run(timeout=120)
    for job in bench.jobs.list(active=True):
        bench.jobs.wait(job.id, 60)
    app.run(timeout=60)
    assert not app.exception
    assert not app.error
    assert app.query_params["first"] == run.id
    assert "Rank correlation" in texts(app)


def test_a_file_that_does_not_serve_the_task_is_told_why(open_page, bench, added):
    value = give(bench, ">d\nACGTACGTTTGACCGATTAGACCAGATTAGGACCA\n")
    app = open_page("side_by_side", task="protein.variants", file=value["file"], name=value["name"])
    assert not app.exception
    assert any("does not serve this task" in str(part.value) for part in app.warning)
    assert app.button(key="beside-go").disabled


def test_a_task_of_one_model_only_says_where_others_come_from(open_page, bench):
    run = bench.run("rna.fold", give(bench, ">r\nGGGAAACCCUUUGGGAAACCC\n"), owner="guest")
    app = open_page("side_by_side", run=run.id)
    assert not app.exception
    assert "No other model" in app.info[0].value


def test_a_link_to_runs_of_different_tasks_is_told(open_page, bench):
    value = give(bench)
    runs = [bench.run(task, value, owner="guest") for task in ("protein.similar", "sequence.overview")]
    app = open_page("side_by_side", first=runs[0].id, second=runs[1].id)
    assert not app.exception
    assert "different tasks" in app.error[0].value
