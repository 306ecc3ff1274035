"""The answer on the page: the verdict first, the grounds for giving none told apart, sides by sign and word, and old runs as they were."""

from dataclasses import replace

import pytest

from backend.domain import Profile
from pages.parts.named import letter, quoted
from pages.parts.report import report
from tests.pages.conftest import HOSTILE, a_run, an_explanation, evidence, texts

FOR = "Metformin reduced cardiovascular mortality compared with placebo."
AGAINST = "Metformin did not change cardiovascular mortality in this small trial."
RATE = {"value": 0.12, "low": 0.08, "high": 0.17}
ERROR = {"false_alarm": RATE, "missed": RATE | {"value": 0.31}, "n": 200, "data": "groups of studies", "command": "python -m x"}


def judged(papers, **changes) -> dict:
    """What the readers add to an answer of two papers that do not agree."""
    shares = [[0.8, 0.12, 0.08], [0.1, 0.84, 0.06]]
    about = [{"document": p.id, "pmid": p.paper.pmid, "title": p.paper.title, "year": p.paper.year} for p in papers]
    read = [
        {**paper, "probabilities": row, "said": said, "weight": 0.5} for paper, row, said in zip(about, shares, ("yes", "no"), strict=True)
    ]
    sides = [{**each, "said": side} for each, side in zip(read, ("supports", "opposes"), strict=True)]
    verdict = {
        "said": "yes",
        "probabilities": [0.62, 0.25, 0.13],
        "set": ["yes", "no"],
        "level": 0.9,
        "how": "2 studies, each read alone.",
        "papers": read,
        "model": "reader-verdict",
        "calibration": "Expected calibration error 0.04.",
    }
    contradiction = {"supports": 1, "opposes": 1, "unclear": 0, "said": "disagree", "probability": 0.8, "error": ERROR, "papers": sides}
    return {"question_kind": "yes/no", "ground": None, "verdict": verdict, "contradiction": contradiction} | changes


@pytest.fixture
def save(bench, papers):
    """Save an answer of two quotes, with what readers say of it."""

    def made(id="0000E000", stances=("supports", "opposes"), **changes):
        found = [evidence(papers[0], FOR, 1), evidence(papers[1], AGAINST, 2)]
        numbers = {"supports": [0.81, 0.1, 0.09], "opposes": [0.1, 0.8, 0.1], "unclear": [0.4, 0.35, 0.25]}
        for item, said in zip(found, stances, strict=True):
            item["bearing"] = 0.9
            item["stance"] = None if said is None else {"said": said, "probabilities": numbers[said]}
        run = a_run(found, id=id)
        answer = {**run.prediction["answer"], **judged(papers, **changes)}
        # explained already, so that nothing is computed while the page is looked at
        explanation = an_explanation(found[0], True)
        told = {"target": {"evidence": 1, "of": "bearing"}, "sites": explanation["words"], "sequence": " " * found[0]["start"] + FOR}
        made = bench.storage.runs.append(replace(run, prediction={**run.prediction, "answer": answer}))
        bench.storage.runs.append(a_run([], id=f"{id[:7]}F", kind="explanation", parent=made.id, explanation=told))
        return made

    return made


@pytest.fixture
def drawn(open_page, save):
    def go(**changes):
        app = open_page("literature", run=save(**changes).id)
        assert not app.exception
        assert not app.error
        return app, texts(app)

    return go


def test_the_verdict_stands_before_the_evidence_with_all_its_numbers(drawn):
    _, shown = drawn()
    assert shown.index(" Leans to yes</b>") < shown.index(FOR)
    assert "probability 0.62; no (0.25) is not ruled out; from 2 papers" in shown
    assert "90% set: yes or no; neither of them could be ruled out." in shown
    assert "Probabilities: yes 0.62, no 0.25, maybe 0.13" in shown
    assert shown.count("in the set") == 2
    assert "ruled out</span>" not in shown  # the reader seldom calls 'maybe': that it is not in the set says nothing
    assert "Expected calibration error 0.04." in shown
    assert "Made without readers" not in shown


def test_a_side_is_a_sign_and_a_word_and_can_be_chosen(drawn):
    app, shown = drawn()
    assert "▲</i> <b>supports</b> 0.81" in shown
    assert "▼</i> <b>opposes</b> 0.80" in shown
    app.segmented_control(key="side-0000E000").set_value("opposes").run()
    only = "\n".join(str(part.value) for part in app.html if "<article" in str(part.value))
    assert AGAINST in only
    assert f"{FOR}</p>" not in only


