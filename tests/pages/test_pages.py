"""Every page opens empty, shows what there is, and tells what went wrong."""

from dataclasses import replace

import pytest

from tests.pages.conftest import HOSTILE, a_run, texts

PAGES = ("home", "literature", "sequences", "library", "runs", "models", "side_by_side", "evaluate", "profile")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_an_empty_library_and_offers_a_next_step(open_page, page):
    app = open_page(page)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert app.button or app.file_uploader or app.get("page_link")


def test_home_asks_its_example_in_one_click(open_page, bench, papers):
    app = open_page("home")
    assert "results stay here" in texts(app)
    assert app.button(key="example").label.endswith("?")


def test_literature_offers_examples_that_say_what_they_are(open_page):
    app = open_page("literature")
    assert app.button(key="example-0").label == "Does metformin reduce cardiovascular mortality?"


def test_an_empty_question_is_answered_with_what_to_do(open_page, papers):
    app = open_page("literature")
    app.form_submit_button[0].click().run()
    assert not app.exception
    assert len(app.error) == 1


def test_an_answer_is_shown_from_the_saved_run_word_for_word(open_page, answered):
    app = open_page("literature", run=answered.id)
    assert not app.exception
    assert not app.error
    shown = texts(app)
    assert "Metformin reduced cardiovascular mortality compared with placebo." in shown
    assert "<mark>Metformin reduced cardiovascular mortality compared with placebo.</mark>" in shown
    assert "PMID 90000001" in shown
    assert "Retracted" in shown
    assert "8.1%, 95% interval 5.0% to 12.0%, n\u00a0=\u00a0209" in shown
    assert "Made without readers" in shown


def test_its_explanation_shows_values_signs_and_a_label(open_page, answered):
    shown = texts(open_page("literature", run=answered.id))
    assert 'title="+0.3100 sentence score"' in shown
    assert "bl-minus" in shown
    assert "The model did not see this part." in shown
    assert ">This explanation holds<" in shown
    assert "20 of 20 random orders" in shown


def test_titles_and_questions_cannot_become_markup(open_page, answered):
    for page, query in (("literature", {"run": answered.id}), ("runs", {"run": answered.id}), ("runs", {}), ("home", {}), ("library", {})):
        app = open_page(page, **query)
        bodies = "\n".join(str(part.value) for part in app.html)
        own = bodies.replace("<script>// When a stored text", "")
        assert "<script>alert" not in own
        assert "<img" not in own
        for part in [*app.markdown, *app.caption, *app.info, *app.page_link]:
            assert "![](" not in str(part.value)


def test_an_abstention_says_what_was_nearest_and_what_to_do(open_page, bench, papers):
    bench.storage.runs.append(a_run([], id="0000CCCC", abstained=True))
    shown = texts(open_page("literature", run="0000CCCC"))
    assert "Not found by words alone" in shown  # as this run was searched
    assert "cannot answer" not in shown
    assert "Import papers on this topic" in shown
    assert "PMID 90000001" in shown


def test_a_link_to_no_run_says_so(open_page):
    app = open_page("literature", run="FFFFFFFF")
    assert not app.exception
    assert "There is no run" in app.error[0].value


def test_a_removed_paper_leaves_its_quote_with_the_run(open_page, bench, answered, papers):
    from backend.literature.library import library

    library(bench.context).remove([papers[0].id])
    app = open_page("literature", run=answered.id)
    assert not app.exception
    assert "removed or changed since" in texts(app)
    assert "Metformin reduced" in texts(app)


def test_runs_compare_what_differs(open_page, bench, answered):
    other = a_run(answered.prediction["answer"]["evidence"][:1], id="0000DDDD")
    bench.storage.runs.append(other)
    from pages.parts.compare import about, divide

    first, second = (run.prediction["answer"]["evidence"] for run in (answered, other))
    assert [len(part) for part in divide(first, second)] == [1, 1, 0]
    assert about(answered)["Filters"] == "since 2015"


def test_the_chain_is_checked_on_request(open_page, answered):
    app = open_page("runs")
    app.button(key="verify").click().run()
    assert not app.exception
    assert "Nothing was altered" in app.success[0].value


def test_a_run_is_deleted_after_asking_once_more(open_page, bench, answered):
    app = open_page("runs", run=answered.id)
    app.button(key="delete-run").click().run()
    assert not app.exception
    assert bench.storage.runs.count() == 0


def test_the_library_lists_papers_and_says_what_was_skipped(open_page, papers):
    app = open_page("library")
    assert not app.exception
    assert any("Metformin" in title for title in app.dataframe[0].value["Title"])


