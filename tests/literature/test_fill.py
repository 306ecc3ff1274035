"""Hidden words: where they are, what is expected there, and why; by the page's road with a tiny model."""

import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.literature.fill import hidden_places, marked, to_csv, unmarked
from backend.models.registry import add_local
from backend.workbench import UNTRAINED, Workbench
from tests.models.tiny_bert import make

TEXT = "Aspirin lower the risk of [MASK] in patients with diabetes.\n\nThe ___ was given, and metformin reduced <mask>."


@pytest.fixture
def filler(tmp_path):
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    card = add_local(config, make(tmp_path / "tiny", "words", name="scibert"), "scibert")
    bench = Workbench(config)
    yield bench, card
    bench.close()


def test_hidden_places_in_any_writing_and_by_name():
    assert [TEXT[a:b] for a, b in hidden_places(TEXT, "")] == ["[MASK]", "___", "<mask>"]
    assert [TEXT[a:b] for a, b in hidden_places("Insulin, insulins, INSULIN", "")] == []
    assert hidden_places("Insulin, insulins, INSULIN", "insulin") == [(0, 7), (19, 26)]


def test_marks_stand_where_the_words_stood():
    shown, where = marked(TEXT, (0, 59), [(26, 32)], "<x>")
    assert shown == "Aspirin lower the risk of <x> in patients with diabetes."
    assert where == [26]
    at = shown.index("patients")
    start, end = unmarked((at, at + 8), 0, [(26, 32)], where, "<x>")
    assert TEXT[start:end] == "patients"


def test_every_place_has_its_likeliest_words(filler):
    bench, card = filler
    run = bench.run("literature.fill", {"text": TEXT}, settings={"model": card.name, "most": 3})
    hidden = run.prediction["hidden"]
    assert [TEXT[each["start"] : each["end"]] for each in hidden] == ["[MASK]", "___", "<mask>"]
    for each in hidden:
        scores = [candidate["score"] for candidate in each["candidates"]]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        assert each["carried"] == pytest.approx(sum(scores), abs=1e-5)
        assert each["truth"] is None
    assert run.warnings[0] == UNTRAINED
    assert len(to_csv(run.prediction).splitlines()) == 10


def test_a_word_hidden_by_name_is_compared_with_what_is_expected(filler):
    bench, card = filler
    text = "Aspirin lower the risk of stroke. Acetylsalicylate is aspirin."
    run = bench.run("literature.fill", {"text": text}, settings={"model": card.name, "hide": "aspirin"})
    assert [each["truth"] for each in run.prediction["hidden"]] == ["Aspirin", "aspirin"]
    assert all(0 < each["truth_score"] < 1 for each in run.prediction["hidden"])
    run = bench.run("literature.fill", {"text": text}, settings={"model": card.name, "hide": "acetylsalicylate"})
    assert run.prediction["hidden"][0]["truth_score"] is None
    assert "not one word" in run.prediction["hidden"][0]["truth_reason"]


def test_a_long_text_is_read_in_parts_and_says_so(filler):
    bench, card = filler
    text = "Insulin was given to the patients with diabetes. " * 12 + "Metformin reduced [MASK]."
    run = bench.run("literature.fill", {"text": text}, settings={"model": card.name})
    place = run.prediction["hidden"][0]
    assert text[place["start"] : place["end"]] == "[MASK]"
    assert place["window"][0] > 0
    assert any("parts" in warning for warning in run.warnings)


def test_the_words_around_explain_a_hidden_one(filler):
    bench, card = filler
    run = bench.run("literature.fill", {"text": TEXT}, settings={"model": card.name}, explain=True, target={"place": 3})
    made = run.explanation
    word = run.prediction["hidden"][2]["candidates"][0]["word"]
    assert made["target"] == {"place": 3, "word": word}
    sites = made["sites"]
    assert [TEXT[item["start"] : item["end"]] for item in sites["attributions"]] == ["The", "was", "given,", "and", "metformin", "reduced"]
    total = sites["base_value"] + sum(item["value"] for item in sites["attributions"])
    assert total == pytest.approx(sites["score"], abs=1e-4)
    assert sites["unit"] == "ln probability"


@pytest.mark.parametrize(
    ("text", "settings", "words"),
    [
        ("Nothing is hidden here.", {}, "No word of the text is hidden"),
        ("Nothing is hidden here.", {"hide": "insulin"}, "does not stand in the text"),
        ("The [MASK] " * 51, {}, "at most 50"),
        ("The [MASK]", {"most": 0}, "from 1 to 50"),
    ],
)
def test_what_cannot_be_foretold_is_refused_in_words(filler, text, settings, words):
    bench, card = filler
    with pytest.raises(InputError, match=words):
        bench.run("literature.fill", {"text": text}, settings={"model": card.name, **settings})
