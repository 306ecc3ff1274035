"""Sentences are spans of the stored text: every quote is verbatim, and an abbreviation ends none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain import Paper, Section
from backend.literature.sentences import sentences, split


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It fell by 3.5 mg. Mortality did not.", 2),
        ("Growth of E. coli and S. aureus stopped. Fungi grew.", 2),
        ("Smith et al. reported this (Fig. 2). We did not.", 2),
        ("Doses, i.e. 5 mg vs. 10 mg, were compared. No. 7 was lost.", 2),
        ("1. Insulin fell. 2. Glucagon rose.", 2),
        ("Serum vitamin D. Levels were low.", 2),
        ("Was it effective? Yes! It was.", 3),
        ("降低了死亡率。没有副作用。", 2),
        ("At M.D. Anderson Hospital 12 patients were seen.", 1),
        ("P < 0.001. (This held throughout.) It was stable.", 3),
    ],
)
def test_where_sentences_end(text: str, expected: int) -> None:
    assert len(texts(text)) == expected, texts(text)


@given(st.text(max_size=400))
def test_spans_are_ordered_disjoint_and_lose_nothing_but_space(text: str) -> None:
    spans = split(text)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


def test_no_sentence_crosses_a_section() -> None:
    text = "Title\n\nAims were set\nResults came"
    paper = Paper(text, "Title", (Section("AIM", 7, 20), Section("RESULTS", 21, 33)))
    assert [text[a:b] for a, b in sentences(paper)] == ["Aims were set", "Results came"]


def test_a_work_with_only_a_title_has_its_title_as_sentence() -> None:
    paper = Paper("Metformin and the heart\n\n", "Metformin and the heart")
    assert [paper.text[a:b] for a, b in sentences(paper)] == ["Metformin and the heart"]
