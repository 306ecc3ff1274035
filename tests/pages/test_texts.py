"""The Texts page: how a text comes in, what can be asked of it, every task's saved run drawn without a fault."""

from __future__ import annotations

import importlib

import pytest

from backend.domain import digest
from tests.literature import toys
from tests.literature.toys import ABSTRACT, Writer, register
from tests.pages.conftest import HOSTILE, texts

OURS = toys.TASKS


@pytest.fixture
def toy(monkeypatch):
    return register(monkeypatch, toys.card("toy"))


@pytest.fixture
def kept(bench):
    """The address of a text that was given before."""
    from backend.storage.files import Files

    found = Files(bench.config).put(ABSTRACT.encode(), "abstract.txt")
    return {"text": found.sha256, "name": found.name}


def ask(bench, task: str, text: str = ABSTRACT, name: str = "abstract.txt", **settings):
    return bench.run(task, {"text": text, "name": name, "question": "Does lithium harm?"}, settings=settings, owner="guest")


def tasks_of(app):
    return next(each for each in app.radio if each.label == "What do you want to know?")


def question_of(app):
    return next(each for each in app.text_input if each.label == "Question")


def test_the_empty_page_offers_ways_in_and_examples(open_page):
    app = open_page("texts")
    assert not app.exception
    assert not app.error
    assert [button.label for button in app.button if button.label.startswith("A made-up")]
    assert app.file_uploader


def test_an_example_opens_and_without_models_says_how_to_get_one(open_page):
    app = open_page("texts")
    app.button(key="example-case-report.txt").click().run()
    assert not app.exception
    assert not app.error
    assert "No model on this machine can do this yet" in texts(app)
    assert tasks_of(app).value == "literature.entities"


def test_a_pasted_text_is_kept_and_read(open_page, toy):
    app = open_page("texts")
    app.text_area(key="text-pasted").input(ABSTRACT)
    app.form_submit_button[0].click().run()
    assert not app.exception
    assert "Sentences <b>5</b>" in texts(app)
    assert app.query_params["text"] in (digest(ABSTRACT), [digest(ABSTRACT)])


def test_an_empty_paste_asks_for_a_text(open_page):
    app = open_page("texts")
    app.form_submit_button[0].click().run()
    assert "Paste a text first." in texts(app)


def test_a_file_that_is_no_text_is_told_with_its_remedy(open_page, bench):
    from backend.storage.files import Files

    found = Files(bench.config).put(b"\xff\xfe\x00lithium", "scan.txt")
    app = open_page("texts", text=found.sha256, name="scan.txt")
    assert not app.exception
    assert "is not plain text" in app.error[0].value
    assert app.file_uploader, "another text can be given at once"


def test_a_task_runs_from_the_page_to_its_saved_run(open_page, bench, toy, kept):
    app = open_page("texts", **kept, task="literature.entities")
    app.button(key="start-literature.entities").click().run()
    assert not app.exception
    (run,) = bench.storage.runs.list(owner="guest", limit=5)
    app = open_page("texts", run=run.id)
    assert not app.exception
    assert not app.error
    assert "tricuspid regurgitation<small>Disease</small>" in texts(app)


def test_a_question_is_asked_for_before_it_can_run(open_page, toy, kept):
    app = open_page("texts", **kept, task="literature.verdict")
    assert app.button(key="start-literature.verdict").disabled
    question_of(app).input("Does lithium harm?").run()
    assert not app.button(key="start-literature.verdict").disabled


def test_what_the_model_sees_is_counted_once_it_is_loaded(open_page, bench, toy, kept):
    app = open_page("texts", **kept, task="literature.entities")
    app.button(key="count-toy").click().run()
    shown = texts(app)
    assert "Unknown to the model <b>0.0%</b>" in shown


@pytest.mark.parametrize("task", OURS)
def test_a_saved_run_is_drawn_whole_with_its_explanation(open_page, bench, toy, task):
    run = ask(bench, task)
    target = {"literature.entities": {"mention": 1}, "literature.relations": {"relation": 1}, "literature.answer": {"answer": 1}}
    bench.explain(run.id, target.get(task, {"context": 1}), owner="guest")
    app = open_page("texts", run=run.id)
    assert not app.exception
    assert not app.error
    assert not app.json, "every task has a view of its own"
    assert "This explanation" in texts(app)


def test_untrained_models_are_called_that_on_the_page(open_page, bench, monkeypatch, kept):
    register(monkeypatch, toys.card("random", untrained=True))
    app = open_page("texts", **kept, task="literature.entities")
    assert "bl-untrained" in texts(app)
    run = ask(bench, "literature.entities")
    assert "bl-untrained" in texts(open_page("texts", run=run.id))


def test_unsure_and_denied_mentions_are_told_in_words(open_page, bench, toy):
    shown = texts(open_page("texts", run=ask(bench, "literature.entities").id))
    assert "headache<small>Disease 0.30?</small>" in shown
    assert "cyanosis<small>Disease denied</small>" in shown


def test_relations_that_nothing_verifies_are_marked(open_page, bench, monkeypatch):
    register(monkeypatch, toys.card("writer", ("literature.relations",)), Writer)
    shown = texts(open_page("texts", run=ask(bench, "literature.relations").id))
    assert "Not verified." in shown


