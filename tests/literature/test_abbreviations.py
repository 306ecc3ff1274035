"""Abbreviations that a text defines: which long form they stand for, and names of the kind of their long form."""

from __future__ import annotations

import pytest

from backend.literature.abbreviations import as_defined, defined_in, whole
from backend.models.abilities import Mention


def mention(text: str, name: str, kind: str, which: int = 0) -> Mention:
    at = -1
    for _ in range(which + 1):
        at = text.index(name, at + 1)
    return Mention(at, at + len(name), kind, 0.9)


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Exercise for low back pain (LBP) was tried.", "LBP", "low back pain"),
        ("The left ventricular ejection fraction (LVEF) rose.", "LVEF", "left ventricular ejection fraction"),
        ("Added to sulfonylureas (SUs) it helped.", "SUs", "sulfonylureas"),
        ("Acute kidney injury (AKI, n=3) followed.", "AKI", "Acute kidney injury"),
    ],
)
def test_a_long_form_begins_where_the_letters_of_its_short_form_do(text, short, long):
    (found,) = defined_in(text)
    assert (found.short, text[slice(*found.long)], text[slice(*found.at)]) == (short, long, short)


@pytest.mark.parametrize("text", ["It was seen (see Table 1).", "Nausea (XYZ) was seen.", "In rats (n = 12) it was seen.", "It fell (P)."])
def test_a_bracket_that_defines_nothing_defines_nothing(text):
    assert defined_in(text) == []


def test_a_short_form_is_of_the_kind_of_its_long_form_wherever_it_stands():
    text = "Low back pain (LBP) is common. Yoga for LBP eased pain."
    marks = [mention(text, "Low back pain", "Disease"), mention(text, "LBP", "Chemical", 1), mention(text, "pain", "Disease", 1)]
    found = as_defined(text, marks)
    assert [(text[each.start : each.end], each.kind) for each in found] == [
        ("Low back pain", "Disease"),
        ("LBP", "Disease"),
        ("LBP", "Disease"),
        ("pain", "Disease"),
    ]
    assert as_defined(text, marks[1:]) == marks[1:]  # the long form is not marked: nothing is known of it


def test_names_do_not_end_in_a_bracket_that_opens_elsewhere():
    text = "The TAPP) repair of (glutathione ( and Ca(2+) rose )."
    marks = [mention(text, name, "Gene") for name in ("TAPP)", "(glutathione (", "Ca(2+)", " )")]
    assert [text[each.start : each.end] for each in whole(text, marks)] == ["TAPP", "glutathione", "Ca(2+)"]


def test_the_ending_of_a_genitive_is_no_name() -> None:
    text = "metformin's effect on MS"
    marks = [
        Mention(0, 9, "Chemical", 0.9),
        Mention(9, 11, "Chemical", 0.9),
        Mention(10, 11, "Chemical", 0.9),
        Mention(22, 24, "Disease", 0.9),
    ]
    assert [text[each.start : each.end] for each in whole(text, marks)] == ["metformin", "MS"]
