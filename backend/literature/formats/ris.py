"""RIS, the format that reference managers exchange."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import rispy

from backend.domain import Paper, Skipped
from backend.errors import InputError
from backend.literature.formats.compose import clean, clean_doi, make_paper, year_of
from backend.literature.formats.plain import read_text
from backend.literature.formats.source import Source

_PMID = re.compile(r"^\s*(?:PMID:?\s*)?(\d{4,9})\s*$", re.IGNORECASE)


def read(source: Source) -> Iterator[Paper | Skipped]:
    """Every reference of the file, also of one whose last reference lacks its end mark."""
    # split by reference, so that one damaged reference costs itself and no other
    parts = re.split(r"(?m)^(?=[ ]*TY {1,2}- )", read_text(source))
    for number, part in enumerate(parts[1:], 1):
        body = re.split(r"(?m)^ER {1,2}-.*$", part)[0].strip()
        try:
            entries = rispy.loads(f"{body}\nER  - \n")
        except (rispy.parser.ParseError, ValueError, KeyError, IndexError):
            yield Skipped(f"record {number}", "It does not follow the RIS format.")
            continue
        yield (_paper(entries[0]) if entries else None) or Skipped(f"record {number}", "It has neither a title nor an abstract.")
    if len(parts) < 2:
        raise InputError(f"'{source.name}' holds no RIS reference (none starts with 'TY  - ').", "Export the references again as RIS.")


def _paper(entry: dict[str, Any]) -> Paper | None:
    def first(*keys: str) -> str:
        return next((text for key in keys if (text := clean(str(entry.get(key) or "")))), "")

    start, end = first("start_page"), first("end_page")
    abstract = first("abstract", "notes_abstract")
    found = _PMID.match(first("accession_number"))
    return make_paper(
        first("title", "primary_title", "short_title"),
        [("", abstract, None)],
        authors=tuple(_author(name) for name in entry.get("authors") or entry.get("first_authors") or []),
        journal=first("alternate_title3", "journal_name", "secondary_title", "alternate_title2"),
        year=year_of(first("year", "publication_year", "date")),
        pmid=found[1] if found else "",
        doi=clean_doi(first("doi")),
        volume=first("volume"),
        issue=first("number"),
        pages=f"{start}-{end}" if start and end else start or end,
        language=first("language"),
        keywords=tuple(word for item in entry.get("keywords") or [] if (word := clean(item))),
        source="ris",
    )


def _author(name: str) -> str:
    """ "Family, Given Middle" as "Family GM", the way PubMed writes it."""
    family, comma, given = clean(name).partition(",")
    if not comma:
        return family
    initials = given.replace(".", " ").split()
    short = "".join(part if len(part) <= 3 and part.isupper() else part[0].upper() for part in initials)
    return f"{family.strip()} {short}".strip()
