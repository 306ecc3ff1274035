"""Writing by the road and the command line: marked as generated, compared with the library, explained, repeated by its seed."""

import json
import math

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.literature.library import library
from backend.literature.written import NOTICE
from backend.models.registry import add_local
from backend.workbench import Workbench
from tests.literature import papers
from tests.models import tiny_writers
from tests.models.proof import through_command_line, through_road

PROMPT = "Aspirin lowers the risk of stroke because"


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def writer(config, tmp_path):
    return add_local(config, tiny_writers.galactica(tmp_path / "my galactica"), "galactica").name


@pytest.fixture
def opened(config, writer, tmp_path):
    made = Workbench(config)
    library(made.context).import_file(papers.write(tmp_path))
    yield made
    made.close()


def test_a_text_goes_on_and_says_what_it_is(opened):
    run = opened.run("literature.write", {"text": PROMPT}, settings={"length": 12})
    found = run.prediction
    assert found["notice"] == NOTICE
    assert found["text"][0] == NOTICE
    assert "UNTRAINED" in run.warnings[0]
    assert "".join(piece for piece, *_ in found["tokens"]) == found["written"]
    assert found["log_prob"] == pytest.approx(sum(log for _, log, _ in found["tokens"]), abs=1e-2)
    assert found["perplexity"] == pytest.approx(math.exp(-found["log_prob"] / len(found["tokens"])), rel=1e-2)
    assert found["read_from"] == 0
    assert found["citations"] == []
    assert opened.replay(run.id).prediction["same"]


def test_the_same_seed_gives_the_same_text(opened):
    made = [
        opened.run("literature.write", {"text": PROMPT}, settings={"length": 12, "temperature": 1.0, "seed": seed}).prediction["written"]
        for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]


def test_guessed_references_are_looked_up_and_never_called_verified(opened):
    run = opened.run("literature.write", {"text": PROMPT}, settings={"length": 4, "citations": 3})
    found = run.prediction["citations"]
    assert 1 <= len(found) <= 3
    assert all(each["status"] == "unknown" for each in found)
    assert any("None is verified" in line for line in run.prediction["text"])
    made = opened.explain(run.id, {"citation": 1})
    assert made.explanation["target"] == {"citation": 1}
    assert sum(item["value"] for item in made.explanation["sites"]["attributions"]) == pytest.approx(
        made.explanation["sites"]["score"] - made.explanation["sites"]["base_value"], abs=1e-3
    )
    with pytest.raises(InputError, match="no guessed reference number 9"):
        opened.explain(run.id, {"citation": 9})


def test_why_it_was_written_is_the_likelihood_over_the_words_of_the_prompt(opened):
    run = opened.run("literature.write", {"text": PROMPT}, settings={"length": 6})
    sites = opened.explain(run.id, {}).explanation["sites"]
    assert [PROMPT[item["start"] : item["end"]] for item in sites["attributions"]] == PROMPT.split()
    assert sites["score"] == pytest.approx(run.prediction["log_prob"], abs=0.01)
    assert sites["faithfulness"]["additivity_residual"] < 1e-4


def test_a_prompt_of_many_words_is_explained_by_its_sentences():
    from backend.literature.written import explain_prompt

    text = " ".join(f"Word {'very ' * 20}number {at} ends here." for at in range(4))
    made = explain_prompt(lambda texts: np.array([float(each.count("3")) for each in texts]), text, target="threes")
    assert [round(item.value, 6) for item in made.attributions] == [0, 0, 0, 1]


def test_a_long_prompt_is_refused_with_the_limit_or_cut_as_asked(opened):
    long = "the heart " * 40 + "stops."
    with pytest.raises(InputError, match="at most 96"):
        opened.run("literature.write", {"text": long}, settings={"length": 10})
    run = opened.run("literature.write", {"text": long}, settings={"length": 10, "cut": True})
    start = run.prediction["read_from"]
    assert 0 < start < len(long)
    assert long[start - 1] == " "
    assert any("were not read" in warning for warning in run.warnings)
    with opened.context.runtime.use(run.prediction["model"]) as model:
        assert model.lengths([long[start:]])[0] <= 86
        assert model.write(long[start:], most=10, temperature=0, seed=0).text == run.prediction["written"]
    assert min(item["start"] for item in opened.explain(run.id, {}).explanation["sites"]["attributions"]) >= start


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"length": 0}, "length"),
        ({"length": "many"}, "numbers"),
        ({"temperature": -1}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"citations": 99}, "references"),
    ],
)
def test_settings_that_cannot_be_are_told(opened, settings, words):
    with pytest.raises(InputError, match=words):
        opened.run("literature.write", {"text": PROMPT}, settings=settings)


def test_only_galactica_guesses_references(config, tmp_path, writer):
    other = add_local(config, tiny_writers.biogpt(tmp_path / "my biogpt"), "biogpt").name
    with pytest.raises(InputError, match="not taught"):
        through_road(config, "literature.write", PROMPT, {"model": other, "citations": 2})
    run = through_road(config, "literature.write", PROMPT, {"model": other, "length": 5})
    assert run.model["name"] == other
    assert any("library is empty" in warning for warning in run.warnings)


def test_the_command_line_writes_the_same(config, writer, tmp_path):
    file = tmp_path / "prompt.txt"
    file.write_text(PROMPT)
    made = through_command_line(
        config, ["read", file, "--task", "literature.write", "--set", f"model={writer}", "--set", "length=6", "--explain"]
    )
    road = through_road(config, "literature.write", PROMPT, {"model": writer, "length": 6})
    assert made["prediction"]["written"] == road.prediction["written"]
    assert np.isfinite(made["explanation"]["sites"]["score"])


def test_exports_say_that_a_model_wrote_it(opened):
    from backend.tasks import find_task

    found = opened.run("literature.write", {"text": PROMPT}, settings={"length": 5}).prediction
    exports = find_task("literature.write").exports
    text = exports["txt"](found)
    assert text.startswith(NOTICE)
    assert PROMPT in text
    assert json.loads(exports["json"](found))["notice"] == NOTICE


def test_stopping_leaves_no_run(opened):
    from backend.errors import Cancelled

    class Stop:
        def update(self, done, total=None, message=""):
            self.done = done

        def check(self):
            if getattr(self, "done", 0) >= 2:
                raise Cancelled("Stopped on request.", "")

    with pytest.raises(Cancelled):
        opened.run("literature.write", {"text": PROMPT}, settings={"length": 50, "temperature": 1.0}, progress=Stop())
    assert opened.storage.runs.list() == []