def test_files_are_imported_in_the_background(open_page, bench):
    from tests.pages.conftest import RIS

    app = open_page("library")
    app.file_uploader[0].upload("two.ris", RIS.encode())
    next(button for button in app.form_submit_button if button.label == "Import").click().run()
    assert not app.exception
    job = next(job for job in bench.jobs.list("guest") if job.kind == "library.import")
    assert bench.jobs.wait(job.id, 30).result["added"] == 2
    assert not list(bench.config.uploads.glob("*.ris"))


def test_a_path_to_nothing_is_told(open_page):
    app = open_page("library")
    next(box for box in app.text_input if "path" in box.label).set_value("/nowhere/file.ris")
    next(button for button in app.form_submit_button if button.label == "Import").click().run()
    assert "There is no file" in app.error[0].value


def test_fetching_needs_the_switch_and_names_what_is_sent(open_page, bench):
    app = open_page("library")
    app.text_input(key="fetch-query").set_value("metformin").run()
    assert app.button(key="fetch-go").disabled
    assert "metformin" in app.checkbox(key="fetch-consent").label
    app.checkbox(key="fetch-consent").check().run()
    assert app.button(key="fetch-go").disabled
    app.toggle(key="network-fetch").set_value(True).run()
    assert bench.runtime.allow_network
    assert not app.button(key="fetch-go").disabled


def test_the_switch_cannot_undo_an_installation_that_forbids_the_network(open_page, bench):
    object.__setattr__(bench.config, "offline_forced", True)
    app = open_page("models")
    assert app.toggle(key="network-models").disabled


def test_a_profile_is_made_edited_and_removed(open_page, bench):
    app = open_page("profile")
    next(button for button in app.button if button.label == "New profile").click().run()
    assert not app.exception
    next(box for box in app.text_input if box.label == "Name").set_value(f"Dr *{HOSTILE[:8]}*")
    app.form_submit_button[0].click().run()
    assert not app.exception
    assert any(found.name.startswith("Dr *") for found in bench.storage.profiles.list())
    app.button(key="remove-profile").click().run()
    assert [found.id for found in bench.storage.profiles.list()] == ["guest"]


def test_evaluation_shows_a_table_a_figure_and_exports(open_page, bench):
    cell = {"value": 0.7, "low": 0.6, "high": 0.8}
    result = {
        "task": "literature.retrieve",
        "n": 20,
        "systems": {"bm25": {"recall@10": cell}, "fused": {"recall@10": cell}},
        "notes": ["A note."],
    }
    job = bench.jobs.submit("guest", "evaluate", "Measuring", lambda progress: result)
    bench.jobs.wait(job, 10)
    app = open_page("evaluate")
    assert not app.exception
    assert app.dataframe[0].value["recall in the first 10"][0] == "0.700 (0.600-0.800)"
    assert app.get("plotly_chart")


