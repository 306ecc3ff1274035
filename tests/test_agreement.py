"""How far two results agree, against planted agreement: none, perfect, reversed, and known counts."""

from __future__ import annotations

import numpy as np
import pytest

from backend.agreement import agreements
from backend.metrics import bootstrap_spearman

AMINO = "ACDEFGHIKLMNPQRSTVWY"
PROTEIN = "MKVLAAGIVGLLLAQPSTSQ"


def scores(rng: np.random.Generator) -> list[list[float]]:
    return rng.normal(size=(len(PROTEIN), len(AMINO))).round(4).tolist()


def a_map(table: list[list[float] | None]) -> dict:
    return {"alphabet": AMINO, "results": [{"record": "p", "sequence": PROTEIN, "places": None, "scores": table}]}


def vectors(table: np.ndarray) -> dict:
    return {"results": [{"record": str(at), "vector": row} for at, row in enumerate(table.tolist())]}


def named(found, name: str):
    return next(each for each in found if each.name == name)


def test_the_same_map_agrees_wholly_and_a_reversed_one_not_at_all() -> None:
    table = scores(np.random.default_rng(0))
    same = named(agreements(a_map(table), a_map(table)), "Scores of substitutions")
    assert same.value == pytest.approx(1.0)
    assert "380 substitutions at 20 positions" in same.text
    turned = [[-value for value in row] for row in table]
    assert named(agreements(a_map(table), a_map(turned)), "Scores of substitutions").value == pytest.approx(-1.0)


def test_unrelated_maps_show_no_agreement_and_the_interval_holds_zero() -> None:
    rng = np.random.default_rng(1)
    found = named(agreements(a_map(scores(rng)), a_map(scores(rng))), "Scores of substitutions")
    assert found.low < 0 < found.high
    assert "no agreement" in found.text


def test_the_substitution_that_was_moved_is_named_where_maps_are_furthest_apart() -> None:
    rows = np.linspace(-5, 5, len(PROTEIN) * len(AMINO)).reshape(len(PROTEIN), -1)
    other = rows.copy()
    other[0, AMINO.index("W")] = 9.0
    found = named(agreements(a_map(rows.tolist()), a_map(other.tolist())), "Furthest apart")
    assert "M1W, 5% by the first, 100% by the second" in found.text


def test_a_position_that_one_model_does_not_score_is_left_aside() -> None:
    table: list[list[float] | None] = list(scores(np.random.default_rng(2)))
    table[3] = None
    found = named(agreements(a_map(table), a_map(scores(np.random.default_rng(3)))), "Scores of substitutions")
    assert "361 substitutions at 19 positions" in found.text


def test_drawing_whole_sites_widens_the_interval_where_a_site_moves_as_one() -> None:
    rng = np.random.default_rng(4)
    site = np.repeat(np.arange(30), 19)
    level = rng.normal(size=30)
    a, b = (level + 0.5 * rng.normal(size=30))[site], (level + 0.5 * rng.normal(size=30))[site]
    a, b = a + 0.01 * rng.normal(size=a.size), b + 0.01 * rng.normal(size=b.size)
    alone = bootstrap_spearman(a, b, n=300)
    whole = bootstrap_spearman(
        a, b, n=300, draw=lambda each: np.bincount(each.integers(30, size=30), minlength=30).astype(np.float64)[site]
    )
    assert whole.value == alone.value
    assert whole.high - whole.low > 2 * (alone.high - alone.low)


def test_named_things_are_counted_by_their_words_and_kinds() -> None:
    def mentions(*given: tuple[int, int, str]) -> dict:
        return {"mentions": [{"start": start, "end": end, "kind": kind} for start, end, kind in given]}

    first = mentions((0, 7, "Disease"), (10, 14, "gene"), (20, 25, "gene"))
    second = mentions((0, 7, "disease"), (10, 14, "chemical"), (21, 25, "gene"))
    found = named(agreements(first, second), "Named things")
    assert (
        "The first names 3, the second 3: 2 at exactly the same words, 1 of them of the same kind; 1 more of the first overlap"
        in found.text
    )
    assert found.value == pytest.approx(0.25)


def test_nearness_is_ranked_over_all_pairs_of_records() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(12, 8))
    turn, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    found = named(agreements(vectors(table), vectors(table @ turn)), "Nearness")
    assert found.value == pytest.approx(1.0, abs=1e-6)
    assert "66 pairs" in found.text


def test_neighbours_are_counted_by_record() -> None:
    def listed(order: list[list[int]]) -> dict:
        return {"results": [{"record": str(at), "neighbours": [{"index": each} for each in row]} for at, row in enumerate(order)]}

    found = agreements(listed([[1, 2], [0, 2], [0, 1]]), listed([[1, 2], [2, 0], [0, 1]]))
    assert "2 of 3 (67%) of the records have the same nearest" in named(found, "Nearest record").text
    assert [each.name for each in found] == ["Nearest record"], "where all others are listed, that they are shared says nothing"
    four = listed([[1], [0], [3], [2]]), listed([[1], [2], [3], [0]])
    assert named(agreements(*four), "Neighbours").value == 0.5


def test_what_has_no_measure_gives_none() -> None:
    assert agreements({"stages": [1, 2]}, {"stages": [1, 3]}) == []
    assert agreements({}, {}) == []


def test_verdicts_are_set_against_each_other_part_by_part() -> None:
    def said(whole: str, *parts: str) -> dict:
        return {"joined": {"verdict": whole, "probabilities": [0.7, 0.2, 0.1]}, "contexts": [{"verdict": part} for part in parts]}

    found = agreements(said("yes", "yes", "no"), said("no", "yes", "yes"))
    assert named(found, "Verdict").text == "The first says yes (probability 0.70), the second no (probability 0.70)."
    assert "1 of 2 (50%) of the parts" in named(found, "Parts").text


def test_answers_are_the_same_overlap_or_differ() -> None:
    def span(start: int, end: int) -> dict:
        return {"spans": [{"text": "x", "score": 0.5, "start": start, "end": end, "paper": 1}]}

    assert "the same words" in named(agreements(span(3, 9), span(3, 9)), "Answer").text
    assert "overlap" in named(agreements(span(3, 9), span(5, 12)), "Answer").text
    assert "different words" in named(agreements(span(3, 9), span(20, 25)), "Answer").text
    assert named(agreements(span(3, 9), {"spans": []}), "Answer").text == "Only the first finds an answer."


def test_the_strongest_contacts_are_counted_as_pairs_and_not_read_as_a_table_of_scores() -> None:
    def listed(*pairs: tuple[int, int]) -> dict:
        return {"results": [{"record": "p", "sequence": "MKV", "contacts": [[i, j, 0.9] for i, j in pairs]}]}

    found = agreements(listed((0, 8), (1, 9), (2, 10)), listed((1, 9), (0, 8), (3, 12)))
    assert [each.name for each in found] == ["Strongest contacts"]
    assert "2 of 3 (67%)" in found[0].text


def test_classes_of_records_are_counted() -> None:
    def called(*names: str) -> dict:
        return {"results": [{"record": str(at), "call": name} for at, name in enumerate(names)]}

    assert named(agreements(called("a", "b", "b"), called("A", "b", "a")), "Calls").value == pytest.approx(2 / 3)
