"""The figures of merit agree with scikit-learn and with sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from backend.metrics import (
    auroc,
    average_precision,
    binomial_interval,
    bootstrap,
    bootstrap_scores,
    hit_at,
    mrr_at,
    ndcg_at,
    paired_difference,
    recall_at,
)


def test_a_ranking_by_hand() -> None:
    ranked, relevant = ["x", "a", "y", "b"], {"a", "b", "c"}
    assert recall_at(3, ranked, relevant) == pytest.approx(1 / 3)
    assert hit_at(1, ranked, relevant) == 0
    assert hit_at(2, ranked, relevant) == 1
    assert mrr_at(10, ranked, relevant) == 0.5
    assert mrr_at(1, ranked, relevant) == 0
    gain = 1 / np.log2(3) + 1 / np.log2(5)
    assert ndcg_at(10, ranked, relevant) == pytest.approx(gain / (1 + 1 / np.log2(3) + 1 / np.log2(4)))


def test_ndcg_is_one_for_the_best_ranking_even_with_more_relevant_than_places() -> None:
    assert ndcg_at(2, ["a", "b"], {"a", "b", "c"}) == 1


def test_a_repeated_id_counts_once() -> None:
    assert recall_at(3, ["a", "a", "a"], {"a", "b"}) == 0.5
    assert ndcg_at(3, ["a", "a", "a"], {"a"}) == 1


@pytest.mark.parametrize("measure", [ndcg_at, recall_at, hit_at, mrr_at])
def test_a_question_without_an_answer_is_refused(measure) -> None:
    with pytest.raises(ValueError, match="leave the question out"):
        measure(10, ["a"], set())
    with pytest.raises(ValueError, match="at least 1"):
        measure(0, ["a"], {"a"})


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_agrees_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    truth = rng.random(30) < 0.2
    truth[0] = True
    scores = rng.permutation(30)
    ranked = [int(i) for i in np.argsort(-scores)]
    assert ndcg_at(10, ranked, set(np.flatnonzero(truth).tolist())) == pytest.approx(metrics.ndcg_score([truth], [scores], k=10))


@pytest.mark.parametrize("seed", range(5))
def test_classifier_scores_with_ties_agree_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    labels = rng.random(200) < 0.3
    scores = np.round(rng.normal(size=200) + labels, 1)
    assert auroc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(metrics.average_precision_score(labels, scores))


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="Both classes"):
        auroc([1, 1], [0.2, 0.3])


def test_bootstrap_interval_of_a_mean_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [bootstrap(rng.normal(1, 2, 80), n=500, seed=seed) for seed in range(300)]
    covered = np.mean([interval.low <= 1 <= interval.high for interval in intervals])
    assert 0.90 <= covered <= 0.98


def test_bootstrap_takes_any_statistic_and_repeats_itself() -> None:
    values = np.random.default_rng(1).random(50)
    assert bootstrap(values, np.median, n=200) == bootstrap(values, lambda sample, **axis: np.median(sample, **axis), n=200)
    assert bootstrap(values).json() == bootstrap(values).json()
    assert bootstrap([0.4]).json() == {"value": 0.4, "low": 0.4, "high": 0.4}


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one question"):
        bootstrap([])
    with pytest.raises(ValueError, match="finite"):
        bootstrap([1.0, float("nan")])


def test_pairing_sees_a_small_gain_that_separate_intervals_hide() -> None:
    rng = np.random.default_rng(2)
    hard = rng.random(100)
    a, b = hard + 0.02 + rng.normal(0, 0.01, 100), hard
    assert bootstrap(a).low < bootstrap(b).high
    assert paired_difference(a, b).low > 0
    with pytest.raises(ValueError, match="same ones"):
        paired_difference([1, 0], [1])


def test_interval_of_a_classifier_holds_its_value_and_keeps_both_classes() -> None:
    rng = np.random.default_rng(3)
    labels = np.r_[np.ones(5), np.zeros(95)]
    found = bootstrap_scores(labels, rng.normal(size=100) + labels, auroc, n=300)
    assert found.low < found.value < found.high
    precise = bootstrap_scores(labels, labels, average_precision, n=50)
    assert (precise.value, precise.low, precise.high) == (1, 1, 1)


def test_wilson_interval_by_the_textbook() -> None:
    stats = pytest.importorskip("scipy.stats")
    for k, n in [(0, 10), (1, 10), (9, 20), (10, 10), (0, 1_000)]:
        found, book = binomial_interval(k, n), stats.binomtest(k, n).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((book.low, book.high), abs=1e-9)
        assert found.low <= found.value <= found.high
    with pytest.raises(ValueError, match="not a share"):
        binomial_interval(3, 2)
