"""Measured variants: published figures come out again, numbering is found or refused, and nothing is left out in silence."""

import numpy as np
import pytest

from backend.errors import InputError
from backend.metrics import bootstrap_spearman
from backend.sequences.variants_measure import find_offset, measure, read_table

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


def single(text):
    return [[(text[0], int(text[1:-1]), text[-1])]]


def test_beta_lactamase_gives_the_published_correlations(bench, shared):
    folder = shared / "sequences" / "dms"
    options = {"wildtype": folder / "blat.fasta", "models": []}
    made = measure(bench.context, [folder / "BLAT_ECOLX_Ranganathan2015_labeled.csv"], options)
    assert (made["n"], made["score"], made["offset"]) == (4996, "2500", 24)
    figures = {name: cells["spearman"]["value"] for name, cells in made["systems"].items()}
    assert figures["blosum62"] == pytest.approx(0.35, abs=0.005)
    assert figures["esm1v_t33_650M_UR90 (mean of 5)"] == pytest.approx(0.70, abs=0.005)
    assert any("V82 (the FASTA has I)" in note for note in made["notes"])


def test_joined_mutants_are_read_with_either_sign_and_others_are_told(tmp_path):
    file = tmp_path / "some.tsv"
    file.write_text("variant\tscore\nM1A,Q2A\t0.5\nM1A:Q2C\t0.4\nK6R\t1\nK6*\t0\nWT\t1\nI3V\t\n")
    table = read_table(file)
    assert [len(row) for row in table.changes] == [2, 2, 1]
    assert table.column == "score"
    assert any("2 of 6 rows" in note and "K6*" in note for note in table.notes)
    assert any("1 rows have no score" in note for note in table.notes)


@pytest.mark.parametrize("shift", [0, 23, -5])
def test_the_numbering_is_found_from_the_wild_type_letters(shift):
    changes = [[(letter, at + 1 + shift, "A")] for at, letter in enumerate(UBIQUITIN)]
    assert find_offset(changes, UBIQUITIN) == (1 + shift, [])


def test_another_protein_is_refused_with_the_letters_that_differ():
    changes = [[(letter, at + 1, "A")] for at, letter in enumerate(reversed(UBIQUITIN))]
    with pytest.raises(InputError, match="No numbering fits"):
        find_offset(changes, UBIQUITIN)


def test_a_numbering_that_is_not_certain_is_refused():
    with pytest.raises(InputError, match="More than one numbering"):
        find_offset(single("K6R"), UBIQUITIN)


def test_a_table_that_does_not_name_its_score_is_refused(tmp_path):
    file = tmp_path / "unclear.csv"
    file.write_text("mutant,growth,binding\nM1A,1,2\nQ2A,2,3\nI3A,3,1\n")
    with pytest.raises(InputError, match="does not say which column"):
        read_table(file)
    assert read_table(file, "binding").column == "binding"


def test_spearman_agrees_with_scipy_with_and_without_ties():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    for values in (rng.normal(size=80), rng.integers(0, 5, 80)):
        other = values + rng.normal(size=80)
        found = bootstrap_spearman(values, other, n=200)
        assert found.value == pytest.approx(spearmanr(values, other)[0], abs=1e-12)
        assert found.low < found.value < found.high
