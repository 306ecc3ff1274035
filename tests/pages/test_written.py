"""What models wrote, on the page: framed and named as written by a model, hostile words harmless, settings, empty results."""

from dataclasses import replace

import pytest

from backend.models.registry import add_local
from tests.models import tiny_writers
from tests.pages.conftest import HOSTILE, texts

FINDINGS = f"The heart size is normal. There is no effusion. {HOSTILE}"


@pytest.fixture
def galactica(bench, tmp_path):
    return add_local(bench.config, tiny_writers.galactica(tmp_path / "my galactica", tokens=400), "galactica").name


@pytest.fixture
def t5(bench, tmp_path):
    return add_local(bench.config, tiny_writers.t5(tmp_path / "my dot5"), "dot5").name


def ask(bench, task, explain=False, target=None, **settings):
    value = {"text": FINDINGS, "name": f"findings {HOSTILE}"}
    return bench.run(f"literature.{task}", value, settings=settings, owner="guest", explain=explain, target=target)


def shown(open_page, run):
    app = open_page("texts", run=run.id)
    assert not app.exception
    assert not app.error
    words = texts(app)
    assert "<script>alert" not in words
    assert "<img src=http" not in words
    assert "UNTRAINED" in words
    return words


def test_a_written_text_stands_in_a_frame_that_names_its_writer(open_page, bench, papers, galactica):
    words = shown(open_page, ask(bench, "write", length=20, temperature=1.0, citations=2, explain=True))
    assert "<strong>Written by a model.</strong> Not evidence. Check every statement." in words
    assert "None is verified" not in words  # said by the heading over the references, once
    assert "none is verified" in words
    assert words.count("MAY NOT EXIST") == 2
    assert "Perplexity" in words
    assert "surprising" in words
    assert "likelihood of the written text" in words


def test_the_nearest_quote_is_never_called_support(open_page, bench, papers, galactica):
    run = ask(bench, "write", length=5)
    wrote = " Metformin reduced cardiovascular mortality in all."
    from backend.literature.beside import nearest

    data = {**run.prediction, "written": wrote, "tokens": [[wrote, -1.0, 3]], "sentences": nearest(bench.context, wrote)}
    made = bench.storage.runs.append(replace(run, id=bench.storage.runs.new_run_id(), prediction=data))
    words = shown(open_page, made)
    assert "Metformin reduced cardiovascular mortality compared with placebo." in words
    assert "It may say the opposite: read it." in words
    assert "support" not in words.split("</style>")[-1].lower()


def test_nothing_written_is_told_and_offers_no_explanation(open_page, bench, galactica):
    run = ask(bench, "write", length=5)
    data = {**run.prediction, "written": "", "tokens": [], "sentences": [], "perplexity": None}
    words = shown(open_page, bench.storage.runs.append(replace(run, id=bench.storage.runs.new_run_id(), prediction=data)))
    assert "Nothing was written" in words


def test_a_summary_and_a_label(open_page, bench, t5):
    words = shown(open_page, ask(bench, "rewrite", length=8))
    assert "Written by a model" in words
    assert "Raffel" in words
    judged = ask(bench, "rewrite", job="nli", hypothesis=f"It is well. {HOSTILE}", explain=True)
    words = shown(open_page, judged)
    assert "Judged by a model: not evidence." in words
    assert "hardly ever" in words


def test_the_form_asks_what_each_job_needs(open_page, bench, t5, galactica):
    from backend.storage.files import Files

    found = Files(bench.config).put(FINDINGS.encode(), "findings.txt")
    app = open_page("texts", text=found.sha256, name="findings.txt", task="literature.rewrite")
    assert not app.exception
    assert "rewrite-hypothesis" not in [each.key for each in app.text_input]
    app.selectbox(key="rewrite-job").select("nli").run()
    app.text_input(key="rewrite-hypothesis").input("There is an effusion.").run()
    app.button(key="start-literature.rewrite").click().run()
    assert not app.exception
    run = bench.storage.runs.list()[0]
    assert run.task == "literature.rewrite"
    app = open_page("texts", text=found.sha256, name="findings.txt", task="literature.write")
    assert app.slider(key="write-citations").value == 0
    app.slider(key="write-length").set_value(6).run()
    app.button(key="start-literature.write").click().run()
    assert not app.exception
    assert {run.task for run in bench.storage.runs.list()} == {"literature.rewrite", "literature.write"}


def test_only_galactica_is_asked_for_references(open_page, bench, tmp_path):
    from backend.storage.files import Files

    add_local(bench.config, tiny_writers.biogpt(tmp_path / "my biogpt"), "biogpt")
    found = Files(bench.config).put(FINDINGS.encode(), "findings.txt")
    app = open_page("texts", text=found.sha256, name="findings.txt", task="literature.write")
    assert not app.exception
    assert "write-citations" not in [each.key for each in app.slider]
    assert app.slider(key="write-length").value == 60