def test_a_side_that_no_sentence_takes_says_so(drawn):
    app, _ = drawn(stances=("supports", "supports"))
    app.segmented_control(key="side-0000E000").set_value("opposes").run()
    assert "None of the 2 sentences opposes a yes." in texts(app)


def test_a_sentence_that_neither_side_carries_shows_both_numbers(drawn):
    _, shown = drawn(stances=("unclear", "opposes"))
    assert "<b>no clear side</b> (supports 0.40, opposes 0.35, unclear 0.25)" in shown
    assert shown.count("has a side where that reaches a probability") == 1


def test_the_meter_says_its_error_where_it_speaks(drawn):
    _, shown = drawn()
    meter = next(part for part in shown.split("<section") if "bl-meter" in part)
    assert "1 says yes and 1 says no: they more likely disagree than agree" in meter
    assert "12% (95% interval 8% to 17%)" in meter
    assert "200 groups of studies" in meter


def test_evidence_that_does_not_decide_is_shown_with_the_word_open(drawn, papers):
    verdict = judged(papers)["verdict"] | {"said": "open", "probabilities": [0.4, 0.35, 0.25], "set": ["yes", "no", "maybe"]}
    _, shown = drawn(verdict=verdict, ground="does not decide")
    assert "The evidence does not decide." in shown
    assert "likeliest: yes, probability 0.40" in shown
    assert "none of them could be ruled out." in shown
    assert FOR in shown
    assert "Not in this library" not in shown


def test_nothing_in_the_library_looks_unlike_evidence_that_does_not_decide(open_page, bench, papers):
    shown = texts(open_page("literature", run=nothing(bench).id))
    assert "Not in this library" in shown
    assert "Import papers on this topic" in shown
    assert "does not decide" not in shown


def test_while_papers_are_still_read_nothing_is_called_missing(open_page, bench, papers):
    run = nothing(bench, {"with_vectors": 1, "matching": 2, "works": 2, "methods": ["bm25", "minilm"], "library_version": 1})
    shown = texts(open_page("literature", run=run.id))
    assert "Not found so far" in shown
    assert "Ask again when all papers are read for meaning." in shown
    assert "Not in this library" not in shown


def test_a_question_in_another_language_is_told_first_that_the_papers_are_english(open_page, bench, drawn):
    language = {"name": "German", "words": "The question looks like German. Ask it again in English."}
    shown = texts(open_page("literature", run=nothing(bench, language=language, reason=language["words"]).id))
    assert "Ask again in English" in shown
    assert "Not in this library" not in shown
    assert "chance that the library holds an answer" not in shown  # it was measured in English
    _, answered = drawn(language=language, verdict=None, contradiction=None, question_kind=None)
    assert answered.index("looks like German") < answered.index(FOR)


def nothing(bench, coverage=None, **changes):
    """A saved answer without evidence, by default of a library that is read for meaning."""
    run = a_run([], id="0000E100", abstained=True)
    answer = {**run.prediction["answer"], "question_kind": "yes/no", "ground": "not in library", "contradiction": None, **changes}
    whole = {**run.prediction["coverage"], "methods": ["bm25", "minilm"], "with_vectors": 2}
    return bench.storage.runs.append(replace(run, prediction={**run.prediction, "answer": answer, "coverage": coverage or whole}))


def test_a_question_without_yes_or_no_gets_no_verdict_and_no_sides(drawn):
    _, shown = drawn(question_kind="open", verdict=None, contradiction=None, stances=(None, None))
    assert "This question has no yes or no." in shown
    assert "papers as the search ranks them, within each first the sentence that bears most" in shown
    assert "answer it, the most telling first" not in shown
    assert "bears on the question 0.90" in shown
    assert "class='bl-shares'" not in shown


def test_one_paper_is_not_called_agreement(drawn, papers):
    whole = judged(papers)
    verdict = whole["verdict"] | {"papers": whole["verdict"]["papers"][:1]}
    contradiction = whole["contradiction"] | {"opposes": 0, "said": "too few", "papers": whole["contradiction"]["papers"][:1]}
    _, shown = drawn(verdict=verdict, contradiction=contradiction)
    assert "from 1 paper<" in shown
    assert "class='bl-meter'" not in shown


