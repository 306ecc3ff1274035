"""The page Check it yourself: every task and file has its own measurement, its own error, and a result that says of what it is."""

from __future__ import annotations

import threading

import pytest

from tests.pages.conftest import texts

CELL = {"value": 0.7, "low": 0.6, "high": 0.8}
RESULT = {
    "task": "literature.retrieve",
    "n": 20,
    "systems": {"bm25": {"recall@10": CELL}, "fused": {"recall@10": CELL}},
    "notes": ["A note."],
}


@pytest.fixture
def doors(monkeypatch):
    """Measurements that end when the test lets them, each by the name of its file; a file called wrong fails."""
    from backend.errors import InputError

    made: dict[str, threading.Event] = {}

    def measure(context, task, files, options=None, progress=None):
        name = files[0].name
        while not made.setdefault(name, threading.Event()).wait(0.02):
            progress.check()
        if name.startswith("wrong"):
            raise InputError(f"{name} is in no known form.", "Give another.")
        return {**RESULT, "task": task, "seen": {"fused": "9 of 20 cases: this is no test of it."} if options.get("unseen") else {}}

    monkeypatch.setattr("backend.evaluate.evaluate", measure)
    yield made
    for door in made.values():
        door.set()


def choose(app, task, file):
    app.segmented_control(key="evaluate-task").set_value(task).run()
    app.text_input(key=f"evaluate-path-{task}").set_value(str(file)).run()


def measure(app, task, file):
    choose(app, task, file)
    app.button(key=f"evaluate-go-{task}").click().run()
    assert not app.exception


def written(tmp_path, *names):
    for name in names:
        (tmp_path / name).write_text("{}")
    return [tmp_path / name for name in names]


def ended(bench):
    for job in bench.jobs.list(active=True):
        bench.jobs.wait(job.id, 20)


def test_a_second_measurement_waits_in_sight_and_then_runs(open_page, bench, doors, tmp_path):
    first, second = written(tmp_path, "first.json", "second.json")
    app = open_page("evaluate")
    measure(app, "literature.verdict", first)
    measure(app, "literature.evidence", second)
    waiting, running = bench.jobs.list(active=True)
    assert (running.title, waiting.title) == ("Measuring yes, no or maybe on first.json", "Measuring evidence sentences on second.json")
    assert waiting.message == "starts after: Measuring yes, no or maybe on first.json"
    assert {button.key for button in app.button} >= {f"stop-evaluate-{waiting.id}", f"stop-evaluate-{running.id}"}
    for name in ("first.json", "second.json"):
        doors.setdefault(name, threading.Event()).set()
    ended(bench)
    assert [job.state for job in bench.jobs.list()[:2]] == ["done", "done"]
    app.run()
    assert "Evidence sentences on second.json: 20 cases, measured 20" in texts(app)


def test_an_error_stands_under_its_task_and_file_and_nowhere_else(open_page, bench, doors, tmp_path):
    wrong, right = written(tmp_path, "wrong.txt", "right.txt")
    for name in ("wrong.txt", "right.txt"):
        doors.setdefault(name, threading.Event()).set()
    app = open_page("evaluate")
    measure(app, "literature.entities", wrong)
    ended(bench)
    app.run()
    assert "wrong.txt is in no known form" in app.error[0].value.replace("\\", "")
    assert "Not measured" in texts(app)
    assert "<b>Named things on wrong.txt, 20" in texts(app)
    choose(app, "literature.entities", right)
    assert not app.error, "another file was chosen"
    choose(app, "literature.relations", wrong)
    assert not app.error, "another task was chosen"
    measure(app, "literature.relations", right)
    ended(bench)
    app.run()
    assert not app.error
    assert "Relations on right.txt: 20 cases" in texts(app)
    app.segmented_control(key="evaluate-task").set_value("literature.entities").run()
    assert not app.error, "the field is empty now"
    assert "Named things on wrong.txt: not measured" in texts(app).replace("\\", ""), "what went wrong before is still told, by its name"


def test_what_stands_under_an_empty_field_says_what_it_is(open_page, bench):
    job = bench.jobs.submit("guest", "evaluate.literature.retrieve", "Measuring", lambda progress: {**RESULT, "files": ["mine.json"]})
    bench.jobs.wait(job, 10)
    app = open_page("evaluate")
    assert not app.exception
    assert "<b>Finding papers on mine.json: 20 cases, measured 20" in texts(app)
    assert "Last result" in texts(app)
    assert app.dataframe[0].value["recall in the first 10"][0] == "0.700 (0.600-0.800)"
    assert app.get("plotly_chart")
    app.text_input(key="evaluate-path-literature.retrieve").set_value("/another.json").run()
    assert "Last result" not in texts(app)


def test_results_of_before_are_still_shown(open_page, bench):
    bench.jobs.wait(bench.jobs.submit("guest", "evaluate", "Measuring", lambda progress: RESULT), 10)
    app = open_page("evaluate")
    assert not app.exception
    assert "<b>Finding papers: 20 cases, measured 20" in texts(app)


def test_cases_trained_on_are_told_above_the_figures_and_in_the_headline(open_page, bench):
    result = {
        **RESULT,
        "seen": {"fused": "9 of 20 cases: this is no test of it."},
        "notes": ["9 of 20 cases: this is no test of it.", "A note."],
    }
    bench.jobs.wait(bench.jobs.submit("guest", "evaluate.literature.retrieve", "Measuring", lambda progress: result), 10)
    app = open_page("evaluate")
    assert "this is no test of it" in app.warning[0].value.replace("\\", "")
    assert "No test of fused" in texts(app)
    assert "<li>9 of 20" not in texts(app), "said once"
    assert "highest" not in texts(app)
