"""Top-k accuracy as the field defines it."""

import numpy as np
import pytest

from backend.sequences.splice_measure import _both, top_k


def test_top_k_is_the_share_of_true_sites_among_as_many_highest():
    truth = np.array([1, 0, 1, 0, 0], dtype=bool)
    assert top_k(truth, np.array([0.9, 0.8, 0.1, 0.0, 0.0])) == 0.5
    assert top_k(truth, np.array([0.9, 0.1, 0.8, 0.0, 0.0])) == 1
    assert top_k(truth, np.array([0.9, 0.5, 0.5, 0.0, 0.0])) == pytest.approx(0.75)  # a tie is shared
    assert top_k(truth, np.zeros(5)) == pytest.approx(0.4)  # knowing nothing


def test_leaving_out_what_lies_below_every_true_site_changes_nothing():
    from backend.metrics import average_precision

    rng = np.random.default_rng(0)
    truth, values = rng.random(400) < 0.05, rng.random(400)
    assert _both([(truth, values)]) == pytest.approx((top_k(truth, values), average_precision(truth, values)))
