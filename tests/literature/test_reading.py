"""Tasks on a text: every place verbatim, nothing cut off in silence, every result explained, measured on experts' marks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.errors import InputError, ModelError
from backend.literature.counting import sureness
from backend.literature.formats import read_papers
from backend.literature.judging import join
from backend.literature.negation import negation
from backend.literature.verdict_measure import covered, macro_f1, mcnemar, read_judged
from backend.metrics import calibration_error
from backend.tasks import find_task
from tests.literature import toys
from tests.literature.papers import write
from tests.literature.toys import ABSTRACT, Writer, register


@pytest.fixture
def toy(monkeypatch):
    return register(monkeypatch, toys.card("toy"))


def run(bench, task, explain=False, target=None, settings=None, **value):
    given = value or {"text": ABSTRACT, "name": "abstract"}
    return bench.run(task, given, settings=settings, explain=explain, target=target)


@pytest.fixture
def bare(bench, monkeypatch):
    """Without the reader that ships."""
    from dataclasses import replace

    from backend.models import registry

    monkeypatch.setitem(registry._FAMILIES, "readers", replace(registry.families()["readers"], cards=()))
    return bench


def test_without_a_model_the_task_says_what_to_do(bare):
    bench = bare
    with pytest.raises(ModelError, match=r"No model for literature\.entities"):
        run(bench, "literature.entities")


def test_named_things_are_verbatim_with_place_kind_sentence_and_denial(bench, toy):
    found = run(bench, "literature.entities").prediction
    assert len(found["material"]["windows"]) > 1, "the text is longer than what the model reads at once"
    for each in found["mentions"]:
        assert ABSTRACT[each["start"] : each["end"]] == each["text"]
        assert each["sentence"][0] <= each["start"] < each["end"] <= each["sentence"][1]
    named = [(each["text"], each["kind"], each["cue"]) for each in found["mentions"]]
    assert named == [
        ("Lithium carbonate", "Chemical", ""),
        ("toxicity", "Disease", ""),
        ("tricuspid regurgitation", "Disease", ""),
        ("atrial flutter", "Disease", ""),
        ("Lithium", "Chemical", ""),
        ("tricuspid regurgitation", "Disease", ""),
        ("atrial flutter", "Disease", "no evidence of"),
        ("Aspirin", "Chemical", ""),
        ("headache", "Disease", ""),
        ("cyanosis", "Disease", "was not observed"),
    ]
    counts = {each["kind"]: each for each in found["counts"]}
    assert (counts["Disease"]["mentions"], counts["Disease"]["names"], counts["Disease"]["negated"], counts["Disease"]["uncertain"]) == (
        7,
        5,
        2,
        1,
    )


def test_only_mentions_of_the_least_probability_are_listed(bench, toy):
    found = run(bench, "literature.entities", settings={"least": 0.85}).prediction
    assert {each["text"].lower() for each in found["mentions"]} == {"lithium carbonate", "lithium", "aspirin", "tricuspid regurgitation"}
    with pytest.raises(InputError, match="least probability"):
        run(bench, "literature.entities", settings={"least": "much"})


def test_a_mention_is_explained_by_the_words_of_its_sentence(bench, toy):
    made = run(bench, "literature.entities", explain=True, target={"mention": 3})
    sites = made.explanation["sites"]
    by_word = {item["label"]: item["value"] for item in sites["attributions"]}
    assert max(by_word, key=by_word.get) in ("tricuspid", "regurgitation")
    assert by_word["described."] > 0, "the toy believes a sentence more that says 'described'"
    assert sites["faithfulness"]["additivity_residual"] < 1e-6
    assert "its sentence read alone (in its part of the text: 0.900)" in sites["target"], "the list has the probability of a longer text"
    for item in sites["attributions"]:
        assert ABSTRACT[item["start"] : item["end"]] == item["label"]
    with pytest.raises(InputError, match="no mention number 11"):
        bench.explain(made.id, {"mention": 11})


def test_exports_of_named_things_read_back(bench, toy, tmp_path):
    found = run(bench, "literature.entities").prediction
    exports = find_task("literature.entities").exports
    file = tmp_path / "found.pubtator.txt"
    file.write_text(exports["pubtator"](found), encoding="utf-8")
    (paper,) = read_papers(file)
    assert [paper.text[each.start : each.end] for each in paper.annotations] == [each["text"] for each in found["mentions"]]
    assert exports["csv"](found).count("\r\n") == 1 + len(found["mentions"])
    assert json.loads(exports["json"](found))["mentions"][0]["text"] == "Lithium carbonate"


@pytest.mark.parametrize(
    ("sentence", "name", "cue"),
    [
        ("There was no evidence of pneumonia.", "pneumonia", "no evidence of"),
        ("No change in fever was seen.", "fever", ""),
        ("The patient had no cough but fever persisted.", "fever", ""),
        ("Not only nausea was reported.", "nausea", ""),
        ("He denies chest pain.", "chest pain", "denies"),
        ("Myocardial infarction was ruled out.", "Myocardial infarction", "was ruled out"),
        ("Nausea occurred.", "Nausea", ""),
        ("Without any of the usual early signs that precede it, stroke came.", "stroke", ""),
    ],
)
def test_denial_by_rule(sentence, name, cue):
    at = sentence.index(name)
    assert negation(sentence, at, at + len(name)) == cue


def test_relations_stand_in_a_sentence_and_those_of_nothing_are_left_out(bench, toy):
    made = run(bench, "literature.relations", explain=True)
    found = made.prediction
    assert [(each["head"], each["relation"], each["tail"]) for each in found["relations"]] == [
        ("Lithium", "cause", "tricuspid regurgitation"),
        ("Aspirin", "treats", "cyanosis"),
        ("Aspirin", "treats", "headache"),  # the name itself is unsure, and so is what is said of it
    ]
    assert found["pairs"] == 4
    first = found["relations"][0]
    assert ABSTRACT[slice(*first["sentence"])] == "Lithium may cause tricuspid regurgitation."
    assert ABSTRACT[slice(*first["head_at"])] == "Lithium"
    by_word = {item["label"]: item["value"] for item in made.explanation["sites"]["attributions"]}
    assert by_word["cause"] > 0
    assert set(by_word) == {"may", "cause"}, "the two names always stay: without them nothing could be said of both"


def test_the_marks_of_a_papers_own_record_are_paired(bench, toy, tmp_path):
    from backend.literature.library import library

    file = tmp_path / "marked.pubtator"
    file.write_text(PUBTATOR.replace("chemical", "Drug"), encoding="utf-8")
    shelf = library(bench.context)
    shelf.import_file(file, "marked.pubtator")
    paper = next(stored for stored in shelf.papers() if "Lithium" in stored.paper.title)
    found = run(bench, "literature.relations", paper=paper.id).prediction
    assert found["marked_by"] == "the paper's own record"
    assert [(each["head"], each["relation"], each["tail"], each["head_kind"]) for each in found["relations"]] == [
        ("Lithium", "cause", "tricuspid regurgitation", "Drug")
    ]
    with pytest.raises(InputError, match="no marks of its own"):
        run(bench, "literature.relations", text=ABSTRACT, name="abstract", settings={"mentions": "paper"})


def test_a_retracted_paper_is_called_that_in_every_result(bench, toy):
    from backend.domain import Notice, Paper, Section
    from backend.literature.library import library

    body = "Aspirin treats headache."
    text = f"A trial of aspirin\n\n{body}"
    paper = Paper(
        text, "A trial of aspirin", (Section("", len(text) - len(body), len(text)),), pmid="90000099", notices=(Notice("retracted"),)
    )
    shelf = library(bench.context)
    shelf.add([paper], name="test", kind="test")
    (stored,) = shelf.papers()
    for task in toys.TASKS:
        made = run(bench, task, paper=stored.id, question="Which drug?")
        assert any("PMID 90000099 was retracted" in warning for warning in made.warnings), task


def test_what_a_writer_states_of_words_that_are_not_there_is_marked(bench, monkeypatch):
    register(monkeypatch, toys.card("writer", ("literature.relations",)), Writer)
    made = run(bench, "literature.relations")
    stated = {each["verified"] for each in made.prediction["relations"]}
    assert stated == {True, False}
    assert any("not in the text" in warning for warning in made.warnings)
    assert any("generating model" in warning for warning in made.warnings)
    assert not any(warning.startswith("Not used") for warning in made.warnings)
    asked = run(bench, "literature.relations", settings={"mentions": "paper", "pairs": "all"})
    assert any(warning.startswith("Not used: mentions and pairs") for warning in asked.warnings)


def test_a_pair_in_a_sentence_too_long_for_the_model_is_read_with_what_fits(bench, toy):
    filler = "word " * 30
    text = f"At first {filler}lithium may cause tricuspid regurgitation {filler}in the end."
    (found,) = run(bench, "literature.relations", text=text, name="long").prediction["relations"]
    read = text[slice(*found["sentence"])]
    assert "lithium may cause tricuspid regurgitation" in read
    assert len(read.split()) < 22
    apart = run(bench, "literature.relations", text=f"Lithium {filler}cause {filler}headache.", name="apart")
    assert apart.prediction["relations"] == []
    assert any("too far apart" in warning for warning in apart.warnings)


def test_marked_pairs_need_marks(bare, monkeypatch):
    bench = bare
    register(monkeypatch, toys.card("pairs", ("literature.relations",)))
    with pytest.raises(ModelError, match="marked things"):
        run(bench, "literature.relations")


def test_a_verdict_tells_every_part_and_how_they_were_joined(bench, toy):
    made = run(bench, "literature.verdict", explain=True, text=ABSTRACT, name="abstract", question="Does lithium cause regurgitation?")
    found = made.prediction
    assert all(ABSTRACT[each["start"] : each["end"]] == each["content"] for each in found["contexts"])
    covered_letters = {at for each in found["contexts"] for at in range(each["start"], each["end"])}
    assert all(at in covered_letters for at, letter in enumerate(ABSTRACT) if not letter.isspace()), "nothing is left out"
    assert found["joined"]["probabilities"] == pytest.approx(
        join(np.array([each["probabilities"] for each in found["contexts"]])), abs=1e-5
    )
    assert "Not calibrated" in found["calibration"]
    sites = made.explanation["sites"]
    assert sites["method"].startswith("Exact")
    assert made.explanation["target"] == {"context": 1}
    words = bench.explain(made.id, {"context": 2, "sentence": 1}).explanation
    text = found["contexts"][1]["content"]
    assert all(text[item["start"] : item["end"]] == item["label"] for item in words["sites"]["attributions"])


def test_a_verdict_that_no_probability_carries_is_open_in_words_and_exports(bench, toy):
    found = run(bench, "literature.verdict", text=ABSTRACT, name="abstract", question="Does lithium harm?").prediction
    assert found["joined"]["verdict"] == "open"
    assert found["text"][0].startswith("Open: no answer reaches one half (yes 0.46, no 0.41, maybe 0.13)")
    assert find_task("literature.verdict").exports["csv"](found).splitlines()[-1].endswith(",open,")
    assert {each["verdict"] for each in found["contexts"]} == {"yes", "no", "open"}
    sure = run(bench, "literature.verdict", text="Lithium may cause headache.", name="one", question="Does lithium harm?").prediction
    assert sure["text"][0] == "Yes (probability 0.73), from the whole text."


def test_joining_is_the_mean_of_logarithms():
    both = join(np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]]))
    expected = np.sqrt([0.16, 0.07, 0.01])
    assert both == pytest.approx(expected / expected.sum())
    assert join(np.array([[0.6, 0.4, 0.0]])) == pytest.approx([0.6, 0.4, 0.0])


def test_a_question_is_needed_and_must_leave_room(bench, toy):
    with pytest.raises(InputError, match="needs a question"):
        run(bench, "literature.verdict", text=ABSTRACT)
    with pytest.raises(InputError, match="reads 24 at once"):
        run(bench, "literature.verdict", text=ABSTRACT, question="why " * 20)


def test_answers_are_spans_of_the_text_best_first(bench, toy):
    made = run(bench, "literature.answer", explain=True, text=ABSTRACT, name="abstract", question="Which drug?")
    found = made.prediction
    assert [each["text"] for each in found["spans"]] == ["Aspirin", "Lithium carbonate", "Lithium"]
    for each in found["spans"]:
        assert ABSTRACT[each["start"] : each["end"]] == each["text"]
        assert ABSTRACT[slice(*each["sentence_at"])] == each["sentence"]
    assert found["silent"] == sum(not any(each["context"] == at for each in found["spans"]) for at in range(len(found["contexts"])))
    sites = made.explanation["sites"]
    assert max(sites["attributions"], key=lambda item: item["value"])["label"].startswith("Aspirin")


def test_no_answer_is_an_answer(bench, toy):
    found = run(bench, "literature.answer", text="Nothing of note was seen here.", question="Which drug?").prediction
    assert found["spans"] == []
    assert found["text"][0].startswith("No answer in the whole text")


@pytest.fixture
def asked(bench, tmp_path):
    """A saved answer from a small library."""
    from backend.literature.library import library

    library(bench.context).import_file(write(tmp_path), "papers.nbib")
    made = bench.run("literature.ask", {"question": "Does metformin reduce cardiovascular mortality?"}, settings={"model": "bm25"})
    if not made.prediction["answer"]["evidence"]:
        pytest.skip("the small library does not answer by words alone")
    return made


def test_papers_that_an_answer_quotes_are_judged_with_their_source(bench, toy, asked):
    found = run(bench, "literature.verdict", run=asked.id).prediction
    quoted = asked.prediction["answer"]["evidence"]
    assert {each["paper"] for each in found["contexts"]} == {item["document"] for item in quoted}
    assert found["question"] == "Does metformin reduce cardiovascular mortality?"
    for each in run(bench, "literature.answer", run=asked.id).prediction["contexts"]:
        assert any(each["start"] < item["end"] and item["start"] < each["end"] for item in quoted if item["document"] == each["paper"])


def test_a_run_replays_to_the_same_result(bench, toy):
    for task in toys.TASKS:
        made = run(bench, task, text=ABSTRACT, name="abstract", question="Which drug?")
        assert bench.replay(made.id).prediction["same"] is True


def test_untrained_models_carry_the_warning(bare, monkeypatch):
    bench = bare
    from backend.workbench import UNTRAINED

    register(monkeypatch, toys.card("random", untrained=True))
    assert run(bench, "literature.entities").warnings[0] == UNTRAINED


def test_a_change_that_is_denied_does_not_deny_the_disease_after_it():
    from backend.literature.negation import negation

    sentence = "TNF-alpha expression did not change in patients with breast cancer."
    start = sentence.index("breast cancer")
    assert negation(sentence, start, start + 13) == ""


# --- on labelled files --------------------------------------------------------------------------------------------

PUBTATOR = """1|t|Lithium carbonate toxicity
1|a|Lithium may cause tricuspid regurgitation. Aspirin treats headache.
1\t0\t17\tLithium carbonate\tchemical\tD016651
1\t18\t26\ttoxicity\tdisease\tD064420
1\t27\t34\tLithium\tchemical\tD016651
1\t45\t68\ttricuspid regurgitation\tdisease\tD014262
1\t70\t77\tAspirin\tGene\tX
1\tCID\tD016651\tD014262