def test_a_fault_inside_is_told_without_its_content(open_page, bench, answered, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("the patient's name")

    monkeypatch.setattr(type(bench.storage.runs), "list", broken)
    app = open_page("runs")
    assert "reference" in app.error[0].value
    assert "patient" not in texts(app)


def press(app, label):
    next(button for button in [*app.button, *app.form_submit_button] if button.label == label).click().run()
    return app


def ask_as(bench, **about):
    from backend.domain import Profile

    bench.storage.profiles.save(Profile(id="reader", name="Dr. Reader", **about))
    bench.storage.settings.set("active_profile", {"id": "reader"})


def test_home_opens_by_its_own_name(bench):
    from streamlit.testing.v1 import AppTest

    from tests.pages.conftest import ROOT

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
    assert not app.exception
    pages = [line for line in (ROOT / "app.py").read_text().splitlines() if 'url_path="home"' in line]
    assert len(pages) == 1


def test_the_profile_chooses_the_model_and_the_header_says_so(open_page, bench, papers):
    ask_as(bench, models={"literature.ask": "bm25"})
    app = open_page("literature")
    assert "Model <b>BM25, words only</b>" in texts(app)
    assert "Profile <b>Dr. Reader</b>" in texts(app)
    app.text_area[0].set_value("Does metformin reduce cardiovascular mortality?")
    press(app, "Ask")
    assert not app.exception
    run = bench.storage.runs.list()[0]
    assert run.model == "bm25"
    assert bench.storage.runs.get(run.id).settings["model"] == "bm25"


def test_before_asking_one_line_says_what_was_read(open_page, bench, papers):
    app = open_page("literature")
    app.text_area[0].set_value("x" * 2001)
    press(app, "Ask")
    assert "2,001 characters; at most 2,000 are read" in texts(app)
    assert "2,001 characters" in app.error[0].value
    assert bench.storage.runs.count() == 0


def test_characters_are_counted_as_they_are_read(open_page, bench, papers):
    app = open_page("literature")
    app.text_area[0].set_value(f"  {'x' * 1990}   {'y' * 20}\n ")
    press(app, "Ask")
    assert "2,011 characters; at most 2,000 are read" in texts(app)
    assert "2,011 characters" in app.error[0].value


@pytest.mark.parametrize(
    ("question", "said"),
    [("Снижает ли метформин смертность?", "not English"), ("Hilft Metformin bei Übergewicht?", "German"), ("Does TNF-α drive IL-6?", "")],
)
def test_before_asking_another_language_is_named(open_page, papers, question, said):
    app = open_page("literature")
    app.text_area[0].set_value(question)
    press(app, "Ask")
    assert (f"{said}; ask in English" in texts(app)) == bool(said)
    assert ("ask in English" in texts(app)) == bool(said)


def test_a_clinician_sees_retracted_papers_last_and_can_see_the_ranking(open_page, bench, answered):
    ask_as(bench, role="clinician")
    app = open_page("literature", run=answered.id)
    first, second = "Metformin reduced cardiovascular", "Metformin did not change"
    shown = next(str(part.value) for part in app.html if first in str(part.value) and "bl-paper" in str(part.value))
    assert shown.index(second) < shown.index(first)
    assert "stronger study designs first" in texts(app)


@pytest.mark.parametrize("level", ["plain", "professional", "expert"])
def test_a_reading_level_changes_no_figure_on_the_page(open_page, bench, answered, level):
    ask_as(bench, reading_level=level)
    page = open_page("literature", run=answered.id)
    shown = texts(page)
    assert "8.1%, 95% interval 5.0% to 12.0%" in shown
    assert "0.83" in shown
    assert ("deletion test checks" in shown) == (level == "plain")
    assert "Deletion test, p" in shown
    folded = any("Deletion test, p" in part.value for fold in page.expander for part in fold.get("html"))
    assert folded == (level != "expert"), "how an explanation was tested stands open for an expert only"


def test_a_profile_says_what_it_cannot_change(open_page):
    shown = texts(open_page("profile"))
    assert "What it cannot change" in shown
    assert "Notices of retraction" in shown


def test_runs_are_found_by_task_model_and_asker(open_page, bench, answered):
    app = open_page("runs")
    assert list(app.dataframe[0].value["Task"]) == ["Ask the papers"]
    app.selectbox(key="runs-model").set_value("minilm").run()
    assert not app.dataframe
    assert "No run matches." in texts(app)
    app.selectbox(key="runs-model").set_value("bm25").run()
    assert len(app.dataframe[0].value) == 1


def test_many_runs_are_paged(open_page, bench):
    for at in range(51):
        bench.storage.runs.append(a_run([], id=f"0000{at:04X}", abstained=True))
    app = open_page("runs")
    assert "51 runs" in texts(app)
    assert len(app.dataframe[0].value) == 50


def test_a_link_says_whom_it_serves(open_page, answered):
    from pages.parts.footer import who_can_open

    assert "needs neither Bioloom nor a network" in texts(open_page("runs", run=answered.id))
    assert "same database" in who_can_open("postgresql://host/bioloom")


def test_a_new_question_begins_empty(open_page, answered):
    app = open_page("literature", run=answered.id)
    app.button(key="new-question").click().run()
    assert app.text_area[0].value == ""
    assert "Try it with" in texts(app)


def test_an_import_says_what_became_of_it(open_page, bench, papers):
    result = {"name": "a.ris", "added": 2, "merged": 1, "skipped": 1}
    done = bench.jobs.submit("guest", "library.import", "Importing", lambda progress: result)
    bench.jobs.wait(done, 10)
    shown = texts(open_page("library"))
    assert "2 added; 1 were already there; 1 note" in shown


def test_compared_runs_tell_their_verdicts(answered):
    from pages.parts.compare import about

    assert "Verdict" not in about(answered)
    verdict = {"said": "open", "probabilities": [0.41, 0.39, 0.2], "set": ["yes", "no", "maybe"], "papers": [{}, {}]}
    answer = {**answered.prediction["answer"], "verdict": verdict}
    told = about(replace(answered, prediction={**answered.prediction, "answer": answer}))
    assert (told["Verdict"], told["90% set"], told["Studies judged"]) == ("Open (0.41)", "yes, no, maybe", "2")
