"""Nearest sentences: of a text and of the library, verbatim, with both ranks; explained; measured on BioASQ's form."""

import numpy as np
import pytest

from backend.errors import InputError
from backend.evaluate import evaluate
from backend.figures.words import describe_nearest, plot_nearest
from backend.literature.library import library
from backend.literature.nearest import to_csv
from backend.workbench import Workbench
from tests.literature.papers import FACTS, pubmed_xml
from tests.literature.test_measure import bioasq

TEXT = "Insulin lowers blood glucose. Aspirin prevents clots. Metformin is given in type 2 diabetes."
MODEL = "minilm"  # the encoder that every installation has: its order is known to be sensible


@pytest.fixture
def shelf(bench: Workbench, tmp_path):
    file = tmp_path / "facts.xml"
    file.write_text(pubmed_xml(), encoding="utf-8")
    library(bench.context).import_file(file)
    return library(bench.context)


def ask(bench, value, **settings):
    return bench.run("literature.nearest", value, settings={"model": MODEL, **settings})


def test_sentences_of_a_text_by_nearness_with_their_rank_by_words(bench):
    found = ask(bench, {"text": TEXT, "question": "Which drug lowers sugar in the blood?"}).prediction
    assert found["where"] == "text"
    assert found["found"][0]["quote"] == "Insulin lowers blood glucose."
    assert [TEXT[each["start"] : each["end"]] for each in found["found"]] == [each["quote"] for each in found["found"]]
    assert sorted(each["words_rank"] for each in found["found"]) == [1, 2, 3]
    cosines = [each["cosine"] for each in found["found"]]
    assert cosines == sorted(cosines, reverse=True)


def test_the_library_is_asked_by_words_and_put_in_order_by_meaning(bench, shelf):
    found = ask(bench, {"question": "Does metformin lower cardiovascular mortality?"}).prediction
    assert found["where"] == "library"
    assert found["found"][0]["pmid"] == "90000001"
    assert len({each["paper"] for each in found["found"]}) == len(found["found"])
    for each in found["found"]:
        assert shelf.paper(each["paper"]).paper.text[each["start"] : each["end"]] == each["quote"]
    assert found["compared"] == found["level"]["count"] > len(found["found"])
    assert to_csv(found).splitlines()[0].startswith("rank,cosine,rank by words")


def test_what_was_picked_by_words_and_what_is_unknown_is_said(bench, shelf):
    made = ask(bench, {"question": "Does metformin lower cardiovascular mortality?"}, candidates=2)
    assert "the 2 papers that share most with the question (BM25), and of each at most 3" in made.prediction["text"][1]
    assert not any("vocabulary" in warning for warning in made.warnings)
    strange = ask(bench, {"text": "ꙮꙮꙮ a ꙮꙮ ꙮꙮꙮ. Insulin ꙮꙮ ꙮ ꙮꙮ.", "question": "ꙮꙮ ꙮꙮ?"})
    assert sum("not in the model's vocabulary" in warning for warning in strange.warnings) == 2


def test_filters_hold_in_the_library(bench, shelf):
    found = ask(bench, {"question": "Does metformin lower cardiovascular mortality?"}, filters={"year_to": 2013}).prediction
    assert {each["pmid"] for each in found["found"]} == {"90000002", "90000005"}


def test_words_of_a_quote_explain_its_nearness(bench, shelf):
    made = ask(bench, {"question": "Does aspirin prevent stroke?"})
    why = bench.explain(made.id, {"rank": 1}).explanation
    quote = made.prediction["found"][0]["quote"]
    assert why["sequence"] == quote
    assert "".join(item["label"] for item in why["sites"]["attributions"]) == quote.replace(" ", "")
    assert why["sites"]["score"] == pytest.approx(made.prediction["found"][0]["cosine"], abs=1e-3)


def test_nothing_to_compare_is_said(bench, shelf):
    made = ask(bench, {"question": "Zyxwvut?"})
    assert made.prediction["found"] == []
    assert any("nothing to compare" in warning for warning in made.warnings)
    assert describe_nearest(made.prediction) == "Nothing was compared."


def test_the_figure_states_what_is_seen(bench):
    found = ask(bench, {"text": TEXT, "question": "Which drug lowers sugar in the blood?"}).prediction
    assert "standard deviations above the mean" in plot_nearest(found).layout.title.text
    assert "Mean of the 3 compared" in describe_nearest(found)


def test_a_question_is_needed_and_numbers_are_checked(bench):
    with pytest.raises(InputError, match="needs a question"):
        ask(bench, {"text": TEXT})
    with pytest.raises(InputError, match="'most' must be from 1 to 50"):
        ask(bench, {"text": TEXT, "question": "Which drug?"}, most=0)
    with pytest.raises(InputError, match="no place to look"):
        ask(bench, {"text": TEXT, "question": "Which drug?"}, where="web")


def test_it_is_measured_beside_bm25_on_labelled_questions(bench, tmp_path):
    made = evaluate(bench.context, "literature.nearest", [bioasq(tmp_path)], {"models": [MODEL]})
    assert list(made["systems"]) == ["bm25", MODEL, f"bm25 + {MODEL}"]
    assert made["n"] == len(FACTS)
    for metrics in made["systems"].values():
        for figure in metrics.values():
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert made["systems"][MODEL]["mrr@10"]["value"] == 1
    assert bench.storage.runs.count() == 0


def test_a_long_text_has_the_mean_of_its_windows(bench):
    with bench.runtime.use(MODEL) as model:
        short = model.embed([TEXT, "", "word"])
        assert np.abs(short - model.encode([TEXT, "", "word"])).max() < 1e-6
        long = model.embed(["metformin " * 900])
        assert np.linalg.norm(long) == pytest.approx(1, abs=1e-5)
