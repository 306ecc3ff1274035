"""dna.classify: windows along a record, both strands, classes by name, what is said of them, and why one window got its class."""

from __future__ import annotations

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.models.registry import add_local
from backend.sequences.dna_classify import to_csv, windows_of
from backend.sequences.inputs import give_text
from backend.sequences.overview_orfs import complement
from tests.models.untrained_dna import make_dnabert
from tests.sequences.test_dna_variants import HBB

LABELS = ("none", "TATA", "no TATA")


@pytest.fixture
def bench(tmp_path):
    from backend.workbench import Workbench

    opened = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


@pytest.fixture
def added(bench, tmp_path):
    make_dnabert(tmp_path / "promoters", labels=LABELS)
    return add_local(bench.config, tmp_path / "promoters", "dnabert").name


def run(bench, text, explain=False, target=None, **settings):
    return bench.run("dna.classify", give_text(bench.context, text, kind="dna"), settings=settings, explain=explain, target=target)


def test_windows_cover_a_record_to_its_end():
    assert windows_of(40, 50, 10) == [(0, 40)]
    assert windows_of(50, 50, 10) == [(0, 50)]
    assert windows_of(100, 50, 25) == [(0, 50), (25, 75), (50, 100)]
    assert windows_of(110, 50, 25)[-1] == (60, 110)


def test_each_window_has_its_probabilities_and_the_record_their_mean(bench, added):
    made = run(bench, f">a\n{HBB[:150]}\n", model=added, window=50, step=25)
    (found,) = made.prediction["results"]
    chances = np.array(found["probabilities"])
    assert found["windows"] == [[0, 50], [25, 75], [50, 100], [75, 125], [100, 150]]
    assert chances.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-3)
    assert found["mean"] == pytest.approx(chances.mean(axis=0), abs=1e-3)
    assert found["call"] == LABELS[int(np.argmax(found["mean"]))]
    assert any("read in 5 windows of 50 bases" in warning for warning in made.warnings)
    assert to_csv(made.prediction).splitlines()[1].startswith("a,1,50,given,")
    other = run(bench, f">a\n{complement(HBB[:150])}\n", model=added, window=50, step=25, strand="-").prediction["results"][0]
    assert other["probabilities"] == found["probabilities"][::-1]


def test_classes_judged_one_by_one_need_not_sum_to_one(bench, tmp_path):
    make_dnabert(tmp_path / "marks", labels=LABELS, problem_type="multi_label_classification")
    name = add_local(bench.config, tmp_path / "marks", "dnabert").name
    made = run(bench, f">a\n{HBB[:60]}\n", model=name)
    assert made.prediction["several"] is True
    assert abs(sum(made.prediction["results"][0]["mean"]) - 1) > 0.01


def test_a_head_of_one_number_is_no_classifier(bench, tmp_path):
    make_dnabert(tmp_path / "strength", labels=("strength",))
    assert add_local(bench.config, tmp_path / "strength", "dnabert").tasks == ("sequence.embed",)


def test_unnamed_classes_unknown_letters_and_gaps_between_windows_are_said(bench, tmp_path):
    make_dnabert(tmp_path / "unnamed", labels=("LABEL_0", "LABEL_1"))
    name = add_local(bench.config, tmp_path / "unnamed", "dnabert").name
    said = " ".join(run(bench, f">a\n{HBB[:70]}N{HBB[70:150]}\n", model=name, window=30, step=40).warnings)
    for words in ("does not name its classes", "1 letters are none of", "10 bases between one window and the next were not read"):
        assert words in said


def test_windows_that_cannot_be_read_are_refused(bench, added):
    for settings, words in (({"window": 2}, "reads 3 to 64"), ({"window": 65}, "reads 3 to 64"), ({"step": -1}, "at least one base")):
        with pytest.raises(InputError, match=words):
            run(bench, f">a\n{HBB[:150]}\n", model=added, **settings)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_class_in_a_window_is_explained_by_its_bases(bench, added, strand):
    target = {"record": "a", "label": "TATA", "window": 2}
    made = run(bench, f">a\n{HBB[:100]}\n", explain=True, target=target, model=added, window=50, step=50, strand=strand)
    found, sites = made.prediction["results"][0], made.explanation["sites"]
    chance = found["probabilities"][1][1]
    assert sites["score"] == pytest.approx(np.log(chance / (1 - chance)), abs=2e-3)
    total = sum(item["value"] for item in sites["attributions"])
    assert sites["base_value"] + total == pytest.approx(sites["score"], abs=1e-3)
    assert sites["unseen"] == [[0, 50]] or sites["unseen"] == [(0, 50)]
    assert made.explanation["target"] == target
    with pytest.raises(InputError, match="no class of this model"):
        bench.explain(made.id, {"label": "CAAT"})
