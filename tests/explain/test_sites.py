"""Explanations on the letters of a sequence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.explain.sites import explain_sites, group_sites, site_label


@given(st.integers(1, 3000), st.integers(0, 2999), st.integers(16, 80))
def test_stretches_cover_every_letter_once_and_single_letters_stand_near_the_focus(length, focus, most):
    focus = focus % length
    spans = group_sites(length, focus, most)
    assert len(spans) <= most
    assert [i for start, end in spans for i in range(start, end)] == list(range(length))
    assert next(end - start for start, end in spans if start <= focus < end) == 1


@given(st.integers(1, 3000), st.integers(2, 80))
def test_without_a_focus_stretches_are_of_like_length(length, most):
    sizes = [end - start for start, end in group_sites(length, None, most)]
    assert sum(sizes) == length
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) <= most


def test_the_letters_that_carry_a_score_get_it_and_the_explanation_is_called_reliable():
    weights = np.zeros(30)
    weights[[4, 11, 25]] = 3.0, 2.0, -1.0
    weights += np.linspace(0.01, 0.05, 30)
    found = explain_sites(
        lambda present: present @ weights,
        "ACDEFGHIKLMNPQRSTVWYACDEFGHIKL",
        list(range(1, 31)),
        group_sites(30),
        target="a sum",
        unit="points",
        baseline="0",
    )
    shares = np.array([part.value for part in found.attributions])
    assert np.argsort(-shares)[:2].tolist() == [4, 11]
    assert shares[25] == pytest.approx(weights[25], abs=1e-6)
    assert found.attributions[4].label == "F5"
    assert found.faithfulness.reliable


def test_labels_speak_the_users_numbering():
    assert site_label("MKV", [24, 25, 26], (1, 2)) == "K25"
    assert site_label("ACDEFGHIKLMNPQ", list(range(10, 24)), (0, 14)) == "10-23 ACDEF...LMNPQ"