2|t|Nothing
2|a|Atrial flutter and headache.
2\t8\t22\tAtrial flutter\tdisease\tD1
2\tCID\tD9\tD1

"""


def measure(bench, task, *files: Path):
    from backend.evaluate import evaluate

    return evaluate(bench.context, task, list(files))


def test_strict_f1_against_experts_marks(bench, toy, tmp_path):
    file = tmp_path / "gold.txt"
    file.write_text(PUBTATOR, encoding="utf-8")
    made = measure(bench, "literature.entities", file)
    figures = made["systems"]["toy"]
    # diseases: 3 right, 2 headaches wrong, none missed; chemicals: 2 right, aspirin wrong
    assert figures["disease_precision"]["value"] == pytest.approx(3 / 5)
    assert figures["disease_recall"]["value"] == 1.0
    assert figures["chemical_precision"]["value"] == pytest.approx(2 / 3)
    assert figures["f1"]["value"] == pytest.approx(10 / 13)
    assert figures["f1"]["low"] <= figures["f1"]["value"] <= figures["f1"]["high"]
    assert any("does not know Gene" in note for note in made["notes"])
    assert any("chemical of the files is Chemical of the model" in note for note in made["notes"])


def test_files_that_mark_other_kinds_are_refused(bench, toy, tmp_path):
    file = tmp_path / "gold.tsv"
    file.write_text("BRCA1\tB-Gene\nis\tO\n", encoding="utf-8")
    with pytest.raises(InputError, match="the files mark Gene"):
        measure(bench, "literature.entities", file)


def test_bio_columns_are_read_as_text_with_places(tmp_path):
    from backend.literature.labelled import read_labelled

    file = tmp_path / "gold.tsv"
    file.write_text("Breast\tNN\tO\tB-Disease\ncancer\tNN\tO\tI-Disease\nis\tNN\tO\tO\nrare\tNN\tO\tO\n\nNo\tO\n", encoding="utf-8")
    first, _ = read_labelled([file])
    assert first.text == "Breast cancer is rare"
    assert [(each.start, each.end, each.kind) for each in first.marks] == [(0, 13, "Disease")]
    file.write_text("Breast cancer is rare\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no BIO label"):
        read_labelled([file])


def test_a_mark_that_is_not_at_its_place_is_refused(tmp_path):
    from backend.literature.labelled import read_labelled

    file = tmp_path / "gold.txt"
    file.write_text(PUBTATOR.replace("\t0\t17\t", "\t1\t18\t"), encoding="utf-8")
    with pytest.raises(InputError, match="where its text reads 'ithium carbonate '"):
        read_labelled([file])


def test_the_published_corpora_are_read_whole(shared):
    from backend.literature.labelled import read_labelled, read_pairs

    documents = read_labelled([shared / "literature" / "bc5cdr" / "CDR_DevelopmentSet.PubTator.txt"])
    assert len(documents) == 500
    assert sum(len(each.relations) for each in documents) == 1012
    sentences = read_labelled([shared / "literature" / "ner_re" / "ner_NCBI-disease_dev.txt"])
    assert {each.kind for document in sentences for each in document.marks} == {"Disease"}
    text, first, second, label = read_pairs(shared / "literature" / "ner_re" / "chemprot_dev.txt")[0]
    assert (text[first.start : first.end], text[second.start : second.end], label) == ("Ang II", "valsartan", "INDIRECT-DOWNREGULATOR")
    cases = read_judged(shared / "literature" / "pubmedqa_labelled_500.json")
    assert len(cases) == 500
    assert np.bincount([case.truth for case in cases]).tolist() == [276, 169, 55]


def test_relations_of_documents_and_of_marked_pairs_are_measured(bench, toy, tmp_path):
    file = tmp_path / "gold.txt"
    file.write_text(PUBTATOR, encoding="utf-8")
    made = measure(bench, "literature.relations", file)
    # the one stated pair is right; the second document's relation stands in no sentence
    assert (made["systems"]["toy"]["precision"]["value"], made["systems"]["toy"]["recall"]["value"]) == (1.0, 0.5)
    lines = [
        {"text": "<< Aspirin >> treats [[ headache ]] well", "label": "TREATS"},
        {"text": "<< Lithium >> and [[ Aspirin ]]", "label": "CAUSE"},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert measure(bench, "literature.relations", file)["systems"]["toy"]["accuracy"]["value"] == 0.5


def test_verdicts_are_measured_beside_the_commonest_answer(bench, toy, tmp_path):
    file = tmp_path / "questions.json"
    said = [("They cause it.", "yes"), ("It is not seen, no.", "no"), ("It treats.", "yes"), ("It causes.", "maybe")]
    rows = {str(at): {"QUESTION": "Is it so?", "CONTEXTS": [text], "final_decision": truth} for at, (text, truth) in enumerate(said)}
    file.write_text(json.dumps(rows), encoding="utf-8")
    made = measure(bench, "literature.verdict", file)
    assert made["n"] == 4
    assert list(made["systems"]) == ["always yes", "toy", "reader-verdict"]
    assert made["systems"]["always yes"]["accuracy"]["value"] == 0.5
    assert set(made["systems"]["toy"]) == {"accuracy", "macro_f1", "ece", "accuracy@60"}
    assert made["systems"]["toy"]["accuracy"]["value"] == 0.75
    assert any("McNemar's exact p = 1" in note for note in made["notes"])
    bioasq = {
        "questions": [{"type": "yesno", "body": "Is it?", "snippets": [{"text": "It treats."}], "exact_answer": "Yes"}, {"type": "list"}]
    }
    file.write_text(json.dumps(bioasq), encoding="utf-8")
    assert [(case.question, case.truth) for case in read_judged(file)] == [("Is it?", 0)]


def test_the_figures_of_verdicts_are_what_they_say():
    truth, said = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    assert macro_f1(truth, said) == pytest.approx((0.5 + 2 / 3 + 0.0) / 3)
    right, sure = np.array([1.0, 0.0, 1.0, 1.0, 0.0]), np.array([0.95, 0.92, 0.55, 0.53, 0.5])
    assert calibration_error(right, sure) == pytest.approx(abs(0.5 - 0.935) * 0.4 + abs(2 / 3 - (0.55 + 0.53 + 0.5) / 3) * 0.6)
    assert covered(right, sure) == pytest.approx(2 / 3)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)


def test_what_was_marked_is_as_sure_as_it_is_right() -> None:
    """Two documents: .9 right in one of two, .6 right in the only one; the gaps weighted by how many fell into each bin."""
    found = sureness([[(0.9, True), (0.9, False)], [(0.6, True)], []])
    assert found.value == pytest.approx((2 * 0.4 + 1 * 0.4) / 3)
    assert found.low <= found.value <= found.high
