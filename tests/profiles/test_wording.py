"""A reading level changes words and their order: every figure is the same at every level, or left out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.profiles.wording import confidence_words, holds, how_sure, reading_level, why, why_details, why_means

SHARE = st.floats(0, 1, allow_nan=False)
RATE = st.fixed_dictionaries({"value": SHARE, "low": SHARE, "high": SHARE, "n": st.integers(1, 5000)})
INTERVAL = st.fixed_dictionaries({"value": SHARE, "low": SHARE, "high": SHARE})
FOUND = st.fixed_dictionaries(
    {
        "support": st.fixed_dictionaries(
            {
                "similarity": SHARE,
                "words": SHARE,
                "threshold": SHARE,
                "answered_wrongly": RATE,
                "refused_wrongly": RATE,
                "data": st.just("BioASQ"),
                "quoting": st.fixed_dictionaries(
                    {"least": SHARE, "kept_from_answering_papers": INTERVAL, "kept_from_other_papers": INTERVAL}
                ),
            }
        ),
        "coverage": st.fixed_dictionaries(
            {
                "works": st.integers(0, 10**6),
                "matching": st.integers(0, 10**6),
                "with_vectors": st.integers(0, 10**6),
                "methods": st.sampled_from([["bm25"], ["bm25", "minilm"]]),
            }
        ),
    }
)
EXPLANATION = st.fixed_dictionaries(
    {
        "target": st.just("Score of this sentence"),
        "method": st.just("Exact Shapley values"),
        "unit": st.sampled_from(["sentence score", "ln odds"]),
        "baseline": st.sampled_from(["the empty text", "no sentence"]),
        "score": SHARE,
        "base_value": SHARE,
        "faithfulness": st.fixed_dictionaries(
            {
                "additivity_residual": st.floats(0, 1e-3),
                "deletion_area": SHARE,
                "random_areas": st.lists(SHARE, max_size=20),
                "p_value": SHARE,
                "evaluations": st.integers(1, 5000),
            }
        ),
    }
)


def figures(lines) -> set[str]:
    text = " ".join(f"{line.words} {line.figure}" for line in lines)
    return set(re.findall(r"\d[\d.,]*(?:e[-+]\d+)?", text.replace("BM25", "")))


def stripped(found: set[str]) -> set[str]:
    return {figure.rstrip(".,") for figure in found}


@given(FOUND)
def test_how_sure_has_the_same_figures_or_fewer_at_every_level(found):
    plain, usual, expert = (how_sure(found, level) for level in ("plain", "professional", "expert"))
    assert stripped(figures(plain)) == stripped(figures(usual))
    assert stripped(figures(usual)) <= stripped(figures(expert))


@given(EXPLANATION)
def test_why_has_the_same_figures_or_fewer_at_every_level(explanation):
    plain, usual, expert = (stripped(figures(why(explanation, level))) for level in ("plain", "professional", "expert"))
    assert plain <= usual <= expert


@given(EXPLANATION)
def test_who_is_no_expert_reads_no_method_and_an_expert_nothing_folded(explanation):
    for level in ("plain", "professional"):
        told = " ".join(f"{line.words} {line.figure}" for line in why(explanation, level))
        assert not re.search("Shapley|ln odds|differs|p-value|Deletion", told)
        folded = stripped(figures(why_details(explanation, level)))
        assert folded <= stripped(figures(why(explanation, "expert"))) | {"2.72"}
    assert set(why_details(explanation, "expert")) <= set(why(explanation, "expert"))


def test_a_reader_that_leans_before_it_has_read_anything_is_said_to():
    found = {"target": "t", "method": "m", "unit": "ln odds", "baseline": "the empty text", "score": 1.0, "base_value": 0.147}
    trust = {"additivity_residual": 0.0, "deletion_area": 0.1, "random_areas": [], "p_value": 1.0, "evaluations": 8}
    start = why({**found, "faithfulness": trust}, "professional")[-1]
    assert start.words == "With no text at all"
    assert start.figure == "53.7%: the reader leans towards it before it has read anything, which comes from its training"
    assert "answer" not in holds(True)
    assert "may not hold" in holds(False)


def test_the_expert_sees_details_first_and_the_plain_reader_learns_what_they_mean():
    found = {"support": {"similarity": 0.71, "words": 0.5, "threshold": 0.42}, "coverage": {}}
    assert how_sure(found, "expert")[0].figure == "0.71"
    assert "not whether what they say is true" in confidence_words("plain").figure
    assert "deletion test" in why_means("plain")
    assert "additivity" in why_means("plain")
    assert not why_means("expert")


@pytest.mark.parametrize(("given_level", "read"), [("plain", "plain"), ("expert", "expert"), ("", "professional"), (None, "professional")])
def test_an_unknown_level_reads_as_professional(given_level, read):
    assert reading_level({"reading_level": given_level}) == read