def test_every_judged_paper_is_listed_and_those_not_joined_are_marked(drawn, papers):
    whole = judged(papers)
    verdict = whole["verdict"] | {"papers": whole["verdict"]["papers"][:1]}
    _, shown = drawn(verdict=verdict)
    card = next(part for part in shown.split("<section") if "bl-verdict" in part)
    assert "joined from 1 of 2 papers" in card
    assert card.count("<li value=") == 2
    assert card.count("not in the joined verdict") == 1
    assert "2 sentences from 2 papers" in shown


def test_named_things_are_underlined_lettered_and_can_be_hidden(drawn):
    def mention(word, kind, negated=False):
        return {"start": FOR.index(word), "end": FOR.index(word) + len(word), "kind": kind, "score": 0.9, "negated": negated}

    named = {"mentions": [[mention("Metformin", "Chemical"), mention("mortality", "Disease", True)], []], "relations": [], "models": []}
    app, shown = drawn(named=named)
    assert "data-letter='C' title='Chemical, probability 0.90'>Metformin</span>" in shown
    assert "data-letter='D negated'" in shown
    assert "<s>mortality</s>" in shown
    assert "denied by its sentence" in shown
    app.toggle(key="marks-0000E000").set_value(False).run()
    assert "data-letter='" not in texts(app)
    assert FOR in texts(app)


def test_marks_keep_every_character_and_escape_them():
    quote = f"Aspirin {HOSTILE} helps"
    made = quoted(quote, [{"start": 8, "end": 12, "kind": "Chemical", "score": 0.3, "negated": False}], ["Chemical"])
    assert "<script" not in made
    assert "C?" in made
    overlapping = [{"start": 0, "end": 7, "kind": "Chemical"}, {"start": 0, "end": 3, "kind": "Gene"}]
    assert quoted("Aspirin", overlapping, ["Chemical", "Gene"]).count("data-letter") == 1
    assert [letter(kind, ["Cell", "Chemical", "Gene"]) for kind in ("Cell", "Chemical", "Gene")] == ["Ce", "Ch", "G"]


@pytest.mark.parametrize("level", ["plain", "professional", "expert"])
def test_no_level_changes_a_number_of_the_verdict(open_page, bench, save, level):
    bench.storage.profiles.save(Profile(id="reader", name="Dr. Reader", reading_level=level))
    bench.storage.settings.set("active_profile", {"id": "reader"})
    shown = texts(open_page("literature", run=save().id))
    for figure in ("probability 0.62", "no (0.25) is not ruled out", "90% set: yes or no", "12% (95% interval 8% to 17%)"):
        assert figure in shown


def test_a_verdict_is_explained_paper_by_paper_then_word_by_word(open_page, bench, save, papers):
    run, text = save(), papers[0].paper.text
    sites = an_explanation(evidence(papers[0], FOR, 1), False)["words"]
    for at, target in enumerate(({"verdict": 1}, {"verdict": 1, "sentence": 2})):
        told = {"target": target, "sites": sites, "sequence": text}
        bench.storage.runs.append(a_run([], id=f"0000E20{at}", kind="explanation", parent=run.id, explanation=told))
    app = open_page("literature", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert "Which sentences of the paper" in shown
    assert ">This explanation may not hold<" in shown
    assert "says nothing on whether the answer is right" in shown
    assert "Explain the words of sentence" in shown
    app.selectbox(key=f"verdict-sentence-{run.id}-1").set_value(2).run()
    assert not app.exception
    assert "Explain the words of sentence" not in texts(app)
    app.selectbox(key=f"verdict-paper-{run.id}").set_value(2).run()
    assert "Explain what paper 2 says, by its sentences" in texts(app)


def test_nothing_is_explained_before_it_is_asked_for(open_page, bench, save):
    run = bench.storage.runs.append(replace(save(), id="0000E100"))  # the same answer, without its explanation
    app = open_page("literature", run=run.id)
    assert not app.exception
    assert any(button.label.startswith("Explain sentence 1") for button in app.button)
    assert not [job for job in bench.jobs.list(active=False) if job.kind == "explain"]


def test_the_report_carries_verdict_and_meter_unfolded(save):
    page = report(save())
    assert "90% set: yes or no" in page
    assert "they more likely disagree than agree" in page
    assert "<details>" not in page


def test_the_csv_says_bearing_and_side(save):
    from backend.literature.cite import to_csv

    lines = to_csv(save().prediction["answer"]["evidence"]).splitlines()
    assert lines[0].startswith("rank,score,bearing,stance,quote")
    assert lines[1].startswith("1,0.8,0.9,supports,")
