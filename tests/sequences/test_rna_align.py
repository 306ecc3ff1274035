"""Aligning RNAs: the best path by any table of scores, in the user's numbering, whatever letters a record holds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.models.registry import add_local
from backend.sequences import affine
from backend.sequences.inputs import give_text
from backend.sequences.rna_align_by import by_letters, cosines
from backend.sequences.rna_align_export import to_csv, to_fasta, to_stockholm
from backend.sequences.rna_align_measure import agreement, measure
from backend.tasks import find_task
from backend.workbench import Workbench
from tests.models.untrained_rna import make_rnabert

FASTA = ">one\nGGGAAACUUCGGUUUCCC\n>two\nggg--aacuucgguuucc\n>three\nACGUNACGUACGUU\n"


@pytest.fixture
def bench(tmp_path: Any) -> Any:
    make_rnabert(tmp_path / "tiny")
    opened = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    add_local(opened.config, tmp_path / "tiny", "rnabert")
    yield opened
    opened.close()


def slow(scores: np.ndarray, opening: float, extension: float) -> float:
    """Best score of any alignment, by trying every one."""
    n, m = scores.shape

    def best(i: int, j: int, before: int) -> float:
        if i == n and j == m:
            return 0.0
        found = [-np.inf]
        if i < n and j < m:
            found.append(scores[i, j] + best(i + 1, j + 1, 0))
        if i < n:
            found.append(best(i + 1, j, 1) - (extension if before == 1 else opening))
        if j < m:
            found.append(best(i, j + 1, 2) - (extension if before == 2 else opening))
        return max(found)

    return best(0, 0, 0)


def score_of(path: affine.Path, scores: np.ndarray, opening: float, extension: float) -> float:
    total, before = 0.0, 0
    for i, j in zip(path.first, path.second, strict=True):
        now = 0 if i >= 0 and j >= 0 else 1 if j < 0 else 2
        total += scores[i, j] if not now else -(extension if now == before else opening)
        before = now
    return total


@pytest.mark.parametrize("seed", range(8))
def test_the_path_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rng.integers(1, 6), rng.integers(1, 6)))
    opening, extension = (1.0, 0.1) if seed % 2 else (0.4, 0.4)
    found = affine.align(scores, opening, extension)
    assert found.score == pytest.approx(slow(scores, opening, extension))
    assert score_of(found, scores, opening, extension) == pytest.approx(found.score)
    assert [i for i in found.first if i >= 0] == list(range(scores.shape[0]))
    assert [j for j in found.second if j >= 0] == list(range(scores.shape[1]))


def test_letters_score_as_in_parasail() -> None:
    parasail = pytest.importorskip("parasail")
    rng = np.random.default_rng(0)
    for _ in range(5):
        first, second = ("".join(rng.choice(list("ACGU"), size)) for size in rng.integers(20, 90, 2))
        expected = parasail.nw_striped_sat(first, second, 10, 2, parasail.matrix_create("ACGU", 5, 0)).score
        assert by_letters(first, second).score == expected


def test_too_long_and_empty_are_refused() -> None:
    with pytest.raises(InputError, match="too long"):
        affine.align(np.zeros((2_001, 2_000)), 1, 0.1)
    with pytest.raises(InputError, match="empty"):
        affine.align(np.zeros((0, 3)), 1, 0.1)


def test_the_same_rna_lies_upon_itself_and_places_are_the_users(bench: Any) -> None:
    found = bench.run("rna.align", give_text(bench.context, FASTA + ">again\nGGGAAACUUCGGUUUCCC\n")).prediction
    same = found["results"][-1]
    assert (same["vectors"]["first"], same["vectors"]["identity"], same["shared"]) == (same["sequence"], 1.0, 1.0)
    assert same["vectors"]["cosine"] == pytest.approx(1.0)
    two = found["results"][0]
    assert two["places"][:5] == [1, 2, 3, 6, 7]
    assert (len(two["map"]["cells"]), len(two["map"]["cells"][0])) == (18, 16)
    assert len(two["vectors"]["shuffled"]) == 19


def test_other_letters_are_told_and_keep_their_place(bench: Any) -> None:
    run = bench.run("rna.align", give_text(bench.context, FASTA))
    assert any("three: 1 letters other than A, C, G, U were read as hidden bases (N5)" in each for each in run.warnings)
    three = run.prediction["results"][1]
    assert three["vectors"]["second"].replace("-", "") == "ACGUNACGUACGUU"


def test_one_record_chosen_is_the_reference_of_all_others(bench: Any) -> None:
    value = give_text(bench.context, FASTA) | {"records": ["two"]}
    found = bench.run("rna.align", value).prediction
    assert found["reference"]["record"] == "two"
    assert [one["record"] for one in found["results"]] == ["one", "three"]


def test_what_cannot_be_aligned_is_refused_in_words(bench: Any) -> None:
    for fasta, settings, words in (
        (">one\nGGGAAACUUCGGUUUCCC\n", {}, "Only one RNA"),
        (FASTA, {"reference": "nobody"}, "hold no 'nobody'"),
        (FASTA, {"open": 0.1, "extend": 1}, "not possible"),
        (FASTA, {"open": "much"}, "numbers"),
    ):
        with pytest.raises(InputError, match=words):
            bench.run("rna.align", give_text(bench.context, fasta), settings=settings)


def test_the_same_input_gives_the_same_result_twice(bench: Any) -> None:
    value = give_text(bench.context, FASTA)
    assert bench.run("rna.align", value).prediction["results"] == bench.run("rna.align", value).prediction["results"]


def test_exports_hold_every_column_in_the_users_numbering(bench: Any) -> None:
    found = bench.run("rna.align", give_text(bench.context, FASTA)).prediction
    rows = to_csv(found).splitlines()
    assert rows[0].startswith("reference,record,column,reference_place")
    assert len(rows) == 1 + sum(one["vectors"]["columns"] for one in found["results"])
    assert to_fasta(found).count(">") == 4 * len(found["results"])
    assert to_stockholm(found).count("# STOCKHOLM 1.0") == to_stockholm(found).count("//\n") == 4
    assert json.loads(json.dumps(found)) == found


def test_an_explanation_adds_up_and_names_its_pair(bench: Any) -> None:
    run = bench.run("rna.align", give_text(bench.context, FASTA), explain=True, target={"record": "two", "place": 7})
    made = run.explanation
    assert made["target"] == {"record": "two", "place": 7}
    sites = made["sites"]
    assert abs(sites["base_value"] + sum(item["value"] for item in sites["attributions"]) - sites["score"]) < 1e-6
    assert all(not item["start"] <= 6 < item["end"] for item in sites["attributions"])
    with pytest.raises(InputError, match="no base 99"):
        find_task("rna.align").explain(bench.context, run.prediction, {"place": 99}, run.settings)


def test_untrained_models_are_not_measured(bench: Any, tmp_path: Any) -> None:
    file = tmp_path / "known.csv"
    file.write_text("id,sequence,structure\na_1,GGGAAACCC,(((...)))\na_2,GGGAAACCC,(((...)))\n")
    with pytest.raises(InputError, match="untrained"):
        measure(bench.context, [file], {})


def test_kept_base_pairs_are_counted_on_both_sides() -> None:
    whole = affine.Path((0, 1, 2, 3), (0, 1, 2, 3), 0)
    assert agreement(whole, [3, -1, -1, 0], [3, -1, -1, 0]) == 1
    assert agreement(whole, [3, 2, 1, 0], [3, -1, -1, 0]) == pytest.approx(2 / 3)
    assert agreement(affine.Path((0, 1, 2, 3, -1), (-1, 0, 1, 2, 3), 0), [3, -1, -1, 0], [3, -1, -1, 0]) == 0


@pytest.mark.slow
def test_the_published_weights_keep_more_base_pairs_than_letters(bench: Any, shared: Any) -> None:
    card = add_local(bench.config, shared / "weights" / "rnabert", "rnabert")
    found = measure(bench.context, [shared / "sequences/rna/archiveII_5s_trna.csv"], {"models": [card.name]})["systems"]
    assert found["difference"]["share of base pairs kept"]["low"] > 0
    assert found[card.name]["share of base pairs kept"]["value"] == pytest.approx(0.662, abs=0.005)


def test_cosines_are_those_of_the_vectors() -> None:
    first, second = np.array([[1.0, 0], [1, 1]], dtype=np.float32), np.array([[0.0, 2]], dtype=np.float32)
    np.testing.assert_allclose(cosines(first, second), [[0], [np.sqrt(0.5)]])
