"""What leaves as a citation comes back the same."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import bibtexparser
import pytest
import rispy

from backend.domain import Paper
from backend.errors import InputError
from backend.literature.cite import formatted, to_bibtex, to_csv, to_json, to_ris

FIRST: dict[str, Any] = {
    "pmid": "11",
    "doi": "10.1/a_b",
    "title": "β-blockers {and} 50% & _more_ <i>x</i> 患者",
    "authors": ["O'Byrne PM", "SYGMA Group"],
    "journal": "Ann & Med",
    "year": 2018,
    "volume": "3",
    "issue": "2",
    "pages": "10-19",
    "study_type": "other",
    "quote": "=SUM(1) fell.",
    "start": 5,
    "end": 18,
    "sha256": "ab",
    "section": "RESULTS",
    "page": 4,
    "score": 0.5,
    "rank": 1,
}
SECOND = {**FIRST, "quote": "It rose.", "start": 30, "end": 38, "rank": 2}
OTHER = {**FIRST, "pmid": "", "doi": "", "sha256": "cd", "title": "A } lone brace", "authors": ["Ng A"], "quote": "-2 points"}


def test_ris_comes_back_with_one_reference_a_paper_and_all_its_quotes() -> None:
    first, other = rispy.loads(to_ris([FIRST, SECOND, OTHER]))
    assert (first["title"], first["authors"], first["alternate_title3"]) == (FIRST["title"], ["O'Byrne, PM", "SYGMA Group"], "Ann & Med")
    assert (first["year"], first["start_page"], first["end_page"], first["doi"]) == ("2018", "10", "19", "10.1/a_b")
    assert len(first["notes"]) == 2
    assert '"It rose." (characters 30-38' in first["notes"][1]
    assert other["title"] == OTHER["title"]


def test_bibtex_comes_back_with_unicode_braces_and_ampersands() -> None:
    library = bibtexparser.parse_string(to_bibtex([FIRST, SECOND, OTHER]))
    assert not library.failed_blocks
    first, other = (entry.fields_dict for entry in library.entries)
    assert plain(first["title"].value) == FIRST["title"]
    assert plain(other["title"].value) == OTHER["title"]
    assert plain(first["journal"].value) == "Ann & Med"
    assert first["author"].value == "O'Byrne, PM and {SYGMA Group}"
    assert (first["doi"].value, first["pages"].value) == ("10.1/a_b", "10--19")


def plain(value: str) -> str:
    for name, mark in ((r"{\textbraceleft}", "\x01"), (r"{\textbraceright}", "\x02")):
        value = value.replace(name, mark)
    for mark in "&%$#_":
        value = value.replace(f"\\{mark}", mark)
    return value.strip("{}").replace("\x01", "{").replace("\x02", "}")


def test_csv_holds_no_formula_and_every_quote() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv([FIRST, SECOND, OTHER]))))
    assert [row["quote"] for row in rows] == ["'=SUM(1) fell.", "It rose.", "'-2 points"]
    assert rows[0]["authors"] == "O'Byrne PM; SYGMA Group"


def test_json_is_the_evidence_itself() -> None:
    assert json.loads(to_json([FIRST])) == [FIRST]


def test_formatted_citation_is_vancouver_for_papers_and_evidence() -> None:
    paper = Paper(text="T\n\n", title="T", authors=tuple(f"A{n} B" for n in range(8)), journal="Gut", year=2001, volume="2", pages="3-4")
    assert formatted(paper) == "A0 B, A1 B, A2 B, A3 B, A4 B, A5 B, et al. T. Gut. 2001;2:3-4."
    assert formatted(FIRST).endswith("Ann & Med. 2018;3(2):10-19. doi: 10.1/a_b. PMID: 11.")
    with pytest.raises(InputError, match="vancouver"):
        formatted(paper, "apa")


def test_nothing_gives_empty_files() -> None:
    assert to_ris([]) == to_bibtex([]) == ""


def test_a_retraction_leaves_with_every_citation() -> None:
    item = {
        "pmid": "1", "title": "Work", "authors": ["Doe J"], "journal": "J", "year": 2020, "quote": "It fell.", "start": 6, "end": 14,
        "sha256": "0" * 64, "notices": [{"kind": "retracted", "text": "Lancet. 2021;1:2", "pmid": "9"}],
    }  # fmt: skip
    line = "RETRACTED: Lancet. 2021;1:2 (PMID 9)"
    assert line in to_ris([item])
    assert line in to_bibtex([item])
    assert line in to_csv([item])
    assert formatted(item).endswith(f"[{line}].")
