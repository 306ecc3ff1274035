"""Rewriting by the road: each job in its stated wording, labels by likelihood, nothing cut."""

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.literature.jobs_of_text import JOBS, LABELS, filled, find_job, wording
from backend.literature.written import NOTICE
from backend.models.registry import add_local
from backend.workbench import Workbench
from tests.models import tiny_writers
from tests.models.proof import through_command_line

FINDINGS = "The heart size is normal. There is no effusion."


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def opened(config, tmp_path):
    add_local(config, tiny_writers.t5(tmp_path / "my dot5"), "dot5")
    made = Workbench(config)
    yield made
    made.close()


def test_a_summary_is_written_and_explained(opened):
    run = opened.run("literature.rewrite", {"text": FINDINGS}, settings={"length": 8})
    found = run.prediction
    assert found["notice"] == NOTICE
    assert found["template"] == "summarize: {text}"
    assert "Raffel" in found["wording"]
    with opened.context.runtime.use(found["model"]) as model:
        assert model.write(f"summarize: {FINDINGS}", most=8, temperature=0, seed=0).text == found["written"]
    sites = opened.explain(run.id, {}).explanation["sites"]
    assert len(sites["attributions"]) == len(FINDINGS.split())
    assert opened.replay(run.id).prediction["same"]


def test_labels_are_compared_as_whole_answers(opened):
    run = opened.run("literature.rewrite", {"text": FINDINGS}, settings={"job": "nli", "hypothesis": "There is an effusion."})
    found = run.prediction
    assert [each["label"] for each in found["labels"]] == list(LABELS)
    assert sum(each["probability"] for each in found["labels"]) == pytest.approx(1, abs=1e-5)
    prompt = f"mnli hypothesis: There is an effusion. premise: {FINDINGS}"
    with opened.context.runtime.use(found["model"]) as model:
        logs = [float(model.likelihood([prompt], label, close=True)[0]) for label in LABELS]
    shares = np.exp(np.array(logs) - np.logaddexp.reduce(logs))
    np.testing.assert_allclose([each["probability"] for each in found["labels"]], shares, atol=1e-5)
    assert any("hardly ever" in warning for warning in run.warnings)  # random weights know no request
    made = opened.explain(run.id, {"label": "contradiction"}).explanation
    assert made["target"] == {"label": "contradiction"}
    assert made["sites"]["unit"] == "ln odds"
    p = shares[2]
    assert made["sites"]["score"] == pytest.approx(np.log(p / (1 - p)), abs=1e-3)
    with pytest.raises(InputError, match="no label"):
        opened.explain(run.id, {"label": "perhaps"})


def test_the_question_of_a_text_may_be_the_statement_in_doubt(opened):
    run = opened.run("literature.rewrite", {"text": FINDINGS, "question": "The heart is large."}, settings={"job": "nli"})
    assert run.prediction["hypothesis"] == "The heart is large."
    with pytest.raises(InputError, match="statement in doubt"):
        opened.run("literature.rewrite", {"text": FINDINGS}, settings={"job": "nli"})


def test_a_text_beyond_the_window_is_refused_and_never_cut(opened):
    with pytest.raises(InputError, match="at most 512"):
        opened.run("literature.rewrite", {"text": "the heart is " * 300})


def test_a_prompt_of_ones_own_is_used_as_it_stands(opened):
    run = opened.run("literature.rewrite", {"text": FINDINGS}, settings={"job": "free", "template": "shorten {text} please", "length": 5})
    assert run.prediction["wording"] == "wording of your own"
    with opened.context.runtime.use(run.prediction["model"]) as model:
        assert model.write(f"shorten {FINDINGS} please", most=5, temperature=0, seed=0).text == run.prediction["written"]


@pytest.mark.parametrize(
    ("job", "template", "words"),
    [
        ("free", "", "prompt of your own"),
        ("summary", "no field", "where the text goes"),
        ("nli", "{text}", "hypothesis"),
        ("free", "{text} {year}", "no year"),
    ],
)
def test_a_wording_that_cannot_be_filled_is_told(job, template, words):
    with pytest.raises(InputError, match=words):
        wording(JOBS[job], template)


def test_braces_in_a_text_stay():
    assert filled("a {text} b {hypothesis}", text="{hypothesis} {x}", hypothesis="h") == "a {hypothesis} {x} b h"
    with pytest.raises(InputError, match="no job"):
        find_job("poem")


def test_the_command_line_does_the_same(config, opened, tmp_path):
    file = tmp_path / "findings.txt"
    file.write_text(FINDINGS)
    made = through_command_line(
        config, ["read", file, "--task", "literature.rewrite", "--set", "job=nli", "--set", "hypothesis=It is normal."]
    )
    assert made["prediction"]["label"] in LABELS


def test_exports(opened):
    from backend.tasks import find_task

    exports = find_task("literature.rewrite").exports
    written = opened.run("literature.rewrite", {"text": FINDINGS}, settings={"length": 5}).prediction
    judged = opened.run("literature.rewrite", {"text": FINDINGS}, settings={"job": "nli", "hypothesis": "It is normal."}).prediction
    assert exports["txt"](written).startswith(NOTICE)
    assert exports["csv"](written).startswith("token,ln p,number")
    assert exports["csv"](judged).count("\r\n") == 4
    assert NOTICE in exports["txt"](judged)
