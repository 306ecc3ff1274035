"""A set of proteins compared: relatives are near, strangers are not, whatever the order of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.config import ROOT
from backend.errors import InputError
from backend.models.families.kmers import Words
from backend.sequences.inputs import give_file, give_text
from backend.sequences.similar_align import align, blocks, count_pairs, expand
from backend.sequences.similar_map import cosines, flatten, group, neighbours, silhouettes
from backend.sequences.similar_why import by_words
from backend.tasks import find_task

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
NEDD8 = "MLIKVKTLTGKEIEIDIEPTDKVERIKERVEEKEGIPPQQQRLIYSGKQMNDEKTAADYKILGGSVLHLVLALRGG"
GLOBIN = (
    "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLSTPDAVMGNPKVKAHGKKVLGAFS"
    "DGLAHLDNLKGTFATLSELHCDKLHVDPENFRLLGNVLVCVLAHHFGKEFTPPVQAAYQKVVAGVANALAHKYH"
)
DELTA = (
    "MVHLTPEEKTAVNALWGKVNVDAVGGEALGRLLVVYPWTQRFFESFGDLSSPDAVMGNPKVKAHGKKVLGAFS"
    "DGLAHLDNLKGTFSQLSELHCDKLHVDPENFRLLGNVLVCVLARNFGKEFTPQMQAAYQKVVAGVANALAHKYH"
)
SET = {"ubiquitin": UBIQUITIN, "HBB": GLOBIN, "NEDD8": NEDD8, "HBD": DELTA}


def fasta(records: dict[str, str]) -> str:
    return "".join(f">{name}\n{letters}\n" for name, letters in records.items())


def test_relatives_are_each_others_nearest_and_form_the_groups(bench: Any) -> None:
    found = bench.run("protein.similar", give_text(bench.context, fasta(SET))).prediction
    names = [each["record"] for each in found["results"]]
    nearest = {each["record"]: names[each["neighbours"][0]["index"]] for each in found["results"]}
    assert nearest == {"ubiquitin": "NEDD8", "NEDD8": "ubiquitin", "HBB": "HBD", "HBD": "HBB"}
    groups = {each["record"]: each["group"] for each in found["results"]}
    assert found["groups"]["number"] == 2
    assert groups["HBB"] == groups["HBD"] != groups["ubiquitin"] == groups["NEDD8"]
    assert found["embedding"] == {"model": "kmers", "width": 8000, "learned": False}
    assert 0 < sum(found["map"]["explained"]) <= 1


def test_haemoglobin_beta_and_delta_differ_in_ten_residues(bench: Any) -> None:
    found = align(GLOBIN, DELTA)
    assert (found.counts.columns, found.counts.columns - found.counts.identical, found.counts.gaps) == (147, 10, 0)
    assert count_pairs([(GLOBIN, DELTA)]) == [(137 / 147, 147)]


def test_the_order_of_the_file_changes_nothing(bench: Any) -> None:
    ahead = bench.run("protein.similar", give_text(bench.context, fasta(SET))).prediction["results"]
    turned = bench.run("protein.similar", give_text(bench.context, fasta(dict(reversed(SET.items()))))).prediction["results"]
    for one in ahead:
        other = next(each for each in turned if each["record"] == one["record"])
        assert (one["x"], one["y"]) == pytest.approx((other["x"], other["y"]), abs=1e-5)
        assert [each["cosine"] for each in one["neighbours"]] == [each["cosine"] for each in other["neighbours"]]


def test_one_protein_is_told_that_there_is_nothing_to_compare_with(bench: Any) -> None:
    with pytest.raises(InputError, match="Only one protein"):
        bench.run("protein.similar", give_file(bench.context, ROOT / "assets" / "examples" / "ubiquitin.fasta"))


def test_a_model_without_vectors_is_refused_by_name(bench: Any) -> None:
    with pytest.raises(InputError, match="gives no vectors"):
        bench.run("protein.similar", give_text(bench.context, fasta(SET)), settings={"model": "minilm"})


def test_a_peptide_too_short_for_a_word_is_told(bench: Any) -> None:
    run = bench.run("protein.similar", give_text(bench.context, fasta({**SET, "short": "MW"}), kind="protein"))
    assert any("short" in text and "too short" in text for text in run.warnings)


def test_why_two_are_near_points_at_what_they_share(bench: Any) -> None:
    run = bench.run("protein.similar", give_text(bench.context, fasta({"a": UBIQUITIN + GLOBIN, "b": GLOBIN[::-1] + UBIQUITIN})))
    made = bench.explain(run.id, {"first": "a", "second": "b"}).explanation
    shared = sum(each["value"] for each in made["sites"]["attributions"] if each["end"] <= len(UBIQUITIN))
    whole = sum(each["value"] for each in made["sites"]["attributions"])
    assert made["sites"]["score"] == pytest.approx(run.prediction["results"][0]["neighbours"][0]["cosine"], abs=1e-3)
    assert shared > 0.75 * whole
    assert made["sites"]["faithfulness"]["reliable"]


def test_the_shares_of_words_add_up_to_the_cosine() -> None:
    words, score = Words(), by_words(Words(), UBIQUITIN, NEDD8)
    cosine = float(np.prod(words.embed([UBIQUITIN, NEDD8]), axis=0).sum())
    masks = np.array([[True] * 76, [False] * 76, [at < 40 for at in range(76)], [at >= 38 for at in range(76)]])
    full, none, first, second = score(masks)
    assert (full, none) == (pytest.approx(cosine, abs=1e-6), 0)
    assert first + second == pytest.approx(cosine, abs=1e-6)  # two stretches that overlap by two letters share no word


def test_words_with_a_letter_outside_the_twenty_do_not_count() -> None:
    assert Words().words("ACXDEF").tolist() == [-1, -1, -1, (2 * 20 + 3) * 20 + 4]
    assert np.linalg.norm(Words().embed(["ACDEF"])[0]) == pytest.approx(1)
    assert not Words().embed(["AC", ""]).any()


def test_an_alignment_is_printed_in_blocks_with_the_readers_numbers() -> None:
    found = align("MKTAYIAKQR", "MKTAIAKQRQQ")
    first, second = blocks(found, range(101, 111), range(1, 12), width=6)
    assert (first.first, first.between, first.second) == ("MKTAYI", "|||| |", "MKTA-I")
    assert (first.first_places, first.second_places) == ((101, 106), (1, 5))
    assert (second.first, second.first_places, second.second_places) == ("AKQR--", (107, 110), (6, 11))
    assert expand("MKTAYIAKQR", "MKTAIAKQRQQ", found.cigar, found.counts.score) == found
    with pytest.raises(ValueError, match="cover"):
        expand("MKTAYIAKQ", "MKTAIAKQRQQ", found.cigar, 0)


def test_letters_that_blosum_has_no_row_for_are_aligned_and_kept() -> None:
    found = align("MUOJKWWW", "MUOJKWWW")
    assert found.first == "MUOJKWWW"
    assert found.counts.identical == 8


def test_the_map_keeps_distances_of_points_that_lie_in_a_plane() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(12, 2))
    vectors = (flat @ np.linalg.qr(rng.normal(size=(30, 2)))[0].T).astype(np.float32)
    places, explained = flatten(vectors)
    assert explained.sum() == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(places[3] - places[8]) == pytest.approx(np.linalg.norm(flat[3] - flat[8]), abs=1e-4)


def test_points_without_structure_are_one_group() -> None:
    near = cosines(np.eye(8, dtype=np.float32))
    assert group(near).number == 1
    assert group(near, wanted=3).number == 1  # all stand equally far apart: no three of them belong together


def test_equal_proteins_are_never_parted() -> None:
    near = cosines(np.repeat(np.eye(3), 4, axis=0).astype(np.float32))
    assert group(near).labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert group(near).stability == 1
    assert group(near, wanted=7).number == 3


def test_silhouettes_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import silhouette_samples

    rng = np.random.default_rng(2)
    points = rng.normal(size=(30, 4)) + np.repeat(np.eye(4)[:3] * 3, 10, axis=0)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    labels = np.r_[np.repeat([0, 1, 2], 10)[:-1], 3]
    np.testing.assert_allclose(silhouettes(apart, labels), silhouette_samples(apart, labels, metric="precomputed"), atol=1e-9)


def test_neighbours_leave_oneself_out_even_among_equals() -> None:
    assert neighbours(cosines(np.ones((3, 4), dtype=np.float32)), 5) == [[1, 2], [0, 2], [0, 1]]


def test_tables_name_every_protein(bench: Any) -> None:
    found = bench.run("protein.similar", give_text(bench.context, fasta(SET))).prediction
    exports = find_task("protein.similar").exports
    assert exports["csv"](found).count("\r\n") == 5
    assert exports["neighbours.csv"](found).count("\r\n") == 1 + 4 * 3