def test_a_verdict_below_one_half_is_called_open_and_not_drawn_as_one(open_page, bench, toy):
    run = ask(bench, "literature.verdict")
    assert max(run.prediction["joined"]["probabilities"]) < 0.5
    shown = texts(open_page("texts", run=run.id))
    assert "Open: no answer reaches one half" in shown
    assert "yes 0.46, no 0.41, maybe 0.13" in shown
    assert "class='bl-big'" not in shown


def test_a_model_that_writes_relations_is_not_asked_who_marks_the_things(open_page, monkeypatch, kept):
    register(monkeypatch, toys.card("writer", ("literature.relations", "literature.write")), Writer)
    app = open_page("texts", **kept, task="literature.relations")
    assert "writes relations by itself" in texts(app)
    assert not [box for box in app.selectbox if box.key == "relations-mentions"]


def test_empty_results_say_so(open_page, bench, toy):
    for task, words in (
        ("literature.entities", "names nothing"),
        ("literature.relations", "relates nothing"),
        ("literature.answer", "finds no answer"),
    ):
        app = open_page("texts", run=ask(bench, task, "Nothing of note here.").id)
        assert not app.exception
        assert words in texts(app)


def test_hostile_texts_and_names_cannot_become_markup(open_page, bench, toy):
    text = f"Lithium may cause headache {HOSTILE} in all."
    for task in OURS:
        run = ask(bench, task, text, f"{HOSTILE}.txt")
        app = open_page("texts", run=run.id)
        assert not app.exception
        for part in app.html:
            assert "<script" not in part.value or "bioloom" in part.value.lower()
            assert "<img" not in part.value


def test_a_paper_of_the_library_is_found_by_its_words_and_read(open_page, papers):
    app = open_page("texts")
    app.text_input(key="text-library").input("heart failure").run()
    assert not app.exception
    assert len(app.radio(key="text-paper").options) >= 1
    app = open_page("texts", paper=str(papers[0].id))
    assert not app.exception
    assert not app.error
    assert "PMID" in texts(app)


def test_a_paper_that_is_gone_is_told(open_page):
    app = open_page("texts", paper="999")
    assert not app.exception
    assert "no longer in the library" in app.error[0].value


def test_an_answer_leads_to_models_that_read_its_papers(open_page, answered, toy):
    app = open_page("literature", run=answered.id)
    assert not app.exception
    app = open_page("texts", ask=answered.id)
    assert not app.exception
    assert not app.error
    assert [option for option in tasks_of(app).options if "Yes, no or maybe" in option]
    assert not [option for option in tasks_of(app).options if "Named things" in option]
    assert question_of(app).value == answered.input["question"]


def test_what_was_asked_of_one_text_does_not_pass_to_the_next(open_page, bench, toy, kept):
    from backend.storage.files import Files

    app = open_page("texts", **kept, task="literature.verdict")
    question_of(app).input("Does lithium harm?").run()
    other = Files(bench.config).put(b"Aspirin treats headache.", "other.txt")
    app.query_params["text"], app.query_params["name"] = other.sha256, other.name
    app.run()
    assert question_of(app).value == ""


def test_every_text_task_is_offered_and_has_a_view():
    from backend.tasks import tasks
    from pages.parts.text_tasks import TASKS

    registered = {name for name, found in tasks().items() if found.modality == "literature"} - {"literature.ask"}
    assert registered == set(TASKS)
    for name in registered:
        assert importlib.import_module(f"pages.parts.views.{name.replace('.', '_')}").show


def test_figures_say_in_words_what_they_draw(bench, toy):
    from backend.figures.relations import describe_relations, plot_relations
    from backend.figures.texts import describe_names, describe_verdicts, plot_names, plot_verdicts

    named = ask(bench, "literature.entities", f"Lithium, lithium and headache <b>{HOSTILE}</b>").prediction
    assert "2 names in 3 mentions; “Lithium” is named most often (2 times)" in describe_names(named)
    assert [list(bar.x) for bar in plot_names(named).data] == [[1], [2]]
    judged = ask(bench, "literature.verdict").prediction
    assert describe_verdicts(judged).startswith("Open: no answer reaches one half. joined: yes 0.46")
    sure = ask(bench, "literature.verdict", "Lithium may cause headache.").prediction
    assert describe_verdicts(sure).startswith("Joined verdict yes; 1 of 1 part say the same")
    assert [bar.name for bar in plot_verdicts(judged).data] == ["yes", "no", "maybe"]
    stated = ask(bench, "literature.relations").prediction["relations"]
    doubtful = {**stated[0], "head": "digoxin", "head_at": None, "verified": False}
    words = describe_relations([*stated, *stated, doubtful])
    assert words.startswith("4 different relations between 6 names; 1 denied; 1 not verified")
    drawn = plot_relations([*stated, *stated, doubtful])
    assert {trace.name: trace.marker.symbol for trace in drawn.data if trace.name} == {
        "chemical": "circle",
        "disease": "square",
        "not in the text": "x-open",
    }
    assert len([line for line in drawn.data if line.mode == "lines"]) == 4


def test_long_names_are_cut_between_words_where_there_are_words():
    from pages.parts.text_marks import brief

    assert brief("A short name", 20) == "A short name"
    assert brief("Monitoring of bacterial growth on carcases", 30) == "Monitoring of bacterial ..."
    assert brief("x" * 50, 20) == "x" * 16 + " ..."
